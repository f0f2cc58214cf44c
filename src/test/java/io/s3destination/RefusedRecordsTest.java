package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.Testbed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Records that S3 refuses block their own partitions only, and wait without a thread, an upload or a second life. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
@SuppressWarnings("try")
class RefusedRecordsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration STOPS = Duration.ofSeconds(10);
    private static final String UPLOADS = "4";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "refused-" + System.nanoTime();

    @TempDir
    Path directory;

    private Testbed testbed;

    RefusedRecordsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @AfterEach
    void close() {
        testbed.close();
    }

    @Test
    void tenPartitionsThatAreRefusedLeaveTheOtherTwoTheirUploads() throws Exception {
        given(12);
        int records = 300;
        refuse("-[0-9]-");

        try (RunningBundle bundle = testbed.start()) {
            IntStream.range(0, 10).forEach(partition -> testbed.produce(partition, records));
            await(() -> IntStream.range(0, 10).allMatch(partition -> requests(testbed.path(partition)) > 0));
            testbed.produce(10, records);
            testbed.produce(11, records);

            await(() -> testbed.stored(10) == records && testbed.stored(11) == records);
            await(() -> testbed.committed(10) == records && testbed.committed(11) == records);
            recovers(bundle);
            assertThat(s3.puts(stream)).doesNotHaveDuplicates();
        }
    }

    @Test
    void manyRefusedRecordsOfOnePartitionLeaveTheOtherItsUploads() throws Exception {
        given(2);
        refuse("-0-");

        try (RunningBundle bundle = testbed.start()) {
            testbed.produce(0, 200);
            await(() -> requests(testbed.path(0)) >= 50);
            testbed.produce(1, 300);

            await(() -> testbed.committed(1) == 300);
            recovers(bundle);
            assertThat(s3.puts(stream)).doesNotHaveDuplicates();
        }
    }

    @Test
    void refusedRecordsThatWaitHoldNoThreadAndEndAtAStop() throws Exception {
        given(6);
        try (RunningBundle bundle = testbed.start()) {
            testbed.produce(5, 40);
            await(() -> testbed.isDone(bundle));
            long threads = testbed.threads();
            refuse("-[0-4]-");

            IntStream.range(0, 5).forEach(partition -> testbed.produce(partition, 10));
            await(() -> IntStream.range(0, 5).allMatch(partition -> IntStream.range(0, 10)
                    .allMatch(offset -> requests("%s%010d".formatted(testbed.path(partition), offset)) > 1)));

            // One for the delays, and one that Kafka's client or the SDK may start at any time.
            assertThat(testbed.threads()).isLessThanOrEqualTo(threads + 2);
            testbed.produce(5, 100);
            await(() -> testbed.committed(5) == 140);
            await(() -> bundle.metric("s3.destination.in.flight") == 50);
            long start = System.nanoTime();
            bundle.close();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(STOPS);
            await(() -> testbed.threads() == 0);
        }
        testbed.proxy().fix();
        try (RunningBundle bundle = testbed.start()) {
            await(() -> testbed.isDone(bundle));
        }
        assertThat(s3.puts(stream)).doesNotHaveDuplicates();
    }

    /** In both partitions, one of which goes to the other member and comes back. */
    @Test
    void aRefusedRecordHasOneSeriesOfAttemptsAfterRebalances() throws Exception {
        given(2);
        refuse("-0000000003");

        try (RunningBundle bundle = testbed.start()) {
            testbed.produce(0, 10);
            testbed.produce(1, 10);
            await(() -> testbed.committed(0) == 3 && testbed.committed(1) == 3 && testbed.stored(1) == 9);
            for (int rebalance = 0; rebalance < 5; rebalance++) {
                testbed.rebalance();
                await(() -> kafka.readers(stream) == 1);
            }

            // The delay ends at 5 s: of two series, one attempt would always come within 2.5 s of another.
            await(() -> hasOneSeries(0) && hasOneSeries(1));
            await(() -> bundle.metric("s3.destination.in.flight") == 2);
            recovers(bundle);
        }
    }

    private boolean hasOneSeries(int partition) {
        long[] times = testbed.proxy().requestTimes(testbed.path(partition) + "0000000003");
        int last = times.length - 1;
        return last >= 2
                && IntStream.of(last, last - 1)
                        .allMatch(n -> times[n] - times[n - 1] >= TimeUnit.MILLISECONDS.toNanos(2_900));
    }

    private void given(int partitions) throws Exception {
        testbed = new Testbed(kafka, s3, stream, partitions, directory).with("connector.to-s3.uploads", UPLOADS);
    }

    private void refuse(String path) {
        testbed.proxy().fail(Pattern.compile(Pattern.quote("/" + stream) + ".*" + path), Fault.ACCESS_DENIED);
    }

    private int requests(String path) {
        return testbed.proxy().requestTimes(path).length;
    }

    /** S3 refuses nothing more, and each record is stored. */
    private void recovers(RunningBundle bundle) {
        testbed.proxy().fix();
        await(() -> testbed.isDone(bundle));
        assertThat(s3.keys(stream)).hasSize(testbed.produced());
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }
}
