package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Everything that the bundle writes, with every logger at TRACE and the start-up summaries on, holds no secret. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class SecretsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String STREAM = "secret-orders";
    private static final String RIGHT = EmbeddedS3.ACCESS_SECRET;
    private static final Path EVERYTHING =
            Path.of("src", "test", "resources", "log4j2-everything.properties").toAbsolutePath();
    private static final String MARK = "privy-to-its-owner";
    /** What Camel's producer says once S3 has taken an object. */
    private static final String STORED = "Received result [PutObjectResponse";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;

    SecretsIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeAll
    static void produceARecordAndADeadLetter(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        s3.createBucket("secret-lake");
        kafka.createStream(STREAM, 1);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (String value : List.of("{\"a\":\"" + MARK + "\"}", MARK)) {
                ProducerRecord<byte[], byte[]> record =
                        new ProducerRecord<>(STREAM, 0, MARK.getBytes(UTF_8), value.getBytes(UTF_8));
                record.headers().add(MARK, MARK.getBytes(UTF_8));
                producer.send(record);
            }
        }
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .with("DATALAKE_URL", url(RIGHT, "secret-lake"))
                .with("STREAM_NAME", STREAM)
                .with("KAFKA_BROKERS", kafka.brokers())
                // Each run reads from the start.
                .withRoute("to-s3", "groupId: to-s3", "groupId: " + directory.getFileName());
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "right                | wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLEKEY | secret-lake | " + STORED,
                "no bucket            | wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLEKEY | no-lake | HTTP 404 NoSuchBucket",
                "wrong, placeholder   | open/Sesame+{{nowhere}}@@${env:HOME}%41 | secret-lake | SignatureDoesNotMatch",
                "wrong, encoded       | open%2FSesame%2B%7B%7Bx                 | secret-lake | SignatureDoesNotMatch",
                "wrong, open braces   | open/Sesame+{{nowhere                   | secret-lake | SignatureDoesNotMatch",
                "malformed URL        | open/Sesame+{{now?here                  | LAKE!       | the bucket is none",
            })
    void theSecretOfTheUrlIsNotSaid(String fault, String secret, String bucket, String sign) throws Exception {
        bundle.with("DATALAKE_URL", url(secret, bucket));

        sayEverythingUntil(sign);

        new Secret(secret).assertNotIn("the log", bundle.log());
    }

    @Test
    void theSecretOfAUrlInTheFileOfPropertiesIsNotSaid() throws Exception {
        bundle.with("DATALAKE_URL", null).withProperty("resource.datalake.url", url(RIGHT, "secret-lake"));

        sayEverythingUntil(STORED);

        assertThat(bundle.log()).contains("resource.datalake.url = xxxxxx");
        new Secret(RIGHT).assertNotIn("the log", bundle.log());
    }

    @Test
    void whenS3RefusesTheConnectionTheSecretIsNotSaid() throws Exception {
        bundle.with("DATALAKE_URL", url(RIGHT, "secret-lake").replaceAll(":\\d+$", ":" + EmbeddedKafka.freePort()));

        sayEverythingUntil("cannot store s3://secret-lake/");

        new Secret(RIGHT).assertNotIn("the log", bundle.log());
    }

    @ParameterizedTest
    @ValueSource(strings = {"STREAM_NAME", "KAFKA_BROKERS", "OUTPUT_COMPRESSION", "DATALAKE_URL"})
    void whenTheUrlStandsInTheWrongVariableTheSecretIsNotSaid(String variable) throws Exception {
        bundle.with(variable, url(RIGHT, "secret-lake").replace("s3://", "s4://"));

        sayEverythingUntil("s3-destination cannot start");

        assertThat(bundle.ends(PATIENCE)).isTrue();
        new Secret(RIGHT).assertNotIn("the log", bundle.log());
    }

    @Test
    void theSessionOfTheDefaultCredentialsIsNotSaid() throws Exception {
        String token = "IQoJb3JpZ2luX2VjEOr/TOKEN+abcdefghijklmnop==";
        bundle.with("DATALAKE_URL", url(RIGHT, "secret-lake").replaceFirst("//.*@", "//"))
                .with("AWS_ACCESS_KEY_ID", EmbeddedS3.ACCESS_KEY)
                .with("AWS_SECRET_ACCESS_KEY", RIGHT)
                .with("AWS_SESSION_TOKEN", token);

        sayEverythingUntil(STORED);

        new Secret(RIGHT).assertNotIn("the log", bundle.log());
        new Secret(token).assertNotIn("the log", bundle.log());
    }

    @Test
    void nothingOfARecordIsSaidAtInfo() throws Exception {
        bundle.with("DATALAKE_URL", url(RIGHT, "no-lake"))
                .withProperty("camel.main.auto-configuration-log-summary", "true")
                .withProperty("camel.main.startup-summary-level", "verbose")
                .start();
        awaitLog("not JSON");
        awaitLog("NoSuchBucket");

        assertThat(bundle.log()).doesNotContain(MARK);
    }

    private void sayEverythingUntil(String sign) throws Exception {
        bundle.withOption("-Dlog4j2.configurationFile=" + EVERYTHING)
                .withProperty("camel.main.auto-configuration-log-summary", "true")
                .withProperty("camel.main.startup-summary-level", "verbose")
                .withProperty("camel.main.message-history", "true")
                .start();
        awaitLog(sign);
        assertThat(bundle.log().contains(" TRACE [main] org.apache.camel")).isTrue();
    }

    private void awaitLog(String sign) {
        Awaitility.await(sign).atMost(PATIENCE).until(() -> bundle.log().contains(sign));
    }

    private String url(String secret, String bucket) {
        return "s3://" + EmbeddedS3.ACCESS_KEY + ":" + secret + "@" + EmbeddedS3.REGION + "/" + bucket + "?endpoint="
                + s3.endpoint();
    }
}
