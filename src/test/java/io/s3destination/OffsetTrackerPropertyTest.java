package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Whatever the order in which records are stored: what may be committed is stored, all of it, and no more. */
class OffsetTrackerPropertyTest {

    /** What a record takes while it waits is at least 8 KiB. */
    private static final long MAX_FAILED_BYTES = 10 << 10;

    private static final TopicPartition PARTITION = new TopicPartition("stream", 0);
    private static final Set<TopicPartition> PARTITIONS = Set.of(PARTITION);

    private InFlightLimit limit;
    private OffsetTracker tracker;

    /** @param gaps between offsets, which compacted streams and transactions have */
    @Property(tries = 300)
    void whatMayBeCommittedIsWhatIsStoredWithoutAHole(
            @ForAll @Size(min = 1, max = 50) List<@IntRange(min = 1, max = 3) Integer> gaps,
            @ForAll Random order,
            @ForAll boolean givenUp) {
        TreeSet<Long> waiting = new TreeSet<>();
        long offset = 0;
        for (int gap : gaps) {
            offset += gap;
            waiting.add(offset);
        }
        long first = waiting.first();
        long end = waiting.last() + 1;
        read(waiting);
        List<Long> left = new ArrayList<>(waiting);

        while (!left.isEmpty()) {
            assertThat(committable(first)).isEqualTo(waiting.first());
            long next = left.remove(order.nextInt(left.size()));
            boolean stored = !givenUp || order.nextInt(4) > 0;
            tracker.dispatch(PARTITION, next)
                    .orElseThrow()
                    .done(stored ? Optional.empty() : Optional.of("was given up"));
            if (stored) {
                waiting.remove(next);
            }
            if (waiting.isEmpty()) {
                break;
            }
        }

        assertThat(tracker.inFlight(PARTITIONS)).isZero();
        long later = System.nanoTime() + RecordInFlight.REREAD;
        assertThat(tracker.reread(later).map(Map.Entry::getValue))
                .isEqualTo(waiting.isEmpty() ? Optional.empty() : Optional.of(waiting.first()));
        assertThat(committable(first)).isEqualTo(waiting.isEmpty() ? end : waiting.first());
    }

    @Property(tries = 50)
    void aPartitionIsReadNoFurtherThanAllowedBeyondARecordThatIsNotStored(
            @ForAll @IntRange(min = 90, max = 110) int records) {
        TreeSet<Long> offsets = read(records);

        offsets.tailSet(1L)
                .forEach(offset ->
                        tracker.dispatch(PARTITION, offset).orElseThrow().done(Optional.empty()));

        assertThat(tracker.full(PARTITIONS)).isEqualTo(records >= 100 ? PARTITIONS : Set.of());
    }

    @Property(tries = 50)
    void nothingIsReadWhileTooMuchIsOnItsWay(@ForAll @IntRange(min = 10, max = 30) int records) {
        TreeSet<Long> offsets = read(records);

        List<RecordInFlight> sent = offsets.stream()
                .map(offset -> tracker.dispatch(PARTITION, offset).orElseThrow())
                .toList();

        assertThat(tracker.full(PARTITIONS)).isEqualTo(records >= 20 ? PARTITIONS : Set.of());
        // Another consumer of the group, in place of one that was closed.
        assertThat(new OffsetTracker(limit, 100, Optional.empty()).full(PARTITIONS))
                .isEqualTo(tracker.full(PARTITIONS));
        sent.forEach(record -> record.done(Optional.empty()));
        assertThat(tracker.full(PARTITIONS)).isEmpty();
    }

    /** So that those who read them next store none again. */
    @Property(tries = 100)
    void whatIsStoredOfAPartitionThatIsLeftIsAllCommittable(
            @ForAll @IntRange(min = 1, max = 20) int records,
            @ForAll @IntRange(max = 20) int begun,
            @ForAll Random order) {
        List<RecordInFlight> sent = new ArrayList<>(read(records).stream()
                .map(offset -> tracker.dispatch(PARTITION, offset).orElseThrow())
                .toList());
        Collections.shuffle(sent, order);
        int early = Math.min(begun, records);
        sent.subList(0, early)
                .forEach(record -> assertThat(record.mayGoOn(() -> "")).isTrue());

        tracker.revoke(PARTITIONS);
        long late = sent.subList(early, records).stream()
                .filter(record -> record.mayGoOn(() -> ""))
                .count();
        sent.forEach(record -> record.done(Optional.empty()));

        assertThat(committable(0)).isEqualTo(early + late);
        assertThat(tracker.inFlight(PARTITIONS)).isZero();
        assertThat(tracker.fault()).isEmpty();
        assertThat(limit.records()).isZero();
    }

