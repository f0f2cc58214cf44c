package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.s3destination.Manifests.Kustomization;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Kubelet;
import io.s3destination.embedded.Ledger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The Deployment's container: the layers of its image, with the volumes, the environment and the probes that it names. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class KubernetesIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name = "kubernetes-" + UUID.randomUUID();
    private final PodSpec spec = Manifests.read(Manifests.KUBERNETES.resolve("deployment.yaml"), Deployment.class)
            .getSpec()
            .getTemplate()
            .getSpec();
    private final Container container = spec.getContainers().get(0);

    @TempDir
    Path pod;

    @Test
    void theDeploymentStoresAndWritesToItsVolumesOnly(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        compress(kafka);
        ledger.produce(500);
        BundleProcess bundle = BundleProcess.ofImage(pod, Path.of("target", "s3-destination-layers.tar"));
        mountVolumes(bundle);
        setEnvironment(bundle, Map.of("resource.datalake.url", s3.connectionUrl(name)));
        Set<String> files = files();
        files.add("app/log");

        try (bundle) {
            bundle.with("STREAM_NAME", name).with("KAFKA_BROKERS", kafka.brokers());
            bundle.start();
            ledger.isComplete(PATIENCE);
            assertThat(files()).isEqualTo(files);

            for (Probe probe :
                    List.of(container.getStartupProbe(), container.getLivenessProbe(), container.getReadinessProbe())) {
                assertThat(bundle.get(probe.getHttpGet().getPath()).statusCode())
                        .isEqualTo(200);
            }
            bundle.terminate();
            assertThat(bundle.ends(Duration.ofSeconds(spec.getTerminationGracePeriodSeconds())))
                    .isTrue();
        }
    }

    /** With what is read by a library that Kafka unpacks. */
    private void compress(EmbeddedKafka kafka) throws Exception {
        AlterConfigOp zstd = new AlterConfigOp(
                new ConfigEntry(TopicConfig.COMPRESSION_TYPE_CONFIG, "zstd"), AlterConfigOp.OpType.SET);
        kafka.admin()
                .incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, name), Set.of(zstd)))
                .all()
                .get();
    }

    private void mountVolumes(BundleProcess bundle) throws IOException {
        Map<String, Volume> volumes = spec.getVolumes().stream().collect(Collectors.toMap(Volume::getName, v -> v));
        for (VolumeMount mount : container.getVolumeMounts()) {
            Path path = pod.resolve(mount.getMountPath().substring(1));
            Volume volume = volumes.get(mount.getName());
            if (volume.getEmptyDir() != null) {
                bundle.withOption("-Djava.io.tmpdir=" + Files.createDirectories(path));
            } else if (mount.getSubPath() != null) {
                Files.writeString(
                        path, configMap(volume.getConfigMap().getName()).get(mount.getSubPath()));
            } else {
                hide(path);
                Map<String, String> data = configMap(volume.getConfigMap().getName());
                data.compute("to-s3.camel.yaml", (file, route) -> Manifests.inGroup(route, name));
                Kubelet.mount(path, data);
            }
        }
    }

    private void setEnvironment(BundleProcess bundle, Map<String, String> secret) {
        container.getEnvFrom().forEach(from -> configMap(from.getConfigMapRef().getName())
                .forEach(bundle::with));
        container
                .getEnv()
                .forEach(variable -> bundle.with(
                        variable.getName(),
                        secret.get(variable.getValueFrom().getSecretKeyRef().getKey())));
    }

    private static Map<String, String> configMap(String name) {
        return Kustomization.in(Manifests.KUBERNETES).configMap(name, Manifests.KUBERNETES);
    }

    private static void hide(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private Set<String> files() throws IOException {
        try (Stream<Path> paths = Files.walk(pod)) {
            return paths.map(path -> pod.relativize(path).toString())
                    .filter(path -> !path.startsWith("tmp"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
