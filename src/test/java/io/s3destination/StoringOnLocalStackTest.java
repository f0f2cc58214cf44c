package io.s3destination;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.localstack.LocalStackContainer;
import org.testcontainers.utility.DockerImageName;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** The suite on LocalStack, where there is Docker. */
@Testcontainers(disabledWithoutDocker = true)
@ExtendWith(EmbeddedServices.class)
class StoringOnLocalStackTest extends StoringSuite {

    private static LocalStack localStack;
    private final EmbeddedKafka kafka;

    StoringOnLocalStackTest(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @BeforeAll
    static void startLocalStack() {
        localStack = new LocalStack();
    }

    @AfterAll
    static void stopLocalStack() {
        localStack.close();
    }

    @Override
    protected EmbeddedKafka kafka() {
        return kafka;
    }

    @Override
    protected S3Server s3() {
        return localStack;
    }

    private static final class LocalStack implements S3Server {

        private final LocalStackContainer container =
                new LocalStackContainer(DockerImageName.parse("localstack/localstack:4.9.2")).withServices("s3");
        private final S3Client client;

        LocalStack() {
            container.start();
            client = S3Client.builder()
                    .region(Region.US_EAST_1)
                    .endpointOverride(container.getEndpoint())
                    .forcePathStyle(true)
                    .credentialsProvider(StaticCredentialsProvider.create(
                            AwsBasicCredentials.create(container.getAccessKey(), container.getSecretKey())))
                    .build();
        }

        @Override
        public String connectionUrl(String bucket) {
            return "s3://" + container.getAccessKey() + ":" + container.getSecretKey() + "@us-east-1/" + bucket
                    + "?endpoint=" + container.getEndpoint();
        }

        @Override
        public S3Client client() {
            return client;
        }

        @Override
        public void close() {
            client.close();
            container.stop();
        }
    }
}
