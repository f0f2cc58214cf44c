package io.s3destination;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/**
 * The records of one consumer between being read and being stored: what may be committed, and when to read no further.
 * Records are stored in parallel, so a slow one blocks no other, and one that is refused blocks its partition only.
 */
final class OffsetTracker {

    private static final ThreadLocal<OffsetTracker> OF_THREAD = new ThreadLocal<>();

    private static final ThreadLocal<Record> BEGUN = new ThreadLocal<>();

    private final Limit limit;
    private final long maxSpan;
    private final Map<TopicPartition, Partition> partitions = new ConcurrentHashMap<>();
    private int undispatched;
    private volatile boolean broken;

    /**
     * @param limit of all consumers of the group
     * @param maxSpan how many offsets a partition is read beyond a record that is not stored
     */
    OffsetTracker(Limit limit, long maxSpan) {
        this.limit = limit;
        this.maxSpan = maxSpan;
    }

    /** The tracker of the consumer that this thread polls. */
    static OffsetTracker ofThread() {
        return OF_THREAD.get();
    }

    /**
     * Begins, or goes on with, a partition. Like all that changes the tracker but for {@link Record}, for the polling thread.
     *
     * @param committed the offset that is committed, or that reading begins at if none is
     * @param next the offset that is read next
     * @param epoch the leader epoch of the record before it, if it is known
     */
    void start(TopicPartition partition, long committed, long next, Optional<Integer> epoch) {
        partitions
                .computeIfAbsent(partition, unused -> new Partition(committed, epoch))
                .next(next);
    }

    /** The partitions that have begun. */
    Set<TopicPartition> partitions() {
        return Set.copyOf(partitions.keySet());
    }

    /** Takes in what was read. */
    void add(ConsumerRecords<?, ?> polled) {
        OF_THREAD.set(this);
        undispatched = polled.count();
        for (ConsumerRecord<?, ?> record : polled) {
            partitions
                    .get(new TopicPartition(record.topic(), record.partition()))
                    .add(record);
        }
    }

    /** Has a record that was read begin its steps. */
    Record dispatch(TopicPartition partition, long offset) {
        Record record = partitions.get(partition).dispatch(offset);
        undispatched--;
        limit.add(1, record.size);
        return record;
    }

    /**
     * What is stored and not committed: for each of those partitions whose offset changed, the offset up to which all is
     * stored, with the leader epoch of the record before it.
     *
     * @param position where the consumer reads next, beyond records of transactions that it does not give out
     */
    Map<TopicPartition, OffsetAndMetadata> uncommitted(
            Set<TopicPartition> of, Function<TopicPartition, OptionalLong> position) {
        Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
        of.forEach(partition -> Optional.ofNullable(partitions.get(partition))
                .flatMap(state -> state.uncommitted(() -> position.apply(partition)))
                .ifPresent(offset -> uncommitted.put(partition, offset)));
        return uncommitted;
    }

