package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A user's filter leaves records out, which is no fault. */
@ExtendWith(EmbeddedServices.class)
class LeftOutRecordsTest {

    private static final String CHECK = "              - setVariable:\n                  id: validate-json";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{filter: {expression: {simple: {expression: \"${body} contains 'unwanted'\"}}, steps: [{stop: {}}]}}",
                "{choice: {when: [{expression: {simple: {expression: \"${body} contains 'unwanted'\"}}, steps: [{stop: {}}]}]}}"
            })
    @SuppressWarnings("try")
    void aRecordThatIsLeftOutIsCommittedWithoutAnObject(
            String step, @TempDir Path directory, EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        String stream = "left-out-" + System.nanoTime();
        kafka.createStream(stream, 1);
        s3.createBucket(stream);
        EditedRoutes routes =
                EditedRoutes.of(directory, route -> route.replace(CHECK, "              - " + step + "\n" + CHECK));
        try (RunningBundle bundle = RunningBundle.start(RunningBundle.storing(
                        stream,
                        kafka,
                        s3.connectionUrl(stream),
                        Map.of("camel.main.routes-include-pattern", routes.pattern())));
                KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (String value : List.of("1", "\"unwanted\"", "3")) {
                producer.send(new ProducerRecord<>(stream, value.getBytes(UTF_8)));
            }

            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> kafka.commits("to-s3", stream).containsKey(0)
                            && kafka.commits("to-s3", stream).get(0).offset() == 3
                            && bundle.notReady().isEmpty());
        }
        assertThat(s3.puts(stream)).hasSize(2).doesNotHaveDuplicates();
    }
}
