package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.KafkaProcess;
import io.s3destination.embedded.KafkaServer;
import io.s3destination.embedded.Ledger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What goes wrong around the bundle, with real parts: the runnable jar, a Kafka broker and an S3 server behind a faulty
 * network. After every fault each record has exactly its object, or is in exactly one of many, and meanwhile no more is committed
 * than is stored.
 *
 * <p>The times are goals: what was measured is printed, and three times as much is let pass, for slow machines, as long as it is
 * less than what Kafka and Camel take by default. {@code
 * -Dfaults=long} makes the faults as long as they are in life, {@code -Dfaults.seed} chooses random ones again.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
abstract class FaultsSuite {

    private static final AtomicInteger TESTS = new AtomicInteger();
    private static final boolean LONG = "long".equals(System.getProperty("faults"));
    static final long SEED = Long.getLong("faults.seed", System.nanoTime());
    static final Duration FAULT = Duration.ofSeconds(LONG ? 30 : 6);
    static final Duration PATIENCE = Duration.ofSeconds(90);
    static final Duration GOES_ON = Duration.ofSeconds(10);
    private static final Duration READS_AGAIN = Duration.ofSeconds(15);
    private static final Duration ENDS = Duration.ofSeconds(15);
    /** How long Kafka waits for a member that is gone, and Camel for records in flight, unless they are set otherwise. */
    private static final Duration UNTOLD = Duration.ofSeconds(40);

    /** What is left, when S3 is well again, of the 30 seconds that the SDK lets a connection be silent by default. */
    private static final Duration SILENT = Duration.ofSeconds(20);

    final EmbeddedKafka embeddedKafka;
    final int records;
    final String name = "faults-" + TESTS.incrementAndGet();
    FaultyProxy proxy;
    BundleProcess bundle;
    Ledger ledger;

    private final EmbeddedS3 s3;
    private final int recordsPerObject;
    private BundleProcess second;
    private String test;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    /** @param records so many that not all are stored before a test has begun its fault */
    FaultsSuite(EmbeddedKafka kafka, EmbeddedS3 s3, int recordsPerObject, int records) {
        this.embeddedKafka = kafka;
        this.s3 = s3;
        this.recordsPerObject = recordsPerObject;
        this.records = records;
    }

    @BeforeEach
    void startTheProxy(TestInfo info) throws Exception {
        test = info.getTestMethod().orElseThrow().getName() + " " + info.getDisplayName();
        proxy = new FaultyProxy(s3.endpoint(), SEED);
    }

    @AfterEach
    void end() {
        if (bundle != null) {
            bundle.close();
        }
        if (second != null) {
            second.close();
        }
        proxy.close();
    }

