package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import io.s3destination.RouteFile.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.catalog.CamelCatalog;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.catalog.EndpointValidationResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The files of {@code routes/} as they stand: what Camel knows, in the one form they are written in. */
class RoutesTest {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(?:[^{}]|\\{\\{[^{}]*}})*}}");
    private static final Pattern ONE_SENTENCE = Pattern.compile("\\p{Lu}((?!\\. ).)*[^.]\\.");
    private static final CamelCatalog CATALOG = new DefaultCamelCatalog(true);

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void aFileIsValidAgainstTheSchemaOfCamelsYamlDsl(RouteFile file) throws IOException {
        assertThat(faults(file, schema())).as("%s", file).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void aFileUsesNoneOfTheCompactFormsThatTheSchemaAllows(RouteFile file) throws IOException {
        JsonNode canonical = schema();
        canonical.findValues("oneOf").forEach(forms -> removeCompact(forms.elements()));
        ((ObjectNode) canonical.at("/items/properties")).remove("from");
        assertThat(faults(file, canonical)).as("%s", file).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void anEndpointHasOnlyOptionsThatItsComponentKnows(RouteFile file) {
        assertThat(file.endpoints().stream()
                        .map(RoutesTest::validate)
                        .filter(result -> !result.isSuccess())
                        .map(result -> result.summaryErrorMessage(false)))
                .as("%s", file)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void anEndpointHasNoOptionsInItsUri(RouteFile file) {
        assertThat(file.endpoints()).extracting(Endpoint::uri).as("%s", file).noneMatch(uri -> uri.contains("?"));
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void aDirectEndpointThatIsSentToHasItsRoute(RouteFile file) throws IOException {
        List<String> routes = RouteFile.all().stream()
                .flatMap(any -> any.endpoints().stream())
                .filter(Endpoint::consumer)
                .map(Endpoint::uri)
                .toList();
        assertThat(file.endpoints())
                .as("%s", file)
                .filteredOn(endpoint -> endpoint.isDirect() && !endpoint.consumer())
                .extracting(Endpoint::uri)
                .allSatisfy(uri -> assertThat(routes).anyMatch(anyOf(uri).asMatchPredicate()));
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void aFileHoldsOneRouteAndIsNamedForIt(RouteFile file) {
        assertThat(file.routes())
                .extracting(route -> route.path("id").asText())
                .as("%s: a file is reloaded as often as it has routes", file)
                .containsExactly(file.name());
    }

    @ParameterizedTest
    @MethodSource("io.s3destination.RouteFile#all")
    void aRouteIsDescribedInOneSentence(RouteFile file) {
        assertThat(file.routes())
                .extracting(route -> route.path("description").asText())
                .as("%s", file)
                .allMatch(ONE_SENTENCE.asMatchPredicate());
    }

    @Test
    void idsAreInKebabCaseAndUniqueOverAllFiles() throws IOException {
        List<String> ids =
                RouteFile.all().stream().flatMap(file -> file.ids().stream()).toList();
        assertThat(ids).doesNotHaveDuplicates().allSatisfy(id -> assertThat(id).matches("[a-z][a-z0-9]*(-[a-z0-9]+)*"));
    }

    /** Of the faults found, the innermost: one in a step makes all that is around it faulty, too. */
    private static List<String> faults(RouteFile file, JsonNode schema) {
        Set<ValidationMessage> faults =
                JsonSchemaFactory.getInstance(VersionFlag.V4).getSchema(schema).validate(file.yaml());
        return faults.stream()
                .filter(fault -> faults.stream().noneMatch(other -> isWithin(other, fault)))
                .map(ValidationMessage::getMessage)
                .toList();
    }

    private static boolean isWithin(ValidationMessage inner, ValidationMessage outer) {
        return inner.getInstanceLocation().startsWith(outer.getInstanceLocation())
                && !inner.getInstanceLocation().equals(outer.getInstanceLocation());
    }

    private static EndpointValidationResult validate(Endpoint endpoint) {
        String uri = PLACEHOLDER.matcher(endpoint.uri()).replaceAll("name") + "?" + endpoint.options();
        return CATALOG.validateEndpointProperties(uri, false, endpoint.consumer(), !endpoint.consumer());
    }

    private static JsonNode schema() throws IOException {
        try (InputStream schema = RoutesTest.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
            return new ObjectMapper().readTree(schema);
        }
    }

    /** Of the forms of a step or an expression, the mere text and the language without its {@code expression:}. */
    private static void removeCompact(Iterator<JsonNode> forms) {
        while (forms.hasNext()) {
            JsonNode form = forms.next();
            if (form.path("type").asText().equals("string")
                    || form.path("$ref").asText().endsWith(".ExpressionDefinition")) {
                forms.remove();
            }
        }
    }

    /** What a URI can stand for, whatever its placeholders stand for. */
    private static Pattern anyOf(String uri) {
        return Pattern.compile("\\Q" + PLACEHOLDER.matcher(uri).replaceAll("\\\\E.+\\\\Q") + "\\E");
    }
}
