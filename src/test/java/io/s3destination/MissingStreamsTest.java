package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Streams that are not there, or not any more. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class MissingStreamsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String name = "missing-" + System.nanoTime();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final Map<String, String> settings = new HashMap<>();

    MissingStreamsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() {
        s3.createBucket(name);
        settings.put("camel.component.kafka.brokers", kafka.brokers());
        settings.put("resource.datalake.url", s3.connectionUrl(name));
        settings.put("camel.component.kafka.metadata-max-age-ms", "1000");
    }

    @Test
    void aStreamThatDoesNotExistIsDownWhileTheOthersAreStored() throws Exception {
        settings.put("connector.to-s3.input", name + "," + name + "-late");
        kafka.createStream(name, 1);
        try (RunningBundle bundle = start()) {
            awaitNotReady(bundle, "stream " + name + "-late does not exist");
            awaitStored(name, 1);

            kafka.createStream(name + "-late", 1);

            awaitReady(bundle);
            awaitStored(name + "-late", 2);
        }
    }

    @Test
    void aStreamThatIsDeletedWhileItIsReadIsDownWhileTheOthersAreStored() throws Exception {
        settings.put("connector.to-s3.input", name + "," + name + "-deleted");
        kafka.createStream(name, 1);
        kafka.createStream(name + "-deleted", 1);
        try (RunningBundle bundle = start()) {
            awaitStored(name + "-deleted", 1);

            delete(name + "-deleted");

            awaitNotReady(bundle, "stream " + name + "-deleted does not exist");
            awaitStored(name, 2);
        }
    }

    @Test
    void aPatternThatMatchesNothingIsDownUntilAStreamMatches() throws Exception {
        settings.put("connector.to-s3.input", name + ".*");
        settings.put("connector.to-s3.input_is_pattern", "true");
        try (RunningBundle bundle = start()) {
            awaitNotReady(bundle, "no stream matches the pattern " + name + ".*");

            kafka.createStream(name + "-late", 1);

            awaitReady(bundle);
            awaitStored(name + "-late", 1);
        }
    }

    @Test
    void aStreamOfAPatternThatIsDeletedIsDroppedAndTheOthersGoOn() throws Exception {
        settings.put("connector.to-s3.input", name + ".*");
        settings.put("connector.to-s3.input_is_pattern", "true");
        kafka.createStream(name, 2);
        kafka.createStream(name + "-deleted", 1);
        try (RunningBundle bundle = start()) {
            awaitStored(name + "-deleted", 1);
            await(() -> assertThat(bundle.series("s3.destination.lag")).isEqualTo(3));

            delete(name + "-deleted");

            await(() -> assertThat(bundle.series("s3.destination.lag")).isEqualTo(2));
            awaitReady(bundle);
            awaitStored(name, 2);
        }
    }

    private RunningBundle start() {
        return RunningBundle.start(
                settings,
                registry ->
                        registry.bind("readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(5)));
    }

    private void delete(String stream) throws Exception {
        kafka.admin().deleteTopics(List.of(stream)).all().get();
    }

    /** Produces one record, and waits until the bucket has that many objects. */
    private void awaitStored(String stream, int objects) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(stream, 0, null, "1".getBytes(UTF_8)))
                    .get();
        }
        await(() -> assertThat(s3.puts(name)).hasSize(objects));
    }

    private static void awaitNotReady(RunningBundle bundle, String cause) {
        await(() -> assertThat(bundle.notReady())
                .hasValueSatisfying(why -> assertThat(why).contains(cause)));
    }

    private static void awaitReady(RunningBundle bundle) {
        await(() -> assertThat(bundle.notReady()).isEmpty());
    }

    private static void await(ThrowingRunnable condition) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(condition);
    }
}
