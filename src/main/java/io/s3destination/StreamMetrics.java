package io.s3destination;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.StreamCache;

/** What one connector has done for one stream since it started. Safe for all threads. */
final class StreamMetrics {

    /** In seconds: S3 answers in tens of milliseconds, and in seconds when it has trouble. */
    private static final double[] BUCKETS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

    private final Counter records;
    private final Counter deadLetters;
    private final Counter bytes;
    private final Counter retries;
    private final Counter lost;
    private final Timer uploads;
    private volatile long lastStored = System.nanoTime();

    StreamMetrics(MeterRegistry registry, String connector, String stream) {
        Tags tags = Tags.of("connector", connector, "stream", stream);
        records = counter("records.stored", "Data records that were stored as objects", tags)
                .register(registry);
        deadLetters = counter("dead.letters", "Values that were not JSON and were dead-lettered", tags)
                .register(registry);
        bytes = counter("stored", "Size of all objects that were stored, compressed, dead letters among them", tags)
                .baseUnit("bytes")
                .register(registry);
        retries = counter("retries", "Attempts of a step that failed and are retried", tags)
                .register(registry);
        lost = counter("records.lost", "Records that Kafka deleted before they were stored, at most", tags)
                .register(registry);
        uploads = Timer.builder(Metrics.PREFIX + "upload")
                .description("Time of the PUT requests that succeeded")
                .serviceLevelObjectives(DoubleStream.of(BUCKETS)
                        .mapToObj(seconds -> Duration.ofNanos((long) (seconds * 1e9)))
                        .toArray(Duration[]::new))
                .tags(tags)
                .register(registry);
        TimeGauge.builder(Metrics.PREFIX + "last.stored.age", this::age, TimeUnit.SECONDS)
                .description("Time since a record was last stored, or since the start")
                .tags(tags)
                .register(registry);
    }

    private static Counter.Builder counter(String name, String description, Tags tags) {
        return Counter.builder(Metrics.PREFIX + name).description(description).tags(tags);
    }

    void stored(Exchange record, long millis) {
        (record.getVariable("fault") == null ? records : deadLetters).increment();
        bytes.increment(size(record.getMessage()));
        uploads.record(millis, TimeUnit.MILLISECONDS);
        lastStored = System.nanoTime();
    }

    void retried() {
        retries.increment();
    }

    void lost(long number) {
        lost.increment(number);
    }

    /** Objects so far, dead letters among them. */
    long objects() {
        return uploads.count();
    }

    private double age() {
        return (System.nanoTime() - lastStored) / 1e9;
    }

    private static long size(Message message) {
        return message.getBody() instanceof StreamCache stream ? stream.length() : message.getBody(byte[].class).length;
    }
}
