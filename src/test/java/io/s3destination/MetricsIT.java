package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import io.s3destination.embedded.Scrape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What the runnable jar answers at /observe/metrics, while it cannot store and when it has stored all. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class MetricsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int RECORDS = 600;
    private static final Pattern METRIC = Pattern.compile("\\b(?:s3_destination|camel|jvm|process|system)_\\w+");

    @Test
    void tellWhatIsStoredWhatIsBehindAndWhatFails(
            EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        String name = "metrics-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(RECORDS);
        s3.deny(name);

        try (BundleProcess bundle = new BundleProcess(directory)
                .storing(name, kafka, s3.connectionUrl(name))
                .start()) {
            await(bundle, scrape -> {
                assertThat(scrape.of("s3_destination_lag_records", "connector=\"to-s3\""))
                        .hasSize(4);
                assertThat(scrape.sum("s3_destination_lag_records")).isEqualTo(RECORDS);
                assertThat(scrape.sum("s3_destination_in_flight_records")).isEqualTo(RECORDS);
                assertThat(scrape.sum("s3_destination_retries_total")).isPositive();
                assertThat(scrape.sum("s3_destination_records_stored_total")).isZero();
                assertThat(scrape.sum("s3_destination_last_stored_age_seconds")).isPositive();
                assertThat(scrape.sum("s3_destination_ready")).isZero();
            });

            s3.allow(name);
            ledger.isComplete(PATIENCE);

            long bytes = s3.objects(name).values().stream()
                    .mapToLong(object -> object.asByteArray().length)
                    .sum();
            Scrape last = await(bundle, scrape -> {
                assertThat(scrape.sum("s3_destination_lag_records")).isZero();
                assertThat(scrape.sum("s3_destination_in_flight_records")).isZero();
                assertThat(scrape.sum("s3_destination_ready")).isOne();
            });
            assertThat(last.of("s3_destination_records_stored_total", "stream=\"" + name + "\""))
                    .containsValue((double) RECORDS - ledger.deadLetters());
            assertThat(last.sum("s3_destination_dead_letters_total")).isEqualTo(ledger.deadLetters());
            assertThat(last.sum("s3_destination_stored_bytes_total")).isEqualTo(bytes);
            assertThat(last.of("s3_destination_upload_seconds_bucket", "le=\"+Inf\""))
                    .containsValue((double) RECORDS);
            assertThat(last.names()).containsAll(graphed());
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.log().contains("records stored in"));
        }
    }

    @Test
    void tellWhatIsInObjectsOfManyRecordsAndWhatCompletedThem(
            EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        String name = "metrics-many-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(RECORDS);

        try (BundleProcess bundle = new BundleProcess(directory)
                .storing(name, kafka, s3.connectionUrl(name))
                .withProperty("connector.to-s3.records_per_object", "100")
                .withProperty("connector.to-s3.seconds_per_object", "4")
                .start()) {
            ledger.isCompleteInChains(PATIENCE);

            int objects = s3.keys(name).size() - 1 - ledger.deadLetters();
            long bytes = s3.objects(name).entrySet().stream()
                    .filter(object -> object.getKey().endsWith(".ndjson.gz"))
                    .mapToLong(object -> object.getValue().asByteArray().length)
                    .sum();
            // Of the 150 records of each partition the first 100 complete an object.
            Map<String, Double> completed = Map.of("records", 4.0, "bytes", 0.0, "age", objects - 4.0, "memory", 0.0);
            await(bundle, scrape -> {
                assertThat(scrape.sum("s3_destination_objects_stored_total")).isEqualTo(objects + ledger.deadLetters());
                assertThat(scrape.sum("s3_destination_records_per_object_records_count"))
                        .isEqualTo(objects);
                assertThat(scrape.sum("s3_destination_records_per_object_records_sum"))
                        .isEqualTo(RECORDS - ledger.deadLetters());
                assertThat(scrape.sum("s3_destination_bytes_per_object_bytes_sum"))
                        .isEqualTo(bytes);
                assertThat(scrape.sum("s3_destination_objects_found_total")).isZero();
                completed.forEach(
                        (by, runs) -> assertThat(scrape.of("s3_destination_runs_completed_total", "by=\"" + by + "\""))
                                .as(by)
                                .containsValue(runs));
            });
        }
    }

    /** Every metric of the dashboard and the alerts. */
    private static Set<String> graphed() throws Exception {
        Set<String> metrics = new TreeSet<>();
        ObjectMapper json = new ObjectMapper();
        for (JsonNode expression : json.readTree(
                        Path.of("deploy", "grafana", "s3-destination.json").toFile())
                .findValues("expr")) {
            METRIC.matcher(expression.asText()).results().forEach(metric -> metrics.add(metric.group()));
        }
        Files.readString(Path.of("deploy", "prometheus", "s3-destination-alerts.yaml"))
                .lines()
                .filter(line -> line.strip().startsWith("expr:"))
                .forEach(line -> METRIC.matcher(line).results().forEach(metric -> metrics.add(metric.group())));
        assertThat(metrics).as("metrics that are graphed").hasSizeGreaterThan(10);
        return metrics;
    }

    private static Scrape await(BundleProcess bundle, Consumer<Scrape> condition) {
        Scrape[] last = new Scrape[1];
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> {
            last[0] = Scrape.of(bundle.get("/observe/metrics").body());
            condition.accept(last[0]);
        });
        return last[0];
    }
}
