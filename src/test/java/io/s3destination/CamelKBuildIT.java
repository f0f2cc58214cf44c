package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathFactory;
import org.apache.camel.v1.Integration;
import org.junit.jupiter.api.Test;

/** What Camel K's command and its operator take from elsewhere than a manifest: the README, target/ and the pom. */
class CamelKBuildIT {

    private final Integration integration =
            Manifests.read(Manifests.CAMEL_K.resolve("integration.yaml"), Integration.class);

    @Test
    void theLineOfKamelRunSaysWhatTheIntegrationSays() throws Exception {
        List<String> line = Manifests.commandOfReadme("kamel run");
        JsonNode traits = new ObjectMapper().valueToTree(integration.getSpec().getTraits());

        assertThat(options(line, "--name"))
                .containsExactly(integration.getMetadata().getName());
        assertThat(options(line, "--dependency"))
                .containsExactlyElementsOf(integration.getSpec().getDependencies());
        assertThat(options(line, "--config"))
                .containsExactlyElementsOf(
                        integration.getSpec().getTraits().getMount().getConfigs());
        assertThat(options(line, "--env"))
                .containsExactlyElementsOf(
                        integration.getSpec().getTraits().getEnvironment().getVars());
        assertThat(options(line, "--trait")).isNotEmpty().allSatisfy(trait -> {
            Matcher option = Pattern.compile("([\\w-]+)\\.([\\w-]+)=(.+)").matcher(trait);
            assertThat(option.matches()).isTrue();
            String field = Pattern.compile("-(\\w)").matcher(option.group(2)).replaceAll(m -> m.group(1)
                    .toUpperCase(Locale.ROOT));
            assertThat(traits.get(option.group(1)).get(field).toString()).contains(option.group(3));
        });
    }

    @Test
    void theOperatorFindsOneJarAndItRuns() throws Exception {
        List<Path> jars;
        try (Stream<Path> files = Files.list(Path.of("target"))) {
            jars = files.filter(file -> file.toString().endsWith("jar")).toList();
        }
        assertThat(jars)
                .as("jars in target/: mvn clean takes those of earlier builds away")
                .containsExactly(Path.of("target", "s3-destination.jar"));
        try (JarFile jar = new JarFile(jars.get(0).toFile())) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo(Bundle.class.getName());
        }
        String pom = Files.readString(Path.of("pom.xml"));
        assertThat(pom).as("where the operator puts its own profile").containsOnlyOnce("</profiles>");
        assertThat(inPom("count(//plugin[artifactId='jib-maven-plugin']/configuration)"))
                .as("what would be mixed with the operator's own configuration of Jib")
                .isEqualTo("0");
    }

    @Test
    void theDependencyBringsNothingThatItsRuntimeHasInAnotherWay() throws Exception {
        for (String artifact : List.of("log4j-slf4j2-impl", "camel-observability-services")) {
            assertThat(inPom("/project/dependencies/dependency[artifactId='" + artifact + "']/optional"))
                    .as(artifact)
                    .isEqualTo("true");
        }
    }

    private static String inPom(String path) throws Exception {
        return XPathFactory.newInstance()
                .newXPath()
                .evaluate(
                        path,
                        DocumentBuilderFactory.newInstance()
                                .newDocumentBuilder()
                                .parse("pom.xml"));
    }

    private static List<String> options(List<String> line, String option) {
        return IntStream.range(0, line.size() - 1)
                .filter(i -> line.get(i).equals(option))
                .mapToObj(i -> line.get(i + 1))
                .toList();
    }
}
