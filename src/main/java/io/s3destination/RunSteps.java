package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * The steps with which records become the objects of many: {@link #add} for a record, the others for a complete run. Safe for
 * all threads.
 */
@BindToRegistry("run")
public final class RunSteps {

    /** Names of metadata are the same in any case, and the client sends one that is named for its header as that header. */
    private static final Pattern CHAIN = Pattern.compile("(?i)(x-amz-meta-)*("
            + String.join("|", ChainObjects.RECORDS, ChainObjects.LAST_OFFSET, ChainObjects.TOPIC_ID) + ")");

    private static final byte[] NULL = "null".getBytes(UTF_8);

    /** Adds the body as a line to the run of its partition, or as a dead letter if the variable {@code fault} is set. */
    public void add(Exchange exchange) {
        RecordInFlight record = RecordCompletion.of(exchange).orElseThrow();
        Message message = exchange.getMessage();
        if (message.getBody() instanceof PolledRecords polled) {
            polled.all().forEach(one -> add(record, polled, one, message));
        } else {
            byte[] body = message.getBody(byte[].class);
            String fault = exchange.getVariable("fault", String.class);
            if (fault == null) {
                record.becomes(record.offset(), Optional.of(body == null ? NULL : body), Optional.empty());
            } else {
                record.becomes(
                        record.offset(),
                        Optional.empty(),
                        Optional.of(new RunContent.DeadLetter(
                                message.copy(), exchange.getVariable("object", String.class), fault, body.length)));
            }
        }
        record.needsNoObject();
    }

    private static void add(
            RecordInFlight inFlight, PolledRecords polled, ConsumerRecord<?, ?> record, Message message) {
        byte[] value = (byte[]) record.value();
        Optional<String> fault = polled.fault(record.offset());
        if (fault.isEmpty()) {
            inFlight.becomes(record.offset(), Optional.of(value == null ? NULL : value), Optional.empty());
            return;
        }
        Message letter = message.copy();
        letter.setBody(value);
        letter.setHeader(KafkaConstants.OFFSET, record.offset());
        letter.setHeader(KafkaConstants.KEY, record.key());
        letter.setHeader(KafkaConstants.TIMESTAMP, record.timestamp());
        letter.setHeader(KafkaConstants.HEADERS, record.headers());
        String object = ChainObjects.name(new TopicPartition(record.topic(), record.partition()), record.offset());
        inFlight.becomes(
                record.offset(),
                Optional.empty(),
                Optional.of(new RunContent.DeadLetter(letter, object, fault.get(), value.length)));
    }

    /** Takes a dead letter of the run apart: its body, its headers, and the variables {@code object} and {@code fault}. */
    public void deadLetter(Exchange exchange) {
        RunContent.DeadLetter letter = exchange.getMessage().getBody(RunContent.DeadLetter.class);
        exchange.setMessage(letter.message().copy());
        exchange.setVariable("object", letter.object());
        exchange.setVariable("fault", letter.fault());
    }

    /** Makes the compressed lines of the run the body; ends the route if there are none. */
    public void content(Exchange exchange) {
        RunToStore run = RunToStore.of(exchange);
        if (RecordCompletion.of(exchange).filter(RecordInFlight::isReleased).isPresent()) {
            exchange.setRouteStop(true);
            return;
        }
        if (!run.run().hasLine()) {
            RecordCompletion.of(exchange).ifPresent(RecordInFlight::needsNoObject);
            exchange.setRouteStop(true);
            return;
        }
        exchange.getMessage().setBody(run.content().finish());
        exchange.setVariable("records", run.content().lines());
        run.storage().codec().contentEncoding().ifPresent(encoding -> exchange.getMessage()
                .setHeader(AWS2S3Constants.CONTENT_ENCODING, encoding));
    }

    /** Adds the metadata by which the chain is followed to what the steps before have set. */
    public void metadata(Exchange exchange) {
        RunToStore run = RunToStore.of(exchange);
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<?, ?> before = exchange.getMessage().getHeader(AWS2S3Constants.METADATA, Map.class);
        if (before != null) {
            before.forEach((name, value) -> metadata.put(String.valueOf(name), String.valueOf(value)));
        }
        metadata.keySet().removeIf(name -> CHAIN.matcher(name).matches());
        metadata.put(ChainObjects.RECORDS, String.valueOf(run.content().lines()));
        metadata.put(ChainObjects.LAST_OFFSET, String.valueOf(run.run().last()));
        run.topicId().ifPresent(id -> metadata.put(ChainObjects.TOPIC_ID, id.toString()));
        exchange.getMessage().setHeader(AWS2S3Constants.METADATA, metadata);
    }

    /** Looks at what is there, where S3 has refused to create the object since one of its name is. */
    public void compare(Exchange exchange) {
        if (exchange.getMessage().getHeader(AWS2S3Constants.E_TAG) == null) {
            RunToStore.of(exchange).compare();
            RecordCompletion.of(exchange).ifPresent(RecordInFlight::needsNoObject);
        }
    }
}
