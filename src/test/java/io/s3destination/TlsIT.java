package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.S3Server;
import io.s3destination.embedded.SelfSigned;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The runnable jar before an S3-compatible store that speaks TLS with a certificate that no public CA has signed. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class TlsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String CONTENT = "{\"name\":\"Ada Lovelace\"}";

    private final String name = "tls-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;

    @TempDir
    Path certificates;

    @TempDir
    Path objects;

    private BundleProcess bundle;
    private EmbeddedS3 s3;

    TlsIT(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .with("STREAM_NAME", name)
                .with("KAFKA_BROKERS", kafka.brokers())
                .withRoute("to-s3", "groupId: to-s3", "groupId: " + name);
        kafka.createStream(name, 1);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, CONTENT.getBytes(UTF_8))).get();
        }
    }

    @AfterEach
    void end() {
        bundle.close();
        s3.close();
    }

    @Test
    void storesOverTlsWhereTheCertificateIsTrusted() throws Exception {
        SelfSigned certificate = serve("ip:127.0.0.1", "dns:localhost");

        startTrusting(certificate.trustStore(), s3.secureEndpoint());
        patiently().until(() -> s3.keys(name).size() == 1);

        String key = "datalake/" + name + "-0-0000000000.gz";
        assertThat(new String(S3Server.unzipped(s3.objects(name).get(key).asByteArray()), UTF_8))
                .isEqualTo(CONTENT);
        assertThat(bundle.log()).doesNotContain(" WARN ", " ERROR ");
    }

    @Test
    void aCertificateThatIsNotTrustedIsToldWithItsCure() throws Exception {
        serve("ip:127.0.0.1", "dns:localhost");

        start(s3.secureEndpoint());

        assertTold(
                "unable to find valid certification path",
                "import the store's certificate, or that of its CA, into the JVM's trust store"
                        + " (-Djavax.net.ssl.trustStore)");
    }

    @Test
    void aCertificateForAnotherHostIsTold() throws Exception {
        SelfSigned certificate = serve("dns:elsewhere.example");

        startTrusting(certificate.trustStore(), s3.secureEndpoint());

        assertTold("<127.0.0.1> doesn't match", "elsewhere.example", "correct the host of the endpoint");
    }

    @Test
    void anEndpointThatDoesNotUseTlsIsReported() throws Exception {
        serve("ip:127.0.0.1");

        start(URI.create(s3.endpoint().toString().replace("http:", "https:")));

        assertTold("SSL", "does not use TLS as asked");
    }

    private SelfSigned serve(String... names) throws Exception {
        SelfSigned certificate = SelfSigned.of(certificates, names);
        s3 = EmbeddedS3.startWithTls(objects, certificate.keyStore(), SelfSigned.PASSWORD);
        s3.createBucket(name);
        return certificate;
    }

    private void startTrusting(Path trustStore, URI endpoint) throws IOException {
        bundle.withOption("-Djavax.net.ssl.trustStore=" + trustStore.toAbsolutePath())
                .withOption("-Djavax.net.ssl.trustStorePassword=" + SelfSigned.PASSWORD);
        start(endpoint);
    }

    private void start(URI endpoint) throws IOException {
        bundle.with("DATALAKE_URL", s3.connectionUrl(name, endpoint)).start();
    }

    /** By readiness and by one ERROR, in the same words; nothing is stored, nor set aside. */
    private void assertTold(String... words) throws Exception {
        patiently()
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> assertThat(ready()).contains("DOWN").contains(words));

        List<String> errors =
                bundle.log().lines().filter(line -> line.contains(" ERROR ")).toList();
        assertThat(errors).singleElement().asString().contains(words);
        assertThat(s3.keys(name)).isEmpty();
        new Secret(EmbeddedS3.ACCESS_SECRET).assertNotIn("the log", bundle.log() + ready());
    }

    private String ready() throws Exception {
        return bundle.get("/observe/health/ready").body();
    }

    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(PATIENCE);
    }
}
