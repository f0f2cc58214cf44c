package io.s3destination;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * A record that Kafka cannot give out, as from a corrupt disk. Kafka throws at each poll instead, for all partitions, so its
 * partition is paused before it.
 *
 * @param since when it was found, by {@link System#nanoTime()}
 */
record UnreadableRecord(TopicPartition partition, long offset, long since, KafkaException fault) {

    /** Until it is tried again, by a new consumer, since this one keeps what it has fetched. */
    static final Duration RETRY = Duration.ofSeconds(60);

    /** Whether it is time to try it again. */
    boolean isDue(long now) {
        return now - since > RETRY.toNanos();
    }

    /** The partition of the record that an exception is about; Kafka names it in the message alone. */
    static Optional<TopicPartition> partition(KafkaException e, Set<TopicPartition> assignment) {
        String message = String.valueOf(e.getMessage());
        return message.contains("please seek past the record")
                ? assignment.stream()
                        .filter(partition -> message.contains("partition " + partition + " ")
                                || message.contains("from " + partition + ". "))
                        .findFirst()
                : Optional.empty();
    }

    @Override
    public String toString() {
        return "partition " + partition + " cannot be read at offset " + offset + ": "
                + KafkaErrorRemedies.of(fault).text();
    }
}
