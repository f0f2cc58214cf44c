package io.s3destination;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One record that was read, until it is stored or released: the attempts to store it follow one another. Safe for all
 * threads, where nothing else is said.
 */
final class RecordInFlight {

    /** What a record takes beside its content while it waits: the exchange with its headers and variables. */
    private static final long OVERHEAD = 8 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(RecordInFlight.class);
    /** How long it waits at least where it has to be read again, in nanoseconds. */
    static final long REREAD = Duration.ofSeconds(5).toNanos();

    private static final ThreadLocal<RecordInFlight> BEGUN = new ThreadLocal<>();
    private static final ThreadLocal<RecordInFlight> FAILED = new ThreadLocal<>();

    /** What the record of an offset becomes in an object of many records. */
    record Became(long offset, List<byte[]> lines, List<RunContent.DeadLetter> deadLetters) {}

    /** What a record, or a run of records, is in flight for. Safe for all threads. */
    interface Owner {

        /** Whether its first attempt may begin. */
        boolean begin(long offset);

        /** Whether no further attempt may begin. */
        boolean isRevoked();

        boolean isSuspended();

        /** It has failed, for the first time. */
        void failed();

        /** One that has failed has ended. */
        void failedEnded();

        /** Whether what is stored goes on to take memory, until the owner has drained it. */
        default boolean keepsStored() {
            return false;
        }

        /** It has ended, stored or not. */
        void done(long offset, boolean stored);

        /** It takes no memory until it is read again, which is not before that time. */
        void unloaded(long offset, long due);
    }

    private final Owner partition;
    private final InFlightLimit limit;
    private final String topic;
    private final int partitionNumber;
    private final long offset;
    private final long size;
    private final int count;
    private final long read = System.nanoTime();
    private final AtomicBoolean dispatched = new AtomicBoolean();
    private final List<Became> became = new ArrayList<>(0);
    private volatile Optional<RecordInFlight> predecessor = Optional.empty();
    private volatile RecordPool pool;
    private volatile boolean begun;
    private volatile boolean failed;
    private volatile boolean needsObject = true;
    private volatile boolean released;
    private volatile boolean unloaded;
    /** When it may be read again, by {@link System#nanoTime()}, if it is unloaded. */
    private volatile long due;

    private volatile long active;
    private volatile Thread thread;
    private volatile Supplier<String> step = () -> "";
    /** What runs when its turn comes; null while an attempt is made. */
    private Runnable next;

    private Runnable end = () -> {};
    private boolean ended;

    RecordInFlight(Owner partition, InFlightLimit limit, ConsumerRecord<?, ?> record) {
        this(
                partition,
                limit,
                new TopicPartition(record.topic(), record.partition()),
                record.offset(),
                size(record),
                1);
    }

    /** Records that take their steps together count as one, that of the first offset. */
    RecordInFlight(Owner partition, InFlightLimit limit, PolledRecords records) {
        this(
                partition,
                limit,
                new TopicPartition(records.first().topic(), records.first().partition()),
                records.first().offset(),
                records.bytes(),
                records.all().size());
    }

    /**
     * @param size in bytes, of what is not counted elsewhere
     * @param count of records
     */
    RecordInFlight(Owner owner, InFlightLimit limit, TopicPartition partition, long offset, long size, int count) {
        this.partition = owner;
        this.limit = limit;
        this.topic = partition.topic();
        this.partitionNumber = partition.partition();
        this.offset = offset;
        this.size = size;
        this.count = count;
    }

    /** @param earlier the same record, whose attempt has outlasted a rebalance: two attempts at once would take two uploads */
    void follow(Optional<RecordInFlight> earlier) {
        predecessor = earlier;
    }

    /** Whether it has to wait for its predecessor; {@code turn} is run when that has ended. */
    boolean followsPredecessor(Runnable turn) {
        return predecessor.filter(earlier -> earlier.onEnd(turn)).isPresent();
    }

    /** Has it wait for its turn in a pool. */
    synchronized void waitFor(RecordPool waitsIn, Runnable attempt) {
        limit.waits(this);
        pool = waitsIn;
        next = attempt;
    }

    /** Where it waits for its turns; empty where a route dispatches it otherwise. */
    Optional<RecordPool> pool() {
        return Optional.ofNullable(pool);
    }

    /** Makes the attempt that it waits for, on the thread that runs this, if it still waits for that then. */
    synchronized Runnable turn() {
        Runnable attempt = next;
        return () -> {
            if (take(attempt)) {
                run(attempt);
            }
        };
    }

    private synchronized boolean take(Runnable attempt) {
        return attempt != null && next == attempt && take() != null;
    }

    private void run(Runnable attempt) {
        thread = Thread.currentThread();
        active = System.nanoTime();
        limit.begun(this);
        BEGUN.set(this);
        try {
            attempt.run();
        } catch (Throwable e) {
            OutOfMemory.endIfOutOfMemory(e);
            // Camel catches what a step throws; here it is what Camel itself or a listener throws.
            LOG.error("{}: its attempt has ended by an error", this, e);
            done(Optional.of("was given up by Camel"));
        } finally {
            BEGUN.remove();
            FAILED.remove();
            thread = null;
        }
    }

    private synchronized Runnable take() {
        Runnable attempt = next;
        next = null;
        return attempt;
    }

    /** Ends it on this thread, if it waits and {@link #mayGoOn} says so: after its partition was revoked. */
    void release() {
        Runnable attempt = take();
        if (attempt != null) {
            pool.taken(this);
            attempt.run();
        }
    }

    /**
     * Ends it on this thread for now, if it waits after a failure: it takes no memory until it is read again.
     *
     * @param notBefore when it may be read again, by {@link System#nanoTime()}
     */
    void unload(long notBefore) {
        Runnable attempt = failed ? take() : null;
        if (attempt != null) {
            pool.taken(this);
            unloaded = true;
            due = notBefore;
            limit.done(this);
            attempt.run();
        }
    }

