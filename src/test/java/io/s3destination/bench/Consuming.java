package io.s3destination.bench;

import io.s3destination.bench.StoreProcess.Stored;
import io.s3destination.embedded.BundleProcess;
import java.time.Duration;
import java.util.Map;

/** A process that stores a stream: the bundle, or the plain route. */
final class Consuming extends Contender {

    private final BundleProcess process;
    private final Backlog backlog;

    Consuming(String name, int uploads, StoreProcess store, Backlog backlog, BundleProcess process) {
        super(name, uploads, store, GcLog.in(process.directory()));
        this.process = process;
        this.backlog = backlog;
    }

    @Override
    void put(int objects) {
        backlog.produce(objects);
    }

    @Override
    void check(Map<String, Stored> objects, int records) {
        backlog.check(objects, records);
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
