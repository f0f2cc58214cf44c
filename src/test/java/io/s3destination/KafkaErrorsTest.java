package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.slf4j.event.Level.ERROR;

import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.SelfSigned;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@link ErrorRemedies} makes of the exceptions that Kafka's client throws itself, of which some quote passwords. */
@Timeout(60)
class KafkaErrorsTest {

    private static final String PASSWORD = "open-sesame";
    private static final String PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule";

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                PLAIN + " required username=\"u\" password=\"" + PASSWORD + "\" | not terminated by semi-colon",
                PLAIN + " " + PASSWORD + " username=\"u\"; | Invalid login module control flag",
                PLAIN + " required username password=" + PASSWORD + "; | is malformed",
                PLAIN + " | is malformed",
                PASSWORD + ".Module required password=\"" + PASSWORD
                        + "\"; | the login module of sasl.jaas.config fails"
            })
    void aJaasConfigurationThatIsMalformed(String jaas, String text) {
        assertExplained(
                Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN", "sasl.jaas.config", jaas),
                "sasl.jaas.config",
                text,
                "camel.component.kafka.sasl-jaas-config");
    }

    @Test
    void aJaasConfigurationThatIsMissing() {
        assertExplained(
                Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN"),
                "sasl.jaas.config is malformed: Could not find a 'KafkaClient' entry");
    }

    @Test
    void aTrustStoreThatIsMissing() {
        assertExplained(
                Map.of(
                        "security.protocol",
                        "SSL",
                        "ssl.truststore.location",
                        "/nowhere",
                        "ssl.truststore.password",
                        PASSWORD),
                "cannot be loaded: the file does not exist",
                "camel.component.kafka.ssl-truststore-location");
    }

    @Test
    void aTrustStoreWithAnotherPassword() throws Exception {
        SelfSigned certificate = SelfSigned.of(directory, "ip:127.0.0.1");
        assertExplained(
                Map.of(
                        "security.protocol",
                        "SSL",
                        "ssl.truststore.location",
                        certificate.trustStore().toString(),
                        "ssl.truststore.password",
                        PASSWORD),
                "cannot be loaded: its password is wrong");
    }

    @Test
    void aSettingThatIsInvalid() {
        assertExplained(
                Map.of("security.protocol", PASSWORD), "a setting of the Kafka client is invalid: security.protocol");
    }

    @Test
    void aNameThatDoesNotResolve() {
        assertExplained(
                Map.of("bootstrap.servers", "kafka.invalid:9092"),
                "no name of a Kafka broker resolves",
                "KAFKA_BROKERS");
    }

    @Test
    void tlsWithACertificateOfAPrivateCa() throws Exception {
        try (EmbeddedS3 server = serve("ip:127.0.0.1")) {
            assertExplained(
                    tls(server.secureEndpoint()),
                    "the brokers' certificate is not trusted",
                    "camel.component.kafka.ssl-truststore-location");
        }
    }

    @Test
    void tlsWithACertificateOfAnotherHost() throws Exception {
        try (EmbeddedS3 server = serve("dns:elsewhere.example")) {
            Map<String, String> settings = new HashMap<>(tls(server.secureEndpoint()));
            settings.put(
                    "ssl.truststore.location", directory.resolve("trust.p12").toString());
            settings.put("ssl.truststore.password", SelfSigned.PASSWORD);
            assertExplained(settings, "the brokers' certificate names another host");
        }
    }

    @Test
    void tlsAgainstAPortThatDoesNotUseIt() throws Exception {
        try (EmbeddedS3 server = serve("ip:127.0.0.1")) {
            assertExplained(
                    tls(server.endpoint()),
                    "the brokers' port does not use TLS as asked",
                    "camel.component.kafka.security-protocol");
        }
    }

    private EmbeddedS3 serve(String name) throws Exception {
        SelfSigned certificate = SelfSigned.of(directory, name);
        return EmbeddedS3.startWithTls(directory.resolve("s3"), certificate.keyStore(), SelfSigned.PASSWORD);
    }

    private static Map<String, String> tls(URI server) {
        return Map.of("security.protocol", "SSL", "bootstrap.servers", "127.0.0.1:" + server.getPort());
    }

    private static void assertExplained(Map<String, String> settings, String... texts) {
        Explanation explanation = ErrorRemedies.ofKafka(catchThrowable(() -> read(settings)));

        assertThat(explanation.text()).contains(texts).doesNotContain(PASSWORD);
        assertThat(explanation.level()).isEqualTo(ERROR);
    }

    private static void read(Map<String, String> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", "127.0.0.1:1"));
        all.putAll(settings);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.partitionsFor("orders", Duration.ofSeconds(10));
        }
    }
}
