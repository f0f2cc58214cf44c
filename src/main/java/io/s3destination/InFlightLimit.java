package io.s3destination;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records in flight over all consumers of a group, those that are closed among them: what they have read goes on,
 * and takes its memory. Records that fail have a bound of their own, so that they do not keep others from being read. Safe
 * for all threads.
 */
final class InFlightLimit {

    private static final Logger LOG = LoggerFactory.getLogger(InFlightLimit.class);
    private static final long REMINDER = Duration.ofSeconds(30).toNanos();

    private final int maxExchanges;
    private final long maxBytes;
    private final long maxFailedBytes;
    private final AtomicInteger records = new AtomicInteger();
    private final AtomicInteger exchanges = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicInteger failedRecords = new AtomicInteger();
    private final AtomicLong failedBytes = new AtomicLong();
    private final AtomicLong progress = new AtomicLong();
    private final Set<RecordInFlight> attempts = ConcurrentHashMap.newKeySet();
    private volatile Unfinished unfinished;

    /**
     * @param maxExchanges of records in flight before reading pauses, but for those that fail
     * @param maxBytes of their keys, values and headers
     * @param maxFailedBytes what records that fail may take; from half of that on, partitions that have such are not read
     */
    InFlightLimit(int maxExchanges, long maxBytes, long maxFailedBytes) {
        this.maxFailedBytes = maxFailedBytes;
        this.maxExchanges = maxExchanges;
        this.maxBytes = maxBytes;
    }

    int records() {
        return records.get() + failedRecords.get();
    }

    /** Grows with each record that is stored, each offset that is committed, and each byte that is sent. */
    long progress() {
        return progress.get();
    }

    /** The records that have been in one attempt of their steps for longest, and send no byte; the oldest first. */
    List<RecordInFlight> oldestAttempts(int number) {
        long now = System.nanoTime();
        return attempts.stream()
                .filter(record -> !record.hasFailed())
                .sorted(Comparator.comparingLong(record -> record.active() - now))
                .limit(number)
                .toList();
    }

    /** The records of a partition that are in an attempt, by offset. */
    Map<Long, RecordInFlight> attempts(TopicPartition partition) {
        return attempts.stream()
                .filter(record -> record.isOf(partition))
                .collect(Collectors.toMap(RecordInFlight::offset, record -> record, (one, other) -> one));
    }

    void progressed(long number) {
        progress.addAndGet(number);
    }

    void begun(RecordInFlight record) {
        attempts.add(record);
    }

    /** A record waits for its turn: no attempt is made. */
    void waits(RecordInFlight record) {
        attempts.remove(record);
    }

    /** A record is counted from now on. */
    void add(RecordInFlight record) {
        if (record.hasFailed()) {
            addFailed(1, record);
        } else {
            addOther(1, record);
        }
    }

    /** A record that is counted has failed for the first time. */
    void failed(RecordInFlight record) {
        addOther(-1, record);
        addFailed(1, record);
    }

    /** A record has got neither to an object nor to a retry: it is read again. */
    void unfinished(String record) {
        long now = System.nanoTime();
        Unfinished before = unfinished;
        if (before == null || now - before.logged() > REMINDER) {
            LOG.error("{}; it is read again", record);
            unfinished = new Unfinished(record, now, now);
        } else {
            unfinished = new Unfinished(record, now, before.logged());
        }
    }

    /** What has become of the last such record, if it was within that time. */
    Optional<String> unfinished(Duration within) {
        return Optional.ofNullable(unfinished)
                .filter(last -> System.nanoTime() - last.at() < within.toNanos())
                .map(Unfinished::record);
    }

    private record Unfinished(String record, long at, long logged) {}

    /** A record is counted no longer. */
    void done(RecordInFlight record) {
        attempts.remove(record);
        if (record.hasFailed()) {
            addFailed(-1, record);
        } else {
            addOther(-1, record);
        }
    }

    private void addFailed(int number, RecordInFlight record) {
        failedRecords.addAndGet(number * record.count());
        failedBytes.addAndGet(number * record.weight());
    }

    private void addOther(int number, RecordInFlight record) {
        exchanges.addAndGet(number);
        records.addAndGet(number * record.count());
        bytes.addAndGet(number * record.size());
    }

    boolean isReached() {
        return exchanges.get() >= maxExchanges || bytes.get() >= maxBytes;
    }

    /** Whether partitions that have records that fail are to be read no further. */
    boolean isFailedReached() {
        return failedBytes.get() >= maxFailedBytes / 2;
    }

    /** Whether records that fail take more memory than they may. */
    boolean isFailedExceeded() {
        return failedBytes.get() > maxFailedBytes;
    }
}
