package io.s3destination.embedded;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Adobe's S3Mock, a process of its own. It checks no signatures, but keeps what the embedded S3 server leaves out: how an
 * object is encrypted, its storage class and its tags; and it refuses KMS keys that it does not know.
 */
public final class S3Mock implements S3Server {

    public static final String KMS_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab";

    private static final Duration START = Duration.ofSeconds(120);

    private final URI endpoint;
    private final Process process;
    private final S3Client client;

    private S3Mock(URI endpoint, Process process) {
        this.endpoint = endpoint;
        this.process = process;
        this.client = S3Client.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(endpoint)
                .forcePathStyle(true)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")))
                .build();
    }

    /** Starts it on any free port; ready when this returns. */
    public static S3Mock start(Path directory) throws IOException {
        int port = EmbeddedKafka.freePort();
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-jar",
                        Path.of("target", "stores", "s3mock.jar").toString(),
                        "--server.port=0",
                        "--com.adobe.testing.s3mock.http-port=" + port,
                        "--com.adobe.testing.s3mock.store.root=" + Files.createDirectory(directory.resolve("objects")),
                        "--com.adobe.testing.s3mock.store.valid-kms-keys=arn:aws:kms:us-east-2:111122223333:key/"
                                + KMS_KEY)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        // Also where the tests are broken off.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        S3Mock s3 = new S3Mock(URI.create("http://127.0.0.1:" + port), process);
        Awaitility.await().atMost(START).ignoreExceptions().until(() -> s3.client
                .listBuckets()
                .hasBuckets());
        return s3;
    }

    @Override
    public String connectionUrl(String bucket) {
        return "s3://any:any@us-east-1/" + bucket + "?endpoint=" + endpoint;
    }

    @Override
    public S3Client client() {
        return client;
    }

    @Override
    public void close() {
        client.close();
        process.destroy();
    }
}
