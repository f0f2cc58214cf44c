package io.s3destination;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/**
 * The partitions of one consumer whose {@link StartPosition} is not decided yet: they are not read before the brokers have
 * answered. For the polling thread, which it never keeps waiting; {@link #fault} is for all threads.
 */
final class StartCheck {

    private static final long AGAIN = Duration.ofSeconds(1).toNanos();

    private final ConsumerGroup group;
    private final Map<TopicPartition, Check> checks = new HashMap<>();
    private volatile Fault fault;

    StartCheck(ConsumerGroup group) {
        this.group = group;
    }

    /** @param position where the partition was read until Kafka refused that offset, or empty for one newly assigned */
    void add(TopicPartition partition, OptionalLong position) {
        checks.put(partition, new Check(position, System.nanoTime()));
    }

    void remove(Collection<TopicPartition> revoked) {
        checks.keySet().removeAll(revoked);
    }

    /** Those that are not decided yet. */
    Set<TopicPartition> partitions() {
        return Set.copyOf(checks.keySet());
    }

    /** Asks the brokers where nothing is asked yet, and passes each decision on, once. */
    void advance(BiConsumer<TopicPartition, StartPosition> decided) {
        if (checks.isEmpty()) {
            fault = null;
            return;
        }
        Optional<Fault> failed = Optional.empty();
        boolean looked = false;
        for (TopicPartition partition : partitions()) {
            Check check = checks.get(partition);
            if (check.lookup != null && check.lookup.isDone()) {
                try {
                    decide(partition, check).ifPresent(position -> {
                        checks.remove(partition);
                        decided.accept(partition, position);
                    });
                } catch (ExecutionException e) {
                    long since = fault == null ? System.nanoTime() : fault.since();
                    failed = Optional.of(new Fault(partition, since, e.getCause()));
                } catch (InterruptedException e) {
                    throw new InterruptException(e);
                }
                looked = true;
            }
        }
        if (looked) {
            fault = failed.orElse(null);
        }
        ask();
    }

    private void ask() {
        long now = System.nanoTime();
        Set<TopicPartition> due = new HashSet<>(checks.keySet());
        due.removeIf(partition -> checks.get(partition).lookup != null || checks.get(partition).due - now > 0);
        if (!due.isEmpty()) {
            PartitionLookup lookup = group.lookUp(due);
            due.forEach(partition -> checks.get(partition).lookup = lookup);
        }
    }

    private Optional<StartPosition> decide(TopicPartition partition, Check check)
            throws ExecutionException, InterruptedException {
        PartitionLookup lookup = check.lookup;
        check.lookup = null;
        check.due = System.nanoTime() + AGAIN;
        PartitionLookup.Answer answer = lookup.answer(partition);
        Optional<StartPosition> position =
                StartPosition.of(partition, check.position, answer, group.topicId(partition.topic()), check.beyondEnd);
        check.beyondEnd = position.isEmpty();
        position.ifPresent(decided -> group.looked(partition, answer, decided));
        return position;
    }

    /** What keeps a partition from being read for longer than that, because its offsets cannot be looked up. */
    Optional<String> fault(Duration patience) {
        return Optional.ofNullable(fault)
                .filter(failed -> System.nanoTime() - failed.since() >= patience.toNanos())
                .map(failed -> "partition " + failed.partition() + " is not read: its offsets cannot be looked up for "
                        + Duration.ofNanos(System.nanoTime() - failed.since()).toSeconds() + " s: "
                        + failed.cause().getMessage());
    }

    private record Fault(TopicPartition partition, long since, Throwable cause) {}

    private static final class Check {

        private final OptionalLong position;
        private long due;
        private boolean beyondEnd;
        private PartitionLookup lookup;

        Check(OptionalLong position, long due) {
            this.position = position;
            this.due = due;
        }
    }
}
