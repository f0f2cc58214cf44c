package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.Testbed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A connector that is slow, idle, edited or paused is ready all the time. The limits of readiness are shortened, and each
 * case lasts for several of them; {@code -Dfaults=long} leaves them as they are in life.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
@SuppressWarnings("try")
class NoFalseAlarmIT {

    private static final boolean LONG = "long".equals(System.getProperty("faults"));
    private static final ReadinessLimits LIMITS = LONG ? ReadinessLimits.DEFAULT : ReadinessLimits.DEFAULT.shortened(3);
    private static final Duration LIMIT = LIMITS.stalled();
    private static final Duration PATIENCE = Duration.ofSeconds(LONG ? 600 : 150);
    private static final int MEGABYTE = 1 << 20;

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "no-alarm-" + System.nanoTime();

    @TempDir
    Path directory;

    NoFalseAlarmIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    private interface Scenario {
        void play(Testbed testbed, RunningBundle bundle) throws Exception;
    }

    @Test
    void idleThenOneRecord() throws Exception {
        isReadyAllTheTime(1, (testbed, bundle) -> {
            passes(3);
            testbed.produce(0, 1);
            await(() -> testbed.isDone(bundle));
            passes(1);
        });
    }

    /** In a partition each: a transaction that is open for some time, one that is aborted, and one that never ends. */
    @Test
    void transactions() throws Exception {
        isReadyAllTheTime(3, (testbed, bundle) -> {
            try (KafkaProducer<byte[], byte[]> open = transaction(0);
                    KafkaProducer<byte[], byte[]> aborted = transaction(1);
                    KafkaProducer<byte[], byte[]> hanging = transaction(2)) {
                aborted.abortTransaction();
                passes(2);
                await(() -> bundle.metric("s3.destination.lag") == 0
                        && s3.puts(stream).isEmpty());
                open.commitTransaction();
                await(() -> bundle.metric("s3.destination.lag") == 0
                        && s3.puts(stream).size() == 1);
                testbed.produce(1, 1);
                passes(1);
                await(() -> bundle.metric("s3.destination.lag") == 0
                        && s3.puts(stream).size() == 2);
                hanging.abortTransaction();
            }
        });
    }

