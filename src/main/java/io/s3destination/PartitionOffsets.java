package io.s3destination;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/** The records of a partition that are not stored; safe for all threads. */
final class PartitionOffsets implements RecordInFlight.Owner {

    private final TreeMap<Long, RecordInFlight> waiting = new TreeMap<>();
    /** The leader epochs of the records, by the first offset of each. */
    private final NavigableMap<Long, Integer> epochs = new TreeMap<>();
    /** When each of the waiting records that take no memory is to be read again, by its offset. */
    private final TreeMap<Long, Long> unloaded = new TreeMap<>();
    /** The same records in attempts that have outlasted a rebalance. */
    private final Map<Long, RecordInFlight> predecessors;
    /** Where an object holds many records: what takes them in the order of their offsets. Its lock is taken before this one's. */
    private final Optional<PartitionRuns> runs;
    /** Those of the waiting records that have ended, and wait for those before them. */
    private final Set<Long> ended = new HashSet<>();

    private long committed;
    private long next;
    /** How far the partition was read when that was last asked, with records of transactions that are not given out. */
    private volatile long readTo;

    private long lastBegun = -1;
    private OptionalLong reread = OptionalLong.empty();
    private long rereadAt;
    private boolean suspended;
    private boolean revoked;
    private boolean forgotten;
    private int inFlight;
    private int failed;

    PartitionOffsets(
            long committed,
            Optional<Integer> epoch,
            Map<Long, RecordInFlight> predecessors,
            Optional<PartitionRuns> runs) {
        this.committed = committed;
        this.runs = runs;
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
        read(record);
        return true;
    }

    /** Takes records that take their steps together; empty if the partition is not read from there. */
    synchronized Optional<PolledRecords> add(
            List<? extends ConsumerRecord<?, ?>> records, Function<PolledRecords, RecordInFlight> inFlight) {
        List<? extends ConsumerRecord<?, ?>> added =
                records.stream().filter(record -> record.offset() >= next).toList();
        if (added.isEmpty()) {
            return Optional.empty();
        }
        PolledRecords together = new PolledRecords(added);
        waiting.put(together.first().offset(), inFlight.apply(together));
        added.forEach(this::read);
        return Optional.of(together);
    }

    private void read(ConsumerRecord<?, ?> record) {
        next = record.offset() + 1;
        record.leaderEpoch()
                .filter(epoch ->
                        epochs.isEmpty() || !epoch.equals(epochs.lastEntry().getValue()))
                .ifPresent(epoch -> epochs.put(record.offset(), epoch));
    }

    @Override
    public void unloaded(long offset, long due) {
        if (runs.filter(PartitionRuns::takesTogether).isPresent()) {
            runs.get().readAgain(due);
        } else {
            unloadedRecord(offset, due);
        }
    }