    @Test
    void goesOnWhenS3IsWellAgain() throws Exception {
        given(embeddedKafka);
        startedInMidLoad();

        for (Fault fault : List.of(Fault.SLOW_DOWN, Fault.HANG, Fault.REFUSE)) {
            proxy.fail(fault);
            lasting(FAULT);
            proxy.fix();
            goesOn(GOES_ON, SILENT);
            ledger.produce(records / 5);
        }

        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void storesEachRecordOnceWhenAnswersAreLost() throws Exception {
        given(embeddedKafka);
        startedInMidLoad();

        proxy.fail(Fault.ANSWER_LOST);
        lasting(FAULT);
        proxy.fix();

        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void readsAgainSoonAfterItWasKilled() throws Exception {
        given(embeddedKafka);
        proxy.delay(Duration.ofMillis(50));

        for (int kill = 0; kill < (LONG ? 5 : 2); kill++) {
            startedInMidLoad();
            bundle.kill();
            ledger.committedIsStored();
            ledger.produce(records / 5);
        }
        bundle.start();

        goesOn(READS_AGAIN);
        ledger.isComplete(PATIENCE);
    }

    @Test
    void goesOnWhenTheBrokerIsBack() throws Exception {
        try (KafkaProcess kafka = new KafkaProcess(directory).start()) {
            given(kafka);
            proxy.delay(Duration.ofMillis(50));
            startedInMidLoad();

            kafka.stop();
            lasting(FAULT, () -> bundle.isAlive());
            kafka.start();
            ledger.produce(records / 5);
            goesOn(GOES_ON);
            ledger.committedIsStored();
            kafka.kill();
            lasting(FAULT, () -> bundle.isAlive());
            kafka.start();
            ledger.produce(records / 5);

            goesOn(GOES_ON);
            ledger.isComplete(PATIENCE);
            reportedAsOutages();
        }
    }

    @Test
    void endsSoonOnSigtermInMidLoadAndStoresTheRestAfterwards() throws Exception {
        given(embeddedKafka);
        proxy.delay(Duration.ofMillis(100));
        startedInMidLoad();
        // What waits for its turn would take a minute.
        proxy.delay(Duration.ofSeconds(2));

        terminated(ENDS);
        ledger.committedIsStored();
        proxy.delay(Duration.ZERO);
        bundle.start();

        ledger.isComplete(PATIENCE);
        // What was stored when it ended was committed, and not stored again.
        assertThat(s3.puts(name).stream().filter(key -> !key.contains("/_chain/")))
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({"REFUSE, 15", "HANG, 30"})
    void endsSoonOnSigtermWhileS3FailsAndStoresTheRestAfterwards(Fault fault, int seconds) throws Exception {
        given(embeddedKafka);
        startedInMidLoad();
        proxy.fail(fault);
        lasting(FAULT);

        terminated(Duration.ofSeconds(seconds));
        if (fault == Fault.REFUSE) {
            // No record is in flight, so nothing is waited for.
            assertThat(bundle.log()).doesNotContain("Timeout occurred during graceful shutdown");
        }
        ledger.committedIsStored();
        proxy.fix();
        bundle.start();

        ledger.isComplete(PATIENCE);
    }

    /** @param type of the assignor's class; null for the one of the consumer protocol of KIP-848 */
    void aSecondInstanceComesAndGoesWith(String assignor, String type) throws Exception {
        given(embeddedKafka);
        second = bundle(embeddedKafka, "second");
        for (BundleProcess instance : List.of(bundle, second)) {
            if (type == null) {
                // The consumer protocol of KIP-848, in which the broker shares out and knows the timeouts.
                instance.withRoute("to-s3", "sessionTimeoutMs: 10000", "")
                        .withProperty("camel.component.kafka.additional-properties[group.protocol]", "consumer");
            } else {
                instance.withProperty(
                        "camel.component.kafka.partition-assignor", "org.apache.kafka.clients.consumer." + type);
            }
        }
        proxy.delay(Duration.ofMillis(200));

        startedInMidLoad();
        second.start();
        Awaitility.await().atMost(PATIENCE).until(() -> embeddedKafka.readers(name) == 2);
        assertThat(embeddedKafka.assignor(name)).isEqualTo(assignor);
        ledger.produce(records / 5);
        ledger.committedIsStored();
        proxy.delay(Duration.ZERO);
        second.terminate();
        assertThat(second.ends(limit(ENDS))).isTrue();
        ledger.committedIsStored();

        ledger.isComplete(PATIENCE);
    }

    void given(KafkaServer kafka) throws Exception {
        ledger = recordsPerObject == 1
                ? new Ledger(kafka, s3, name, name, name)
                : Ledger.ofManyRecords(kafka, s3, name, name, name);
        ledger.produce(records);
        bundle = bundle(kafka, "bundle");
    }

    /** The bundle, reading with a group that no other test has had. */
    private BundleProcess bundle(KafkaServer kafka, String folder) throws Exception {
        return new BundleProcess(Files.createDirectory(directory.resolve(folder)))
                .storing(name, kafka, s3.connectionUrl(name, proxy.endpoint()))
                .withProperty("connector.to-s3.records_per_object", String.valueOf(recordsPerObject))
                .withProperty("connector.to-s3.seconds_per_object", "3");
    }

    /** When some records are stored and most are not. */
    void startedInMidLoad() throws Exception {
        long before = stored();
        bundle.start();
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> stored() >= before + (recordsPerObject == 1 ? 600 : 24));
    }

    List<String> keys() {
        return s3.keys(name);
    }

    /** How many objects were put, dead letters among them. */
    private long stored() {
        return s3.puts(name).stream().filter(key -> !key.contains("/_chain/")).count();
    }

    /** Lets the fault last, and sees that nothing is committed meanwhile that is not stored. */
    void lasting(Duration fault) {
        lasting(fault, () -> {
            ledger.committedIsStored();
            return bundle.isAlive();
        });
    }

    static void lasting(Duration fault, Callable<Boolean> invariant) {
        Awaitility.await()
                .during(fault)
                .atMost(fault.plus(PATIENCE))
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> {
                    assertThat(invariant.call()).isTrue();
                    return true;
                });
    }

    void goesOn(Duration goal) {
        goesOn(goal, limit(goal));
    }

    private void goesOn(Duration goal, Duration limit) {
        long before = stored();
        long start = System.nanoTime();
        Awaitility.await().atMost(limit).pollInterval(Duration.ofMillis(20)).until(() -> stored() > before);
        measured("went on", start, goal);
    }

    private void terminated(Duration goal) throws Exception {
        long start = System.nanoTime();
        bundle.terminate();
        assertThat(bundle.ends(limit(goal))).isTrue();
        measured("ended", start, goal);
    }

    private static Duration limit(Duration goal) {
        Duration slow = goal.multipliedBy(3);
        return slow.compareTo(UNTOLD) < 0 ? slow : UNTOLD;
    }

    private void measured(String what, long start, Duration goal) {
        System.out.printf(
                "%s: %s after %.1f s (goal %d s)%n", test, what, (System.nanoTime() - start) / 1e9, goal.toSeconds());
    }

    /** However many uploads fail: an outage, when it begins, each 30 seconds, and when it is over. */
    void reportedAsOutages() {
        DateTimeFormatter format = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS");
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            List<String> lines = bundle.log()
                    .lines()
                    .filter(line -> line.contains(" i.s.RetryReporter "))
                    .toList();
            assertThat(lines.isEmpty() || lines.get(lines.size() - 1).contains(": recovered after "))
                    .as(String.join("\n", lines))
                    .isTrue();
            for (int n = 1; n < lines.size(); n++) {
                LocalDateTime before = LocalDateTime.parse(lines.get(n - 1).substring(0, 23), format);
                if (lines.get(n).contains(" still cannot store after ")) {
                    assertThat(LocalDateTime.parse(lines.get(n).substring(0, 23), format))
                            .isAfterOrEqualTo(before.plusSeconds(29));
                } else {
                    assertThat(lines.get(n - 1).contains(": recovered after "))
                            .isNotEqualTo(lines.get(n).contains(": recovered after "));
                }
            }
        });
    }
}
