package io.s3destination;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/** The records of a partition that are not stored; safe for all threads. */
final class PartitionOffsets {

    private final TreeMap<Long, RecordInFlight> waiting = new TreeMap<>();
    /** The leader epochs of the records, by the first offset of each. */
    private final NavigableMap<Long, Integer> epochs = new TreeMap<>();
    /** When each of the waiting records that take no memory is to be read again, by its offset. */
    private final TreeMap<Long, Long> unloaded = new TreeMap<>();
    /** The same records in attempts that have outlasted a rebalance. */
    private final Map<Long, RecordInFlight> predecessors;

    private long committed;
    private long next;
    private long lastBegun = -1;
    private OptionalLong reread = OptionalLong.empty();
    private long rereadAt;
    private boolean suspended;
    private boolean revoked;
    private boolean forgotten;
    private int inFlight;
    private int failed;

    PartitionOffsets(long committed, Optional<Integer> epoch, Map<Long, RecordInFlight> predecessors) {
        this.committed = committed;
        this.predecessors = predecessors;
        epoch.ifPresent(before -> epochs.put(-1L, before));
    }

    /** Reading begins or goes on at that offset: what was to be read again before it is not there any more. */
    synchronized List<RecordInFlight> next(long offset) {
        next = Math.max(next, offset);
        reread = OptionalLong.empty();
        return remove(unloaded.headMap(offset));
    }

    private List<RecordInFlight> remove(Map<Long, Long> gone) {
        List<RecordInFlight> removed =
                gone.keySet().stream().map(waiting::remove).toList();
        gone.clear();
        return removed;
    }

    private boolean isDue(long offset) {
        return unloaded.containsKey(offset) && unloaded.get(offset) - rereadAt <= 0;
    }

    /** Whether a record that was read is to be dispatched: while some are read again, the others of the poll are not. */
    synchronized boolean add(ConsumerRecord<?, ?> record, Supplier<RecordInFlight> inFlight) {
        if (reread.isPresent() && isDue(record.offset())) {
            unloaded.remove(record.offset());
            waiting.get(record.offset()).loaded();
            return true;
        }
        if (reread.isPresent() || record.offset() < next) {
            return false;
        }
        RecordInFlight added = inFlight.get();
        added.follow(Optional.ofNullable(predecessors.remove(record.offset())));
        waiting.put(record.offset(), added);
        next = record.offset() + 1;
        record.leaderEpoch()
                .filter(epoch ->
                        epochs.isEmpty() || !epoch.equals(epochs.lastEntry().getValue()))
                .ifPresent(epoch -> epochs.put(record.offset(), epoch));
        return true;
    }

    /** A record takes no memory until it is read again, which is not before that time. */
    synchronized void unloaded(long offset, long due) {
        unloaded.put(offset, due);
    }

    /** The offset from which a record is to be read again now. */
    synchronized OptionalLong reread(long now) {
        if (unloaded.isEmpty()) {
            // At each poll, for each partition.
            return OptionalLong.empty();
        }
        rereadAt = now;
        reread = unloaded.keySet().stream()
                .mapToLong(Long::longValue)
                .filter(this::isDue)
                .findFirst();
        return reread;
    }

    /**
     * Takes in how far the consumer has read.
     *
     * @return the offset from which it is to read on if the record that was to be read again has come, or is gone
     */
    synchronized OptionalLong reread(long position, List<RecordInFlight> gone) {
        if (reread.isEmpty() || position <= reread.getAsLong()) {
            return OptionalLong.empty();
        }
        gone.addAll(remove(unloaded.subMap(reread.getAsLong(), true, reread.getAsLong(), true)));
        reread = OptionalLong.empty();
        return OptionalLong.of(next);
    }

    /** @return the record, unless it is in flight already, or ended: a step has doubled it */
    synchronized Optional<RecordInFlight> dispatch(long offset) {
        Optional<RecordInFlight> dispatched =
                Optional.ofNullable(waiting.get(offset)).filter(RecordInFlight::dispatch);
        dispatched.ifPresent(record -> inFlight++);
        return dispatched;
    }

    /** @return the records that end with that: those whose first attempt has not begun, and those that wait for a retry */
    synchronized List<RecordInFlight> revoke() {
        revoked = true;
        return waiting.entrySet().stream()
                .filter(entry -> entry.getKey() > lastBegun || entry.getValue().hasFailed())
                .map(Map.Entry::getValue)
                .toList();
    }

    /** @return the records that end with that, if they wait */
    synchronized List<RecordInFlight> forget() {
        revoked = true;
        forgotten = true;
        return new ArrayList<>(waiting.values());
    }

    /** @return the records that may be unloaded, if that begins */
    synchronized List<RecordInFlight> suspend(boolean isSuspended) {
        suspended = isSuspended;
        return isSuspended ? new ArrayList<>(waiting.values()) : List.of();
    }

    synchronized boolean isSuspended() {
        return suspended;
    }

    synchronized boolean isRevoked() {
        return revoked;
    }

    synchronized boolean begin(long offset) {
        if (forgotten || revoked && offset > lastBegun) {
            return false;
        }
        lastBegun = Math.max(lastBegun, offset);
        return true;
    }

    synchronized void failed() {
        failed++;
    }

    synchronized void failedEnded() {
        failed--;
    }

    /** How many of its records fail. */
    synchronized int failing() {
        return failed;
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