    private synchronized void unloadedRecord(long offset, long due) {
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
    List<RecordInFlight> revoke() {
        runs.ifPresent(PartitionRuns::revoke);
        return revokeRecords();
    }

    private synchronized List<RecordInFlight> revokeRecords() {
        revoked = true;
        return waiting.entrySet().stream()
                .filter(entry -> entry.getKey() > lastBegun || entry.getValue().hasFailed())
                .map(Map.Entry::getValue)
                .toList();
    }

    /** @return the records that end with that, if they wait */
    List<RecordInFlight> forget() {
        runs.ifPresent(PartitionRuns::end);
        return forgetRecords();
    }

    private synchronized List<RecordInFlight> forgetRecords() {
        revoked = true;
        forgotten = true;
        return new ArrayList<>(waiting.values());
    }

    /** @return the records that may be unloaded, if that begins */
    synchronized List<RecordInFlight> suspend(boolean isSuspended) {
        suspended = isSuspended;
        return isSuspended ? new ArrayList<>(waiting.values()) : List.of();
    }

    @Override
    public synchronized boolean isSuspended() {
        return suspended;
    }

    @Override
    public synchronized boolean isRevoked() {
        return revoked;
    }

    @Override
    public synchronized boolean begin(long offset) {
        if (forgotten || revoked && offset > lastBegun) {
            return false;
        }
        lastBegun = Math.max(lastBegun, offset);
        return true;
    }

    @Override
    public synchronized void failed() {
        failed++;
    }

    @Override
    public synchronized void failedEnded() {
        failed--;
    }

    /** How many of its records, or runs of records, fail. */
    int failing() {
        return failedRecords() + runs.map(PartitionRuns::failing).orElse(0);
    }

    private synchronized int failedRecords() {
        return failed;
    }

    @Override
    public boolean keepsStored() {
        return runs.isPresent();
    }

    @Override
    public void done(long offset, boolean stored) {
        end(offset, stored);
        runs.ifPresent(this::drain);
    }

    private synchronized void end(long offset, boolean stored) {
        inFlight--;
        if (stored && runs.isPresent()) {
            ended.add(offset);
        } else if (stored) {
            waiting.remove(offset);
        }
    }

    private void drain(PartitionRuns into) {
        // Without the lock, threads compress at once, and the polling thread need not wait for them.
        List<Runnable> compression = new ArrayList<>();
        for (Optional<RecordInFlight> next = drainNext(into, compression::add);
                next.isPresent();
                next = drainNext(into, compression::add)) {
            compression.forEach(Runnable::run);
            compression.clear();
            next.get().drained();
        }
    }

    private Optional<RecordInFlight> drainNext(PartitionRuns into, Consumer<Runnable> compression) {
        synchronized (into) {
            Optional<RecordInFlight> next = takeEnded();
            next.ifPresent(record -> record.drain(into, compression));
            return next;
        }
    }

    private synchronized Optional<RecordInFlight> takeEnded() {
        return !waiting.isEmpty() && ended.remove(waiting.firstKey())
                ? Optional.of(waiting.pollFirstEntry().getValue())
                : Optional.empty();
    }

    /** The runs of its records, where an object holds many. */
    Optional<PartitionRuns> runs() {
        return runs;
    }

    /** How many offsets are read and wait in the open run, if nothing else is in flight. */
    long inOpenRun() {
        return runs.filter(all -> inFlight() == 0 && !all.isPending())
                .map(all ->
                        Math.max(0, readTo - all.commit(OptionalLong.empty()).offset()))
                .orElse(0L);
    }

    /** How many of its records are in flight, and whether a complete run of them is. */
    int inFlight() {
        int storing = runs.filter(all -> all.isPending() && all.failing() == 0).isPresent() ? 1 : 0;
        return storing + recordsInFlight();
    }

    private synchronized int recordsInFlight() {
        return inFlight;
    }

    /** Of many records in an object, the link of the chain stands in the metadata, behind {@link CommitMark#LINK}. */
    Optional<OffsetAndMetadata> uncommitted(Supplier<OptionalLong> position) {
        if (runs.isEmpty()) {
            return uncommittedRecords(position);
        }
        synchronized (runs.get()) {
            return uncommittedRuns(runs.get(), position);
        }
    }

    private synchronized Optional<OffsetAndMetadata> uncommittedRuns(
            PartitionRuns all, Supplier<OptionalLong> position) {
        readTo = Math.max(next, position.get().orElse(next));
        Chain.Commit commit = all.commit(waiting.isEmpty() ? OptionalLong.of(readTo) : OptionalLong.empty());
        return commit.offset() <= committed
                ? Optional.empty()
                : Optional.of(new OffsetAndMetadata(
                        commit.offset(), epoch(commit.offset()), CommitMark.LINK + commit.link()));
    }

    private synchronized Optional<OffsetAndMetadata> uncommittedRecords(Supplier<OptionalLong> position) {
        long stored = waiting.isEmpty() ? Math.max(next, position.get().orElse(next)) : waiting.firstKey();
        return stored <= committed ? Optional.empty() : Optional.of(new OffsetAndMetadata(stored, epoch(stored), ""));
    }

    private Optional<Integer> epoch(long offset) {
        Map.Entry<Long, Integer> epoch = epochs.lowerEntry(offset);
        if (epoch != null) {
            epochs.headMap(epoch.getKey()).clear();
        }
        return Optional.ofNullable(epoch).map(Map.Entry::getValue);
    }

    synchronized void committed(long offset) {
        committed = Math.max(committed, offset);
    }

    synchronized long span() {
        return waiting.isEmpty() ? 0 : next - waiting.firstKey();
    }
}
