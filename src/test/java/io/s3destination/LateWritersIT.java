package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.AtomicS3;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.Chains;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.Ledger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Two processes with many records per object, of which the second takes the partitions of the first, while PUTs of the first
 * are still to come: each record is in exactly one object, and no object is replaced.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class LateWritersIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final String name = "late-" + System.nanoTime();
    private final AtomicS3 s3 = new AtomicS3();
    private final EmbeddedKafka kafka;
    private FaultyProxy proxy;
    private Ledger ledger;
    private BundleProcess first;
    private BundleProcess second;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    LateWritersIT(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @BeforeEach
    void setUp() throws Exception {
        proxy = new FaultyProxy(s3.endpoint(), 1);
        ledger = Ledger.ofManyRecords(kafka, s3, name, name, name);
        ledger.produce(4_000);
        first = bundle("first", 500);
        second = bundle("second", 300);
    }

    private BundleProcess bundle(String folder, int records) throws Exception {
        return new BundleProcess(directory.resolve(folder))
                .storing(name, kafka, AtomicS3.connectionUrl(name, proxy.endpoint()))
                .withRoute("to-s3", "sessionTimeoutMs: 10000", "sessionTimeoutMs: 6000")
                .withProperty("connector.to-s3.records_per_object", String.valueOf(records))
                .withProperty("connector.to-s3.seconds_per_object", "5");
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
        proxy.close();
        s3.close();
    }

    @Test
    void putsThatArriveAfterTheirProcessWasKilledReplaceNothing() throws Exception {
        proxy.fail("PUT /" + name + "/datalake/" + name, 1, Fault.HOLD);
        first.start();
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> proxy.held("") == 4);
        first.kill();
        proxy.fix();

        // Some before the other process stores that partition, some afterwards.
        release(name + "-0-");
        release(name + "-1-");
        second.start();
        Awaitility.await().atMost(PATIENCE).until(() -> committed(2) > 0 && committed(3) > 0);
        release("");

        ledger.isComplete(PATIENCE);
        assertThat(s3.replaced()).isEmpty();
        Map<Integer, List<Chains.Link>> chains = Chains.read(s3, name, "datalake", name);
        assertThat(chains.get(0).get(0).last()).isEqualTo(499);
        assertThat(chains.get(2).get(0).last()).isEqualTo(299);
    }

    @Test
    void aProcessThatWakesUpAfterItsSessionReplacesNothing() throws Exception {
        // Its runs wait for one another, and the next ones are complete when it wakes up.
        proxy.delay(Duration.ofMillis(500));
        first.start();
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> proxy.requestTimes("PUT /" + name + "/datalake/" + name).length >= 4);
        first.pause();
        proxy.delay(Duration.ZERO);
        second.start();
        ledger.isComplete(PATIENCE);
        List<String> before = s3.keys(name);

        first.wake();
        ledger.produce(1_000);
        ledger.isComplete(PATIENCE);
        Awaitility.await().atMost(PATIENCE).until(() -> kafka.readers(name) == 2);

        assertThat(s3.keys(name)).containsAll(before);
        assertThat(s3.replaced()).isEmpty();
    }

    private void release(String path) {
        proxy.release(path);
        Awaitility.await().atMost(PATIENCE).until(() -> proxy.held(path) == 0);
    }

    private long committed(int partition) throws Exception {
        return kafka.committed(name).getOrDefault(new TopicPartition(name, partition), 0L);
    }
}
