package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the runnable jar answers at /observe/health, while it can read and store and while it cannot. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class HealthIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String CONTENT = "{\"name\":\"Ada Lovelace\"}";

    private final String name = "health-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;

    HealthIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .storing(name, kafka, s3.connectionUrl(name))
                .withProperty("camel.main.routes-reload-enabled", "true")
                .withProperty("camel.main.routes-reload-directory", "routes")
                .withProperty("camel.main.routes-reload-pattern", "*.camel.yaml");
        kafka.createStream(name, 2);
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @Test
    void readyWhenIdleAndWhenStoring() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        produce(kafka, 100);
        awaitStored(100);

        assertUp();
        assertThat(bundle.get("/observe/metrics").body()).contains("camel_exchanges_succeeded_total");
        assertThat(bundle.log()).doesNotContain(" WARN ", " ERROR ");
    }

    @Test
    void notReadyWhileTheBucketIsMissing() throws Exception {
        produce(kafka, 3);
        bundle.start();
        awaitDown("bucket " + name, "NoSuchBucket", "create the bucket");

        s3.createBucket(name);

        awaitUp();
        awaitStored(3);
    }

    @Test
    void notReadyWhileTheAccessKeyMayNotPut() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        s3.deny(name);
        produce(kafka, 3);
        awaitDown("bucket " + name, "AccessDenied", "let the access key put objects");
        s3.allow(name);

        awaitUp();
        awaitStored(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void notReadyUntilABrokerAnswers(String protocol, @TempDir Path directory) throws Exception {
        int port = EmbeddedKafka.freePort();
        s3.createBucket(name);
        bundle.with("KAFKA_BROKERS", "localhost:" + port)
                .withRoute("to-s3", "sessionTimeoutMs: 10000", "")
                .withProperty("camel.component.kafka.additional-properties[group.protocol]", protocol)
                .start();
        awaitDown("no Kafka broker answers (localhost:" + port + ")");

        try (EmbeddedKafka late = EmbeddedKafka.start(directory, port)) {
            late.createStream(name, 2);
            awaitUp();
            produce(late, 3);
            awaitStored(3);
            patiently().until(() -> late.committed(name).size() == 2);
            assertUp();
        }
        awaitDown("no Kafka broker answers (localhost:" + port + ")");
    }

    @Test
    void notReadyWhileTheNameOfTheBrokerDoesNotResolve() throws Exception {
        s3.createBucket(name);
        bundle.with("KAFKA_BROKERS", "kafka.invalid:9092").start();

        awaitDown("no name of a Kafka broker resolves", "correct KAFKA_BROKERS", "(kafka.invalid:9092)");
    }

    @Test
    void notReadyWhileARecordCannotBeRead() throws Exception {
        String bytes = "keyDeserializer: org.apache.kafka.common.serialization.ByteArrayDeserializer";
        String integers = "keyDeserializer: org.apache.kafka.common.serialization.IntegerDeserializer";
        s3.createBucket(name);
        bundle.withRoute("to-s3", bytes, integers).start();
        awaitUp();

        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, 1, "no integer".getBytes(UTF_8), CONTENT.getBytes(UTF_8)));
        }
        awaitDown("partition " + name + "-1 cannot be read at offset 0", "--reset-offsets");
        edit("to-s3", route -> route.replace(integers, bytes));

        awaitUp();
        awaitStored(1);
    }

    @Test
    void readyWhenAnEditCannotBeRead() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        edit("to-s3", route -> route + "    - not: [ yaml\n");
        patiently()
                .until(() -> bundle.log().contains("to-s3.camel.yaml")
                        && bundle.log().contains(" WARN "));
        produce(kafka, 3);

        awaitStored(3);
        assertUp();
    }

    @Test
    void notReadyWhileAnEditedConnectorCannotStart() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        edit("to-s3", route -> route.replace("#kafka-clients", "#no-such-bean"));
        awaitDown("no route to-s3", "the log tells why");
        produce(kafka, 3);
        edit("to-s3", route -> route.replace("#no-such-bean", "#kafka-clients"));

        awaitUp();
        awaitStored(3);
    }

    @Test
    void notReadyWhileAnEditedCompressionCannotStart() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        edit("compress-gzip", route -> route.replace("gzipDeflater", "lzf"));
        awaitDown("no route compress-gzip", "the log tells why");
        produce(kafka, 3);
        edit("compress-gzip", route -> route.replace("lzf", "gzipDeflater"));

        awaitUp();
        awaitStored(3);
    }

    @Test
    void notReadyWhileAnEditFailsOnEveryRecord() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        edit("to-s3", route -> route.replace("${header[kafka.TOPIC]}", "${bodyAs(String).nothing}"));
        patiently().until(() -> bundle.log().contains("Routes reloaded summary"));
        produce(kafka, 3);
        awaitDown("name-object", "MethodNotFoundException; correct the route");
        edit("to-s3", route -> route.replace("${bodyAs(String).nothing}", "${header[kafka.TOPIC]}"));

        awaitUp();
        awaitStored(3);
    }

    @Test
    void notReadyWhileAnEditDropsRecordsBeforeTheyAreOnTheirWay() throws Exception {
        s3.createBucket(name);
        bundle.start();
        awaitUp();

        edit("to-s3", route -> route.replace("- aggregate:", "- stop: {}\n        - aggregate:"));
        patiently().until(() -> bundle.log().contains("Routes reloaded summary"));
        produce(kafka, 3);
        awaitDown("reading from Kafka fails", "did not get to the step with the bean in-flight");
        edit("to-s3", route -> route.replace("- stop: {}\n        - aggregate:", "- aggregate:"));

        awaitUp();
        awaitStored(3);
    }

    private void produce(EmbeddedKafka kafka, int records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < records; n++) {
                producer.send(new ProducerRecord<>(name, n % 2, null, CONTENT.getBytes(UTF_8)));
            }
        }
    }

    private void edit(String route, UnaryOperator<String> change) throws IOException {
        Path file = bundle.directory().resolve("routes").resolve(route + ".camel.yaml");
        String text = Files.readString(file);
        assertThat(change.apply(text)).isNotEqualTo(text);
        Files.writeString(file, change.apply(text));
    }

    private void awaitStored(int records) {
        patiently().until(() -> s3.keys(name).size() == records);
    }

    private void awaitUp() {
        patiently().ignoreExceptionsInstanceOf(IOException.class).untilAsserted(this::assertUp);
    }

    private void assertUp() throws Exception {
        HttpResponse<String> ready = bundle.get("/observe/health/ready");
        assertThat(ready.body()).contains("\"status\":\"UP\"").doesNotContain("DOWN");
        assertThat(ready.statusCode()).isEqualTo(200);
        assertAliveAndDiscreet();
    }

    private void awaitDown(String... causes) {
        patiently().ignoreExceptionsInstanceOf(IOException.class).untilAsserted(() -> {
            HttpResponse<String> ready = bundle.get("/observe/health/ready");
            assertThat(ready.statusCode()).isEqualTo(503);
            assertThat(ready.body().replace("\\", ""))
                    .contains("connector:to-s3")
                    .contains(causes);
            assertAliveAndDiscreet();
        });
    }

    private void assertAliveAndDiscreet() throws Exception {
        assertThat(bundle.get("/observe/health/live").statusCode()).isEqualTo(200);
        assertThat(bundle.get("/observe/health?exposureLevel=full&data=true&stackTrace=true")
                                .body()
                                .replace("\\", "")
                        + bundle.get("/observe/metrics").body()
                        + bundle.log())
                .doesNotContain(EmbeddedS3.ACCESS_SECRET, EmbeddedS3.ACCESS_SECRET.substring(0, 20), "Lovelace");
    }

    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(PATIENCE);
    }
}
