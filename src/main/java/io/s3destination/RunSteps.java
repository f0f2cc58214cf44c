package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
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
        RecordInFlight inFlight = RecordCompletion.of(exchange).orElseThrow();
        Message message = exchange.getMessage();
        if (message.getBody() instanceof PolledRecords polled) {
            for (ConsumerRecord<?, ?> record : polled.all()) {
                byte[] value = PolledRecords.value(record, exchange);
                Optional<String> fault = polled.fault(record.offset());
                add(inFlight, record.offset(), value, fault, why -> deadLetter(message, record, value, why));
            }
        } else {
            byte[] value = message.getBody(byte[].class);
            Optional<String> fault = Optional.ofNullable(exchange.getVariable("fault", String.class));
            String object = exchange.getVariable("object", String.class);
            add(
                    inFlight,
                    inFlight.offset(),
                    value,
                    fault,
                    why -> new RunContent.DeadLetter(message.copy(), object, why, value.length));
        }
        inFlight.needsNoObject();
    }

    private static void add(
            RecordInFlight inFlight,
            long offset,
            byte[] value,
            Optional<String> fault,
            Function<String, RunContent.DeadLetter> deadLetter) {
        Optional<byte[]> line = fault.isPresent() ? Optional.empty() : Optional.of(value == null ? NULL : value);
        inFlight.becomes(offset, line, fault.map(deadLetter));
    }

    private static RunContent.DeadLetter deadLetter(
            Message polled, ConsumerRecord<?, ?> record, byte[] value, String fault) {
        Message letter = polled.copy();
        letter.setBody(value);
        letter.setHeader(KafkaConstants.OFFSET, record.offset());
        letter.setHeader(KafkaConstants.KEY, record.key());
        letter.setHeader(KafkaConstants.TIMESTAMP, record.timestamp());
        letter.setHeader(KafkaConstants.HEADERS, record.headers());
        String object = ChainObjects.name(new TopicPartition(record.topic(), record.partition()), record.offset());
        return new RunContent.DeadLetter(letter, object, fault, value.length);
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
