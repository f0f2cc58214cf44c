package io.s3destination;

import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The records in flight over all consumers of a group, those that are closed among them: what they have read goes on,
 * and takes its memory. Safe for all threads.
 */
final class InFlightLimit {

    private final int maxRecords;
    private final long maxBytes;
    private final AtomicInteger records = new AtomicInteger();
    private final long maxFailedBytes;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong failedBytes = new AtomicLong();
    private final AtomicLong progress = new AtomicLong();
    private final Set<RecordInFlight> begun = ConcurrentHashMap.newKeySet();

    /**
     * @param maxRecords in flight before reading pauses
     * @param maxBytes of their keys, values and headers
     * @param maxFailedBytes of records that fail, up to which these do not count: a large record that S3 refuses is to block its
     *     own partition only
     */
    InFlightLimit(int maxRecords, long maxBytes, long maxFailedBytes) {
        this.maxFailedBytes = maxFailedBytes;
        this.maxRecords = maxRecords;
        this.maxBytes = maxBytes;
    }

    int records() {
        return records.get();
    }

    /** Grows with each record that is stored, each offset that is committed, and each byte that is sent. */
    long progress() {
        return progress.get();
    }

    /** The record that has been in one attempt of its steps for longest, and sends no byte. */
    Optional<RecordInFlight> oldestAttempt() {
        long now = System.nanoTime();
        return begun.stream()
                .filter(record -> !record.hasFailed())
                .min(Comparator.comparingLong(record -> record.active() - now));
    }

    void progressed(long number) {
        progress.addAndGet(number);
    }

    void begun(RecordInFlight record) {
        begun.add(record);
    }

    void failed(RecordInFlight record) {
        failedBytes.addAndGet(record.size());
    }

    void done(RecordInFlight record) {
        begun.remove(record);
        if (record.hasFailed()) {
            failedBytes.addAndGet(-record.size());
        }
    }

    void add(int moreRecords, long moreBytes) {
        records.addAndGet(moreRecords);
        bytes.addAndGet(moreBytes);
    }

    boolean isReached() {
        return records.get() >= maxRecords || bytes.get() - Math.min(failedBytes.get(), maxFailedBytes) >= maxBytes;
    }
}
