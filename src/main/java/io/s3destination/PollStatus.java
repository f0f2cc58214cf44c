package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.common.TopicPartition;

/** What the polls of one consumer show. Its polling thread takes it down; it is safe for all threads to ask. */
final class PollStatus {

    private final Consumer<?, ?> consumer;
    /** How many polls gave a partition a record, or had it paused. */
    private final Map<TopicPartition, Long> turns = new ConcurrentHashMap<>();

    private volatile Set<TopicPartition> assigned = Set.of();
    private volatile String memberId = "";
    private volatile boolean isLagWanted;
    private volatile Lag lag = new Lag(0, Map.of());

    PollStatus(Consumer<?, ?> consumer) {
        this.consumer = consumer;
    }

    private record Lag(long at, Map<TopicPartition, Long> records) {}

    /** Takes down the state after a poll, and as which member it was made. For the polling thread. */
    void polled(ConsumerGroupMetadata member) {
        assigned = consumer.assignment();
        memberId = member.memberId();
        tookTurn(consumer.paused());
        if (turns.size() > assigned.size()) {
            turns.keySet().retainAll(assigned);
        }
        if (isLagWanted) {
            isLagWanted = false;
            Map<TopicPartition, Long> records = new HashMap<>();
            assigned.forEach(
                    partition -> consumer.currentLag(partition).ifPresent(current -> records.put(partition, current)));
            lag = new Lag(System.nanoTime(), records);
        }
    }

    /** Takes down that a poll gave these partitions records, or had them paused. For the polling thread. */
    void tookTurn(Set<TopicPartition> partitions) {
        partitions.forEach(partition -> turns.merge(partition, 1L, Long::sum));
    }

    /** The partitions that the group had assigned to it. */
    Set<TopicPartition> assigned() {
        return assigned;
    }

    /** A number that grows with each poll that gave a partition a record, or had it paused. */
    long turns(TopicPartition partition) {
        return turns.getOrDefault(partition, 0L);
    }

    /** Its ID in the group as of its last assignment, or empty before the first one. */
    String memberId() {
        return memberId;
    }

    /**
     * How many records the consumer itself knows to be behind what it has read, by partition, from a poll within that time.
     * Nothing at first: a poll takes it down only after it was asked for, for the next one who asks.
     */
    Map<TopicPartition, Long> lag(Duration within) {
        isLagWanted = true;
        Lag now = lag;
        return System.nanoTime() - now.at() < within.toNanos() ? now.records() : Map.of();
    }
}
