package io.s3destination;

import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** One record that was read, until it is stored or released. Safe for all threads, where nothing else is said. */
final class RecordInFlight {

    private static final ThreadLocal<RecordInFlight> BEGUN = new ThreadLocal<>();

    private final PartitionOffsets partition;
    private final InFlightLimit limit;
    private final Runnable dropped;
    private final String topic;
    private final int partitionNumber;
    private final long offset;
    private final long size;
    private volatile boolean released;
    private volatile boolean failed;
    private volatile long active;
    private volatile Thread thread;
    private volatile Supplier<String> step = () -> "";

    /** @param dropped is run if the record ends without being stored or released */
    RecordInFlight(PartitionOffsets partition, InFlightLimit limit, Runnable dropped, ConsumerRecord<?, ?> record) {
        this.partition = partition;
        this.limit = limit;
        this.dropped = dropped;
        this.topic = record.topic();
        this.partitionNumber = record.partition();
        this.offset = record.offset();
        this.size = size(record);
    }

    /**
     * Whether it may begin to be stored, or is released to who reads its partition next; for the thread that stores it.
     *
     * @param now supplies the ID of the step that it is in
     */
    boolean begin(Supplier<String> now) {
        released = !partition.begin(offset);
        if (!released) {
            step = now;
            thread = Thread.currentThread();
            active = System.nanoTime();
            limit.begun(this);
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

    boolean hasFailed() {
        return failed;
    }

    /** Notes that an attempt to store it has failed. */
    void failed() {
        if (!failed) {
            failed = true;
            limit.failed(this);
        }
    }

    /** Notes that so many bytes were sent. */
    void sent(int number) {
        if (!failed) {
            active = System.nanoTime();
            limit.progressed(number);
        }
    }

    /** When its attempt began, or sent its last byte, by {@link System#nanoTime()}. */
    long active() {
        return active;
    }

    /** What the thread of its attempt does. */
    StackTraceElement[] stack() {
        return thread.getStackTrace();
    }

    /** Ends it, once; for the thread that began it, or any other if none did. */
    void done(boolean stored) {
        if (!stored && !released) {
            dropped.run();
        }
        limit.done(this);
        limit.add(-1, -size);
        if (stored && !released) {
            limit.progressed(1);
        }
        partition.done(offset, stored && !released);
    }

    @Override
    public String toString() {
        return "partition " + topic + "-" + partitionNumber + " offset " + offset + " in the step " + step.get();
    }

    /** The record whose steps this thread has begun last. */
    static Optional<RecordInFlight> begunByThread() {
        return Optional.ofNullable(BEGUN.get());
    }

    /** Of its key, value and headers, in bytes. */
    long size() {
        return size;
    }

    private static long size(ConsumerRecord<?, ?> record) {
        long size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
        for (Header header : record.headers()) {
            size += header.key().length() + (header.value() == null ? 0 : header.value().length);
        }
        return size;
    }
}
