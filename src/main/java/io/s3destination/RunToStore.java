package io.s3destination;

import java.util.List;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * A complete run in the route that stores it; the body of the exchange, until its content takes that place.
 *
 * @param topicId of its topic, where the brokers know it
 */
record RunToStore(
        RunStorage storage,
        PartitionRuns runs,
        TopicPartition partition,
        Chain.Run run,
        RunContent content,
        Optional<Uuid> topicId) {

    private static final String PROPERTY = RunToStore.class.getName();

    void attach(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
        exchange.getMessage().setBody(this);
    }

    static RunToStore of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, RunToStore.class);
    }

    /** Whether a step has failed only since an object is there that was to be created: the route goes on, and compares. */
    static boolean isOccupied(Exchange exchange, Throwable failure) {
        return of(exchange) != null && failure instanceof S3Exception s3 && s3.statusCode() == 412;
    }

    /** For the route. */
    public List<RunContent.DeadLetter> deadLetters() {
        return content.deadLetters();
    }

    /** Notes what there is in place of its object. */
    void compare() {
        try {
            runs.occupied(storage.last(partition, run.start(), topicId));
        } catch (BrokenChain e) {
            runs.broken(e.getMessage());
        }
    }
}
