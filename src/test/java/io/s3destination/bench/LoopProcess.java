package io.s3destination.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A bare loop as a process of its own, which does a line of its input after the other, and answers each. */
final class LoopProcess implements AutoCloseable {

    private final Path directory;
    private final Process process;
    private final BufferedReader answers;

    /** @param directory of its own, which there is not yet */
    LoopProcess(Path directory, Class<?> main, String... arguments) throws IOException {
        this.directory = Files.createDirectories(directory);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                GcLog.OPTION,
                "-Dlog4j2.configurationFile=log4j2-local.properties",
                "-classpath",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectError(directory.resolve("loop.log").toFile())
                .start();
        answers = process.inputReader();
        await("ready");
    }

    GcLog gcLog() {
        return GcLog.in(directory);
    }

    /** Returns when it is done. */
    void run(String line) throws IOException {
        process.outputWriter().append(line + "\n").flush();
        await("done");
    }

    private void await(String answer) throws IOException {
        String line = answers.readLine();
        if (!answer.equals(line)) {
            throw new IOException("the loop answers " + line + ", see " + directory.resolve("loop.log"));
        }
    }

    /** What it has used so far. */
    Duration cpu() {
        return process.toHandle().info().totalCpuDuration().orElseThrow();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
