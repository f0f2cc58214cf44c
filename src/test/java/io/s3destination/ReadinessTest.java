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
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Readiness follows progress, whatever the cause of a stall. */
@ExtendWith(EmbeddedServices.class)
class ReadinessTest {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** While the records of another partition are stored. */
    @Test
    @SuppressWarnings("try")
    void aRecordThatHangsInAStepIsDownWithTheStep(EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path routes)
            throws Exception {
        String stream = "readiness-" + System.nanoTime();
        kafka.createStream(stream, 2);
        s3.createBucket(stream);
        CountDownLatch released = new CountDownLatch(1);
        Processor hanging = exchange -> hang(exchange, released);
        Map<String, String> settings = RunningBundle.storing(
                stream,
                kafka,
                s3.connectionUrl(stream),
                Map.of(
                        "camel.main.routes-include-pattern",
                        EditedRoutes.withStep(routes, "hanging").pattern()));

        try (RunningBundle bundle = RunningBundle.start(settings, registry -> {
                    registry.bind("hanging", Processor.class, hanging);
                    shorten(registry);
                });
                KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(500))
                    .untilAsserted(() -> {
                        producer.send(new ProducerRecord<>(stream, 0, null, "1".getBytes(UTF_8)));
                        producer.send(new ProducerRecord<>(stream, 1, null, "1".getBytes(UTF_8)));
                        assertThat(bundle.notReady()).hasValueSatisfying(why -> assertThat(why)
                                .contains(
                                        "partition " + stream + "-0 offset 0 in the step",
                                        "hanging",
                                        "in flight",
                                        "last progress"));
                    });
            assertThat(kafka.commits("to-s3", stream).get(1).offset()).isGreaterThan(10);

            released.countDown();

            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> bundle.notReady().isEmpty()
                            && bundle.metric("s3.destination.in.flight") == 0
                            && bundle.metric("s3.destination.lag") == 0);
        }
        assertThat(s3.puts(stream)).doesNotHaveDuplicates();
    }

    /** As on one broker whose offsets topic is to have three replicas. */
    @Test
    @SuppressWarnings("try")
    void aGroupWithoutACoordinatorIsDown(@TempDir Path directory, EmbeddedS3 s3) throws Exception {
        String stream = "readiness-" + System.nanoTime();
        s3.createBucket(stream);
        try (EmbeddedKafka kafka = EmbeddedKafka.start(directory, 0, Map.of("offsets.topic.replication.factor", "3"))) {
            kafka.createStream(stream, 1);
            try (RunningBundle bundle =
                    RunningBundle.start(RunningBundle.storing(stream, kafka, s3.connectionUrl(stream)))) {
                Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                        .hasValueSatisfying(
                                why -> assertThat(why).contains("no member of its group yet", "has no coordinator")));
            }
        }
    }

    /** As with a broker that answers fetches with nothing. */
    @Test
    @SuppressWarnings("try")
    void aPartitionWithLagThatGetsNoRecordsIsDown(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        String stream = "readiness-" + System.nanoTime();
        kafka.createStream(stream, 1);
        s3.createBucket(stream);
        try (RunningBundle bundle = RunningBundle.start(
                        RunningBundle.storing(
                                stream,
                                kafka,
                                s3.connectionUrl(stream),
                                Map.of(
                                        "camel.component.kafka.fetch-min-bytes",
                                        "8000000",
                                        "camel.component.kafka.fetch-wait-max-ms",
                                        "600000",
                                        "camel.component.kafka.consumer-request-timeout-ms",
                                        "700000")),
                        ReadinessTest::shorten);
                KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.notReady().isEmpty());

            producer.send(new ProducerRecord<>(stream, "1".getBytes(UTF_8)));

            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                    .hasValueSatisfying(why -> assertThat(why)
                            .contains("partition " + stream + "-0 has lag and gets no records", "1 records pending")));
        }
    }

    @Test
    @SuppressWarnings("try")
    void aPartitionWithoutALeaderIsDownWhileTheOthersAreStored(@TempDir Path directory, EmbeddedS3 s3)
            throws Exception {
        String stream = "readiness-" + System.nanoTime();
        s3.createBucket(stream);
        try (EmbeddedKafka kafka = EmbeddedKafka.start(directory.resolve("1"), 0)) {
            // So that the offsets are on the broker that stays.
            kafka.committed("to-s3");
            EmbeddedKafka second = kafka.startSecond(directory.resolve("2"));
            kafka.admin()
                    .createTopics(List.of(new NewTopic(stream, Map.of(0, List.of(1), 1, List.of(2)))))
                    .all()
                    .get();
            try (RunningBundle bundle = RunningBundle.start(
                            RunningBundle.storing(stream, kafka, s3.connectionUrl(stream)), ReadinessTest::shorten);
                    KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
                producer.send(new ProducerRecord<>(stream, 0, null, "1".getBytes(UTF_8)));
                producer.send(new ProducerRecord<>(stream, 1, null, "1".getBytes(UTF_8)));
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> s3.puts(stream).size() == 2
                                && bundle.series("s3.destination.lag") == 2
                                && bundle.notReady().isEmpty());

                second.close();
                producer.send(new ProducerRecord<>(stream, 0, null, "1".getBytes(UTF_8)));

                Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                        .hasValueSatisfying(
                                why -> assertThat(why).contains("partition " + stream + "-1 has an unknown lag")));
                Awaitility.await().atMost(PATIENCE).until(() -> s3.puts(stream).size() == 3);
                assertThat(bundle.series("s3.destination.lag")).isEqualTo(1);

                try (EmbeddedKafka again = kafka.startSecond(directory.resolve("2"))) {
                    Awaitility.await()
                            .atMost(PATIENCE)
                            .until(() -> bundle.notReady().isEmpty() && bundle.series("s3.destination.lag") == 2);
                }
            }
        }
    }

    @Test
    @SuppressWarnings("try")
    void aTransactionThatHangsIsCountedAndReady(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        String stream = "readiness-" + System.nanoTime();
        kafka.createStream(stream, 2);
        s3.createBucket(stream);
        ReadinessLimits whole = ReadinessLimits.DEFAULT.shortened(5);
        ReadinessLimits limits = new ReadinessLimits(
                whole.interval(),
                whole.failing(),
                whole.stalled(),
                whole.throttled(),
                whole.hanging(),
                whole.stalled().multipliedBy(2));
        try (KafkaProducer<byte[], byte[]> producer = kafka.transactionalProducer(stream);
                RunningBundle bundle = RunningBundle.start(
                        RunningBundle.storing(stream, kafka, s3.connectionUrl(stream)),
                        registry -> registry.bind("readiness-limits", ReadinessLimits.class, limits))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(stream, 0, null, "1".getBytes(UTF_8)))
                    .get();

            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.hanging.transactions") == 1);
            assertThat(bundle.notReady()).isEmpty();

            producer.commitTransaction();

            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> bundle.metric("s3.destination.hanging.transactions") == 0
                            && s3.puts(stream).size() == 1);
        }
    }

    private static void shorten(Registry registry) {
        registry.bind("readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(5));
    }

    private static void hang(Exchange exchange, CountDownLatch released) throws InterruptedException {
        boolean isIt = exchange.getMessage().getHeader(KafkaConstants.PARTITION, Integer.class) == 0
                && exchange.getMessage().getHeader(KafkaConstants.OFFSET, Long.class) == 0;
        if (isIt) {
            released.await();
        }
    }
}
