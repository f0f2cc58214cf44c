package io.s3destination;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The project that the real Camel CLI exports with the line of the README. It is compiled and run without Maven, which
 * would need plugins that this build does not, with the libraries of the tests; its pom must name ours.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class CamelExportIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);
    private static final Pattern LINE = Pattern.compile("(?m)^camel export .*\\\\\n.*$");
    private static final Pattern CAMEL = Pattern.compile("<artifactId>(camel-(?!bom)[\\w-]+)</artifactId>");
    /** In the exported pom by way of camel-micrometer-prometheus, and of camel-core. */
    private static final List<String> TRANSITIVE = List.of("camel-micrometer", "camel-log");

    @Test
    void theExportedProjectStores(
            EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        String name = "camel-export-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(1_000);
        Matcher line = LINE.matcher(Files.readString(Path.of("README.md")));
        assertThat(line.find()).isTrue();
        Path project = directory.resolve("orders-to-s3");

        // The names of the Kamelets, none of which is used; not every registry has them in Camel's own version.
        try (BundleProcess cli = BundleProcess.ofCamelCli(directory, line.group() + " --kamelets-version=4.18.0")) {
            cli.storing(name, kafka, s3.connectionUrl(name))
                    .with("DATALAKE_URL", null)
                    .with("STREAM_NAME", null)
                    .start();
            assertThat(cli.ends(PATIENCE)).isTrue();
            assertThat(cli.exitCode()).as(cli.log()).isZero();
        }

        assertThat(camel(project.resolve("pom.xml"))).containsAll(ours());
        assertThat(Files.readString(project.resolve("pom.xml")))
                .containsPattern("<artifactId>kafka-clients</artifactId>\\s*<version>"
                        + Pattern.quote(System.getProperty("kafka.version")) + "<");
        Path classes = compiled(project);
        try (BundleProcess bundle = BundleProcess.ofClasses(
                        "io.s3destination.CamelApplication", classes + File.pathSeparator + libraries(), project)
                .with("DATALAKE_URL", s3.connectionUrl(name))
                .with("STREAM_NAME", name)
                .with("KAFKA_BROKERS", kafka.brokers())
                .start()) {
            ledger.isComplete(PATIENCE);
            assertThat(bundle.get("/observe/health").body()).contains("connector:to-s3");
        }
    }

    private static List<String> camel(Path pom) throws IOException {
        return CAMEL.matcher(Files.readString(pom))
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    /** The Camel libraries of this build that are not for tests only. */
    private static List<String> ours() throws IOException {
        List<String> ours = new ArrayList<>(camel(Path.of("pom.xml")));
        ours.removeAll(TRANSITIVE);
        ours.removeIf(artifact ->
                artifact.matches("camel-(test-.*|catalog|management|console|opentelemetry2|k-crds|jbang-core)"));
        return ours;
    }

    private static Path compiled(Path project) throws IOException {
        Path resources = project.resolve("src/main/resources");
        Path classes = project.resolve("target/classes").toAbsolutePath();
        List<String> arguments = new ArrayList<>(List.of("-parameters", "-d", classes.toString(), "-cp", libraries()));
        try (Stream<Path> sources = Files.walk(project.resolve("src/main/java"))) {
            sources.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
        }
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)))
                .isZero();
        try (Stream<Path> files = Files.walk(resources)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = classes.resolve(resources.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
        return classes;
    }

    /** Those of the tests, without our own classes, routes and properties. */
    private static String libraries() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar"))
                .collect(joining(File.pathSeparator));
    }
}
