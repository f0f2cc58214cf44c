package io.s3destination;

import java.util.Optional;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.spi.Synchronization;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.common.TopicPartition;

/**
 * Dispatches each record to its steps in the route, and notes in its {@link OffsetTracker} when it is done: what is
 * committed follows from that.
 */
@BindToRegistry("in-flight")
public final class RecordCompletion implements AggregationStrategy, Processor {

    private static final String RECORD = RecordCompletion.class.getName();

    /** Called on the polling thread, before a step can change the record. */
    @Override
    public Exchange aggregate(Exchange none, Exchange exchange) {
        Message message = exchange.getMessage();
        Optional<RecordInFlight> dispatched = OffsetTracker.ofThread()
                .dispatch(
                        new TopicPartition(
                                message.getHeader(KafkaConstants.TOPIC, String.class),
                                message.getHeader(KafkaConstants.PARTITION, Integer.class)),
                        message.getHeader(KafkaConstants.OFFSET, Long.class));
        dispatched.ifPresentOrElse(record -> follow(exchange, record), () -> exchange.setProperty(RECORD, null));
        return exchange;
    }

    /** Has a record be done when its exchange has ended. */
    static void follow(Exchange exchange, RecordInFlight record) {
        exchange.setProperty(RECORD, record);
        exchange.getExchangeExtension().addOnCompletion(onDone(record));
    }

    private static Synchronization onDone(RecordInFlight record) {
        return new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                OutOfMemory.endIfOutOfMemory(done.getException());
                record.done(fault(done, record));
                // RetryReporter has logged it, and the record is read again: Camel need not log each with its stack.
                done.setException(null);
            }
        };
    }

    /**
     * The first step of a record, and the one before each retry: ends it if its partition was revoked before it has begun, or
     * while it failed, since others read it then.
     */
    @Override
    public void process(Exchange exchange) {
        of(exchange)
                .filter(record ->
                        !record.mayGoOn(() -> exchange.getExchangeExtension().getHistoryNodeId()))
                .ifPresent(released -> exchange.setRouteStop(true));
    }

    private static Optional<String> fault(Exchange done, RecordInFlight record) {
        if (done.isFailed()) {
            return Optional.of("did not get to the end of its route");
        }
        return record.needsObject()
                ? Optional.of(
                        "has ended its steps without an object: to leave a record out, use the step filter or stop")
                : Optional.empty();
    }

    /** The record of an exchange, if it is one of a connector's. */
    static Optional<RecordInFlight> of(Exchange exchange) {
        return Optional.ofNullable(exchange.getProperty(RECORD, RecordInFlight.class));
    }
}
