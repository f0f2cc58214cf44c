package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** Three times the goal, for slow machines. */
    private static final Duration START = Duration.ofSeconds(45);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;

    RunnableJarIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .with("DATALAKE_URL", s3.connectionUrl("jar-lake"))
                .with("STREAM_NAME", "jar-orders")
                .with("KAFKA_BROKERS", kafka.brokers());
    }

    @AfterEach
    void end() {
        bundle.close();
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

        bundle.start();
        Awaitility.await().atMost(PATIENCE).until(() -> s3.keys("jar-lake").size() == 60);
        bundle.terminate();

        assertThat(bundle.ends(Duration.ofSeconds(30))).isTrue();
        assertThat(kafka.committed("to-s3"))
                .containsEntry(new TopicPartition("jar-orders", 0), 30L)
                .containsEntry(new TopicPartition("jar-orders", 1), 30L);
        assertThat(bundle.log())
                .contains("Started to-s3")
                .doesNotContain(EmbeddedS3.ACCESS_SECRET, "0123456789abcdef", " ERROR ");
    }

    @Test
    void theStartTakesTenLinesWhichAreJsonWhereThatIsAskedFor() throws Exception {
        String option = Files.readString(Path.of("README.md"))
                .lines()
                .filter(line -> line.contains("log4j2-json.properties"))
                .findFirst()
                .map(line -> line.replaceFirst(".*(-Dlog4j2[^']*)'.*", "$1"))
                .orElseThrow();

        bundle.withOption(option).start();

        Awaitility.await().atMost(PATIENCE).until(() -> bundle.log().contains(") started in "));
        // But for what the JVM itself says.
        assertThat(bundle.log().lines().filter(line -> !line.matches("(Picked up|WARNING:) .*")))
                .hasSizeBetween(8, 12)
                .allSatisfy(line -> assertThat(new ObjectMapper().readTree(line).has("message"))
                        .isTrue());
    }

    @Test
    void aProfileHasPropertiesOfItsOwn() throws Exception {
        bundle.with("CAMEL_MAIN_PROFILE", "prod");
        Files.writeString(
                bundle.directory().resolve("application-prod.properties"),
                "connector.to-s3.output_compression = of the profile\n");

        bundle.start();

        assertThat(bundle.ends(START)).isTrue();
        assertThat(bundle.log()).contains("'of the profile' is no compression");
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
                "KAFKA_BROKERS|localhost|'localhost' is no host and port|KAFKA_BROKERS",
                "OUTPUT_COMPRESSION|brotli|'brotli' is no compression|one of gzip, none, zip, zstd",
            })
    void aBadSettingEndsTheStartWithOneReadableMessage(String variable, String value, String fault, String form)
            throws Exception {
        bundle.with(variable, value).start();

        assertThat(bundle.ends(START)).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log()).containsOnlyOnce(fault).contains(form).doesNotContain("hush", "\tat ", "Exception");
    }

    @Test
    void aDirectoryWithoutPropertiesAndRoutesIsTold() throws Exception {
        Files.delete(bundle.directory().resolve("application.properties"));
        Files.move(bundle.directory().resolve("routes"), bundle.directory().resolve("elsewhere"));

        bundle.start();

        assertThat(bundle.ends(START)).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log())
                .contains("no file application.properties", "no routes/*.camel.yaml")
                .doesNotContain("\tat ");
    }
}
