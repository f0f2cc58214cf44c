package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.local.Local;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is mistyped or left out beside the settings of {@link RunnableJarIT}: it ends the start, saying what to do. */
@Execution(ExecutionMode.CONCURRENT)
class RefusedStartIT {

    private static final Duration START = Duration.ofSeconds(45);

    private BundleProcess bundle;

    interface Mistake {
        void make(BundleProcess bundle) throws Exception;
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        bundle = new BundleProcess(directory)
                .with("DATALAKE_URL", "s3://us-east-2/data-lake-bucket")
                .with("STREAM_NAME", "orders")
                .with("KAFKA_BROKERS", "localhost:9");
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake(
                        "an argument",
                        jar -> jar.withArgument("s3://KEY:hush/hush@us-east-2/lake"),
                        "it takes no arguments: settings stand in application.properties"),
                mistake(
                        "a profile without its file",
                        jar -> jar.with("CAMEL_MAIN_PROFILE", "prd"),
                        "there is no file application-prd.properties"),
                mistake(
                        "a layout of the log that there is not",
                        jar -> jar.withOption("-Dlog4j2.configurationFile=log4j2.properties,log4j2-jsom.properties"),
                        "log4j2.configurationFile names log4j2-jsom.properties"),
                mistake(
                        "a port that is none",
                        jar -> jar.withOption("-Dcamel.management.port=abc"),
                        "camel.management.port: 'abc' is no number. It must be the number of a free port"),
                mistake(
                        "a directory of edits that there is not",
                        jar -> jar.withProperty("camel.main.routes-reload-directory", "rutes"),
                        "camel.main.routes-reload-directory: there is no directory 'rutes'"),
                mistake(
                        "no dead-letter route",
                        jar -> Files.delete(route(jar, "dead-letter")),
                        "there is no route 'dead-letter', which others call"),
                mistake(
                        "no retries",
                        jar -> Files.delete(route(jar, "retry-until-stored")),
                        "there is no route 'retry-until-stored', which others call"),
                mistake(
                        "Kafka's own reset of offsets",
                        jar -> jar.withRoute("to-s3", "autoOffsetReset: none", "autoOffsetReset: earliest"),
                        "route to-s3: autoOffsetReset is earliest, and must be none"),
                mistake(
                        "a step that there is not",
                        jar -> jar.withRoute("to-s3", "- to:", "- too:"),
                        "Unknown node id: too",
                        "routes/to-s3.camel.yaml, line ",
                        "mend it in routes/ or application.properties"),
                mistake(
                        "a second connector without its properties",
                        jar -> Files.writeString(
                                route(jar, "to-archive"),
                                Files.readString(route(jar, "to-s3")).replace("to-s3", "to-archive")),
                        "connector.to-archive.",
                        "mend it in routes/ or application.properties"));
    }

    private static Arguments mistake(String name, Mistake mistake, String... said) {
        return arguments(named(name, mistake), said);
    }

    private static Path route(BundleProcess jar, String name) {
        return jar.directory().resolve("routes").resolve(name + ".camel.yaml");
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void aMistakeEndsTheStartSayingWhatToDo(Mistake mistake, String[] said) throws Exception {
        mistake.make(bundle);

        bundle.start();

        isRefusedSaying(said);
    }

    @Test
    void aPortThatIsTakenEndsTheStart() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            bundle.withOption("-Dcamel.management.port=" + taken.getLocalPort()).start();

            isRefusedSaying("camel.management.port: port " + taken.getLocalPort() + " cannot be had");
        }
    }

    @Test
    void aNumberOfRecordsThatIsNoneEndsTheLocalRun(@TempDir Path elsewhere) throws Exception {
        bundle = BundleProcess.ofMain(Local.class, elsewhere)
                .withArgument("many")
                .start();

        assertThat(bundle.ends(START)).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log()).contains("-Dlocal.records=many is no number").doesNotContain("hush", "\tat ");
    }

    /** In its last lines, which are what is seen. */
    private void isRefusedSaying(String... said) throws Exception {
        assertThat(bundle.ends(START)).as(bundle.log()).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log().substring(bundle.log().lastIndexOf("s3-destination cannot start:")))
                .contains(said)
                .doesNotContain("\tat ");
    }
}
