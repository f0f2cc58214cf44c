package io.s3destination.bench;

import io.s3destination.embedded.BundleProcess;
import java.io.IOException;
import java.time.Duration;

/** A process that stores a stream: the bundle, or the plain route. */
final class Consuming extends Contender {

    private final BundleProcess process;
    private final Backlog backlog;

    /** @param process which is started */
    Consuming(String name, int uploads, StoreProcess store, Backlog backlog, BundleProcess process) {
        super(name, uploads, store, GcLog.in(process.directory()));
        this.process = process;
        this.backlog = backlog;
    }

    @Override
    int put(int records) {
        backlog.produce(records);
        return backlog.records();
    }

    @Override
    long[] stored(StoreProcess store) throws Exception {
        return backlog.stored(store);
    }

    @Override
    Duration cpu() {
        return process.cpu();
    }

    /** The most bytes of its heap that were in use. */
    long peakHeap() throws IOException {
        return GcLog.in(process.directory()).most();
    }

    /** The most memory that it has had. */
    long peakMemory() throws IOException {
        return process.peakMemory();
    }

    @Override
    public void close() {
        process.close();
    }
}
