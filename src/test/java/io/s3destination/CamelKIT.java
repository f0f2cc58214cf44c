package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.s3destination.Manifests.Kustomization;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Kubelet;
import io.s3destination.embedded.Ledger;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.main.Main;
import org.apache.camel.v1.Integration;
import org.apache.camel.v1.integrationspec.Flows;
import org.apache.camel.v1.integrationspec.Traits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Integrations, with the files that Camel K's operator lays out under /etc/camel, their environment and options. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class CamelKIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name = "camel-k-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;

    /** /etc/camel. */
    @TempDir
    Path directory;

    CamelKIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 500})
    void theFlowsStoreOnAnyCamelMain(int recordsPerObject) throws Exception {
        Integration integration = Manifests.read(Manifests.CAMEL_K.resolve("integration.yaml"), Integration.class);
        Traits traits = integration.getSpec().getTraits();
        // As the API server keeps it, the members in the order of their names.
        String flows = new ObjectMapper()
                .configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true)
                .writeValueAsString(integration.getSpec().getFlows().stream()
                        .map(Flows::getAdditionalProperties)
                        .toList());
        Path sources = Files.createDirectory(directory.resolve("sources"));
        Files.writeString(sources.resolve("camel-k-embedded-flow.yaml"), Manifests.inGroup(flows, name));
        Path properties = directory.resolve("application.properties");
        Files.writeString(properties, """
                camel.main.cloud-properties-location = %s
                camel.main.source-location-enabled = true
                camel.main.routes-include-pattern = file:%s/**
                """.formatted(String.join(",", mountConfigs(traits)), sources));

        try (BundleProcess bundle = BundleProcess.ofMain(Main.class, directory)) {
            bundle.withOption("-Dcamel.main.property-placeholder-location=file:" + properties);
            // As in the ConfigMap of a user.
            Files.writeString(
                    directory.resolve("conf.d/_configmaps/s3-destination-properties/application.properties"),
                    "\nconnector.to-s3.records_per_object = %d\nconnector.to-s3.seconds_per_object = 1\n"
                            .formatted(recordsPerObject),
                    StandardOpenOption.APPEND);
            stores(bundle, traits, recordsPerObject);
        }
    }

    @Test
    void theJarThatTheOperatorBuildsStores() throws Exception {
        Traits traits = Manifests.withoutGit(Manifests.CAMEL_K.resolve("from-git.yaml"))
                .getSpec()
                .getTraits();
        mountConfigs(traits);
        Path jar = Files.copy(Path.of("target", "s3-destination.jar"), directory.resolve("s3-destination.jar"));
        try (FileSystem content = FileSystems.newFileSystem(jar)) {
            Path route = content.getPath("routes", "to-s3.camel.yaml");
            Files.writeString(route, Manifests.inGroup(Files.readString(route), name));
        }

        try (BundleProcess bundle = BundleProcess.ofJar(jar)) {
            stores(bundle, traits, 1);
        }
    }

    private void stores(BundleProcess bundle, Traits traits, int recordsPerObject) throws Exception {
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(500);
        traits.getJvm()
                .getOptions()
                .forEach(option -> bundle.withOption(option.replace("/etc/camel", directory.toString())));
        Manifests.variables(traits.getEnvironment().getVars()).forEach(bundle::with);
        bundle.with("STREAM_NAME", name).with("KAFKA_BROKERS", kafka.brokers()).with("DATALAKE_URL", null);

        bundle.start();

        if (recordsPerObject == 1) {
            ledger.isComplete(PATIENCE);
        } else {
            ledger.isCompleteInChains(PATIENCE);
        }
        assertThat(bundle.get(traits.getHealth().getStartupProbe()).statusCode())
                .isEqualTo(200);
        assertThat(bundle.get(traits.getHealth().getLivenessProbe()).statusCode())
                .isEqualTo(200);
        assertThat(bundle.get(traits.getHealth().getReadinessProbe()).statusCode())
                .isEqualTo(200);
        assertThat(bundle.log()).doesNotContain(EmbeddedS3.ACCESS_SECRET);
        bundle.terminate();
        assertThat(bundle.ends(PATIENCE)).isTrue();
    }

    /** Returns where the trait mount puts them, in its order. */
    private List<String> mountConfigs(Traits traits) throws IOException {
        List<String> locations = new ArrayList<>();
        for (String config : traits.getMount().getConfigs()) {
            boolean secret = config.startsWith("secret:");
            String named = config.substring(config.indexOf(':') + 1);
            Path location = directory
                    .resolve("conf.d")
                    .resolve(secret ? "_secrets" : "_configmaps")
                    .resolve(named);
            Kubelet.mount(
                    location,
                    secret
                            ? Map.of("resource.datalake.url", s3.connectionUrl(name))
                            : Kustomization.in(Manifests.CAMEL_K).configMap(named, Manifests.CAMEL_K));
            locations.add(location.toString());
        }
        return locations;
    }
}