    private KafkaProducer<byte[], byte[]> transaction(int partition) {
        KafkaProducer<byte[], byte[]> producer = kafka.producer(
                Map.of("transactional.id", stream + partition, "transaction.timeout.ms", String.valueOf(600_000)));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(stream, partition, null, "1".getBytes(UTF_8)));
        producer.flush();
        return producer;
    }

    @Test
    void slowPutsWithABacklog() throws Exception {
        isReadyAllTheTime(4, (testbed, bundle) -> {
            testbed.proxy().delay(LIMIT.dividedBy(6));
            for (int n = 0; n < 2_400; n++) {
                testbed.produce(n % 4, "1");
            }
            await(() -> testbed.isDone(bundle));
        });
    }

    /** One upload takes twice the limit; what the network's buffers hold is sent in much less. */
    @Test
    void largeObjectsOverASlowLink() throws Exception {
        try (Testbed testbed = testbed(kafka, 2).with("connector.to-s3.output_compression", "none")) {
            int size = 24 * MEGABYTE;
            testbed.proxy().throttle(size / (int) LIMIT.multipliedBy(2).toSeconds());
            isReadyAllTheTime(testbed, (same, bundle) -> {
                String value = "\"" + "x".repeat(size) + "\"";
                long start = System.nanoTime();
                testbed.produce(0, value);
                testbed.produce(1, value);
                await(() -> testbed.isDone(bundle));
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(LIMIT);
            });
        }
    }

    @Test
    void manyPartitionsWithABacklog() throws Exception {
        isReadyAllTheTime(500, (testbed, bundle) -> {
            String value = "\"" + "x".repeat(1_000) + "\"";
            for (int n = 0; n < 6_000; n++) {
                testbed.produce(n % 500, value);
            }
            await(() -> testbed.isDone(bundle));
        });
    }

    /** The broker's window of eleven seconds is shortened as the limits are. */
    @Test
    void aFetchQuotaWithABacklog() throws Exception {
        try (EmbeddedKafka throttling = EmbeddedKafka.start(
                        Files.createDirectory(directory.resolve("kafka")),
                        0,
                        Map.of("quota.window.num", LONG ? "11" : "3"));
                Testbed testbed = testbed(throttling, 2).with("camel.component.kafka.client-id", stream)) {
            int rate = 100_000;
            throttling
                    .admin()
                    .alterClientQuotas(List.of(new ClientQuotaAlteration(
                            new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, stream)),
                            List.of(new ClientQuotaAlteration.Op("consumer_byte_rate", (double) rate)))))
                    .all()
                    .get();
            isReadyAllTheTime(testbed, (same, bundle) -> {
                long start = System.nanoTime();
                String value = "\"" + "x".repeat(10_000) + "\"";
                int records = rate * 3 * (int) LIMIT.toSeconds() / value.length();
                for (int n = 0; n < records; n++) {
                    testbed.produce(n % 2, value);
                }
                await(() -> testbed.isDone(bundle));
                assertThat(Duration.ofNanos(System.nanoTime() - start))
                        .as("the time that the quota makes it take")
                        .isGreaterThan(LIMIT.multipliedBy(2));
            });
        }
    }

    @Test
    void twentyEditsUnderLoad() throws Exception {
        try (Testbed testbed = testbed(kafka, 4).withReload()) {
            isReadyAllTheTime(
                    testbed,
                    (same, bundle) -> underLoad(testbed, () -> {
                        for (int edit = 0; edit < 20; edit++) {
                            testbed.edit(bundle);
                        }
                        return null;
                    }));
        }
    }

    /** Of two processes one has no partition, and which one it is changes. */
    @Test
    void tenRebalancesWithAStandbyMember() throws Exception {
        isReadyAllTheTime(1, (testbed, bundle) -> {
            try (RunningBundle standby = testbed.start(NoFalseAlarmIT::shorten);
                    Alarms alarms = new Alarms(() -> standby.notReady().orElse(""))) {
                underLoad(testbed, () -> {
                    for (int rebalance = 0; rebalance < 10; rebalance++) {
                        testbed.rebalance();
                    }
                    return null;
                });
                await(() -> testbed.isDone(bundle) && testbed.isDone(standby));
                alarms.isEmpty();
            }
        });
    }

    /** For longer than its session with the broker, which ends. */
    @Test
    void aLaptopThatSleeps() throws Exception {
        kafka.createStream(stream, 2);
        s3.createBucket(stream);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer();
                BundleProcess bundle = new BundleProcess(directory)
                        .storing(stream, kafka, s3.connectionUrl(stream))
                        .withMain(NoFalseAlarmIT.class)
                        .start()) {
            producer.send(new ProducerRecord<>(stream, "1".getBytes(UTF_8)));
            await(() -> s3.puts(stream).size() == 1);
            try (Alarms alarms = new Alarms(() -> {
                String ready = bundle.get("/observe/health/ready").body();
                return ready.contains("DOWN") ? ready : "";
            })) {
                bundle.pause();
                await(() -> kafka.readers(stream) == 0);
                passes(2);
                producer.send(new ProducerRecord<>(stream, "1".getBytes(UTF_8)));

                bundle.wake();

                await(() -> s3.puts(stream).size() == 2);
                passes(2);
                alarms.isEmpty();
            }
        }
    }

    /** The bundle with the shortened limits, as a process of its own. */
    public static void main(String[] args) throws Exception {
        Main main = Bundle.configured();
        main.addMainListener(new MainListenerSupport() {
            @Override
            public void afterConfigure(BaseMainSupport configured) {
                shorten(configured.getCamelContext().getRegistry());
            }
        });
        main.run();
    }

    private static void shorten(Registry registry) {
        registry.bind("readiness-limits", ReadinessLimits.class, LIMITS);
    }

    private Testbed testbed(EmbeddedKafka broker, int partitions) throws Exception {
        return new Testbed(broker, s3, stream, partitions, Files.createDirectory(directory.resolve("routes")));
    }

    private void isReadyAllTheTime(int partitions, Scenario scenario) throws Exception {
        try (Testbed testbed = testbed(kafka, partitions)) {
            isReadyAllTheTime(testbed, scenario);
        }
    }

    private static void isReadyAllTheTime(Testbed testbed, Scenario scenario) throws Exception {
        try (RunningBundle bundle = testbed.start(NoFalseAlarmIT::shorten);
                Alarms alarms = new Alarms(() -> bundle.notReady().orElse(""))) {
            scenario.play(testbed, bundle);
            alarms.isEmpty();
        }
    }

    /** Plays while records are produced, and then waits until all are stored. */
    private void underLoad(Testbed testbed, Callable<Void> play) throws Exception {
        try (AutoCloseable load = testbed.load()) {
            play.call();
        }
        await(() -> s3.puts(stream).stream().distinct().count() == testbed.produced());
    }

    private static void passes(int limits) {
        Duration time = LIMIT.multipliedBy(limits);
        Awaitility.await().pollDelay(time).atMost(time.plus(PATIENCE)).until(() -> true);
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(condition);
    }
}
