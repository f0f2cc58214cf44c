package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.RunningBundle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Records in flight end when their partition is revoked or their route is edited: nothing stays counted. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class ReleasedRecordsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "released-" + System.nanoTime();
    private final Map<String, String> settings = new HashMap<>();
    private FaultyProxy proxy;

    ReleasedRecordsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() throws Exception {
        s3.createBucket(stream);
        proxy = new FaultyProxy(s3.endpoint(), 1);
        settings.putAll(RunningBundle.storing(stream, kafka, s3.connectionUrl(stream, proxy.endpoint())));
    }

    @AfterEach
    void close() {
        proxy.close();
    }

    @Test
    void anEditWhileS3HangsLeavesNothingInFlight(@TempDir Path directory) throws Exception {
        kafka.createStream(stream, 4);
        produce(3_000, 4);
        EditedRoutes routes = EditedRoutes.of(directory, route -> route + "# a user's copy\n");
        settings.put("camel.main.routes-include-pattern", routes.pattern());
        settings.put("camel.main.routes-reload-enabled", "true");
        settings.put("camel.main.routes-reload-directory", directory.toString());
        settings.put("camel.main.routes-reload-pattern", "*.camel.yaml");
        proxy.fail(Fault.HANG);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            await(() -> proxy.requests() >= 64);
            int before = proxy.requests();
            Path route = directory.resolve("to-s3.camel.yaml");
            Files.writeString(route, Files.readString(route) + "# edited\n");
            await(() -> proxy.requests() >= before + 64);
            proxy.fix();

            await(() -> bundle.metric("s3.destination.lag") == 0 && bundle.metric("s3.destination.in.flight") == 0);
            await(() -> bundle.notReady().isEmpty());
        }
        assertThat(s3.keys(stream)).hasSize(3_000);
    }

    @Test
    void aRefusedRecordHasOneLifeThroughRebalances() throws Exception {
        kafka.createStream(stream, 2);
        produce(20, 2);
        proxy.fail(stream + "-1-0000000003", 1, Fault.ACCESS_DENIED);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            await(() -> committed(0) == 10 && committed(1) == 3);
            for (int rebalance = 0; rebalance < 3; rebalance++) {
                try (KafkaConsumer<byte[], byte[]> other = new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                kafka.brokers(),
                                "group.id",
                                "to-s3",
                                "enable.auto.commit",
                                "false"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
                    other.subscribe(List.of(stream));
                    await(() -> {
                        other.poll(Duration.ofMillis(100));
                        return !other.assignment().isEmpty();
                    });
                }
            }
            await(() -> kafka.readers("to-s3") == 1 && bundle.metric("s3.destination.in.flight") == 1);
            proxy.fix();

            await(() -> committed(1) == 10 && bundle.metric("s3.destination.in.flight") == 0);
            await(() -> bundle.notReady().isEmpty());
        }
        assertThat(s3.keys(stream)).hasSize(20);
    }

    @Test
    void aLargeRecordThatIsRefusedBlocksItsPartitionOnly() throws Exception {
        kafka.createStream(stream, 2);
        String large = "\"" + "x".repeat(9 << 20) + "\"";
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(stream, 0, null, large.getBytes(UTF_8)));
        }
        proxy.fail(stream + "-0-", 1, Fault.ACCESS_DENIED);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            await(() -> bundle.metric("s3.destination.retries") > 0);
            produce(20, 2);
            await(() -> committed(1) == 10);
            proxy.fix();

            await(() -> committed(0) == 11 && bundle.metric("s3.destination.in.flight") == 0);
        }
    }

    private long committed(int partition) throws Exception {
        return kafka.commits("to-s3", stream).containsKey(partition)
                ? kafka.commits("to-s3", stream).get(partition).offset()
                : 0;
    }

    private void produce(int records, int partitions) {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            IntStream.range(0, records)
                    .forEach(n ->
                            producer.send(new ProducerRecord<>(stream, n % partitions, null, "1".getBytes(UTF_8))));
        }
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }
}
