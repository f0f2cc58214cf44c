package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
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

/** Whatever the order in which records are stored: what may be committed is stored, all of it, and no more. */
class WindowPropertyTest {

    private static final TopicPartition PARTITION = new TopicPartition("stream", 0);
    private static final Set<TopicPartition> PARTITIONS = Set.of(PARTITION);

    private Window.Load load;
    private Window window;

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
            window.send(PARTITION, next).done(stored);
            if (stored) {
                waiting.remove(next);
            }
            if (waiting.isEmpty()) {
                break;
            }
        }

        assertThat(window.inFlight(PARTITIONS)).isZero();
        assertThat(window.fault().isPresent()).isEqualTo(!waiting.isEmpty());
        assertThat(committable(first)).isEqualTo(waiting.isEmpty() ? end : waiting.first());
    }

    @Property(tries = 50)
    void aPartitionIsReadNoFurtherThanAllowedBeyondARecordThatIsNotStored(
            @ForAll @IntRange(min = 90, max = 110) int records) {
        TreeSet<Long> offsets = read(records);

        offsets.tailSet(1L).forEach(offset -> window.send(PARTITION, offset).done(true));

        assertThat(window.full(PARTITIONS)).isEqualTo(records >= 100 ? PARTITIONS : Set.of());
    }

    @Property(tries = 50)
    void nothingIsReadWhileTooMuchIsOnItsWay(@ForAll @IntRange(min = 10, max = 30) int records) {
        TreeSet<Long> offsets = read(records);

        List<Window.Record> sent =
                offsets.stream().map(offset -> window.send(PARTITION, offset)).toList();

        assertThat(window.full(PARTITIONS)).isEqualTo(records >= 20 ? PARTITIONS : Set.of());
        // Another consumer of the group, in place of one that was closed.
        assertThat(new Window(load, 100).full(PARTITIONS)).isEqualTo(window.full(PARTITIONS));
        sent.forEach(record -> record.done(true));
        assertThat(window.full(PARTITIONS)).isEmpty();
    }

    /** So that those who read them next store none again. */
    @Property(tries = 100)
    void whatIsStoredOfAPartitionThatIsLeftIsAllCommittable(
            @ForAll @IntRange(min = 1, max = 20) int records,
            @ForAll @IntRange(max = 20) int begun,
            @ForAll Random order) {
        List<Window.Record> sent = new ArrayList<>(read(records).stream()
                .map(offset -> window.send(PARTITION, offset))
                .toList());
        Collections.shuffle(sent, order);
        int early = Math.min(begun, records);
        sent.subList(0, early).forEach(record -> assertThat(record.begin()).isTrue());

        window.leave(PARTITIONS);
        long late = sent.subList(early, records).stream()
                .filter(Window.Record::begin)
                .count();
        sent.forEach(record -> record.done(true));

        assertThat(committable(0)).isEqualTo(early + late);
        assertThat(window.inFlight(PARTITIONS)).isZero();
        assertThat(window.fault()).isEmpty();
        assertThat(load.records()).isZero();
    }

    @Property(tries = 10)
    void whatHasNotBegunOfAPartitionThatIsLostDoesNotBegin(@ForAll @IntRange(min = 1, max = 5) int records) {
        List<Window.Record> sent = read(records).stream()
                .map(offset -> window.send(PARTITION, offset))
                .toList();

        window.remove(PARTITIONS);

        assertThat(sent).noneMatch(Window.Record::begin);
    }

    @Property(tries = 20)
    void aRecordThatIsNotSentOnItsWayIsTold(@ForAll @IntRange(min = 1, max = 5) int records) {
        TreeSet<Long> offsets = read(records);

        for (long offset : offsets) {
            assertThat(window.fault()).isPresent();
            window.send(PARTITION, offset);
        }

        assertThat(window.fault()).isEmpty();
    }

    /** Reads so many records, from offset 0 on; returns their offsets. */
    private TreeSet<Long> read(int records) {
        TreeSet<Long> offsets = LongStream.range(0, records).boxed().collect(Collectors.toCollection(TreeSet::new));
        read(offsets);
        return offsets;
    }

    private void read(Set<Long> offsets) {
        load = new Window.Load(20, 1_000);
        window = new Window(load, 100);
        List<ConsumerRecord<byte[], byte[]>> records = offsets.stream()
                .map(offset -> new ConsumerRecord<>("stream", 0, offset, new byte[0], new byte[0]))
                .toList();
        window.add(new ConsumerRecords<>(Map.of(PARTITION, records)));
    }

    /** What may be committed, or the first offset, where nothing may. */
    private long committable(long first) {
        return window.stored(PARTITIONS)
                .getOrDefault(PARTITION, new OffsetAndMetadata(first))
                .offset();
    }
}
