package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.Testbed;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Edits, rebalances and stops while S3 hangs, refuses or is slow release what they own: records in flight, threads and
 * connections. Nothing is stored twice, since no fault here stores an object without an answer.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
@SuppressWarnings("try")
class ReleasesIT {

    /** What ends records in flight. */
    enum Event {
        EDIT,
        REBALANCE,
        STOP
    }

    /** What S3 does meanwhile. */
    enum State {
        HANGS,
        REFUSES,
        IS_SLOW
    }

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** Camel's timeout of ten seconds, and as much for each of Kafka's and S3's clients. */
    private static final Duration STOPS = Duration.ofSeconds(30);

    private static final int PARTITIONS = 4;
    private static final int UPLOADS = 8;

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "releases-" + System.nanoTime();

    @TempDir
    Path directory;

    ReleasesIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    static Stream<Arguments> events() {
        return Arrays.stream(Event.values())
                .flatMap(event -> Arrays.stream(State.values()).map(state -> arguments(event, state)));
    }

    @ParameterizedTest
    @MethodSource("events")
    void nothingIsHeldAfterwardsAndEachRecordIsStoredOnce(Event event, State state) throws Exception {
        try (Testbed testbed = new Testbed(kafka, s3, stream, PARTITIONS, directory)
                .withReload()
                .with("connector.to-s3.uploads", String.valueOf(UPLOADS))) {
            long threads;
            int clients;
            try (RunningBundle bundle = testbed.start()) {
                produce(testbed, 20);
                await(() -> testbed.isDone(bundle));
                threads = testbed.threads();
                clients = kafkaClients();
                assertThat(clients).isEqualTo(2);
                begin(state, testbed);
                int before = testbed.proxy().requests();
                produce(testbed, 50);
                await(() -> testbed.proxy().requests() >= before + UPLOADS);

                if (event == Event.STOP) {
                    long start = System.nanoTime();
                    bundle.close();
                    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(STOPS);
                    await(() -> testbed.threads() == 0 && kafkaClients() == 0);
                } else {
                    cause(event, testbed, bundle);
                    end(testbed);
                    isReleased(testbed, bundle, threads, clients);
                }
            }
            // Hanging connections of a client that is closed would show here.
            await(() -> testbed.proxy().openConnections() == 0 && testbed.threads() == 0);
            if (event == Event.STOP) {
                end(testbed);
                try (RunningBundle bundle = testbed.start()) {
                    isReleased(testbed, bundle, threads, clients);
                }
            }
            assertThat(s3.keys(stream)).hasSize(testbed.produced());
            assertThat(s3.puts(stream)).doesNotHaveDuplicates();
        }
    }

    private static void begin(State state, Testbed testbed) {
        switch (state) {
            case HANGS -> testbed.proxy().fail(Fault.HANG);
            case REFUSES -> testbed.proxy().fail(Fault.ACCESS_DENIED);
            case IS_SLOW -> testbed.proxy().delay(Duration.ofMillis(500));
        }
    }

    private static void end(Testbed testbed) {
        testbed.proxy().fix();
        testbed.proxy().delay(Duration.ZERO);
    }

    private static void cause(Event event, Testbed testbed, RunningBundle bundle) throws Exception {
        if (event == Event.EDIT) {
            testbed.edit(bundle);
        } else {
            testbed.rebalance();
        }
    }

    private void isReleased(Testbed testbed, RunningBundle bundle, long threads, int clients) {
        await(() -> testbed.isDone(bundle));
        await(() -> testbed.threads() <= threads
                && kafkaClients() == clients
                && testbed.proxy().openConnections() <= UPLOADS);
    }

    /** How many consumers and admin clients of the bundle are open. */
    private int kafkaClients() throws Exception {
        return ManagementFactory.getPlatformMBeanServer()
                .queryNames(new ObjectName("kafka.*:type=app-info,id=*" + stream + "*"), null)
                .size();
    }

    private static void produce(Testbed testbed, int records) {
        IntStream.range(0, PARTITIONS).forEach(partition -> testbed.produce(partition, records));
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }
}
