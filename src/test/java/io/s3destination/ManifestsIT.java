package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.s3destination.Manifests.Git;
import io.s3destination.Manifests.Kustomization;
import io.s3destination.Manifests.ScaledObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.camel.v1.Integration;
import org.apache.camel.v1.integrationspec.Flows;
import org.junit.jupiter.api.Test;

/** The manifests say what Kubernetes, KEDA and Camel K understand, and what the routes and the README say. */
class ManifestsIT {

    private final Deployment deployment =
            Manifests.read(Manifests.KUBERNETES.resolve("deployment.yaml"), Deployment.class);
    private final Kustomization kubernetes = Kustomization.in(Manifests.KUBERNETES);
    private final Kustomization camelK = Kustomization.in(Manifests.CAMEL_K);
    private final Integration integration =
            Manifests.read(Manifests.CAMEL_K.resolve("integration.yaml"), Integration.class);
    private final Integration fromGit = Manifests.withoutGit(Manifests.CAMEL_K.resolve("from-git.yaml"));

    @Test
    void allThatIsAppliedIsRead() {
        PodDisruptionBudget budget =
                Manifests.read(Manifests.KUBERNETES.resolve("pod-disruption-budget.yaml"), PodDisruptionBudget.class);
        Git git = Manifests.git(Manifests.CAMEL_K.resolve("from-git.yaml"));

        assertThat(kubernetes.resources())
                .containsExactly("deployment.yaml", "scaled-object.yaml", "pod-disruption-budget.yaml");
        assertThat(camelK.resources()).containsExactly("integration.yaml", "scaled-object.yaml");
        assertThat(budget.getSpec().getSelector())
                .isEqualTo(deployment.getSpec().getSelector());
        assertThat(git.url()).endsWith(".git");
        assertThat(fromGit.getMetadata()).isEqualTo(integration.getMetadata());
    }

    @Test
    void theRoutesAreThoseOfTheRepository() throws Exception {
        List<String> files = RouteFile.all().stream().map(RouteFile::toString).toList();
        List<JsonNode> routes = new ArrayList<>();
        RouteFile.all().forEach(file -> file.yaml().forEach(routes::add));

        assertThat(kubernetes.configMapGenerator().get(2).files()).containsExactlyElementsOf(files);
        for (String file : files) {
            assertThat(Manifests.KUBERNETES.resolve(file)).hasSameTextualContentAs(Path.of(file));
        }
        assertThat(integration.getSpec().getFlows())
                .extracting(Flows::getAdditionalProperties)
                .map(flow -> new ObjectMapper().valueToTree(flow))
                .containsExactlyElementsOf(routes);
    }

    @Test
    void scalesOnTheLagOfTheConnectorToAsManyReplicasAsThereArePartitions() throws Exception {
        ScaledObject ofKubernetes = scaledObject(Manifests.KUBERNETES);
        ScaledObject ofCamelK = scaledObject(Manifests.CAMEL_K);
        RouteFile route = RouteFile.all().stream()
                .filter(file -> file.name().equals("to-s3"))
                .findAny()
                .orElseThrow();

        for (ScaledObject scaled : List.of(ofKubernetes, ofCamelK)) {
            assertThat(scaled.spec().minReplicaCount()).isEqualTo(1);
            assertThat(scaled.spec().triggers()).singleElement().satisfies(trigger -> {
                assertThat(trigger.type()).isEqualTo("kafka");
                assertThat(trigger.metadata())
                        .containsEntry(
                                "consumerGroup",
                                route.yaml().findValue("groupId").asText())
                        // Without a committed offset the connector begins at the start of the log.
                        .containsEntry("offsetResetPolicy", "earliest")
                        .containsEntry("allowIdleConsumers", "false");
            });
        }
        assertThat(ofKubernetes.spec().scaleTargetRef().name())
                .isEqualTo(deployment.getMetadata().getName());
        assertThat(ofKubernetes.spec().triggers().get(0).metadata())
                .containsEntry("topicFromEnv", "STREAM_NAME")
                .containsEntry("bootstrapServersFromEnv", "KAFKA_BROKERS");
        assertThat(ofCamelK.spec().scaleTargetRef().kind()).isEqualTo(integration.getKind());
        assertThat(ofCamelK.spec().scaleTargetRef().name())
                .isEqualTo(integration.getMetadata().getName());
        for (Integration one : List.of(integration, fromGit)) {
            Map<String, String> variables = Manifests.variables(
                    one.getSpec().getTraits().getEnvironment().getVars());
            assertThat(ofCamelK.spec().triggers().get(0).metadata())
                    .containsEntry("topic", variables.get("STREAM_NAME"))
                    .containsEntry("bootstrapServers", variables.get("KAFKA_BROKERS"));
        }
    }

    @Test
    void aPodHasTimeForAnOrderlyStop() throws Exception {
        Properties properties = new Properties();
        properties.load(Files.newBufferedReader(Path.of("application.properties")));
        PodSpec pod = deployment.getSpec().getTemplate().getSpec();

        assertThat(pod.getTerminationGracePeriodSeconds())
                .isGreaterThan(Long.parseLong(properties.getProperty("camel.main.shutdown-timeout")) + 5);
        assertThat(pod.getContainers().get(0).getPorts().get(0).getContainerPort())
                .isEqualTo(Integer.valueOf(properties.getProperty("camel.management.port")));
    }

    @Test
    void theConnectionUrlIsInASecretThatIsNotInTheRepository() throws Exception {
        List<String> create = Manifests.commandOfReadme("printf");
        String secret = create.get(create.indexOf("generic") + 1);
        String key = deployment
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .get(0)
                .getEnv()
                .get(0)
                .getValueFrom()
                .getSecretKeyRef()
                .getKey();

        assertThat(create).contains("--from-file=" + key + "=/dev/stdin");
        assertThat(List.of(integration, fromGit)).allSatisfy(one -> assertThat(
                        one.getSpec().getTraits().getMount().getConfigs())
                .endsWith("secret:" + secret));
        try (Stream<Path> files = Files.walk(Path.of("deploy"))) {
            assertThat(files.filter(Files::isRegularFile))
                    .isNotEmpty()
                    .allSatisfy(file -> assertThat(Manifests.text(file)).doesNotContain("s3://", "kind: Secret"));
        }
    }

    private static ScaledObject scaledObject(Path directory) {
        return Manifests.read(directory.resolve("scaled-object.yaml"), ScaledObject.class);
    }
}
