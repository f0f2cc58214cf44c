package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.Chains;
import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A user's own steps for a record, before the step validate-json, with one record per object and with many. */
@ExtendWith(EmbeddedServices.class)
class RecordStepsTest {

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "steps-" + System.nanoTime();

    @TempDir
    Path directory;

    RecordStepsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void aRecordThatTheFilterOfTheReadmeLeavesOutIsCommittedWithoutAnObject(int recordsPerObject) throws Exception {
        insert(Readme.yaml("id: leave-out-snapshots"));

        List<String> stored =
                store(recordsPerObject, "{\"op\":\"c\"}", "{\"op\":\"r\"}", "{\"op\":\"u\"}", "{\"op\":\"r\"}");

        assertThat(stored).containsExactly("{\"op\":\"c\"}", "{\"op\":\"u\"}");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void aRecordThatAChoiceStopsIsCommittedWithoutAnObject(int recordsPerObject) throws Exception {
        insert(
                "- {choice: {when: [{expression: {simple: {expression: \"${body} contains 'unwanted'\"}}, steps: [{stop: {}}]}]}}");

        assertThat(store(recordsPerObject, "\"unwanted\"", "1", "\"unwanted\"", "3"))
                .containsExactly("1", "3");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void theStepOfTheReadmeAddsToARecordWhereItCameFrom(int recordsPerObject) throws Exception {
        insert(Readme.yaml("id: add-origin"));

        assertThat(store(recordsPerObject, "{\"name\":\"Zo\u00eb\"}", "2"))
                .containsExactly(
                        "{\"partition\":0,\"offset\":0,\"record\":{\"name\":\"Zo\u00eb\"}}",
                        "{\"partition\":0,\"offset\":1,\"record\":2}");
    }

    /** With one record per object the last of its lines would replace the others. */
    @Test
    void aSplitAroundTheOtherStepsMakesSeveralLinesOfARecord() throws Exception {
        EditedRoutes.copied(directory).nest("to-s3", "validate-json", """
                - split:
                    expression:
                      tokenize:
                        token: ";"
                    steps:
                """);

        assertThat(store(1_000, "1;2;3", "4", "5;6")).containsExactly("1", "2", "3", "4", "5", "6");
    }

    private void insert(String step) throws Exception {
        EditedRoutes.copied(directory).insert("to-s3", "validate-json", step);
    }

    /** What is stored of these values, each a record of partition 0, once all of them are committed. */
    @SuppressWarnings("try")
    private List<String> store(int recordsPerObject, String... values) throws Exception {
        kafka.createStream(stream, 1);
        s3.createBucket(stream);
        try (RunningBundle bundle = RunningBundle.start(RunningBundle.storing(
                        stream,
                        kafka,
                        s3.connectionUrl(stream),
                        Map.of(
                                "camel.main.routes-include-pattern",
                                new EditedRoutes(directory).pattern(),
                                "connector.to-s3.records_per_object",
                                String.valueOf(recordsPerObject),
                                "connector.to-s3.seconds_per_object",
                                "1")));
                KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(stream, value.getBytes(UTF_8)));
            }
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> kafka.commits("to-s3", stream).containsKey(0)
                            && kafka.commits("to-s3", stream).get(0).offset() == values.length
                            && bundle.notReady().isEmpty());
        }
        if (recordsPerObject == 1) {
            assertThat(s3.puts(stream)).doesNotHaveDuplicates();
        }
        return recordsPerObject == 1
                ? s3.objects(stream).values().stream()
                        .map(object -> new String(S3Server.unzipped(object.asByteArray()), UTF_8))
                        .toList()
                : Chains.lines(Chains.read(s3, stream, "datalake", stream));
    }
}
