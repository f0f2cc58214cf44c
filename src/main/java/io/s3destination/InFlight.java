package io.s3destination;

import org.apache.camel.AggregationStrategy;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.common.TopicPartition;

/**
 * Sees each record off on its own way through the route, and tells its {@link Window} when it has got to the end: what is
 * committed follows from that.
 */
@BindToRegistry("in-flight")
public final class InFlight implements AggregationStrategy, Processor {

    private static final String RECORD = InFlight.class.getName();

    /** Called on the polling thread, before a step can change the record. */
    @Override
    public Exchange aggregate(Exchange none, Exchange exchange) {
        Message message = exchange.getMessage();
        Window.Record record = Window.ofThread()
                .send(
                        new TopicPartition(
                                message.getHeader(KafkaConstants.TOPIC, String.class),
                                message.getHeader(KafkaConstants.PARTITION, Integer.class)),
                        message.getHeader(KafkaConstants.OFFSET, Long.class));
        exchange.setProperty(RECORD, record);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                OutOfMemory.endIfOutOfMemory(done.getException());
                record.done(!done.isFailed());
                // Retries has told it, and the record is read again: Camel need not log each with its stack.
                done.setException(null);
            }
        });
        return exchange;
    }

    /** The first step on its way: ends it if others are to read its partition before it has begun. */
    @Override
    public void process(Exchange exchange) {
        if (!exchange.getProperty(RECORD, Window.Record.class).begin()) {
            exchange.setRouteStop(true);
        }
    }
}
