package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.AtomicS3;
import io.s3destination.embedded.AtomicS3.Weakness;
import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.Ledger;
import io.s3destination.embedded.RunningBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Objects of many records on a store that creates them conditionally in one step, and whose user may put and get objects, and
 * nothing else: no object is ever replaced.
 */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class ConditionalStoreTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PARTITIONS = 4;

    private final String name = "conditional-" + System.nanoTime();
    private final AtomicS3 s3 = new AtomicS3();
    private final EmbeddedKafka kafka;
    private FaultyProxy proxy;
    private Ledger ledger;

    @TempDir
    Path directory;

    ConditionalStoreTest(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @BeforeEach
    void setUp() throws Exception {
        proxy = new FaultyProxy(s3.endpoint(), 1);
        ledger = Ledger.ofManyRecords(kafka, s3, name, name, name);
    }

    @AfterEach
    void noObjectIsReplaced() {
        proxy.close();
        s3.close();
        assertThat(s3.replaced().stream().filter(path -> !path.contains("/_chain/")))
                .isEmpty();
    }

    @Test
    void writersOfTwoGroupsShareOneChain() throws Exception {
        proxy.delay(Duration.ofMillis(20));
        ledger.produce(1_200);

        try (RunningBundle one = start(name, 100);
                RunningBundle other = start(name + "-other", 70)) {
            Awaitility.await().atMost(PATIENCE).until(() -> {
                ledger.produce(600);
                // Whoever was late has found the other one's object in its way.
                return one.metric("s3.destination.objects.found") + other.metric("s3.destination.objects.found") > 0;
            });
            ledger.isComplete(PATIENCE);
            Awaitility.await().atMost(PATIENCE).until(() -> kafka.committed(name + "-other")
                    .equals(kafka.committed(name)));
        }

        ledger.isComplete(PATIENCE);
    }

    @ParameterizedTest
    @EnumSource(names = {"RESET", "ANSWER_LOST", "CONFLICT"})
    void anObjectIsCreatedOnceHoweverOftenItsPutIsSent(Fault fault) throws Exception {
        ledger.produce(2_000);
        proxy.fail("PUT /" + name + "/datalake/_chain/", 1, fault);

        try (RunningBundle bundle = start(name, 100)) {
            Awaitility.await().atMost(PATIENCE).until(() -> proxy.requests() > 10);
            proxy.fail("PUT /" + name + "/datalake", 0.4, fault);
            ledger.isComplete(PATIENCE);

            assertThat(bundle.metric("s3.destination.retries")).isPositive();
            assertThat(bundle.metric("s3.destination.objects.found") > 0).isEqualTo(fault == Fault.ANSWER_LOST);
        }
    }

    @ParameterizedTest
    @CsvSource({"NOT_MODIFIED, 304", "NOT_IMPLEMENTED, 501"})
    void aStoreThatDoesNotKnowConditionalCreationsIsRefused(Fault fault, int status) throws Exception {
        proxy.fail("PUT /", 1, fault);

        isRefused("the store answers " + status + " to the creation of an object with If-None-Match: *");
    }

    @ParameterizedTest
    @CsvSource({
        "IGNORES_IF_NONE_MATCH, the store replaces an object that is created with If-None-Match: *",
        "FORGETS_METADATA, has no metadata suffix: records_per_object above 1 needs a store that keeps metadata"
    })
    void aWeakStoreIsRefused(Weakness weakness, String why) throws Exception {
        s3.weaken(weakness);

        isRefused(why);
    }

    private void isRefused(String why) throws Exception {
        ledger.produce(40);
        try (RunningBundle bundle = start(name, 100)) {
            isDown(bundle, why, "with records_per_object = 1 it is not needed");
        }

        assertThat(s3.keys(name)).isSubsetOf("datalake/_chain/" + name);
        assertThat(kafka.committed(name)).isEmpty();
    }

    @Test
    void offsetsThatAreResetChangeNoObjectAndSkipNoRecord() throws Exception {
        ledger.produce(1_000);
        try (RunningBundle bundle = start(name, 100)) {
            ledger.isComplete(PATIENCE);
        }

        for (long offset : List.of(0L, 137L, 400L)) {
            List<String> before = s3.keys(name);
            reset(offset);
            try (RunningBundle bundle = start(name, 100)) {
                ledger.isComplete(PATIENCE);
            }
            assertThat(s3.keys(name)).isEqualTo(before);
            ledger.produce(300);
            // Also to one behind the end of the chain.
            reset(offset + 30);
            try (RunningBundle bundle = start(name, 60)) {
                Awaitility.await().atMost(PATIENCE).untilAsserted(() -> ledger.isComplete(PATIENCE));
            }
            assertThat(s3.keys(name)).containsAll(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"/, ACCESS_DENIED, let the access key put objects", "HEAD /, SLOW_DOWN, HEAD answered HTTP 503"})
    void whatIsRefusedAtTheStartIsReportedAndWaitedFor(String requests, Fault fault, String why) throws Exception {
        proxy.fail(requests, 1, fault);
        ledger.produce(400);

        try (RunningBundle bundle = RunningBundle.start(
                settings(name, 100),
                registry -> registry.bind(
                        "readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(5)))) {
            isDown(bundle, "its objects cannot be looked at", why);
            proxy.fix();
            ledger.isComplete(PATIENCE);
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.notReady().isEmpty());
        }
    }

    /** Of all objects, or of those of the stream but not of its claim. */
    @ParameterizedTest
    @CsvSource({
        "HEAD /, and also datalake/_chain/",
        "HEAD /.*/datalake/conditional, 'cannot be created since it is there, and HEAD does not show it'"
    })
    void anObjectThatMayNotBeLookedAtStopsItsPartition(String refused, String why) throws Exception {
        ledger.produce(400);
        proxy.fail("PUT /" + name + "/datalake/" + name + "-0-", 1, Fault.HOLD);

        try (RunningBundle bundle = start(name, 100)) {
            Awaitility.await().atMost(PATIENCE).until(() -> proxy.held("") == 1);
            proxy.fail(Pattern.compile(refused), Fault.ACCESS_DENIED);
            // It is created, but the answer is lost.
            proxy.release("");

            isDown(
                    bundle,
                    "the object datalake/" + name + "-0-0000000000.ndjson.gz",
                    why,
                    "s3:GetObject",
                    "the credentials of the connection URL");
            Awaitility.await().atMost(PATIENCE).until(() -> IntStream.range(0, PARTITIONS)
                    .allMatch(partition -> committed(partition) == (partition == 0 ? 0 : end(partition))));
        }
        proxy.fix();
        try (RunningBundle bundle = start(name, 100)) {
            ledger.isComplete(PATIENCE);
        }
    }

    @Test
    void aChainThatMayNotBeLookedAtIsNotBegunAnew() throws Exception {
        ledger.produce(400);
        try (RunningBundle bundle = start(name, 100)) {
            ledger.isComplete(PATIENCE);
        }
        List<String> before = s3.keys(name);
        reset(0);
        proxy.fail("HEAD /" + name + "/datalake/" + name, 1, Fault.ACCESS_DENIED);

        // Of the 100 records of a partition 40 are in an open run when it stops.
        try (RunningBundle bundle = start(name, 60)) {
            isDown(bundle, "s3:GetObject", "the credentials of the connection URL");
        }
        assertThat(s3.keys(name)).isEqualTo(before);
        proxy.fix();
        try (RunningBundle bundle = start(name, 60)) {
            ledger.isComplete(PATIENCE);
        }
        assertThat(s3.keys(name)).isEqualTo(before);
    }

    private RunningBundle start(String group, int records) throws IOException {
        return RunningBundle.start(settings(group, records));
    }

    private Map<String, String> settings(String group, int records) throws IOException {
        EditedRoutes routes = EditedRoutes.of(
                Files.createTempDirectory(directory, "routes"),
                route -> route.replace("groupId: to-s3", "groupId: " + group));
        Map<String, String> settings =
                new HashMap<>(RunningBundle.storing(name, kafka, AtomicS3.connectionUrl(name, proxy.endpoint())));
        settings.put("camel.main.name", group);
        settings.put("camel.main.routes-include-pattern", routes.pattern());
        settings.put("connector.to-s3.records_per_object", String.valueOf(records));
        settings.put("connector.to-s3.seconds_per_object", "1");
        return settings;
    }

    private static void isDown(RunningBundle bundle, String... why) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                .hasValueSatisfying(text -> assertThat(text).contains(why)));
    }

    private void reset(long offset) throws Exception {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            kafka.reset(name, new TopicPartition(name, partition), new OffsetAndMetadata(offset));
        }
    }

    private long committed(int partition) {
        try {
            return kafka.committed(name).getOrDefault(new TopicPartition(name, partition), 0L);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private long end(int partition) {
        try {
            return kafka.end(new TopicPartition(name, partition));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
