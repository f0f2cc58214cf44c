package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;

/**
 * The connector to-s3 in this JVM with a stream, a bucket, a consumer group and a faulty network before S3 of its own, so
 * that tests run side by side.
 */
public final class Testbed implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String name;
    private final Path routes;
    private final FaultyProxy proxy;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Map<String, String> settings = new HashMap<>();
    private final AtomicInteger produced = new AtomicInteger();

    /**
     * @param name of the stream, the bucket and the group
     * @param directory an empty one
     */
    public Testbed(EmbeddedKafka kafka, EmbeddedS3 s3, String name, int partitions, Path directory) throws Exception {
        this.kafka = kafka;
        this.s3 = s3;
        this.name = name;
        kafka.createStream(name, partitions);
        s3.createBucket(name);
        proxy = new FaultyProxy(s3.endpoint(), 1);
        producer = kafka.producer();
        EditedRoutes edited = EditedRoutes.of(directory, route -> route.replace("groupId: to-s3", "groupId: " + name));
        routes = edited.directory();
        with("camel.main.name", name);
        with("camel.main.thread-name-pattern", name + " thread ##counter# - #name#");
        with("camel.main.routes-include-pattern", edited.pattern());
        // Rebalances do not wait for the default of three seconds.
        with("camel.component.kafka.heartbeat-interval-ms", "300");
        settings.putAll(RunningBundle.storing(name, kafka, s3.connectionUrl(name, proxy.endpoint())));
    }

    /** Sets a property of the next start. */
    public Testbed with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** Routes that are edited while the bundle runs are reloaded. */
    public Testbed withReload() {
        return with("camel.main.routes-reload-enabled", "true")
                .with("camel.main.routes-reload-directory", routes.toString())
                .with("camel.main.routes-reload-pattern", "*.camel.yaml");
    }

    public RunningBundle start() {
        return RunningBundle.start(settings);
    }

    /** As {@link RunningBundle#start(Map, Consumer)}. */
    public RunningBundle start(Consumer<Registry> beans) {
        return RunningBundle.start(settings, beans);
    }

    public FaultyProxy proxy() {
        return proxy;
    }

    /** What the path of each object of a partition contains. */
    public String path(int partition) {
        return "/" + name + "-" + partition + "-";
    }

    /** Produces so many small records to a partition; returns when Kafka has them. */
    public void produce(int partition, int records) {
        for (int n = 0; n < records; n++) {
            produce(partition, "{\"n\":" + n + "}");
        }
        producer.flush();
    }

    /** Produces one record. */
    public void produce(int partition, String value) {
        producer.send(new ProducerRecord<>(name, partition, null, value.getBytes(UTF_8)));
        produced.incrementAndGet();
    }

    /** Produces fifty records a second to partition 0, until the result is closed. */
    public AutoCloseable load() {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        clock.scheduleAtFixedRate(() -> produce(0, "1"), 0, 20, TimeUnit.MILLISECONDS);
        return () -> {
            clock.shutdown();
            if (!clock.awaitTermination(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException("the load does not end");
            }
            producer.flush();
        };
    }

    /** How many records were produced. */
    public int produced() {
        return produced.get();
    }

    /** What is committed of a partition. */
    public long committed(int partition) throws Exception {
        OffsetAndMetadata commit = kafka.commits(name, name).get(partition);
        return commit == null ? 0 : commit.offset();
    }

    /** How many distinct records of a partition are stored. */
    public long stored(int partition) {
        return s3.puts(name).stream()
                .filter(key -> key.contains(path(partition)))
                .distinct()
                .count();
    }

    /** Whether all that was produced is stored and committed, nothing is in flight and the connector is ready. */
    public boolean isDone(RunningBundle bundle) {
        return s3.puts(name).stream().distinct().count() == produced()
                && bundle.metric("s3.destination.in.flight") == 0
                && bundle.metric("s3.destination.lag") == 0
                && bundle.notReady().isEmpty();
    }

    /** Edits the route, so that it is reloaded; returns when the new one runs. */
    public void edit(RunningBundle bundle) throws IOException {
        Object before = bundle.context().getRoute("to-s3");
        Path route = routes.resolve("to-s3.camel.yaml");
        Files.writeString(route, Files.readString(route) + "# edited\n");
        Awaitility.await().atMost(PATIENCE).until(() -> {
            Object now = bundle.context().getRoute("to-s3");
            return now != null
                    && now != before
                    && bundle.context()
                            .getRouteController()
                            .getRouteStatus("to-s3")
                            .isStarted();
        });
    }

    /** Another member of the group gets its share of the partitions, stores nothing, and leaves again. */
    public void rebalance() {
        try (KafkaConsumer<byte[], byte[]> other = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.brokers(), "group.id", name, "enable.auto.commit", "false"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            other.subscribe(List.of(name));
            Awaitility.await().atMost(PATIENCE).until(() -> {
                other.poll(Duration.ofMillis(100));
                return other.groupMetadata().generationId() > 0;
            });
        }
    }

    /** How many threads belong to the bundle, by their names; Camel's own for a shutdown ends a minute later. */
    public long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(thread -> thread.contains(name) && !thread.endsWith("ShutdownTask"))
                .count();
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
        proxy.close();
    }
}
