package io.s3destination;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMethod;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.v1.Integration;
import org.apache.camel.v1.integrationspec.Flows;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The manifests as the build leaves them in target/deploy, read so strictly that a field without meaning fails. */
final class Manifests {

    static final Path KUBERNETES = Path.of("target", "deploy", "kubernetes");
    static final Path CAMEL_K = Path.of("target", "deploy", "camel-k");

    private static final ObjectMapper STRICT = new ObjectMapper()
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                /** The models put what they do not know aside; of flows all is unknown. */
                @Override
                public Boolean hasAnySetter(Annotated setter) {
                    return setter instanceof AnnotatedMethod method && method.getDeclaringClass() == Flows.class
                            ? super.hasAnySetter(setter)
                            : null;
                }
            });

    private Manifests() {}

    static <T> T read(Path file, Class<T> model) {
        return convert(yaml(file), model);
    }

    /** An Integration whose {@code spec.git} is taken out: Camel K has it since 2.7, the models not yet. */
    static Integration withoutGit(Path file) {
        JsonNode integration = yaml(file);
        ((ObjectNode) integration.get("spec")).remove("git");
        return convert(integration, Integration.class);
    }

    static Git git(Path file) {
        return convert(yaml(file).get("spec").get("git"), Git.class);
    }

    private static JsonNode yaml(Path file) {
        LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
        return STRICT.valueToTree(new Load(settings).loadFromString(text(file)));
    }

    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> T convert(JsonNode yaml, Class<T> model) {
        try {
            return STRICT.treeToValue(yaml, model);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is used of kustomize. */
    record Kustomization(
            String apiVersion,
            String kind,
            List<String> resources,
            List<ConfigMap> configMapGenerator,
            Options generatorOptions,
            List<Map<String, String>> images) {

        record ConfigMap(String name, List<String> literals, List<String> files) {}

        record Options(boolean disableNameSuffixHash, Map<String, String> labels) {}

        static Kustomization in(Path directory) {
            return read(directory.resolve("kustomization.yaml"), Kustomization.class);
        }

        /** What the ConfigMap of that name holds. */
        Map<String, String> configMap(String name, Path directory) {
            ConfigMap generated = configMapGenerator.stream()
                    .filter(map -> map.name().equals(name))
                    .findAny()
                    .orElseThrow(() -> new IllegalArgumentException("there is no ConfigMap " + name));
            Map<String, String> data = new TreeMap<>();
            if (generated.literals() != null) {
                data.putAll(variables(generated.literals()));
            }
            if (generated.files() != null) {
                generated
                        .files()
                        .forEach(file ->
                                data.put(Path.of(file).getFileName().toString(), text(directory.resolve(file))));
            }
            return data;
        }
    }

    /** KEDA's ScaledObject, of which there is no model in Java. */
    record ScaledObject(String apiVersion, String kind, ObjectMeta metadata, Spec spec) {

        record Spec(Target scaleTargetRef, int minReplicaCount, int maxReplicaCount, List<Trigger> triggers) {}

        record Target(String apiVersion, String kind, String name) {}

        record Trigger(String type, Map<String, String> metadata) {}
    }

    /** The repository of an Integration that the operator builds. */
    record Git(String url, String branch, String tag, String commit, String secret) {}

    /** Of {@code NAME=value} each. */
    static Map<String, String> variables(List<String> assignments) {
        Map<String, String> variables = new TreeMap<>();
        assignments.stream()
                .map(assignment -> assignment.split("=", 2))
                .forEach(pair -> variables.put(pair[0], pair[1]));
        return variables;
    }

    /** The route to-s3, in YAML or JSON, reading in a group of the test's own. */
    static String inGroup(String route, String group) {
        String edited = route.replaceFirst("(\"?groupId\"?: ?\"?)to-s3\\b", "$1" + group);
        if (edited.equals(route)) {
            throw new IllegalArgumentException("there is no group to-s3");
        }
        return edited;
    }

    /** The words of the line of the README that starts so, without the ends of its lines. */
    static List<String> commandOfReadme(String start) throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        int from = readme.indexOf("\n" + start) + 1;
        String command = readme.substring(from).replace("\\\n", " ");
        return Arrays.asList(command.substring(0, command.indexOf('\n')).strip().split("\\s+"));
    }
}
