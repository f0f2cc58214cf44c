package io.s3destination.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.s3destination.SdkLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The {@link SdkLoop}: the limit of one record per object. */
final class Loop extends Contender {

    private final LoopProcess process;
    private final int threads;
    private int records;

    private Loop(StoreProcess store, LoopProcess process, int threads) {
        super("loop", threads, store, process.gcLog());
        this.threads = threads;
        this.process = process;
    }

    /** @param directory of its own, which there is not yet */
    static Loop start(StoreProcess store, Path directory, int threads, int recordSize) throws IOException {
        Path values = Files.createDirectory(directory).resolve("values");
        Files.write(
                values,
                IntStream.range(0, 1_000)
                        .mapToObj(n -> new String(Backlog.value(n, recordSize), US_ASCII))
                        .toList());
        return new Loop(
                store,
                new LoopProcess(
                        directory, SdkLoop.class, store.connectionUrl(), String.valueOf(threads), values.toString()),
                threads);
    }

    @Override
    int put(int objects) throws IOException {
        records = objects;
        process.run(threads + " " + objects);
        return objects;
    }

    @Override
    long[] stored(StoreProcess store) throws Exception {
        List<Long> millis = new ArrayList<>();
        store.forEach(object -> millis.add(object.millis()));
        if (millis.size() != records) {
            throw new IllegalStateException(millis.size() + " objects of " + records);
        }
        return millis.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    Duration cpu() {
        return process.cpu();
    }

    @Override
    public void close() {
        process.close();
    }
}