    /** Takes in what was committed. */
    void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
        limit.progress.addAndGet(offsets.size());
        offsets.forEach((partition, offset) ->
                Optional.ofNullable(partitions.get(partition)).ifPresent(state -> state.committed(offset.offset())));
    }

    /** Those of the partitions that are to be read no further for now. */
    Set<TopicPartition> full(Set<TopicPartition> of) {
        Set<TopicPartition> full = new HashSet<>(of);
        if (!limit.isReached()) {
            full.removeIf(partition -> !partitions.containsKey(partition)
                    || partitions.get(partition).span() < maxSpan);
        }
        return full;
    }

    /** Whether as many records are in flight as may be. */
    boolean isFull() {
        return limit.isReached();
    }

    /** Has no more records of those partitions begin to be stored, but those before one that has begun. */
    void revoke(Iterable<TopicPartition> revoked) {
        states(revoked).forEach(Partition::revoke);
    }

    /** How many records of those partitions are in flight: neither stored nor released. */
    int inFlight(Iterable<TopicPartition> of) {
        return states(of).mapToInt(Partition::inFlight).sum();
    }

    private Stream<Partition> states(Iterable<TopicPartition> of) {
        return StreamSupport.stream(of.spliterator(), false)
                .map(partitions::get)
                .filter(Objects::nonNull);
    }

    /** Forgets partitions that were revoked: what has begun goes on, and changes nothing here. */
    void remove(Iterable<TopicPartition> revoked) {
        states(revoked).forEach(Partition::forget);
        revoked.forEach(partitions::remove);
    }

    /** What went wrong with records so that they must be read again, by another consumer. For the polling thread. */
    Optional<String> fault() {
        if (undispatched > 0) {
            return Optional.of(undispatched
                    + " records did not get to the step with the bean in-flight; what drops or changes"
                    + " records belongs into that step");
        }
        return broken ? Optional.of("records did not get to the end of the route") : Optional.empty();
    }

    /**
     * The records in flight over all consumers of a group, those that are closed among them: what they have read goes on,
     * and takes its memory. Safe for all threads.
     */
    static final class Limit {

        private final int maxRecords;
        private final long maxBytes;
        private final AtomicInteger records = new AtomicInteger();
        private final AtomicLong bytes = new AtomicLong();
        private final AtomicLong progress = new AtomicLong();
        private final Set<Record> begun = ConcurrentHashMap.newKeySet();

        /**
         * @param maxRecords in flight before reading pauses
         * @param maxBytes of their keys, values and headers
         */
        Limit(int maxRecords, long maxBytes) {
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
        Optional<Record> oldestAttempt() {
            return begun.stream()
                    .filter(record -> !record.failed)
                    .min(Comparator.comparingLong(record -> record.active - System.nanoTime()));
        }

        private void add(int moreRecords, long moreBytes) {
            records.addAndGet(moreRecords);
            bytes.addAndGet(moreBytes);
        }

        private boolean isReached() {
            return records.get() >= maxRecords || bytes.get() >= maxBytes;
        }
    }

    /** One record that was read. */
    final class Record {

        private final Partition partition;
        private final String name;
        private final long offset;
        private final long size;
        private volatile boolean released;
        private volatile boolean failed;
        private volatile long active;
        private volatile Thread thread;
        private volatile Supplier<String> step = () -> "";

        private Record(Partition partition, ConsumerRecord<?, ?> record) {
            this.partition = partition;
            this.name = "partition " + record.topic() + "-" + record.partition() + " offset " + record.offset();
            this.offset = record.offset();
            this.size = size(record);
        }

        /**
         * Whether it may begin to be stored, or is released to who reads its partition next; for the thread that stores it.
         *
         * @param now tells the step that it is in
         */
        boolean begin(Supplier<String> now) {
            released = !partition.begin(offset);
            if (!released) {
                step = now;
                thread = Thread.currentThread();
                active = System.nanoTime();
                limit.begun.add(this);
                BEGUN.set(this);
            }
            return !released;
        }

        /** Whether it has begun. */
        boolean hasBegun() {
            return thread != null;
        }

        /** Whether it may be tried again, or is released to who reads its partition next. */
        boolean retry() {
            released = partition.isForgotten();
            return !released;
        }

        /** Notes that an attempt to store it has failed. */
        void failed() {
            failed = true;
        }

        /** Notes that so many bytes were sent. */
        void sent(int number) {
            if (!failed) {
                active = System.nanoTime();
                limit.progress.addAndGet(number);
            }
        }

        /** How long its attempt has sent no byte. */
        Duration inactive() {
            return Duration.ofNanos(System.nanoTime() - active);
        }

        /** What the thread of its attempt does. */
        StackTraceElement[] stack() {
            return thread.getStackTrace();
        }

        /** Ends it, once; for the thread that began it, or any other if none did. */
        void done(boolean stored) {
            if (!stored && !released) {
                broken = true;
            }
            limit.begun.remove(this);
            limit.add(-1, -size);
            if (stored && !released) {
                limit.progress.incrementAndGet();
            }
            partition.done(offset, stored && !released);
        }

        @Override
        public String toString() {
            return name + " in the step " + step.get();
        }
    }

    /** The record whose steps this thread has begun last. */
    static Optional<Record> begunByThread() {
        return Optional.ofNullable(BEGUN.get());
    }

    private static long size(ConsumerRecord<?, ?> record) {
        long size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
        for (Header header : record.headers()) {
            size += header.key().length() + (header.value() == null ? 0 : header.value().length);
        }
        return size;
    }

    /** The records of a partition that are not stored; safe for all threads. */
    private final class Partition {

        private final TreeMap<Long, Record> waiting = new TreeMap<>();
        /** The leader epochs of the records, by the first offset of each. */
        private final NavigableMap<Long, Integer> epochs = new TreeMap<>();

        private long committed;
        private long next;
        private long lastBegun = -1;
        private boolean revoked;
        private boolean forgotten;
        private int inFlight;

        Partition(long committed, Optional<Integer> epoch) {
            this.committed = committed;
            epoch.ifPresent(before -> epochs.put(-1L, before));
        }

        synchronized void next(long offset) {
            next = offset;
        }

        synchronized void add(ConsumerRecord<?, ?> record) {
            waiting.put(record.offset(), new Record(this, record));
            next = record.offset() + 1;
            record.leaderEpoch()
                    .filter(epoch ->
                            epochs.isEmpty() || !epoch.equals(epochs.lastEntry().getValue()))
                    .ifPresent(epoch -> epochs.put(record.offset(), epoch));
        }

        synchronized Record dispatch(long offset) {
            inFlight++;
            return waiting.get(offset);
        }

        synchronized void revoke() {
            revoked = true;
        }

        synchronized void forget() {
            revoked = true;
            forgotten = true;
        }

        synchronized boolean isForgotten() {
            return forgotten;
        }

        synchronized boolean begin(long offset) {
            if (revoked && offset > lastBegun) {
                return false;
            }
            lastBegun = Math.max(lastBegun, offset);
            return true;
        }

        synchronized void done(long offset, boolean stored) {
            inFlight--;
            if (stored) {
                waiting.remove(offset);
            }
        }

        synchronized int inFlight() {
            return inFlight;
        }

        synchronized Optional<OffsetAndMetadata> uncommitted(Supplier<OptionalLong> position) {
            long stored = waiting.isEmpty() ? Math.max(next, position.get().orElse(next)) : waiting.firstKey();
            if (stored <= committed) {
                return Optional.empty();
            }
            Map.Entry<Long, Integer> epoch = epochs.lowerEntry(stored);
            if (epoch != null) {
                epochs.headMap(epoch.getKey()).clear();
            }
            return Optional.of(
                    new OffsetAndMetadata(stored, Optional.ofNullable(epoch).map(Map.Entry::getValue), ""));
        }

        synchronized void committed(long offset) {
            committed = Math.max(committed, offset);
        }

        synchronized long span() {
            return waiting.isEmpty() ? 0 : next - waiting.firstKey();
        }
    }
}
