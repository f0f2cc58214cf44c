package io.s3destination;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The records of one consumer between being read and being stored: what may be committed, and when to read no further.
 * Records are stored in parallel, so a slow one blocks no other, and one that is refused blocks its partition only.
 */
final class OffsetTracker {

    private static final ThreadLocal<OffsetTracker> OF_THREAD = new ThreadLocal<>();

    /** A partition with so many records that fail is read no further: each of them is retried in turn. */
    private static final int MAX_FAILING = 100;

    private final InFlightLimit limit;
    private final long maxSpan;
    private final Optional<RunStorage> runs;
    private final Map<TopicPartition, PartitionOffsets> partitions = new ConcurrentHashMap<>();
    private int undispatched;
    private Optional<RecordInFlight> dispatched = Optional.empty();
    private boolean suspended;
    private Optional<TopicPartition> reread = Optional.empty();

    /**
     * @param limit of all consumers of the group
     * @param maxSpan how many offsets a partition is read beyond a record that is not stored
     * @param runs stores runs of records, where an object holds many
     */
    OffsetTracker(InFlightLimit limit, long maxSpan, Optional<RunStorage> runs) {
        this.limit = limit;
        this.maxSpan = maxSpan;
        this.runs = runs;
    }

    /** The tracker of the consumer that this thread polls. */
    static OffsetTracker ofThread() {
        return OF_THREAD.get();
    }

    /** The record that this thread has dispatched last, once. */
    static Optional<RecordInFlight> dispatched() {
        return Optional.ofNullable(OF_THREAD.get()).flatMap(OffsetTracker::takeDispatched);
    }

    private Optional<RecordInFlight> takeDispatched() {
        Optional<RecordInFlight> taken = dispatched;
        dispatched = Optional.empty();
        return taken;
    }

    /**
     * Begins, or goes on with, a partition. Like all that changes the tracker but for {@link RecordInFlight}, for the polling thread.
     *
     * @param committed the offset that is committed, or that reading begins at if none is
     * @param next the offset that is read next
     * @param epoch the leader epoch of the record before it, if it is known
     * @param runs takes the records in order, where an object holds many
     */
    void start(
            TopicPartition partition,
            long committed,
            long next,
            Optional<Integer> epoch,
            Optional<PartitionRuns> runs) {
        PartitionOffsets state = partitions.computeIfAbsent(
                partition, unused -> new PartitionOffsets(committed, epoch, limit.attempts(partition), runs));
        state.next(next).forEach(RecordInFlight::end);
        state.suspend(suspended);
    }

    /** A record of the partition that is to be read again now, and its offset; one partition at a time. */
    Optional<Map.Entry<TopicPartition, Long>> reread(long now) {
        if (suspended || reread.isPresent()) {
            return Optional.empty();
        }
        for (Map.Entry<TopicPartition, PartitionOffsets> partition : partitions.entrySet()) {
            OptionalLong offset = partition.getValue().reread(now);
            if (offset.isPresent()) {
                reread = Optional.of(partition.getKey());
                return Optional.of(Map.entry(partition.getKey(), offset.getAsLong()));
            }
        }
        return Optional.empty();
    }

    /** The partition of which a record is being read again. */
    Optional<TopicPartition> rereading() {
        return reread;
    }

    /**
     * Takes in how far the partition has been read of which a record is read again.
     *
     * @return the offset from which the partition is to be read on
     */
    OptionalLong reread(TopicPartition partition, long position) {
        List<RecordInFlight> gone = new ArrayList<>();
        OptionalLong next = partitions.get(partition).reread(position, gone);
        gone.forEach(RecordInFlight::end);
        if (next.isPresent()) {
            reread = Optional.empty();
        }
        return next;
    }

    /** While it is suspended, records that fail are not retried; they are read again afterwards. */
    void suspend(boolean isSuspended, long now) {
        suspended = isSuspended;
        partitions.values().forEach(state -> state.suspend(isSuspended).forEach(record -> record.unload(now)));
    }

    /** The partitions that have begun. */
    Set<TopicPartition> partitions() {
        return Set.copyOf(partitions.keySet());
    }

    /** Takes in what was read, and returns what of it is to be dispatched. */
    <K, V> ConsumerRecords<K, V> add(ConsumerRecords<K, V> polled) {
        return add(polled.partitions(), (partition, state) -> polled.records(partition).stream()
                .filter(record -> state.add(record, () -> new RecordInFlight(state, limit, record)))
                .toList());
    }

    /** As {@link #add}: those of a partition are dispatched as one, whose value is {@link PolledRecords}. */
    ConsumerRecords<Object, Object> addTogether(ConsumerRecords<?, ?> polled) {
        return add(polled.partitions(), (partition, state) -> state
                .add(polled.records(partition), together -> new RecordInFlight(state, limit, together))
                .map(PolledRecords::asOne)
                .stream()
                .toList());
    }

