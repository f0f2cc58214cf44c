package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports partitions in which one transaction has been open for long: nothing behind its first record can be read. For one
 * thread; {@link #number} is for all threads.
 */
final class HangingTransactions {

    private static final Logger LOG = LoggerFactory.getLogger(HangingTransactions.class);
    /** As a part of the time after which one is reported. */
    private static final int LOOKS = 15;

    private final String connector;
    private final Duration limit;
    private final PartitionMonitor monitor;
    private Set<TopicPartition> hanging = new HashSet<>();
    private long due;
    private volatile int number;

    /** @param now when the first look is due */
    HangingTransactions(String connector, Duration limit, long now) {
        this.connector = connector;
        this.limit = limit;
        this.monitor = new PartitionMonitor(limit.dividedBy(LOOKS));
        this.due = now;
    }

    /** Whether it is time for a look. */
    boolean isDue(long now) {
        return now - due >= 0;
    }

    /**
     * Takes in what is seen now.
     *
     * @param stable the offset behind the last record that may be read, by partition
     * @param end the offset behind the last record
     * @return those that are reported now
     */
    Set<TopicPartition> look(long now, Map<TopicPartition, Long> stable, Map<TopicPartition, Long> end) {
        due = now + limit.dividedBy(LOOKS).toNanos();
        Map<TopicPartition, PartitionMonitor.State> seen = new HashMap<>();
        end.forEach((partition, offset) ->
                seen.put(partition, new PartitionMonitor.State(offset > stable.get(partition), stable.get(partition))));
        monitor.look(now, seen);
        Set<TopicPartition> before = hanging;
        hanging = monitor.stalled(limit).keySet();
        number = hanging.size();
        Set<TopicPartition> reported = new HashSet<>(hanging);
        reported.removeAll(before);
        reported.forEach(partition -> LOG.warn(
                "{}: partition {}: a transaction has been open for {} s, and no record from offset {} on is read before it"
                        + " ends. To find it: kafka-transactions.sh find-hanging --topic {} --partition {}",
                connector,
                partition,
                limit.toSeconds(),
                stable.get(partition),
                partition.topic(),
                partition.partition()));
        return reported;
    }

    /** How many partitions have one. */
    int number() {
        return number;
    }
}
