package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The runnable jar as users start it: in a directory that holds its properties and routes, and nothing else. */
@ExtendWith(EmbeddedServices.class)
class RunnableJarIT {

    private static final Path JAR = Path.of(System.getProperty("bundle.jar"));
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final Map<String, String> environment = new HashMap<>();
    private Process process;

    @TempDir
    Path directory;

    RunnableJarIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void layOutTheBundle() throws Exception {
        Files.copy(JAR, directory.resolve("s3-destination.jar"));
        Files.copy(Path.of("application.properties"), directory.resolve("application.properties"));
        Files.createDirectory(directory.resolve("routes"));
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path route : routes.toList()) {
                Files.copy(route, directory.resolve(route));
            }
        }
        environment.put("DATALAKE_URL", s3.connectionUrl("jar-lake"));
        environment.put("STREAM_NAME", "jar-orders");
        environment.put("KAFKA_BROKERS", kafka.brokers());
    }

    @AfterEach
    void end() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    @Test
    void storesLargeRecordsInASmallHeapAndOnSigtermHasCommittedWhatIsStored() throws Exception {
        kafka.createStream("jar-orders", 2);
        s3.createBucket("jar-lake");
        String value = "{\"data\":\"" + "0123456789abcdef".repeat(65_536) + "\"}";
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < 60; n++) {
                producer.send(new ProducerRecord<>("jar-orders", n % 2, null, value.getBytes(UTF_8)));
            }
        }

        start("-Xmx256m");
        Awaitility.await().atMost(PATIENCE).until(() -> s3.keys("jar-lake").size() == 60);
        process.destroy();

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(kafka.committed("to-s3"))
                .containsEntry(new TopicPartition("jar-orders", 0), 30L)
                .containsEntry(new TopicPartition("jar-orders", 1), 30L);
        assertThat(log())
                .contains("Started to-s3")
                .doesNotContain(EmbeddedS3.ACCESS_SECRET, "0123456789abcdef", " ERROR ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DATALAKE_URL||DATALAKE_URL (resource.datalake.url) is not set|s3://ACCESS_KEY:ACCESS_SECRET@REGION/BUCKET",
                "DATALAKE_URL|s3://KEY:hush/hush@us-east-2|the bucket is missing|s3://ACCESS_KEY:ACCESS_SECRET@REGION/BUCKET",
                "DATALAKE_URL|http://KEY:hush/hush@us-east-2/lake|does not start with s3://|DATALAKE_URL",
                "STREAM_NAME||STREAM_NAME (connector.to-s3.input) is not set|a Kafka topic",
                "STREAM_NAME|orders,my orders|'my orders' is no name of a topic|STREAM_NAME",
                "OUTPUT_COMPRESSION|brotli|'brotli' is no compression|one of gzip, none, zip",
            })
    void aBadSettingEndsTheStartWithOneReadableMessage(String variable, String value, String fault, String form)
            throws Exception {
        environment.compute(variable, (name, old) -> value);

        start();

        assertThat(process.waitFor(15, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(log()).containsOnlyOnce(fault).contains(form).doesNotContain("hush", "\tat ", "Exception");
    }

    @Test
    void aDirectoryWithoutPropertiesAndRoutesIsTold() throws Exception {
        Files.delete(directory.resolve("application.properties"));
        Files.move(directory.resolve("routes"), directory.resolve("elsewhere"));

        start();

        assertThat(process.waitFor(15, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(log())
                .contains("no file application.properties", "no routes/*.camel.yaml")
                .doesNotContain("\tat ");
    }

    private void start(String... options) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = Stream.of(Stream.of(java), Stream.of(options), Stream.of("-jar", "s3-destination.jar"))
                .flatMap(part -> part)
                .toList();
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile());
        builder.environment().keySet().removeAll(List.of("DATALAKE_URL", "STREAM_NAME", "KAFKA_BROKERS"));
        environment.forEach((name, value) -> {
            if (value != null) {
                builder.environment().put(name, value);
            }
        });
        process = builder.start();
    }

    private String log() throws Exception {
        return Files.readString(directory.resolve("log"));
    }
}
