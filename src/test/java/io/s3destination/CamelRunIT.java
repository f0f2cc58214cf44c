package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The sources under the real Camel CLI, with the line of the README. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class CamelRunIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name = "camel-run-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;
    private Ledger ledger;

    @TempDir
    Path directory;

    CamelRunIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @Test
    void storesWithNothingCompiledBeforehand() throws Exception {
        given("");

        bundle.start();

        ledger.produce(1_000);
        ledger.isComplete(PATIENCE);
        bundle.terminate();
        assertThat(bundle.ends(PATIENCE)).isTrue();
    }

    @Test
    void aBadSettingEndsItWithTheSameMessage() throws Exception {
        given("");

        bundle.with("STREAM_NAME", null).start();

        assertThat(bundle.ends(PATIENCE)).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log()).contains("STREAM_NAME (connector.to-s3.input) is not set");
    }

    private void given(String options) throws Exception {
        ledger = new Ledger(kafka, s3, name, name, name);
        String line = Files.readString(Path.of("README.md"))
                .lines()
                .filter(text -> text.startsWith("camel run "))
                .findFirst()
                .orElseThrow();
        bundle = BundleProcess.ofCamelCli(directory, line + options)
                .with("DATALAKE_URL", s3.connectionUrl(name))
                .with("STREAM_NAME", name)
                .with("KAFKA_BROKERS", kafka.brokers())
                .withRoute("to-s3", "groupId: to-s3", "groupId: " + name);
    }

    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(PATIENCE);
    }
}