    @Property(tries = 10)
    void whatHasNotBegunOfAPartitionThatIsLostDoesNotBegin(@ForAll @IntRange(min = 1, max = 5) int records) {
        List<RecordInFlight> sent = read(records).stream()
                .map(offset -> tracker.dispatch(PARTITION, offset).orElseThrow())
                .toList();

        tracker.remove(PARTITIONS);

        assertThat(sent).noneMatch(record -> record.mayGoOn(() -> ""));
    }

    @Property(tries = 10)
    void aPartitionThatIsRevokedAndAssignedAgainIsStoredAndCommitted(@ForAll @IntRange(min = 1, max = 5) int records) {
        TreeSet<Long> offsets = read(records);
        RecordInFlight before = tracker.dispatch(PARTITION, 0).orElseThrow();
        before.mayGoOn(() -> "");
        tracker.remove(PARTITIONS);

        tracker.start(PARTITION, 0, 0, Optional.empty(), Optional.empty());
        tracker.add(polled(offsets, offset -> Optional.empty()));
        before.done(Optional.empty());
        offsets.forEach(offset -> {
            RecordInFlight again = tracker.dispatch(PARTITION, offset).orElseThrow();
            assertThat(committable(0)).isEqualTo(offset);
            assertThat(again.mayGoOn(() -> "")).isTrue();
            again.done(Optional.empty());
        });

        assertThat(committable(0)).isEqualTo(records);
        assertThat(limit.records()).isZero();
    }

    @Property(tries = 20)
    void onlyAPartitionWhoseOffsetChangedIsCommitted(@ForAll @IntRange(min = 2, max = 20) int records) {
        TreeSet<Long> offsets = read(records);
        offsets.forEach(offset -> {
            tracker.dispatch(PARTITION, offset).orElseThrow().done(Optional.empty());
            Map<TopicPartition, OffsetAndMetadata> uncommitted = uncommitted(OptionalLong.empty());
            assertThat(uncommitted).containsOnlyKeys(PARTITION);
            tracker.committed(uncommitted);
            assertThat(uncommitted(OptionalLong.empty())).isEmpty();
        });
    }

    /** Behind the markers of transactions, and their aborted records. */
    @Property(tries = 20)
    void thePositionIsCommittedWhenNothingIsInFlight(@ForAll @IntRange(min = 1, max = 20) int beyond) {
        read(3);
        OptionalLong position = OptionalLong.of(3 + beyond);
        tracker.dispatch(PARTITION, 1).orElseThrow().done(Optional.empty());
        tracker.dispatch(PARTITION, 2).orElseThrow().done(Optional.empty());
        assertThat(uncommitted(position)).isEmpty();

        tracker.dispatch(PARTITION, 0).orElseThrow().done(Optional.empty());

        assertThat(uncommitted(position).get(PARTITION).offset()).isEqualTo(3 + beyond);
    }

    @Property(tries = 50)
    void aCommitCarriesTheLeaderEpochOfTheRecordBeforeIt(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(max = 2) Integer> increments) {
        List<Integer> epochs = new ArrayList<>();
        int epoch = 5;
        for (int increment : increments) {
            epoch += increment;
            epochs.add(epoch);
        }
        read(Set.of(0L), offset -> Optional.of(5));
        tracker.dispatch(PARTITION, 0).orElseThrow().done(Optional.empty());
        TreeSet<Long> offsets =
                LongStream.rangeClosed(1, epochs.size()).boxed().collect(Collectors.toCollection(TreeSet::new));
        tracker.add(polled(offsets, offset -> Optional.of(epochs.get((int) (offset - 1)))));

        assertThat(uncommitted(OptionalLong.empty()).get(PARTITION).leaderEpoch())
                .contains(5);
        for (long offset : offsets) {
            tracker.dispatch(PARTITION, offset).orElseThrow().done(Optional.empty());
            assertThat(uncommitted(OptionalLong.empty()).get(PARTITION).leaderEpoch())
                    .contains(epochs.get((int) (offset - 1)));
        }
    }

    @Property(tries = 5)
    void theLeaderEpochOfTheCommitIsKeptUntilARecordIsRead(@ForAll @IntRange(min = 1, max = 5) int beyond) {
        tracker = new OffsetTracker(new InFlightLimit(20, 1_000, MAX_FAILED_BYTES), 100, Optional.empty());
        tracker.start(PARTITION, 10, 10, Optional.of(7), Optional.empty());

        assertThat(uncommitted(OptionalLong.of(10 + beyond)))
                .containsExactly(Map.entry(PARTITION, new OffsetAndMetadata(10 + beyond, Optional.of(7), "")));
    }

