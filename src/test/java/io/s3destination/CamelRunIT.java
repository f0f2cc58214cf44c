package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import io.s3destination.embedded.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sources under the real Camel CLI, with the line of the README. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class CamelRunIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private final String name = "camel-run-" + UUID.randomUUID();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private BundleProcess bundle;
    private Ledger ledger;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    CamelRunIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @Test
    void storesWithNothingCompiledBeforehand() throws Exception {
        given("");

        bundle.withOption("-Xlog:class+load:file=classes").start();

        ledger.produce(1_000);
        ledger.isComplete(PATIENCE);
        bundle.terminate();
        assertThat(bundle.ends(PATIENCE)).isTrue();
        assertThat(bundle.log()).contains("Started to-s3").doesNotContain("ERROR", "ConsumerConfig values");
        assertThat(Files.readAllLines(directory.resolve("classes")).stream()
                        .filter(line -> line.contains(" " + KafkaConsumer.class.getName() + " ")))
                .singleElement()
                .asString()
                .endsWith("/kafka-clients-" + System.getProperty("kafka.version") + ".jar");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Duser.language=ar -Duser.country=EG", "-Duser.language=tr -Duser.country=TR"})
    void storesUnderTheSameNamesInAnyLanguage(String language) throws Exception {
        given("");

        bundle.withOption(language).start();

        ledger.produce(200);
        ledger.isComplete(PATIENCE);
    }

    @Test
    void aProfileHasPropertiesOfItsOwnSuchAsManyRecordsPerObjectAndTheLogMayBeJson() throws Exception {
        given(" --profile=prod --logging-json");
        Files.writeString(directory.resolve("application-prod.properties"), """
                connector.to-s3.records_per_object = 500
                connector.to-s3.seconds_per_object = 1
                """);

        bundle.start();

        ledger.produce(3_000);
        ledger.isCompleteInChains(PATIENCE);
        assertThat(bundle.log().lines()).anyMatch(line -> line.startsWith("{") && line.contains("Started to-s3"));
    }

    @Test
    void aBadSettingEndsItWithTheSameMessage() throws Exception {
        given("");

        bundle.with("STREAM_NAME", null).start();

        assertThat(bundle.ends(PATIENCE)).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(1);
        assertThat(bundle.log()).contains("STREAM_NAME (connector.to-s3.input) is not set");
    }

    @Test
    void editsTakeEffectWhileRecordsFlow() throws Exception {
        given(" --dev");
        bundle.start();
        Map<String, byte[]> produced = new ConcurrentHashMap<>();
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            clock.scheduleAtFixedRate(() -> produce(producer, produced), 0, 10, TimeUnit.MILLISECONDS);
            awaitObject(key -> key.startsWith("datalake/"));

            bundle.withRoute("to-s3", "{{connector.to-s3.folder:{{connector.to-s3.to}}}}", "edited");
            awaitObject(key -> key.startsWith("edited/") && key.endsWith(".gz"));

            bundle.withRoute("to-s3", "compress-{{lowercase:{{connector.to-s3.output_compression}}}}", "compress-none");
            awaitObject(key -> key.startsWith("edited/") && !key.endsWith(".gz"));

            bundle.withRoute("compress-none", "expression: application/json", """
                    expression: application/json
                            - setHeader:
                                name: CamelAwsS3Metadata
                                expression:
                                  simple:
                                    expression: "${map(stream,${header[kafka.TOPIC]})}\"""");
            awaitObject(key -> key.startsWith("edited/")
                    && !key.endsWith(".gz")
                    && s3.client()
                            .headObject(object -> object.bucket(name).key(key))
                            .metadata()
                            .containsKey("stream"));
            // Records that met the called route while it was stopped are retried: the last edit changes their names.
            Set<String> read = Set.copyOf(produced.keySet());
            patiently().until(() -> s3.puts(name).stream()
                    .map(CamelRunIT::record)
                    .collect(Collectors.toSet())
                    .containsAll(read));

            bundle.withRoute("to-s3", "- to:", "- too:");
            patiently().until(() -> bundle.log().contains("too"));
            int before = s3.puts(name).size();
            patiently().until(() -> s3.puts(name).size() > before + 50);

            bundle.withRoute("to-s3", "- too:", "- to:").withRoute("to-s3", "\"edited\"", "healed");
            awaitObject(key -> key.startsWith("healed/"));
        } finally {
            clock.shutdown();
        }

        assertThat(clock.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        patiently().until(() -> s3.puts(name).size() >= produced.size());
        Map<String, byte[]> stored = new HashMap<>();
        Map<String, List<String>> keys = new TreeMap<>();
        s3.objects(name).forEach((key, object) -> {
            keys.computeIfAbsent(record(key), unused -> new ArrayList<>()).add(key);
            stored.put(
                    record(key), key.endsWith(".gz") ? S3Server.unzipped(object.asByteArray()) : object.asByteArray());
        });
        keys.values().removeIf(names -> names.size() == 1);
        assertThat(keys)
                .as("records under several names; the log: " + bundle.log())
                .isEmpty();
        assertThat(stored).containsExactlyInAnyOrderEntriesOf(produced);
        assertThat(bundle.log())
                .contains("Error reloading routes from file: routes/to-s3.camel.yaml due to: Unknown node id: too")
                .doesNotContain("correct the route");
    }

    private void produce(KafkaProducer<byte[], byte[]> producer, Map<String, byte[]> produced) {
        byte[] value = ("{\"after\": " + produced.size() + "}").getBytes(UTF_8);
        producer.send(new ProducerRecord<>(name, value), (record, fault) -> {
            if (fault == null) {
                produced.put("%s-%d-%010d".formatted(name, record.partition(), record.offset()), value);
            }
        });
    }

    /** The name of the record, without folder and suffix. */
    private static String record(String key) {
        return key.replaceAll("^.*/|\\.gz$", "");
    }

    private void awaitObject(Predicate<String> sought) {
        patiently().until(() -> s3.puts(name).stream().anyMatch(sought));
    }

    private void given(String options) throws Exception {
        ledger = new Ledger(kafka, s3, name, name, name);
        String line = Files.readString(Path.of("README.md"))
                .lines()
                .filter(text -> text.startsWith("camel run "))
                .findFirst()
                .orElseThrow();
        bundle = BundleProcess.ofCamelCli(directory, line + options).storing(name, kafka, s3.connectionUrl(name));
    }

    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(PATIENCE);
    }
}
