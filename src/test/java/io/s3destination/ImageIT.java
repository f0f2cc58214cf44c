package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The container image, whose layers are unpacked and whose entry point runs on the JDK of the build. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class ImageIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path TAR = Path.of("target", "s3-destination-layers.tar");

    @Test
    void storesAndEndsOnSigterm(EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path directory) throws Exception {
        String name = "image-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(500);

        try (BundleProcess bundle = BundleProcess.ofImage(directory, TAR)
                .storing(name, kafka, s3.connectionUrl(name))
                .start()) {
            ledger.isComplete(PATIENCE);
            bundle.terminate();
            assertThat(bundle.ends(PATIENCE)).isTrue();
        }

        JsonNode config = new ObjectMapper()
                .readTree(directory.resolve("parts").resolve("config.json").toFile())
                .get("config");
        assertThat(config.get("User").asText()).isEqualTo("65532:65532");
        assertThat(config.get("ExposedPorts").has("9876/tcp")).isTrue();
        assertThat(config.get("Entrypoint"))
                .extracting(JsonNode::asText)
                .containsAll(List.of("-XX:+ExitOnOutOfMemoryError", "-XX:MaxRAMPercentage=60"));
    }
}
