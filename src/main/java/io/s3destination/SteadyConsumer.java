package io.s3destination;

import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's consumer, in which a record that cannot be read, as from a corrupt disk, holds up its own partition only. Kafka
 * throws at each poll instead, so that Camel would make one consumer after the other, and none of them would get to the
 * other partitions.
 *
 * <p>What it tells about itself may be asked by any thread; all else is for the polling thread, as in Kafka.
 */
class SteadyConsumer extends KafkaConsumer<Object, Object> {

    private static final Logger LOG = LoggerFactory.getLogger(SteadyConsumer.class);
    /** Until a record is tried again, by a new consumer, since this one keeps what it has fetched. */
    private static final long RETRY = Duration.ofSeconds(60).toNanos();

    private static final long SILENCE = Duration.ofSeconds(10).toNanos();

    private final String group;
    private final Properties settings;
    private volatile long polled = System.nanoTime();
    private volatile Unreadable unreadable;
    private volatile Set<TopicPartition> assigned = Set.of();
    private double lastAnswers;
    private long lastAnswered;

    SteadyConsumer(Properties kafka, String group) {
        super(kafka);
        this.group = group;
        this.settings = kafka;
    }

    @Override
    public ConsumerRecords<Object, Object> poll(Duration timeout) {
        polled = System.nanoTime();
        if (unreadable != null && polled - unreadable.since() > RETRY) {
            throw unreadable.fault();
        }
        try {
            return super.poll(timeout);
        } catch (KafkaException e) {
            TopicPartition partition = partition(e).orElseThrow(() -> e);
            super.pause(Set.of(partition));
            unreadable = new Unreadable(partition, position(partition), polled, e);
            LOG.error("{}: {}. It is tried again every {} s", group, unreadable, RETRY / 1_000_000_000);
            return ConsumerRecords.empty();
        } finally {
            polled = System.nanoTime();
            assigned = assignment();
        }
    }

    String group() {
        return group;
    }

    Properties settings() {
        return settings;
    }

    /** The partitions that the group had given to it when it last polled. */
    Set<TopicPartition> assigned() {
        return assigned;
    }

    /** What cannot be read, and what to do. */
    Optional<String> unreadable() {
        return Optional.ofNullable(unreadable).map(Unreadable::toString);
    }

    final Optional<TopicPartition> unreadablePartition() {
        return Optional.ofNullable(unreadable).map(Unreadable::partition);
    }

    /** Whether a broker has answered in the last ten seconds, as far as it was asked. */
    synchronized boolean answered() {
        long now = System.nanoTime();
        double total = answers();
        if (total != lastAnswers) {
            lastAnswers = total;
            lastAnswered = now;
        }
        boolean asked = now - polled < SILENCE;
        return total > 0 && (!asked || now - lastAnswered < SILENCE);
    }

    /** None yet in a consumer of KIP-848 whose network thread has not begun. */
    private double answers() {
        return metrics().entrySet().stream()
                .filter(metric -> metric.getKey().name().equals("response-total")
                        && metric.getKey().group().equals("consumer-metrics"))
                .mapToDouble(metric -> (Double) metric.getValue().metricValue())
                .findFirst()
                .orElse(0);
    }

    /** The partition of a record that is corrupt or cannot be deserialised; Kafka tells it in the message alone. */
    private Optional<TopicPartition> partition(KafkaException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains("please seek past the record")
                ? assignment().stream()
                        .filter(partition -> message.contains("partition " + partition + " ")
                                || message.contains("from " + partition + ". "))
                        .findFirst()
                : Optional.empty();
    }

    private record Unreadable(TopicPartition partition, long offset, long since, KafkaException fault) {

        @Override
        public String toString() {
            // A deserializer's own message may quote the record.
            String cause = fault instanceof RecordDeserializationException || fault.getCause() == null
                    ? "its deserializer refuses it"
                    : fault.getCause().getMessage();
            return "partition " + partition + " cannot be read at offset " + offset + ": " + cause
                    + ". It waits there, while the others go on; mend the partition on its brokers, or give the record"
                    + " up by setting the group's offset behind it (kafka-consumer-groups --reset-offsets)";
        }
    }
}
