package io.s3destination;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/**
 * The records of one consumer between being read and being stored: what may be committed, and when to read no further.
 * Each record goes its own way, so a slow one keeps none waiting, and one that is refused holds up its partition only.
 */
final class Window {

    private static final ThreadLocal<Window> OF_THREAD = new ThreadLocal<>();

    private final Load load;
    private final long maxSpan;
    private final Map<TopicPartition, Partition> partitions = new ConcurrentHashMap<>();
    private int unsent;
    private volatile boolean broken;

    /**
     * @param load of all consumers of the group
     * @param maxSpan how many offsets a partition is read beyond a record that is not stored
     */
    Window(Load load, long maxSpan) {
        this.load = load;
        this.maxSpan = maxSpan;
    }

    /** The window of the consumer that this thread polls. */
    static Window ofThread() {
        return OF_THREAD.get();
    }

    /** Takes in what was read. Like all that changes the window but for {@link Record}, for the polling thread. */
    void add(ConsumerRecords<?, ?> polled) {
        OF_THREAD.set(this);
        unsent = polled.count();
        for (ConsumerRecord<?, ?> record : polled) {
            partitions
                    .computeIfAbsent(
                            new TopicPartition(record.topic(), record.partition()),
                            unused -> new Partition(record.offset()))
                    .add(record);
        }
    }

    /** Sends a record that was read on its way. */
    Record send(TopicPartition partition, long offset) {
        Record record = partitions.get(partition).send(offset);
        unsent--;
        load.add(1, record.size);
        return record;
    }

    /** For each of those partitions in which any is stored, the offset up to which all are. */
    Map<TopicPartition, OffsetAndMetadata> stored(Set<TopicPartition> of) {
        Map<TopicPartition, OffsetAndMetadata> stored = new HashMap<>();
        partitions.forEach((partition, state) -> {
            if (of.contains(partition) && state.stored() > state.first) {
                stored.put(partition, new OffsetAndMetadata(state.stored()));
            }
        });
        return stored;
    }

    /** Those of the partitions that are to be read no further for now. */
    Set<TopicPartition> full(Set<TopicPartition> of) {
        Set<TopicPartition> full = new HashSet<>(of);
        if (!load.isFull()) {
            full.removeIf(partition -> !partitions.containsKey(partition)
                    || partitions.get(partition).span() < maxSpan);
        }
        return full;
    }

    /** Whether as much is on its way as may be. */
    boolean isFull() {
        return load.isFull();
    }

    /** Has no more records of those partitions begin their way, but those before one that has begun. */
    void leave(Iterable<TopicPartition> going) {
        states(going).forEach(Partition::leave);
    }

    /** How many records of those partitions are on their way: neither at its end nor left. */
    int inFlight(Iterable<TopicPartition> of) {
        return states(of).mapToInt(Partition::inFlight).sum();
    }

    private Stream<Partition> states(Iterable<TopicPartition> of) {
        return StreamSupport.stream(of.spliterator(), false)
                .map(partitions::get)
                .filter(Objects::nonNull);
    }

    /** Forgets partitions that the group has given to others: what has begun goes on, and changes nothing here. */
    void remove(Iterable<TopicPartition> gone) {
        leave(gone);
        gone.forEach(partitions::remove);
    }

    /** What went wrong with records so that they must be read again, by another consumer. For the polling thread. */
    Optional<String> fault() {
        if (unsent > 0) {
            return Optional.of(
                    unsent + " records did not get to the step with the bean in-flight; what drops or changes"
                            + " records belongs into that step");
        }
        return broken ? Optional.of("records did not get to the end of the route") : Optional.empty();
    }

    /**
     * What is on its way over all consumers of a group, those that are closed among them: what they have read goes on, and
     * takes its memory. Safe for all threads.
     */
    static final class Load {

        private final int maxRecords;
        private final long maxBytes;
        private final AtomicInteger records = new AtomicInteger();
        private final AtomicLong bytes = new AtomicLong();

        /**
         * @param maxRecords on their way before reading pauses
         * @param maxBytes of their keys, values and headers
         */
        Load(int maxRecords, long maxBytes) {
            this.maxRecords = maxRecords;
            this.maxBytes = maxBytes;
        }

        int records() {
            return records.get();
        }

        private void add(int moreRecords, int moreBytes) {
            records.addAndGet(moreRecords);
            bytes.addAndGet(moreBytes);
        }

        private boolean isFull() {
            return records.get() >= maxRecords || bytes.get() >= maxBytes;
        }
    }

    /** One record on its way. */
    final class Record {

        private final Partition partition;
        private final long offset;
        private final int size;
        private boolean left;

        private Record(Partition partition, ConsumerRecord<?, ?> record) {
            this.partition = partition;
            this.offset = record.offset();
            this.size = size(record);
        }

        /** Of its key, value and headers, in bytes. */
        private static int size(ConsumerRecord<?, ?> record) {
            int size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
            for (Header header : record.headers()) {
                size += header.key().length() + (header.value() == null ? 0 : header.value().length);
            }
            return size;
        }

        /** Whether it may begin its way, or is left to who reads its partition next; for the thread that is to store it. */
        boolean begin() {
            left = !partition.begin(offset);
            return !left;
        }

        /** Ends its way, once; for the thread that began it, or any other if none did. */
        void done(boolean stored) {
            if (!stored && !left) {
                broken = true;
            }
            load.add(-1, -size);
            partition.done(offset, stored && !left);
        }
    }

    /** The records of a partition that are not stored; safe for all threads. */
    private final class Partition {

        private final TreeMap<Long, Record> waiting = new TreeMap<>();
        private final long first;
        private long next;
        private long lastBegun = -1;
        private boolean leaving;
        private int inFlight;

        Partition(long first) {
            this.first = first;
        }

        synchronized void add(ConsumerRecord<?, ?> record) {
            waiting.put(record.offset(), new Record(this, record));
            next = record.offset() + 1;
        }

        synchronized Record send(long offset) {
            inFlight++;
            return waiting.get(offset);
        }

        synchronized void leave() {
            leaving = true;
        }

        synchronized boolean begin(long offset) {
            if (leaving && offset > lastBegun) {
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

        synchronized long stored() {
            return waiting.isEmpty() ? next : waiting.firstKey();
        }

        synchronized long span() {
            return next - stored();
        }
    }
}
