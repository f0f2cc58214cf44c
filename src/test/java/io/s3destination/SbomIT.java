package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The software bill of materials names what is in the runnable jar, and at which version. */
class SbomIT {

    private static final Path JAR = Path.of(System.getProperty("bundle.jar", "target/s3-destination.jar"));
    private static final Path SBOM = JAR.resolveSibling("s3-destination-sbom.json");

    private static final String ITSELF = "io.s3destination:s3-destination:";

    @BeforeAll
    static void hasBeenMade() {
        assumeTrue(Files.exists(SBOM), "the plugin that makes it is skipped by mvn -o");
    }

    @Test
    void everyLibraryInTheJarIsNamedWithItsVersion() throws IOException {
        Set<String> named = named();

        assertThat(named)
                .anyMatch(library -> library.startsWith("org.apache.camel:camel-kafka:"))
                .anyMatch(library -> library.startsWith("software.amazon.awssdk:s3:"));
        assertThat(named).containsAll(shipped());
    }

    @Test
    void whatOnlyTheTestsUseIsNotNamed() throws IOException {
        assertThat(named()).noneMatch(library -> library.matches(".*:(s3proxy|camel-console|kafka_2.13|jqwik):.*"));
    }

    @Test
    void kafkasClientIsOfTheVersionThatThePomNames() throws IOException {
        Properties kafka = new Properties();
        try (JarFile jar = new JarFile(JAR.toFile());
                InputStream version = jar.getInputStream(jar.getEntry("kafka/kafka-version.properties"))) {
            kafka.load(version);
        }

        assertThat(kafka.getProperty("version")).isEqualTo(System.getProperty("kafka.version"));
        assertThat(named())
                .filteredOn(library -> library.startsWith("org.apache.kafka:"))
                .containsExactly("org.apache.kafka:kafka-clients:" + System.getProperty("kafka.version"));
    }

    private static Set<String> named() throws IOException {
        Set<String> named = new HashSet<>();
        for (JsonNode component : new ObjectMapper().readTree(SBOM.toFile()).get("components")) {
            named.add(component.get("group").asText() + ":"
                    + component.get("name").asText() + ":"
                    + component.get("version").asText());
        }
        return named;
    }

    /** By the pom.properties that Maven puts into each jar, all of which are merged into ours. */
    private static List<String> shipped() throws IOException {
        List<String> shipped = new ArrayList<>();
        try (JarFile jar = new JarFile(JAR.toFile())) {
            for (JarEntry entry : jar.stream()
                    .filter(file -> file.getName().matches("META-INF/maven/.*/pom\\.properties"))
                    .toList()) {
                Properties maven = new Properties();
                try (InputStream text = jar.getInputStream(entry)) {
                    maven.load(text);
                }
                shipped.add(maven.getProperty("groupId") + ":" + maven.getProperty("artifactId") + ":"
                        + maven.getProperty("version"));
            }
        }
        // netty-common, which is named, carries a copy of the second under a package name of its own.
        shipped.removeIf(library -> library.startsWith(ITSELF) || library.startsWith("org.jctools:jctools-core:"));
        assertThat(shipped).hasSizeGreaterThan(30);
        return shipped;
    }
}