    /** Its partition is read by others, or not at all, from now on. */
    void forget() {
        release();
        if (unloaded) {
            end();
        }
    }

    /** Takes in that it was read again. */
    synchronized void loaded() {
        unloaded = false;
        became.clear();
    }

    /**
     * Whether its steps may go on: those of its first attempt, or of a further one; for the thread of the attempt.
     *
     * @param now supplies the ID of the step that it is in
     */
    boolean mayGoOn(Supplier<String> now) {
        step = now;
        released = begun ? partition.isRevoked() : !partition.begin(offset);
        begun = !released;
        return !released && !unloaded;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Whether its attempts have ended since others read its partition. */
    boolean isReleased() {
        return released;
    }

    /**
     * Takes in what the record of an offset becomes in an object of many records: one more line, or a dead letter.
     *
     * @param at its offset, in their order
     */
    synchronized void becomes(long at, Optional<byte[]> line, Optional<RunContent.DeadLetter> deadLetter) {
        if (became.isEmpty() || became.get(became.size() - 1).offset() != at) {
            became.add(new Became(at, new ArrayList<>(1), new ArrayList<>(0)));
        }
        line.ifPresent(became.get(became.size() - 1).lines()::add);
        deadLetter.ifPresent(became.get(became.size() - 1).deadLetters()::add);
    }

    /** Adds what it has become to the runs of its partition, as {@link PartitionRuns#add} does. */
    synchronized void drain(PartitionRuns runs, Consumer<Runnable> compression) {
        if (became.isEmpty()) {
            became.add(new Became(offset, List.of(), List.of()));
        }
        became.forEach(record -> runs.add(record, read, compression));
    }

    /** Takes in that what it has become takes no memory but that of its run. */
    void drained() {
        limit.done(this);
    }

    boolean isRevoked() {
        return partition.isRevoked();
    }

    boolean isSuspended() {
        return partition.isSuspended();
    }

    /** Whether those that failed take more memory than they may. */
    boolean exceedsMemory() {
        return limit.isFailedExceeded();
    }

    /** Takes in that an attempt has failed on this thread of what is no record of a connector. */
    static void otherFailed() {
        FAILED.remove();
    }

    /** Notes that an attempt to store it has failed, on this thread. */
    void failed() {
        FAILED.set(this);
        fails();
    }

    private void fails() {
        if (!failed) {
            limit.failed(this);
            failed = true;
            partition.failed();
            onEnd(partition::failedEnded);
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
        Thread attempt = thread;
        return attempt == null ? new StackTraceElement[0] : attempt.getStackTrace();
    }

    /** Whether it begins to be in flight now, until it is {@link #done}. */
    boolean dispatch() {
        boolean begins = dispatched.compareAndSet(false, true);
        if (begins) {
            limit.add(this);
        }
        return begins;
    }

    /**
     * Takes in that its exchange has ended, once; for any thread.
     *
     * @param fault what has become of it, if it was not stored: it is read again
     */
    void done(Optional<String> fault) {
        if (!dispatched.getAndSet(false)) {
            return;
        }
        released |= fault.isPresent() && partition.isRevoked();
        boolean stored = fault.isEmpty() && !released && !unloaded;
        if (fault.isPresent() && !released && !unloaded) {
            limit.unfinished(this + " " + fault.get());
            fails();
            limit.done(this);
            due = pool().map(RecordPool::now).orElseGet(System::nanoTime) + REREAD;
            unloaded = true;
        } else if (stored && partition.keepsStored()) {
            limit.waits(this);
        } else if (!unloaded) {
            limit.done(this);
        }
        if (stored) {
            limit.progressed(1);
        }
        partition.done(offset, stored);
        if (unloaded) {
            partition.unloaded(offset, due);
        } else {
            end();
        }
        pool().ifPresent(waited -> waited.ended(this));
    }

    /** Notes that its object is stored, or that a step may leave it out. */
    void needsNoObject() {
        needsObject = false;
    }

    boolean needsObject() {
        return needsObject && !released && !unloaded;
    }

    /** Ends it for good: it gets no further attempt. */
    void end() {
        Runnable ends;
        synchronized (this) {
            ends = ended ? () -> {} : end;
            ended = true;
        }
        ends.run();
    }

    /** Has something done when it ends for good, unless it has ended. */
    synchronized boolean onEnd(Runnable action) {
        Runnable before = end;
        end = () -> {
            before.run();
            action.run();
        };
        return !ended;
    }

    @Override
    public String toString() {
        return "partition " + topic + "-" + partitionNumber + " offset " + offset + " in the step " + step.get();
    }

    /** The record whose steps this thread has begun last. */
    static Optional<RecordInFlight> begunByThread() {
        return Optional.ofNullable(BEGUN.get());
    }

    /** The record whose attempt has failed on this thread last. */
    static Optional<RecordInFlight> failedByThread() {
        return Optional.ofNullable(FAILED.get());
    }

    boolean isOf(TopicPartition other) {
        return other.partition() == partitionNumber && other.topic().equals(topic);
    }

    long offset() {
        return offset;
    }

    /** Of its key, value and headers, in bytes. */
    long size() {
        return size;
    }

    /** How many records it is. */
    int count() {
        return count;
    }

    /** What it takes while it waits for a further attempt, in bytes: as it was read, and as it is stored. */
    long weight() {
        return 2 * size + count * OVERHEAD;
    }

    static long size(ConsumerRecord<?, ?> record) {
        long size = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
        for (Header header : record.headers()) {
            size += header.key().length() + (header.value() == null ? 0 : header.value().length);
        }
        return size;
    }
}
