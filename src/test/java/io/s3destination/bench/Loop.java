package io.s3destination.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.s3destination.SdkLoop;
import io.s3destination.bench.StoreProcess.Stored;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;

/** The {@link SdkLoop} as a process of its own: the limit. */
final class Loop extends Contender {

    private final Process process;
    private final BufferedReader answers;
    private final int threads;

    /** @param directory of its own, which there is not yet */
    Loop(StoreProcess store, Path directory, int threads, int recordSize) throws IOException {
        super("loop", threads, store, GcLog.in(directory));
        this.threads = threads;
        Path values = Files.createDirectory(directory).resolve("values");
        Files.write(
                values,
                IntStream.range(0, 1_000)
                        .mapToObj(n -> new String(Backlog.value(n, recordSize), UTF_8))
                        .toList());
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        GcLog.OPTION,
                        "-classpath",
                        System.getProperty("java.class.path"),
                        SdkLoop.class.getName(),
                        store.connectionUrl(),
                        String.valueOf(threads),
                        values.toString())
                .directory(directory.toFile())
                .redirectError(directory.resolve("loop.log").toFile())
                .start();
        answers = process.inputReader();
        while (!"ready".equals(answers.readLine())) {
            if (!process.isAlive()) {
                throw new IOException("the loop did not start: " + directory.resolve("loop.log"));
            }
        }
    }

    @Override
    void put(int objects) throws IOException {
        process.outputWriter().append(threads + " " + objects + "\n").flush();
        answers.readLine();
    }

    @Override
    void check(Map<String, Stored> objects, int records) {
        if (objects.size() != records) {
            throw new IllegalStateException(objects.size() + " objects of " + records);
        }
    }

    @Override
    Duration cpu() {
        return process.toHandle().info().totalCpuDuration().orElseThrow();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
