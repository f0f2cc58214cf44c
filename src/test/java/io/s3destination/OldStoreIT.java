package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The runnable jar before an S3-compatible store that does not know the checksums of today's S3. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class OldStoreIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final String name = "old-store-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private EmbeddedS3 s3;
    private BundleProcess bundle;

    OldStoreIT(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory, @TempDir Path objects)
            throws Exception {
        s3 = EmbeddedS3.startOfOldKind(objects);
        s3.createBucket(name);
        bundle = new BundleProcess(directory).storing(name, kafka, s3.connectionUrl(name));
        kafka.createStream(name, 1);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, "{}".getBytes(UTF_8))).get();
        }
    }

    @AfterEach
    void end() {
        bundle.close();
        s3.close();
    }

    @Test
    void isToldWithTheCure() throws Exception {
        bundle.start();

        Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> assertThat(
                                bundle.get("/observe/health/ready").body())
                        .contains("DOWN", "501 NotImplemented", "AWS_REQUEST_CHECKSUM_CALCULATION=when_required"));
        assertThat(s3.keys(name)).isEmpty();
    }

    @Test
    void isStoredToWithoutChecksums() throws Exception {
        bundle.with("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required").start();

        Awaitility.await().atMost(PATIENCE).until(() -> s3.keys(name).size() == 1);
    }
}
