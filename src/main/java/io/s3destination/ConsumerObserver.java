package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/** What the open consumers of a group know themselves, from one look to the next. For one thread. */
final class ConsumerObserver {

    private final Duration limit;
    private final Map<TopicPartition, Integer> leaders = new HashMap<>();
    private Map<OffsetCommittingConsumer, ConsumerMetrics> before = Map.of();
    private Map<OffsetCommittingConsumer, ConsumerMetrics> now = Map.of();
    private Set<TopicPartition> assigned = Set.of();

    /** @param limit how old what a consumer knows may be */
    ConsumerObserver(Duration limit) {
        this.limit = limit;
    }

    void look(Stream<OffsetCommittingConsumer> consumers) {
        before = now;
        now = consumers.collect(Collectors.toMap(Function.identity(), ConsumerMetrics::of));
        assigned = now.keySet().stream()
                .flatMap(consumer -> consumer.assigned().stream())
                .collect(Collectors.toSet());
    }

    boolean hasConsumers() {
        return !now.isEmpty();
    }

    Set<TopicPartition> assigned() {
        return assigned;
    }

    Set<String> memberIds() {
        return now.keySet().stream()
                .map(consumer -> consumer.status().memberId())
                .collect(Collectors.toSet());
    }

    /** Whether each consumer has partitions, and heartbeats that were answered since the look before. */
    boolean areMembersForSure() {
        return now.entrySet().stream()
                .allMatch(consumer -> !consumer.getKey().assigned().isEmpty()
                        && consumer.getValue().hasHeartbeatSince(before(consumer.getKey())));
    }

    /** A number that changes with each answer of a broker to a consumer. */
    double answers() {
        return now.values().stream().mapToDouble(ConsumerMetrics::answers).sum();
    }

    boolean isThrottled() {
        return now.values().stream().anyMatch(ConsumerMetrics::isThrottled);
    }

    /** Takes in which brokers lead the partitions, where that is answered. */
    void leaders(PartitionLookup lookup) throws InterruptedException {
        leaders.keySet().retainAll(assigned);
        for (TopicPartition partition : assigned) {
            try {
                Optional<Integer> leader = lookup.leader(partition);
                leaders.compute(partition, (unused, old) -> leader.orElse(null));
            } catch (ExecutionException e) {
                // As before.
            }
        }
    }

    /** The lag of a partition as its consumer knows it, if the partition's leader answers the consumer. */
    Optional<Long> lag(TopicPartition partition) {
        return consumer(partition)
                .filter(reader -> leaders.containsKey(partition)
                        && now.get(reader).hasAnswerSince(before(reader), leaders.get(partition)))
                .flatMap(
                        reader -> Optional.ofNullable(reader.status().lag(limit).get(partition))
                                .map(behind -> behind + reader.inFlight(partition)));
    }

    /** How many offsets of a partition are read and wait in an open run alone. */
    long waiting(TopicPartition partition) {
        return consumer(partition).map(reader -> reader.waiting(partition)).orElse(0L);
    }

    /** What reading shows of a partition with that lag. */
    PartitionMonitor.State reading(TopicPartition partition, long lag, long committed) {
        return consumer(partition)
                .map(reader -> new PartitionMonitor.State(
                        lag > 0 && reader.inFlight(partition) == 0,
                        reader.status().turns(partition) + committed))
                .orElse(new PartitionMonitor.State(false, 0));
    }

    private Optional<OffsetCommittingConsumer> consumer(TopicPartition partition) {
        return now.keySet().stream()
                .filter(consumer -> consumer.assigned().contains(partition))
                .findFirst();
    }

    private ConsumerMetrics before(OffsetCommittingConsumer consumer) {
        return before.getOrDefault(consumer, ConsumerMetrics.NONE);
    }
}
