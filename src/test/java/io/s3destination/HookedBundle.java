package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.s3destination.Hooks.Place;
import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.KafkaProxy;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.apache.camel.Processor;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * A bundle with a stream of two partitions, a bucket and a group of its own, in which a test can have a fault at any place:
 * {@link Hooks} in its route and in Kafka's consumer, a proxy before S3 and one before Kafka.
 */
final class HookedBundle implements AutoCloseable {

    /** So many times shorter are the limits of readiness. */
    static final int SHORTENED = 15;

    /** Where the check of each record begins in the route. */
    static final String CHECK = "              - setVariable:\n                  id: validate-json";

    private final EmbeddedKafka kafka;
    private final KafkaProxy kafkaProxy;
    private final EmbeddedS3 s3;
    private final FaultyProxy s3Proxy;
    private final String name;
    private final Hooks hooks = new Hooks();
    private final KafkaProducer<byte[], byte[]> producer;
    private final Map<String, String> settings;
    /** By the name of its object, the value of each record. */
    private final Map<String, String> produced = new ConcurrentHashMap<>();

    private RunningBundle bundle;

    /**
     * Starts it.
     *
     * @param name of the stream, the bucket and the group; no other's name may begin with it
     * @param edit of the route
     */
    HookedBundle(String name, EmbeddedKafka kafka, KafkaProxy kafkaProxy, EmbeddedS3 s3, UnaryOperator<String> edit)
            throws Exception {
        this.name = name;
        this.kafka = kafka;
        this.kafkaProxy = kafkaProxy;
        this.s3 = s3;
        kafka.createStream(name, 2);
        s3.createBucket(name);
        KafkaHooks.bind(name, hooks);
        s3Proxy = new FaultyProxy(s3.endpoint(), 1);
        producer = kafka.producer();
        settings = Map.of(
                "camel.main.name", name,
                "camel.component.kafka.brokers", kafkaProxy.address(),
                "camel.component.kafka.request-timeout-ms", "5000",
                "camel.component.kafka.partition-assignor", KafkaHooks.class.getName(),
                "camel.component.kafka.interceptor-classes", KafkaHooks.class.getName(),
                "resource.datalake.url", s3.connectionUrl(name, s3Proxy.endpoint()),
                "connector.to-s3.input", name,
                "camel.main.routes-include-pattern", routes(edit).pattern());
        start();
    }

    private EditedRoutes routes(UnaryOperator<String> edit) throws IOException {
        Path directory = Files.createTempDirectory(Files.createDirectories(Path.of("target", "hooked")), name);
        String byteArrays = "valueDeserializer: org.apache.kafka.common.serialization.ByteArrayDeserializer";
        return EditedRoutes.of(
                directory,
                shipped -> edit.apply(shipped.replace("groupId: to-s3", "groupId: " + name)
                        .replace(byteArrays, "valueDeserializer: " + KafkaHooks.class.getName())
                        .replaceFirst(
                                "\n      steps:\n", "$0" + step("polling-step").indent(8))
                        .replace(CHECK, step("step").indent(14) + CHECK)));
    }

    private static String step(String bean) {
        return "- process:\n    id: %1$s\n    ref: %1$s\n".formatted(bean);
    }

    private void start() {
        bundle = RunningBundle.start(settings, registry -> {
            registry.bind("hooks", hooks);
            registry.bind("step", Processor.class, hooks.step(Place.STEP));
            registry.bind("polling-step", Processor.class, hooks.step(Place.POLLING_STEP));
            registry.bind("readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(SHORTENED));
        });
        bundle.context()
                .getRegistry()
                .findSingleByType(MeterRegistry.class)
                .config()
                .onMeterAdded(meter -> {
                    if (meter.getId().getName().equals("s3.destination.lag")) {
                        hooks.run(Place.LAG_GAUGE, null);
                    }
                });
    }

    /** Stops it, and starts it as a new process would: a member whose polling thread has ended is no more in the group. */
    void restart() throws Exception {
        bundle.close();
        removeMembers();
        start();
    }

    /** Removes all members from the group, if it has any. */
    void removeMembers() throws Exception {
        boolean isEmpty = kafka.admin()
                .describeConsumerGroups(List.of(name))
                .describedGroups()
                .get(name)
                .get()
                .members()
                .isEmpty();
        if (!isEmpty) {
            kafka.admin()
                    .removeMembersFromConsumerGroup(name, new RemoveMembersFromConsumerGroupOptions())
                    .all()
                    .get();
        }
    }

    String name() {
        return name;
    }

    Hooks hooks() {
        return hooks;
    }

    EmbeddedKafka kafka() {
        return kafka;
    }

    KafkaProxy kafkaProxy() {
        return kafkaProxy;
    }

    FaultyProxy s3Proxy() {
        return s3Proxy;
    }

    Optional<String> notReady() {
        return bundle.notReady();
    }

    Optional<String> notLive() {
        return bundle.notLive();
    }

    /** Produces so many records into each partition. */
    void produce(int records) throws Exception {
        for (int n = 0; n < records; n++) {
            produce(0, "{\"n\":" + n + "}");
            produce(1, "{\"n\":" + n + "}");
        }
    }

    void produce(int partition, String value) throws Exception {
        long offset = producer.send(new ProducerRecord<>(name, partition, null, value.getBytes(UTF_8)))
                .get()
                .offset();
        produced.put("datalake/%s-%d-%010d.gz".formatted(name, partition, offset), value);
    }

    /** The offset before which all records of a partition are stored. */
    long committed(int partition) throws Exception {
        OffsetAndMetadata commit = kafka.commits(name, name).get(partition);
        return commit == null ? 0 : commit.offset();
    }

    /** What keeps it from being done: from having stored and committed each record, and being ready and live. */
    List<String> pending() throws Exception {
        List<String> pending = new ArrayList<>();
        for (int partition = 0; partition < 2; partition++) {
            long lag = kafka.end(new TopicPartition(name, partition)) - committed(partition);
            if (lag != 0) {
                pending.add(lag + " records of partition " + partition + " not committed");
            }
        }
        for (String metric : List.of("s3.destination.in.flight", "s3.destination.lag")) {
            if (bundle.metric(metric) != 0) {
                pending.add(metric + " is " + bundle.metric(metric));
            }
        }
        bundle.notReady().ifPresent(why -> pending.add("not ready: " + why));
        bundle.notLive().ifPresent(why -> pending.add("not live: " + why));
        return pending;
    }

    /** Each record has its object with its content, and there is no other object. */
    void isComplete() {
        Map<String, String> stored = new HashMap<>();
        s3.objects(name)
                .forEach((key, object) -> stored.put(key, new String(S3Server.unzipped(object.asByteArray()), UTF_8)));
        Set<String> missing = new TreeSet<>(produced.keySet());
        missing.removeAll(stored.keySet());
        assertThat(missing).as("records without an object").isEmpty();
        assertThat(stored.keySet()).as("objects").hasSameSizeAs(produced.keySet());
        assertThat(stored.equals(produced))
                .as("each object has its record's content")
                .isTrue();
    }

    @Override
    public void close() {
        bundle.close();
        producer.close();
        s3Proxy.close();
    }
}
