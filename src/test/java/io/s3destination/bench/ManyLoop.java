package io.s3destination.bench;

import io.s3destination.KafkaLoop;
import java.io.IOException;
import java.time.Duration;

/** The {@link KafkaLoop} over what a backlog was last given: the limit of many records per object. */
final class ManyLoop extends Contender {

    private final LoopProcess process;
    private final Backlog backlog;
    private final int consumers;

    /** @param process which others of these may share */
    ManyLoop(String name, StoreProcess store, Backlog backlog, LoopProcess process, int consumers) {
        super(name, consumers, store, process.gcLog());
        this.backlog = backlog;
        this.process = process;
        this.consumers = consumers;
    }

    int consumers() {
        return consumers;
    }

    /** @param records as many as there are */
    @Override
    int put(int records) throws IOException {
        process.run("%d %d %d".formatted(consumers, backlog.from(), backlog.to()));
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

    @Override
    public void close() {
        process.close();
    }
}
