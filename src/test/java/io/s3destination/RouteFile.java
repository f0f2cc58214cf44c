package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Reader;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** A file of {@code routes/}, read with the parser that Camel reads it with. */
record RouteFile(Path path, JsonNode yaml) {

    private static final ObjectMapper JSON = new ObjectMapper();

    static List<RouteFile> all() throws IOException {
        try (Stream<Path> paths = Files.list(Path.of("routes"))) {
            return paths.sorted().map(RouteFile::read).toList();
        }
    }

    private static RouteFile read(Path path) {
        try (Reader text = Files.newBufferedReader(path)) {
            Object yaml = new Load(LoadSettings.builder().build()).loadFromReader(text);
            return new RouteFile(path, JSON.valueToTree(yaml));
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + path, e);
        }
    }

    String name() {
        return path.getFileName().toString().replaceFirst("\\.camel\\.yaml$", "");
    }

    /** The routes and route configurations. */
    List<JsonNode> routes() {
        return Stream.of("route", "routeConfiguration")
                .flatMap(kind -> yaml.findValues(kind).stream())
                .toList();
    }

    /** The ids of the routes and their steps as Camel has them, with the prefix that a route gives to its steps. */
    List<String> ids() {
        return routes().stream()
                .flatMap(route -> Stream.concat(
                        Stream.of(route.path("id").asText()),
                        route.path("from").findValuesAsText("id").stream()
                                .map(route.path("nodePrefixId").asText()::concat)))
                .toList();
    }

    List<Endpoint> endpoints() {
        return yaml.findParents("uri").stream().map(Endpoint::of).toList();
    }

    @Override
    public String toString() {
        return path.toString();
    }

    /**
     * An end of a route.
     *
     * @param options its parameters, as the query of a URI
     * @param consumer whether the route starts here
     */
    record Endpoint(String uri, String options, boolean consumer) {

        private static Endpoint of(JsonNode node) {
            String options = node.path("parameters").properties().stream()
                    .map(option -> option.getKey() + "="
                            + URLEncoder.encode(option.getValue().asText(), UTF_8))
                    .collect(joining("&"));
            return new Endpoint(node.get("uri").asText(), options, node.has("steps"));
        }

        boolean isDirect() {
            return uri.startsWith("direct:");
        }
    }
}
