package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every command of the README, one after the other, as in a fresh clone. How one is run without Docker, cluster and
 * account is in {@code readme-commands.sh}; what is not told there fails.
 */
@ExtendWith(EmbeddedServices.class)
class ReadmeIT {

    private static final String STREAM = "public.orders";
    private static final String BUCKET = "data-lake-bucket";

    /** Of the sample that takes a fault: {@link HealthIT} looks for what it says. */
    private static final String HEALTH = "{\"name\"";

    private final Readme readme = Readme.read();

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    ReadmeIT() throws IOException {}

    @Test
    void itsCommandsRunInTheirOrderAndSayWhatItShows(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        Path clone = cloned();
        ProcessBuilder script = script(clone, kafka, s3);
        kafka.createStream(STREAM, 4);
        s3.createBucket(BUCKET);
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        Process shell = script.start();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            clock.scheduleAtFixedRate(
                    () -> producer.send(new ProducerRecord<>(STREAM, "{}".getBytes(UTF_8))),
                    0,
                    100,
                    TimeUnit.MILLISECONDS);

            boolean ended = shell.waitFor(10, TimeUnit.MINUTES);

            String output = Files.readString(directory.resolve("output"));
            assertThat(ended && shell.exitValue() == 0).as(output).isTrue();
            assertThat(readme.samples())
                    .filteredOn(sample -> !sample.equals("…") && !sample.startsWith(HEALTH))
                    .isNotEmpty()
                    .allSatisfy(sample -> assertThat(output).containsPattern(Readme.pattern(sample)));
        } finally {
            clock.shutdownNow();
            shell.descendants().forEach(ProcessHandle::destroyForcibly);
            shell.destroyForcibly();
        }
        assertThat(s3.keys(BUCKET)).allMatch(key -> key.startsWith("datalake/" + STREAM + "-"));
        assertThat(clone.resolve("routes/to-archive.camel.yaml"))
                .content()
                .contains("id: to-archive")
                .doesNotContain("to-s3");
    }

    @Test
    void itsConnectionUrlsAreValid() {
        Pattern url = Pattern.compile("_URL='([^']*)'");
        assertThat(url.matcher(readme.script()).results()).isNotEmpty().allSatisfy(export -> assertThatCode(
                        () -> ConnectionUrl.parse(export.group(1)))
                .doesNotThrowAnyException());
    }

    private ProcessBuilder script(Path clone, EmbeddedKafka kafka, EmbeddedS3 s3) throws IOException {
        Path script = directory.resolve("script");
        Files.writeString(script, ". \"$COMMANDS\"\n" + readme.script());
        ProcessBuilder builder = new ProcessBuilder("bash", script.toString())
                .directory(clone.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile());
        Path camel = BundleProcess.camelCli(Files.createDirectory(directory.resolve("bin")));
        builder.environment().keySet().removeAll(List.of("DATALAKE_URL", "STREAM_NAME", "KAFKA_BROKERS"));
        builder.environment()
                .put(
                        "COMMANDS",
                        Path.of("src/test/resources/readme-commands.sh")
                                .toAbsolutePath()
                                .toString());
        builder.environment().put("REAL_PATH", System.getenv("PATH"));
        builder.environment().put("REPOSITORY", System.getProperty("localRepository"));
        builder.environment()
                .put("OFFLINE", "offline=true".equals(System.getProperty("maven.session")) ? "--offline" : "");
        builder.environment().put("CAMEL", camel.toString());
        builder.environment().put("EMBEDDED_URL", s3.connectionUrl(BUCKET));
        builder.environment().put("EMBEDDED_BROKERS", kafka.brokers());
        builder.environment().put("MANAGEMENT_PORT", String.valueOf(EmbeddedKafka.freePort()));
        return builder;
    }

    /** What git has of the repository, with a group of its own. */
    private Path cloned() throws IOException {
        Path clone = directory.resolve("clone");
        try (Stream<Path> paths = Files.walk(Path.of(""))) {
            for (Path path : paths.filter(Files::isRegularFile)
                    .filter(path -> !path.startsWith("target") && !path.startsWith(".git"))
                    .toList()) {
                Files.createDirectories(clone.resolve(path).getParent());
                Files.copy(path, clone.resolve(path));
            }
        }
        Path route = clone.resolve("routes/to-s3.camel.yaml");
        Files.writeString(route, Manifests.inGroup(Files.readString(route), "readme"));
        return clone;
    }
}
