package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.slf4j.event.Level.ERROR;
import static org.slf4j.event.Level.WARN;

import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.SelfSigned;
import java.net.URI;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import javax.security.auth.login.LoginException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link KafkaErrorRemedies} makes of the exceptions that Kafka's client throws, of which some quote passwords. */
@Timeout(60)
class KafkaErrorRemediesTest {

    private static final String PRIVATE = "Ada Lovelace, password=sesame";
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

    static Stream<Arguments> ofKafka() {
        return Stream.of(
                kafka(
                        made(new IllegalArgumentException("JAAS config entry not terminated by semi-colon")),
                        "sasl.jaas.config is malformed: JAAS config entry not terminated by semi-colon; .*"),
                kafka(
                        made(new IllegalArgumentException(
                                "Invalid login module control flag '" + PRIVATE + "' in JAAS config")),
                        "sasl.jaas.config is malformed: Invalid login module control flag; .*"),
                kafka(
                        made(new IllegalArgumentException("a JAAS config with " + PRIVATE)),
                        "sasl.jaas.config is malformed; .*"),
                kafka(
                        made(new LoginException("unable to find " + PRIVATE)),
                        "the login module of sasl.jaas.config fails; .*"),
                kafka(
                        made(new KafkaException(
                                "Failed to load SSL keystore " + PRIVATE, new NoSuchFileException(PRIVATE))),
                        ".*cannot be loaded: the file does not exist; .*ssl-truststore-location.*"),
                kafka(
                        made(new ConfigException("sasl.mechanism", PRIVATE, "bad")),
                        "a setting of the Kafka client is invalid: sasl.mechanism; .*"),
                kafka(
                        made(new ConfigException("No resolvable bootstrap urls given in bootstrap.servers")),
                        ".*KAFKA_BROKERS"),
                kafka(new SaslAuthenticationException(PRIVATE), "Kafka refused the login: .*sasl-jaas-config.*"),
                kafka(new UnsupportedSaslMechanismException(PRIVATE), ".*sasl-mechanism"),
                kafka(
                        new TopicAuthorizationException(Set.of("orders", "customers")),
                        "Kafka denies access to the topic customers, orders; .*Read.*"),
                kafka(
                        GroupAuthorizationException.forGroupId("to-s3"),
                        "Kafka denies access to the group to-s3; .*Read.*"),
                kafka(
                        new RecordDeserializationException(
                                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                                new TopicPartition("a", 0),
                                5,
                                0,
                                null,
                                null,
                                null,
                                null,
                                PRIVATE,
                                new SerializationException(PRIVATE)),
                        "its deserializer refuses it: .*SerializationException; .*--reset-offsets.*"),
                kafka(
                        new KafkaException(
                                "Received exception when fetching the next record from a-0. If needed, please seek"
                                        + " past the record",
                                new CorruptRecordException("Record is corrupt (stored crc = 1)")),
                        "it is corrupt: Record is corrupt \\(stored crc = 1\\); restore the partition.*--reset-offsets.*"));
    }

    @ParameterizedTest
    @MethodSource
    void ofKafka(Throwable failure, String text) {
        Explanation explanation = KafkaErrorRemedies.of(failure);

        assertThat(explanation.level()).isEqualTo(ERROR);
        assertThat(explanation.text())
                .matches(text)
                .doesNotContain("Ada", "sesame")
                .matches("[ -~]+");
    }

    @Test
    void aFailureOfKafkaThatIsNotKnownIsNamedAndQuotedOnlyIfItMayBe() {
        assertThat(KafkaErrorRemedies.of(new TimeoutException("Timeout of 60000ms expired")))
                .isEqualTo(new Explanation(WARN, "TimeoutException: Timeout of 60000ms expired"));
        assertThat(KafkaErrorRemedies.of(new SerializationException(PRIVATE)).text())
                .isEqualTo("SerializationException");
    }

    private EmbeddedS3 serve(String name) throws Exception {
        SelfSigned certificate = SelfSigned.of(directory, name);
        return EmbeddedS3.startWithTls(directory.resolve("s3"), certificate.keyStore(), SelfSigned.PASSWORD);
    }

    private static Map<String, String> tls(URI server) {
        return Map.of("security.protocol", "SSL", "bootstrap.servers", "127.0.0.1:" + server.getPort());
    }

    private static void assertExplained(Map<String, String> settings, String... texts) {
        Explanation explanation = KafkaErrorRemedies.of(catchThrowable(() -> read(settings)));

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

    private static Arguments kafka(Throwable failure, String text) {
        return Arguments.of(failure, text);
    }

    private static Throwable made(Throwable fault) {
        return new KafkaException("Failed to construct kafka consumer", fault);
    }
}