    /** Of half of that bound on, their partition alone is read no further. */
    @Property(tries = 30)
    void recordsThatFailCountForABoundOfTheirOwn(@ForAll @IntRange(min = 1, max = 30) int hundreds) {
        read(Set.of());
        TopicPartition other = new TopicPartition("stream", 1);
        tracker.start(other, 0, 0, Optional.empty(), Optional.empty());
        tracker.add(new ConsumerRecords<>(Map.of(PARTITION, List.of(record(hundreds * 100, new RecordHeaders())))));
        RecordInFlight refused = tracker.dispatch(PARTITION, 0).orElseThrow();
        assertThat(tracker.isFull()).isEqualTo(hundreds >= 10);

        refused.failed();
        refused.failed();

        assertThat(tracker.isFull()).isFalse();
        boolean isHalf = refused.weight() >= MAX_FAILED_BYTES / 2;
        assertThat(tracker.full(Set.of(PARTITION, other))).isEqualTo(isHalf ? PARTITIONS : Set.of());
        assertThat(limit.isFailedExceeded()).isEqualTo(refused.weight() > MAX_FAILED_BYTES);
        refused.done(Optional.empty());
        assertThat(tracker.full(PARTITIONS)).isEmpty();
        assertThat(limit.isFailedExceeded()).isFalse();
        assertThat(limit.records()).isZero();
    }

    private static ConsumerRecord<byte[], byte[]> record(int size, RecordHeaders headers) {
        return new ConsumerRecord<>(
                "stream",
                0,
                0L,
                0L,
                TimestampType.CREATE_TIME,
                0,
                size,
                new byte[0],
                new byte[0],
                headers,
                Optional.empty());
    }

    @Property(tries = 10)
    void keysAndHeadersCountAsValuesDo(@ForAll @IntRange(min = 0, max = 2) int part) {
        byte[] large = new byte[1_000];
        byte[] small = new byte[0];
        RecordHeaders headers = new RecordHeaders();
        headers.add("header", part == 2 ? large : small);
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                "stream",
                0,
                0L,
                0L,
                TimestampType.CREATE_TIME,
                part == 0 ? large.length : 0,
                part == 1 ? large.length : 0,
                small,
                small,
                headers,
                Optional.empty());
        read(Set.of());

        tracker.add(new ConsumerRecords<>(Map.of(PARTITION, List.of(record))));
        RecordInFlight dispatched = tracker.dispatch(PARTITION, 0).orElseThrow();

        assertThat(tracker.isFull()).isTrue();
        dispatched.done(Optional.empty());
        assertThat(tracker.isFull()).isFalse();
    }

    @Property(tries = 20)
    void aRecordThatIsNotSentOnItsWayIsTold(@ForAll @IntRange(min = 1, max = 5) int records) {
        TreeSet<Long> offsets = read(records);

        for (long offset : offsets) {
            assertThat(tracker.fault()).isPresent();
            tracker.dispatch(PARTITION, offset).orElseThrow();
        }

        assertThat(tracker.fault()).isEmpty();
    }

    /** Reads so many records, from offset 0 on; returns their offsets. */
    private TreeSet<Long> read(int records) {
        TreeSet<Long> offsets = LongStream.range(0, records).boxed().collect(Collectors.toCollection(TreeSet::new));
        read(offsets);
        return offsets;
    }

    private void read(Set<Long> offsets) {
        read(offsets, offset -> Optional.empty());
    }

    private void read(Set<Long> offsets, Function<Long, Optional<Integer>> epoch) {
        limit = new InFlightLimit(20, 1_000, MAX_FAILED_BYTES);
        tracker = new OffsetTracker(limit, 100, Optional.empty());
        long first = offsets.isEmpty() ? 0 : offsets.iterator().next();
        tracker.start(PARTITION, first, first, Optional.empty(), Optional.empty());
        tracker.add(polled(offsets, epoch));
    }

    private static ConsumerRecords<byte[], byte[]> polled(Set<Long> offsets, Function<Long, Optional<Integer>> epoch) {
        return new ConsumerRecords<>(Map.of(
                PARTITION,
                offsets.stream()
                        .map(offset -> new ConsumerRecord<>(
                                "stream",
                                0,
                                offset,
                                0L,
                                TimestampType.CREATE_TIME,
                                0,
                                0,
                                new byte[0],
                                new byte[0],
                                new RecordHeaders(),
                                epoch.apply(offset)))
                        .toList()));
    }

    private Map<TopicPartition, OffsetAndMetadata> uncommitted(OptionalLong position) {
        return tracker.uncommitted(PARTITIONS, partition -> position);
    }

    /** What may be committed, or the first offset, where nothing may. */
    private long committable(long first) {
        return tracker.uncommitted(PARTITIONS, partition -> OptionalLong.empty())
                .getOrDefault(PARTITION, new OffsetAndMetadata(first))
                .offset();
    }
}
