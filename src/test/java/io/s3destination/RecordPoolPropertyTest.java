package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/**
 * Random histories of polls, attempts that fail or succeed, rebalances, suspensions and time, in which all must be stored
 * in the end. One thread plays all of them: an attempt begins when its turn comes, and ends at some time after that.
 */
class RecordPoolPropertyTest {

    private static final int RECORDS = 30;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    /** Two records that wait fit, of those without content. */
    private static final long MAX_FAILED_BYTES = 20 << 10;

    private record Id(TopicPartition partition, long offset) {}

    /** What the pool was given and what has come of it. */
    private record Attempt(RecordInFlight record, Id id) {}

    private final InFlightLimit limit = new InFlightLimit(10, 1 << 20, MAX_FAILED_BYTES);
    private final Deque<Runnable> queue = new ArrayDeque<>();
    private final List<Attempt> attempts = new ArrayList<>();
    private final Map<TopicPartition, Long> positions = new HashMap<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Set<Id> stored = new HashSet<>();
    private long now;
    private RecordPool pool;
    private OffsetTracker tracker;

    @Property(tries = 300)
    void eachRecordIsStoredInTheEndAndNothingStaysCounted(
            @ForAll @IntRange(min = 1, max = 4) int uploads,
            @ForAll @IntRange(min = 1, max = 4) int partitions,
            @ForAll Random random) {
        pool = new RecordPool(new Threads(), uploads, () -> now);
        List<TopicPartition> all = IntStream.range(0, partitions)
                .mapToObj(number -> new TopicPartition("stream", number))
                .toList();
        all.forEach(partition -> committed.put(partition, 0L));
        tracker = new OffsetTracker(limit, 20, Optional.empty());
        all.forEach(this::assign);

        for (int step = 0; step < 400; step++) {
            now += random.nextInt(2) * SECOND / 10;
            TopicPartition any = all.get(random.nextInt(partitions));
            switch (random.nextInt(12)) {
                case 0 -> rebalance(any, random.nextBoolean());
                case 1 -> tracker.suspend(random.nextInt(4) == 0, now);
                case 2, 3, 4 -> poll(random);
                default -> work(uploads, random, random.nextInt(3) > 0);
            }
            commit(all);
        }

        tracker.suspend(false, now);
        for (int step = 0; !committed.values().stream().allMatch(offset -> offset == RECORDS); step++) {
            assertThat(step).isLessThan(5_000);
            now += SECOND;
            poll(random);
            work(uploads, random, false);
            commit(all);
        }
        while (!queue.isEmpty() || !attempts.isEmpty()) {
            work(uploads, random, false);
        }
        assertThat(limit.records()).isZero();
        assertThat(limit.isFailedReached()).isFalse();
        assertThat(tracker.full(new HashSet<>(all))).isEmpty();
        assertThat(tracker.fault()).isEmpty();
    }

    private void assign(TopicPartition partition) {
        tracker.start(
                partition, committed.get(partition), committed.get(partition), Optional.empty(), Optional.empty());
        positions.put(partition, committed.get(partition));
    }

    private void rebalance(TopicPartition partition, boolean isLost) {
        if (!isLost) {
            tracker.revoke(Set.of(partition));
        }
        tracker.remove(Set.of(partition));
        assertThat(tracker.inFlight(Set.of(partition))).isZero();
        assign(partition);
    }

    /** As the consumer does. */
    private void poll(Random random) {
        tracker.reread(now).ifPresent(record -> positions.put(record.getKey(), record.getValue()));
        Set<TopicPartition> paused = tracker.full(positions.keySet());
        tracker.rereading().ifPresent(paused::remove);
        Map<TopicPartition, List<ConsumerRecord<Object, Object>>> polled = new LinkedHashMap<>();
        positions.forEach((partition, position) -> {
            long end = Math.min(RECORDS, position + random.nextInt(4));
            if (!paused.contains(partition) && position < end) {
                polled.put(
                        partition,
                        IntStream.range(position.intValue(), (int) end)
                                .mapToObj(offset -> new ConsumerRecord<Object, Object>(
                                        partition.topic(), partition.partition(), offset, new byte[0], new byte[0]))
                                .toList());
            }
        });
        polled.forEach((partition, records) -> positions.merge(partition, (long) records.size(), Long::sum));
        ConsumerRecords<Object, Object> given = tracker.add(new ConsumerRecords<>(polled));
        tracker.rereading().ifPresent(partition -> {
            OptionalLong next = tracker.reread(partition, positions.get(partition));
            next.ifPresent(offset -> positions.put(partition, offset));
        });
        for (ConsumerRecord<Object, Object> record : given) {
            Id id = new Id(new TopicPartition(record.topic(), record.partition()), record.offset());
            RecordInFlight dispatched =
                    tracker.dispatch(id.partition(), id.offset()).orElseThrow();
            pool.execute(() -> begin(new Attempt(dispatched, id)));
        }
    }

    /** An attempt begins, one ends, or time has come for a retry. */
    private void work(int uploads, Random random, boolean mayFail) {
        pool.advance();
        if (attempts.size() < uploads && !queue.isEmpty()) {
            queue.remove().run();
        } else if (!attempts.isEmpty()) {
            Attempt attempt = attempts.remove(random.nextInt(attempts.size()));
            if (mayFail && random.nextInt(5) == 0) {
                attempt.record().done(Optional.of("was given up"));
            } else if (mayFail && random.nextInt(2) == 0) {
                attempt.record().failed();
                pool.retry(attempt.record(), () -> begin(attempt), SECOND);
            } else {
                stored.add(attempt.id());
                attempt.record().done(Optional.empty());
            }
        }
    }

    private void begin(Attempt attempt) {
        if (attempt.record().mayGoOn(() -> "")) {
            assertThat(attempts.stream().map(Attempt::id)).doesNotContain(attempt.id());
            attempts.add(attempt);
        } else {
            attempt.record().done(Optional.empty());
        }
    }

    private void commit(List<TopicPartition> all) {
        var changed = tracker.uncommitted(new HashSet<>(all), partition -> OptionalLong.empty());
        tracker.committed(changed);
        changed.forEach((partition, offset) -> {
            TreeSet<Long> below = IntStream.range(0, (int) offset.offset())
                    .mapToObj(Long::valueOf)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(below).allMatch(each -> stored.contains(new Id(partition, each)));
            committed.put(partition, offset.offset());
        });
    }

    /** Threads whose tasks the test runs, one by one. */
    private final class Threads extends AbstractExecutorService {

        @Override
        public void execute(Runnable task) {
            queue.add(task);
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }
}
