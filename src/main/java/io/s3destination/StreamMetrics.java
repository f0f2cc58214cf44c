package io.s3destination;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
    private final Counter objects;
    private final DistributionSummary recordsPerObject;
    private final DistributionSummary bytesPerObject;
    private final Counter found;
    private final Map<RunStorage.End, Counter> completed;
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
        objects = counter("objects.stored", "Objects that were stored, dead letters among them", tags)
                .register(registry);
        recordsPerObject = summary("records.per.object", "Lines of each object of many records", tags)
                .baseUnit("records")
                .register(registry);
        bytesPerObject = summary("bytes.per.object", "Compressed size of each object of many records", tags)
                .baseUnit("bytes")
                .register(registry);
        found = counter("objects.found", "Objects that were there when they were to be created", tags)
                .register(registry);
        completed = new EnumMap<>(RunStorage.End.class);
        for (RunStorage.End by : RunStorage.End.values()) {
            completed.put(
                    by,
                    counter("runs.completed", "Runs that became objects of many records, by what completed them", tags)
                            .tag("by", by.name().toLowerCase(Locale.ROOT))
                            .register(registry));
        }
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

    private static DistributionSummary.Builder summary(String name, String description, Tags tags) {
        return DistributionSummary.builder(Metrics.PREFIX + name)
                .description(description)
                .tags(tags);
    }

    private static Counter.Builder counter(String name, String description, Tags tags) {
        return Counter.builder(Metrics.PREFIX + name).description(description).tags(tags);
    }

    /** Takes in what was stored: a record, a dead letter, or a run of records. */
    void stored(Exchange object, long millis) {
        long size = size(object.getMessage());
        Optional<RunToStore> run =
                Optional.ofNullable(RunToStore.of(object)).filter(stored -> object.getVariable("fault") == null);
        int lines = run.map(stored -> stored.content().lines()).orElse(1);
        (object.getVariable("fault") == null ? records : deadLetters).increment(lines);
        objects.increment();
        run.ifPresent(stored -> {
            recordsPerObject.record(lines);
            bytesPerObject.record(size);
        });
        bytes.increment(size);
        uploads.record(millis, TimeUnit.MILLISECONDS);
        lastStored = System.nanoTime();
    }

    void retried() {
        retries.increment();
    }

    /** Takes in that an object was there when it was to be created. */
    void found() {
        found.increment();
    }

    /** Takes in what has completed a run. */
    void completed(RunStorage.End by) {
        completed.get(by).increment();
    }

    void lost(long number) {
        lost.increment(number);
    }

    /** Objects so far, dead letters among them. */
    long objects() {
        return uploads.count();
    }

    /** Records so far, dead letters among them. */
    long records() {
        return Math.round(records.count() + deadLetters.count());
    }

    private double age() {
        return (System.nanoTime() - lastStored) / 1e9;
    }

    private static long size(Message message) {
        return message.getBody() instanceof StreamCache stream ? stream.length() : message.getBody(byte[].class).length;
    }
}
