package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.CredentialsServer;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
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

/** The runnable jar with a connection URL that holds no credentials, wherever AWS clients look for them by default. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class CredentialsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final String name = "credentials-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private int produced;
    private Path files;
    private BundleProcess bundle;

    CredentialsIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        files = directory;
        bundle = new BundleProcess(directory)
                .storing(name, kafka, "s3://" + EmbeddedS3.REGION + "/" + name + "?endpoint=" + s3.endpoint());
        // Of this machine nothing, not even what a cloud's machine would answer.
        System.getenv().keySet().stream()
                .filter(variable -> variable.startsWith("AWS_"))
                .forEach(variable -> bundle.with(variable, null));
        bundle.with("AWS_EC2_METADATA_DISABLED", "true")
                .with("AWS_CONFIG_FILE", path("config"))
                .with("AWS_SHARED_CREDENTIALS_FILE", path("credentials"));
        s3.createBucket(name);
        kafka.createStream(name, 1);
        produce();
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @Test
    void thoseOfTheEnvironmentAreTaken() throws Exception {
        bundle.with("AWS_ACCESS_KEY_ID", EmbeddedS3.ACCESS_KEY)
                .with("AWS_SECRET_ACCESS_KEY", EmbeddedS3.ACCESS_SECRET)
                .start();

        awaitStored();
    }

    @Test
    void thoseOfAProfileAreTakenAndTakenAnewWhenItChanges() throws Exception {
        writeProfile("lake", "of last month");
        bundle.with("AWS_PROFILE", "lake").start();
        awaitTold("SignatureDoesNotMatch", "correct the access secret");

        writeProfile("lake", EmbeddedS3.ACCESS_SECRET);

        awaitStored();
    }

    @Test
    void aProfileThatIsNotThereIsTold() throws Exception {
        writeProfile("default", EmbeddedS3.ACCESS_SECRET);
        bundle.with("AWS_PROFILE", "lake").start();

        awaitTold("no AWS credentials were found", "no credentials for profile 'lake'");
    }

    @Test
    void thoseOfAWebIdentityAreTakenAndTakenAnewWhenItChanges() throws Exception {
        try (CredentialsServer server = startWithWebIdentity("first token")) {
            awaitStored();

            server.expect("second token");
            patiently().pollInterval(Duration.ofSeconds(1)).until(() -> {
                produce();
                return bundle.log().contains(" ERROR ");
            });
            awaitTold("Not authorized to perform sts:AssumeRoleWithWebIdentity", "let the role trust this identity");
            Files.writeString(files.resolve("token"), "second token");

            awaitStored();
        }
    }

    @Test
    @SuppressWarnings("try")
    void aWebIdentityThatIsRefusedIsTold() throws Exception {
        try (CredentialsServer server = startWithWebIdentity("another token")) {
            awaitTold("no AWS credentials were found", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        }
    }

    @Test
    void thoseOfAPodAreTaken() throws Exception {
        try (CredentialsServer server = new CredentialsServer("first token")) {
            Files.writeString(files.resolve("token"), "first token");
            bundle.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.eks().toString())
                    .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path("token"))
                    .start();

            awaitStored();
        }
    }

    @Test
    void whereThereAreNoneItIsToldAndGoesOnWhenThereAre() throws Exception {
        bundle.start();
        awaitTold("no AWS credentials were found; put ACCESS_KEY:ACCESS_SECRET@ into the connection URL");

        writeProfile("default", EmbeddedS3.ACCESS_SECRET);

        awaitStored();
        patiently().until(() -> bundle.get("/observe/health/ready").statusCode() == 200);
    }

    /** Shows the first token to a server that expects this one. */
    private CredentialsServer startWithWebIdentity(String expected) throws IOException {
        CredentialsServer server = new CredentialsServer(expected);
        Files.writeString(files.resolve("token"), "first token");
        bundle.with("AWS_ENDPOINT_URL_STS", server.sts().toString())
                .with("AWS_REGION", EmbeddedS3.REGION)
                .with("AWS_ROLE_ARN", CredentialsServer.ROLE)
                .with("AWS_WEB_IDENTITY_TOKEN_FILE", path("token"))
                .start();
        return server;
    }

    private void produce() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, "{}".getBytes(UTF_8))).get();
        }
        produced++;
    }

    private void writeProfile(String profile, String secret) throws IOException {
        Files.writeString(files.resolve("credentials"), """
                [%s]
                aws_access_key_id = %s
                aws_secret_access_key = %s
                """.formatted(profile, EmbeddedS3.ACCESS_KEY, secret));
    }

    private String path(String file) {
        return files.resolve(file).toAbsolutePath().toString();
    }

    private void awaitStored() {
        patiently().until(() -> s3.keys(name).size() == produced);
    }

    /** By readiness and at ERROR, in the same words, which are not of the secret. */
    private void awaitTold(String... words) throws Exception {
        patiently().ignoreExceptionsInstanceOf(IOException.class).untilAsserted(() -> assertThat(
                        bundle.get("/observe/health/ready").body())
                .contains("DOWN")
                .contains(words));
        assertThat(bundle.log().lines().filter(line -> line.contains(" ERROR ")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).contains(words));
        new Secret(EmbeddedS3.ACCESS_SECRET).assertNotIn("the log", bundle.log());
    }

    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(PATIENCE);
    }
}
