package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.consumer.DefaultKafkaManualCommit;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What camel-kafka's batch lacks: its records as messages for the splitter, and a commit of every partition in it (the
 * {@code KafkaManualCommit} of a batch covers the last record's partition only).
 */
@BindToRegistry("batch")
public final class Batch {

    private static final Logger LOG = LoggerFactory.getLogger(Batch.class);
    private static final String COMMIT = "S3DestinationCommit";
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(10);

    /** The records of the batch, in their order; what is to be committed is noted before a step can change them. */
    public List<Message> records(Exchange batch) {
        List<Message> records = ((List<?>) batch.getMessage().getBody())
                .stream().map(Exchange.class::cast).map(Exchange::getMessage).toList();
        batch.setProperty(COMMIT, Commit.of(records));
        return records;
    }

    /**
     * Commits the offset behind the last record of each partition. To be called on the thread that polls, since Kafka's
     * consumer is not safe for others, and only when every record of the batch is stored.
     *
     * <p>Where the group has given the partitions to others meanwhile, nothing is committed and that is no error: the
     * records are read again and stored under the same names.
     *
     * @throws org.apache.kafka.common.KafkaException if the broker does not answer or refuses: to be tried again
     */
    public void commit(Exchange batch) {
        Commit commit = batch.getProperty(COMMIT, Commit.class);
        try {
            commit.consumer().commitSync(commit.offsets(), COMMIT_TIMEOUT);
        } catch (CommitFailedException | RebalanceInProgressException e) {
            LOG.warn(
                    "{}: the group is being rebalanced, so {} is not committed: the records are stored, and may be"
                            + " read and stored once more",
                    batch.getFromRouteId(),
                    commit.offsets().keySet());
        }
    }

    private record Commit(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> offsets) {

        static Commit of(List<Message> records) {
            Consumer<?, ?> consumer = null;
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (Message message : records) {
                DefaultKafkaManualCommit record =
                        message.getHeader(KafkaConstants.MANUAL_COMMIT, DefaultKafkaManualCommit.class);
                consumer = record.getCamelExchangePayload().consumer;
                offsets.put(record.getPartition(), new OffsetAndMetadata(record.getRecordOffset() + 1));
            }
            return new Commit(consumer, offsets);
        }
    }
}
