package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.Flow;
import io.s3destination.embedded.Scrape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The README's example of two connectors and three streams, as it stands there, with records in each stream. */
@Execution(ExecutionMode.CONCURRENT)
class ManyConnectorsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String ORDERS = "public.orders";
    private static final String CUSTOMERS = "public.customers";
    private static final String INVOICES = "public.invoices";
    private static final String DATA_LAKE = "data-lake-bucket";
    private static final String ARCHIVE = "archive-bucket";
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```\\w+\n(.*?)^```$");
    private static final Pattern EXPORT = Pattern.compile("(?m)^export (\\w+)='(.*)'$");

    private EmbeddedKafka kafka;
    private EmbeddedS3 dataLake;
    private EmbeddedS3 archive;
    private BundleProcess bundle;
    private Flow flow;

    @BeforeEach
    void followTheReadme(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        kafka = EmbeddedKafka.start(directory.resolve("kafka"), 0);
        dataLake = EmbeddedS3.start(directory.resolve("data-lake"), 0);
        archive = EmbeddedS3.start(directory.resolve("archive"), 0);
        dataLake.createBucket(DATA_LAKE);
        archive.createBucket(ARCHIVE);
        for (String stream : List.of(ORDERS, CUSTOMERS, INVOICES)) {
            kafka.createStream(stream, 2);
        }
        bundle = new BundleProcess(Files.createDirectory(directory.resolve("bundle")));
        String readme = Files.readString(Path.of("README.md"));
        List<String> blocks = BLOCK.matcher(readme.substring(readme.indexOf("### Many connectors")))
                .results()
                .map(block -> block.group(1))
                .toList();
        Path here = bundle.directory();
        ProcessBuilder copy = new ProcessBuilder("bash", "-c", blocks.get(0)).directory(here.toFile());
        assertThat(copy.start().waitFor()).isZero();
        Files.writeString(here.resolve("application.properties"), blocks.get(1), StandardOpenOption.APPEND);
        for (MatchResult export : EXPORT.matcher(blocks.get(2)).results().toList()) {
            bundle.with(export.group(1), export.group(2));
        }
        bundle.with("DATALAKE_URL", dataLake.connectionUrl(DATA_LAKE))
                .with("ARCHIVE_URL", archive.connectionUrl(ARCHIVE))
                .with("KAFKA_BROKERS", kafka.brokers())
                .withProperty("camel.main.routes-reload-enabled", "true")
                .withProperty("camel.main.routes-reload-directory", "routes")
                .withProperty("camel.main.routes-reload-pattern", "*.camel.yaml")
                .start();
        flow = new Flow(kafka, List.of(ORDERS, CUSTOMERS, INVOICES));
        awaitObject(dataLake, DATA_LAKE, "datalake/" + ORDERS);
        awaitObject(dataLake, DATA_LAKE, "datalake/" + CUSTOMERS);
        awaitObject(archive, ARCHIVE, "archive/" + INVOICES);
    }

    @AfterEach
    void end() {
        flow.close();
        bundle.close();
        kafka.close();
        dataLake.close();
        archive.close();
    }

    @Test
    void eachStreamIsCompleteInTheBucketOfItsConnectorAndToldOfByName() throws Exception {
        flow.close();

        allIsPutOnce();

        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            Scrape scrape = Scrape.of(bundle.get("/observe/metrics").body());
            isCounted(scrape, "to-s3", ORDERS);
            isCounted(scrape, "to-s3", CUSTOMERS);
            isCounted(scrape, "to-archive", INVOICES);
            assertThat(scrape.of("s3_destination_records_stored_total", "")).hasSize(3);
            assertThat(scrape.of("s3_destination_ready", "").values()).containsExactly(1.0, 1.0);
        });
        assertThat(health()).contains("connector:to-s3", "connector:to-archive").doesNotContain("DOWN");
        assertThat(bundle.log())
                .containsOnlyOnce("to-s3 stores public.orders,public.customers in s3://data-lake-bucket/datalake, ")
                .containsOnlyOnce("to-archive stores public.invoices in s3://archive-bucket/archive, compression zip");
    }

    @Test
    void anEditOfOneLeavesTheStreamsOfTheOtherComplete() throws Exception {
        bundle.withRoute("to-archive", "\"{{connector.to-archive.folder:{{connector.to-archive.to}}}}\"", "edited");
        awaitObject(archive, ARCHIVE, "edited/");
        bundle.withRoute("to-s3", "\"{{connector.to-s3.folder:{{connector.to-s3.to}}}}\"", "edited");
        awaitObject(dataLake, DATA_LAKE, "edited/" + ORDERS);
        awaitObject(dataLake, DATA_LAKE, "edited/" + CUSTOMERS);

        bundle.withRoute("to-archive", "- to:", "- too:");
        await(() -> bundle.log().contains("Unknown node id: too"));
        awaitMore(dataLake, DATA_LAKE);
        awaitMore(archive, ARCHIVE);
        bundle.withRoute("to-s3", "edited", "held-up");
        bundle.withRoute("to-archive", "- too:", "- to:").withRoute("to-archive", "#kafka-clients", "#no-such-bean");
        await(() -> health().contains("no route to-archive"));
        awaitObject(dataLake, DATA_LAKE, "held-up/" + ORDERS);
        assertThat(bundle.get("/observe/metrics").body())
                .containsPattern("s3_destination_ready\\{connector=\"to-s3\"[^}]*} 1");
        bundle.withRoute("to-archive", "#no-such-bean", "#kafka-clients");
        awaitMore(archive, ARCHIVE);

        flow.close();
        allIsPutOnce();
    }

    @Test
    void aConnectorEndsWithItsRouteFileAndGoesOnWithItWhereItWas() throws Exception {
        Path route = bundle.directory().resolve("routes").resolve("to-archive.camel.yaml");
        String text = Files.readString(route);

        Files.delete(route);
        await(() -> bundle.log().contains("to-archive has ended with its route file"));
        int stored = archive.puts(ARCHIVE).size();
        awaitMore(dataLake, DATA_LAKE);

        assertThat(archive.puts(ARCHIVE)).hasSize(stored);
        assertThat(health()).doesNotContain("DOWN");
        Files.writeString(route, text);
        awaitMore(archive, ARCHIVE);
        flow.close();
        allIsPutOnce();
    }

    @Test
    void settingsWhoseRouteFileIsMissingAtTheStartAreDown() throws Exception {
        bundle.terminate();
        assertThat(bundle.ends(PATIENCE)).isTrue();
        Files.delete(bundle.directory().resolve("routes").resolve("to-archive.camel.yaml"));

        bundle.start();

        awaitMore(dataLake, DATA_LAKE);
        await(() -> health().contains("no route to-archive: its file is missing"));
    }

    private void allIsPutOnce() {
        flow.isPutOnce(dataLake, DATA_LAKE, ".gz", PATIENCE, ORDERS, CUSTOMERS);
        flow.isPutOnce(archive, ARCHIVE, ".zip", PATIENCE, INVOICES);
    }

    private void isCounted(Scrape scrape, String connector, String stream) {
        String labels = "connector=\"%s\",stream=\"%s\"".formatted(connector, stream);
        assertThat(scrape.of("s3_destination_records_stored_total", labels).values())
                .as(labels)
                .containsExactly((double) flow.size(stream));
    }

    private String health() throws Exception {
        return bundle.get("/observe/health").body();
    }

    private static void awaitMore(EmbeddedS3 s3, String bucket) {
        int before = s3.puts(bucket).size();
        await(() -> s3.puts(bucket).size() > before + 50);
    }

    private static void awaitObject(EmbeddedS3 s3, String bucket, String start) {
        await(() -> s3.puts(bucket).stream().anyMatch(key -> key.startsWith(start)));
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(condition);
    }
}
