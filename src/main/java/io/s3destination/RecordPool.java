package io.s3destination;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The uploads of a connector: has each record go through its steps, as many at once as there are uploads. A record that
 * failed waits for its next attempt without a thread; half of the uploads are for such attempts, so that records that are
 * refused leave the others theirs. Outlives the route, which is edited while records are in flight. Safe for all threads.
 */
final class RecordPool extends AbstractExecutorService {

    /** So many retries within the delay of one that fails do S3 no harm. */
    private static final int TURNS = 64;

    private final ExecutorService uploads;
    private final LongSupplier clock;
    private final RetrySchedule<RecordInFlight> retries;

    /**
     * @param uploads the threads; who made them shuts them down
     * @param number of threads
     * @param clock such as {@link System#nanoTime()}
     */
    RecordPool(ExecutorService uploads, int number, LongSupplier clock) {
        this.uploads = uploads;
        this.clock = clock;
        int atOnce = Math.max(1, number / 2);
        this.retries = new RetrySchedule<>(atOnce, Math.max(TURNS, atOnce));
    }

    /** Takes the steps of the record that the calling thread has dispatched last. */
    @Override
    public void execute(Runnable steps) {
        Optional<RecordInFlight> dispatched = OffsetTracker.dispatched();
        if (dispatched.isEmpty()) {
            uploads.execute(steps);
            return;
        }
        RecordInFlight record = dispatched.get();
        record.waitFor(this, steps);
        if (record.hasFailed()) {
            retries.add(record, clock.getAsLong(), record.weight());
            advance();
        } else if (!record.followsPredecessor(() -> submit(record))) {
            submit(record);
        }
    }

    /** Has a record go through steps of its own. */
    void submit(RecordInFlight record, Runnable steps) {
        record.waitFor(this, steps);
        submit(record);
    }

    /**
     * Has a record wait for its next attempt. Its partition may be revoked, or its route suspended, by now: then it is
     * released, or read again later.
     *
     * @param delay in nanoseconds
     */
    void retry(RecordInFlight record, Runnable attempt, long delay) {
        long now = clock.getAsLong();
        record.waitFor(this, attempt);
        retries.add(record, now + delay, record.weight());
        if (record.isRevoked()) {
            record.release();
        } else if (record.isSuspended()) {
            record.unload(now + delay);
        }
        while (record.exceedsMemory()) {
            Optional<RecordInFlight> largest = retries.largest();
            if (largest.isEmpty()) {
                break;
            }
            largest.get().unload(now + Math.max(delay, RecordInFlight.REREAD));
        }
        advance();
    }

    /** By its clock. */
    long now() {
        return clock.getAsLong();
    }

    /** Has those records begin their next attempt whose turn it is. */
    void advance() {
        List<RecordInFlight> due = retries.next(clock.getAsLong());
        due.forEach(this::submit);
    }

    /** A record waits no longer: another thread has taken its steps. */
    void taken(RecordInFlight record) {
        retries.remove(record);
    }

    /** A record needs no further attempt for now. */
    void ended(RecordInFlight record) {
        retries.ended(record);
        advance();
    }

    private void submit(RecordInFlight record) {
        try {
            uploads.execute(record.turn());
        } catch (RejectedExecutionException e) {
            // The process ends.
            record.release();
        }
    }

    @Override
    public void shutdown() {
        uploads.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
        return uploads.shutdownNow();
    }

    @Override
    public boolean isShutdown() {
        return uploads.isShutdown();
    }

    @Override
    public boolean isTerminated() {
        return uploads.isTerminated();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return uploads.awaitTermination(timeout, unit);
    }
}
