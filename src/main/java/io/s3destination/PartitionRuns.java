package io.s3destination;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * The runs of one partition, from one assignment to its end: takes what records have become, in the order of their offsets,
 * and has each complete run stored, one after the other. Safe for all threads.
 */
final class PartitionRuns implements RecordInFlight.Owner {

    private final TopicPartition partition;
    private final Optional<Uuid> topicId;
    private final Chain chain;
    private final ObjectSize size;
    private final RunStorage storage;
    private final Map<Chain.Run, RunContent> contents = new HashMap<>();
    private boolean isStoring;
    private boolean revoked;
    private boolean ended;
    private int failing;
    /** When the next run may be stored, by {@link System#nanoTime()}. */
    private long due = System.nanoTime();

    private OptionalLong readAgain = OptionalLong.empty();
    private OptionalLong occupied = OptionalLong.empty();
    private Optional<Chain.Commit> restart = Optional.empty();
    private Optional<String> broken = Optional.empty();

    /**
     * @param topicId of its topic, where the brokers know it
     * @param begin where the chain goes on
     */
    PartitionRuns(TopicPartition partition, Optional<Uuid> topicId, Chain.Commit begin, RunStorage storage) {
        this.partition = partition;
        this.topicId = topicId;
        this.size = storage.size();
        this.chain = new Chain(size.records(), begin);
        this.storage = storage;
    }

    /**
     * Takes what the record of the next offset has become: no line, one or several, or a dead letter.
     *
     * @param readAt when it was read, by {@link System#nanoTime()}
     * @param compression takes what is to be run at once, without a lock
     */
    synchronized void add(RecordInFlight.Became record, long readAt, Consumer<Runnable> compression) {
        if (isOver()) {
            return;
        }
        Chain.Run run = chain.take(record.offset());
        RunContent content = contents.computeIfAbsent(run, unused -> storage.open(readAt));
        record.lines().forEach(line -> content.line(line).ifPresent(compression));
        record.deadLetters().forEach(content::deadLetter);
        if (content.lines() > 0) {
            run.line();
        }
        if (run.isFull()) {
            complete(RunStorage.End.RECORDS);
        } else if (content.bytes() >= size.bytes()) {
            complete(RunStorage.End.BYTES);
        }
        storeNext();
    }

    /** Whether records that were read together take their steps together. */
    boolean takesTogether() {
        return storage.takesTogether();
    }

    private void complete(RunStorage.End by) {
        chain.open().ifPresent(run -> storage.completed(partition.topic(), by));
        chain.complete();
    }

    /** Completes a run by its age, and has a run stored whose attempts were given up. To be called now and then. */
    synchronized void look(long now) {
        if (isOver()) {
            return;
        }
        if (chain.open()
                .filter(run -> now - contents.get(run).begun() >= size.age().toNanos())
                .isPresent()) {
            complete(RunStorage.End.AGE);
        }
        if (readAgain.isPresent() && now - readAgain.getAsLong() >= 0 && !isStoring) {
            restart = Optional.of(chain.commit());
            dropAll();
        } else if (!revoked && now - due >= 0) {
            storeNext();
        }
    }

    /** Has the partition read again from what is stored, not before that time by {@link System#nanoTime()}. */
    synchronized void readAgain(long notBefore) {
        readAgain = OptionalLong.of(notBefore);
    }

    /** The bytes of its open run. */
    synchronized long openMemory() {
        return isOver()
                ? 0
                : chain.open().map(run -> contents.get(run).memory()).orElse(0L);
    }

    /** Completes the open run, which takes more memory than others. */
    synchronized void completeForMemory() {
        if (!isOver()) {
            complete(RunStorage.End.MEMORY);
            storeNext();
        }
    }

    /** Whether its runs are dropped. */
    private boolean isOver() {
        return ended || restart.isPresent();
    }

    private void storeNext() {
        if (!isStoring && !isOver()) {
            chain.next().ifPresent(run -> {
                isStoring = true;
                storage.store(this, partition, run, contents.get(run), topicId);
            });
        }
    }

    /** Notes the last offset of an object that is there at the start of the run that is being stored. */
    synchronized void occupied(long last) {
        occupied = OptionalLong.of(last);
        storage.found(partition.topic());
    }

    /** Notes why the partition must not be read any further. */
    synchronized void broken(String why) {
        broken = Optional.of(why);
        end();
    }

    /** Why the partition must not be read any further. */
    synchronized Optional<String> broken() {
        return broken;
    }

    @Override
    public synchronized void done(long start, boolean stored) {
        isStoring = false;
        if (ended) {
            return;
        }
        if (stored) {
            Chain.Run run = chain.next().orElseThrow();
            if (occupied.isPresent() && chain.occupied(occupied.getAsLong())) {
                restart = Optional.of(chain.commit());
                dropAll();
            } else {
                if (occupied.isEmpty()) {
                    chain.stored();
                }
                drop(run);
            }
        }
        occupied = OptionalLong.empty();
        if (stored) {
            storeNext();
        }
    }

    private void drop(Chain.Run run) {
        contents.remove(run).clear();
    }

    private void dropAll() {
        contents.values().forEach(RunContent::drop);
        contents.clear();
    }

    /** From where the partition is to be read again, if another writer's object was there, or records were dropped. */
    synchronized Optional<Chain.Commit> restart() {
        return restart;
    }

    /** What may be committed; {@code position} is where the consumer reads next if no record is in flight. */
    synchronized Chain.Commit commit(OptionalLong position) {
        position.ifPresent(chain::passed);
        return chain.commit();
    }

    /** Whether a complete run is not stored. */
    synchronized boolean isPending() {
        return chain.next().isPresent();
    }

    /** How many of its runs cannot be stored. */
    synchronized int failing() {
        return failing;
    }

    /** Complete runs are stored yet, if that succeeds at once; the open one never will be. */
    synchronized void revoke() {
        revoked = true;
    }

    /** Ends it: what is not stored is dropped, and read again by another assignment. */
    synchronized void end() {
        chain.open()
                .map(contents::get)
                .filter(open -> open.lines() > 0)
                .ifPresent(open -> storage.dropped(partition, open.lines()));
        ended = true;
        revoked = true;
        dropAll();
    }

    @Override
    public synchronized boolean begin(long start) {
        return !ended;
    }

    @Override
    public synchronized boolean isRevoked() {
        return revoked;
    }

    /** A suspended connector stores what it has read. */
    @Override
    public boolean isSuspended() {
        return false;
    }

    @Override
    public synchronized void failed() {
        failing++;
    }

    @Override
    public synchronized void failedEnded() {
        failing--;
    }

    @Override
    public synchronized void unloaded(long start, long notBefore) {
        // Its content is here yet: it is stored at a later look.
        due = notBefore;
    }
}
