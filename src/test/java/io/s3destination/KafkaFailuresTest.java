package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.SelfSigned;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Where Kafka cannot be read, health itself gives the cause, without a secret. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class KafkaFailuresTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PASSWORD = "open-sesame";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "kafka-failures-" + System.nanoTime();

    KafkaFailuresTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
        s3.createBucket(stream);
    }

    @Test
    void aMalformedJaasLineIsTheCause() throws Exception {
        kafka.createStream(stream, 1);

        try (RunningBundle bundle = start(
                kafka.brokers(),
                Map.of(
                        "camel.component.kafka.security-protocol", "SASL_PLAINTEXT",
                        "camel.component.kafka.sasl-mechanism", "PLAIN",
                        "camel.component.kafka.sasl-jaas-config",
                                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\""
                                        + PASSWORD + "\""))) {
            awaitNotReady(bundle, "sasl.jaas.config is malformed", "semi-colon");
        }
    }

    @Test
    void aCertificateOfAPrivateAuthorityIsTheCause(@TempDir Path directory) throws Exception {
        SelfSigned certificate = SelfSigned.of(Files.createDirectory(directory.resolve("keys")), "dns:localhost");
        try (EmbeddedKafka tls = EmbeddedKafka.startWithTls(directory.resolve("data"), certificate)) {
            tls.createStream(stream, 1);
            Map<String, String> settings = new HashMap<>(Map.of("camel.component.kafka.security-protocol", "SSL"));

            try (RunningBundle bundle = start(tls.brokers(), settings)) {
                awaitNotReady(bundle, "the brokers' certificate is not trusted", "ssl-truststore-location");
            }

            settings.put(
                    "camel.component.kafka.ssl-truststore-location",
                    certificate.trustStore().toString());
            settings.put("camel.component.kafka.ssl-truststore-password", SelfSigned.PASSWORD);
            try (RunningBundle bundle = start(tls.brokers(), settings)) {
                Awaitility.await().atMost(PATIENCE).until(() -> bundle.notReady()
                        .isEmpty());
            }
        }
    }

    private RunningBundle start(String brokers, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "camel.component.kafka.brokers", brokers,
                "resource.datalake.url", s3.connectionUrl(stream),
                "connector.to-s3.input", stream));
        settings.putAll(more);
        return RunningBundle.start(settings);
    }

    private static void awaitNotReady(RunningBundle bundle, String... cause) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                .hasValueSatisfying(why -> assertThat(why).contains(cause).doesNotContain(PASSWORD)));
    }
}