    private <K, V> ConsumerRecords<K, V> add(
            Set<TopicPartition> polled,
            BiFunction<TopicPartition, PartitionOffsets, List<ConsumerRecord<K, V>>> dispatches) {
        OF_THREAD.set(this);
        Map<TopicPartition, List<ConsumerRecord<K, V>>> added = new LinkedHashMap<>();
        for (TopicPartition partition : polled) {
            // Of several polls, a later one may have stopped or revoked it.
            List<ConsumerRecord<K, V>> records = Optional.ofNullable(partitions.get(partition))
                    .map(state -> dispatches.apply(partition, state))
                    .orElse(List.of());
            if (!records.isEmpty()) {
                added.put(partition, records);
            }
        }
        ConsumerRecords<K, V> all = new ConsumerRecords<>(added);
        undispatched = all.count();
        return all;
    }

    /** Whether records that were read together take their steps together. */
    boolean takesTogether() {
        return runs.filter(RunStorage::takesTogether).isPresent();
    }

    /** Has a record that was read begin its steps, once: empty for one that a step has doubled. */
    Optional<RecordInFlight> dispatch(TopicPartition partition, long offset) {
        Optional<RecordInFlight> record =
                Optional.ofNullable(partitions.get(partition)).flatMap(state -> state.dispatch(offset));
        record.ifPresent(begins -> undispatched--);
        dispatched = record;
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
        limit.progressed(offsets.size());
        offsets.forEach((partition, offset) ->
                Optional.ofNullable(partitions.get(partition)).ifPresent(state -> state.committed(offset.offset())));
    }

    /** Those of the partitions that are to be read no further for now. */
    Set<TopicPartition> full(Set<TopicPartition> of) {
        Set<TopicPartition> full = new HashSet<>(of);
        if (!isFull()) {
            int maxFailing = limit.isFailedReached() || runs.isPresent() ? 1 : MAX_FAILING;
            full.removeIf(partition -> !partitions.containsKey(partition)
                    || partitions.get(partition).span() < maxSpan
                            && partitions.get(partition).failing() < maxFailing);
        }
        return full;
    }

    /** Whether as many records are in flight as may be. */
    boolean isFull() {
        return limit.isReached() || runs.filter(RunStorage::isMemoryReached).isPresent();
    }

    /** Completes runs by their age, and the largest ones if all together take too much memory. */
    void lookAtRuns(long now) {
        List<PartitionRuns> all = runs().map(Map.Entry::getValue).toList();
        all.forEach(open -> open.look(now));
        if (runs.filter(RunStorage::isMemoryReached).isPresent()) {
            all.stream()
                    .max(Comparator.comparingLong(PartitionRuns::openMemory))
                    .ifPresent(PartitionRuns::completeForMemory);
        }
    }

    /** The runs of each partition, where an object holds many records. */
    Stream<Map.Entry<TopicPartition, PartitionRuns>> runs() {
        return partitions.entrySet().stream().flatMap(partition -> partition.getValue().runs().stream()
                .map(open -> Map.entry(partition.getKey(), open)));
    }

    /** Has no more records of those partitions begin to be stored, but those before one that has begun. */
    void revoke(Iterable<TopicPartition> revoked) {
        states(revoked).map(PartitionOffsets::revoke).forEach(ended -> ended.forEach(RecordInFlight::release));
    }

    /** How many records of those partitions are in flight: neither stored nor released. */
    int inFlight(Iterable<TopicPartition> of) {
        return states(of).mapToInt(PartitionOffsets::inFlight).sum();
    }

    /** How many offsets of a partition are read and wait in an open run alone. */
    long waiting(TopicPartition partition) {
        return states(Set.of(partition)).mapToLong(PartitionOffsets::inOpenRun).sum();
    }

    private Stream<PartitionOffsets> states(Iterable<TopicPartition> of) {
        return StreamSupport.stream(of.spliterator(), false)
                .map(partitions::get)
                .filter(Objects::nonNull);
    }

    /** Forgets partitions that were revoked: what has begun goes on, and changes nothing here. */
    void remove(Iterable<TopicPartition> revoked) {
        states(revoked).map(PartitionOffsets::forget).forEach(ended -> ended.forEach(RecordInFlight::forget));
        revoked.forEach(partitions::remove);
        reread = reread.filter(partitions::containsKey);
    }

    /** Why records must be read again, by another consumer: a step dropped them before they were dispatched. For the polling thread. */
    Optional<String> fault() {
        return undispatched == 0
                ? Optional.empty()
                : Optional.of(undispatched
                        + " records did not get to the step with the bean in-flight; what drops or changes"
                        + " records belongs into that step");
    }
}
