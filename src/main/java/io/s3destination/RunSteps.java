package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;

/**
 * The steps with which records become the objects of many: {@link #add} for a record, the others for a complete run. Safe for
 * all threads.
 */
@BindToRegistry("run")
public final class RunSteps {

    /** Adds the body as a line to the run of its partition, or as a dead letter if the variable {@code fault} is set. */
    public void add(Exchange exchange) {
        RecordInFlight record = RecordCompletion.of(exchange).orElseThrow();
        Message message = exchange.getMessage();
        byte[] body = message.getBody(byte[].class);
        String fault = exchange.getVariable("fault", String.class);
        if (fault == null) {
            record.line(body == null ? "null".getBytes(UTF_8) : body);
        } else {
            record.deadLetter(new RunContent.DeadLetter(
                    message.copy(), exchange.getVariable("object", String.class), fault, body.length));
        }
        record.needsNoObject();
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
        metadata.keySet()
                .removeIf(List.of(ChainObjects.RECORDS, ChainObjects.LAST_OFFSET, ChainObjects.TOPIC_ID)::contains);
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
