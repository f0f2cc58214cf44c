package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.ManagedBundle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever looks into a running bundle, through JMX, Camel's dev consoles, health or metrics, sees no secret. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class ManagementSecretsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String TOKEN = "IQoJb3JpZ2luX2VjEOr/TOKEN+abcdefghijklmnop==";
    /** The one place where Camel shows a URL that is written into application.properties: docs/DECISIONS.md. */
    private static final Pattern KNOWN =
            Pattern.compile("resource\\.datalake\\.url = s3:\\S+|\\{key=resource\\.datalake\\.url,[^}]*}");

    private static final Path LOG =
            Path.of("src", "main", "resources", "log4j2.properties").toAbsolutePath();

    private final String name = "managed-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;

    ManagementSecretsIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .withMain(ManagedBundle.class)
                .withOption("-Dlog4j2.configurationFile=" + LOG)
                .storing(name, kafka, s3.connectionUrl(name));
        kafka.createStream(name, 1);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, "{}".getBytes(UTF_8))).get();
        }
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSecretOfAUrlInTheEnvironmentIsNotShown(boolean stores) throws Exception {
        new Secret(EmbeddedS3.ACCESS_SECRET).assertNotIn("the management", shownWhile(stores));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSecretOfAUrlInTheFileOfPropertiesIsNotShown(boolean stores) throws Exception {
        bundle.with("DATALAKE_URL", null).withProperty("resource.datalake.url", s3.connectionUrl(name));

        String shown = shownWhile(stores);

        assertThat(shown).containsPattern(KNOWN);
        new Secret(EmbeddedS3.ACCESS_SECRET)
                .assertNotIn("the management", KNOWN.matcher(shown).replaceAll(""));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSessionOfTheDefaultCredentialsIsNotShown(boolean stores) throws Exception {
        bundle.with("DATALAKE_URL", s3.connectionUrl(name).replaceFirst("//.*@", "//"))
                .with("AWS_ACCESS_KEY_ID", EmbeddedS3.ACCESS_KEY)
                .with("AWS_SECRET_ACCESS_KEY", EmbeddedS3.ACCESS_SECRET)
                .with("AWS_SESSION_TOKEN", TOKEN);

        String shown = shownWhile(stores);

        new Secret(EmbeddedS3.ACCESS_SECRET).assertNotIn("the management", shown);
        new Secret(TOKEN).assertNotIn("the management", shown);
    }

    /** All there is to see, once a record is stored, or has failed for want of a bucket. */
    private String shownWhile(boolean stores) throws Exception {
        if (stores) {
            s3.createBucket(name);
        }
        bundle.start();
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> stores ? s3.keys(name).size() == 1 : bundle.log().contains("NoSuchBucket"));
        String observed = bundle.get("/observe/health?exposureLevel=full&data=true&stackTrace=true")
                        .body()
                + bundle.get("/observe/metrics").body();
        bundle.enter("\n");
        assertThat(bundle.ends(PATIENCE)).isTrue();
        assertThat(observed).contains("connector:to-s3", "camel_exchanges_total");
        assertThat(bundle.log())
                .contains("console endpoint TEXT:", "console main-configuration JSON:", "console properties TEXT:")
                .contains("type=routes", "dumpRoutesAsXml(): ", "kafka.consumer", "all shown");
        return bundle.log() + observed;
    }
}
