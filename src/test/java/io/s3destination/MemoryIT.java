package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.S3Server;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Large records in a heap of 256 MB, which a process that runs out of would not survive. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class MemoryIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);
    private static final int MEGABYTE = 1 << 20;
    private static final int PARTITIONS = 12;
    /** Of which most tests fill so many. */
    private int filled = 4;

    /** A batch holds megabytes of what gzip makes almost nothing of. */
    private static final Map<String, Object> COMPRESSED =
            Map.of("compression.type", "gzip", "batch.size", "8388608", "linger.ms", "500");

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String name;
    private BundleProcess bundle;
    private KafkaProducer<byte[], byte[]> producer;
    /** What makes the value of each record that was produced, by its number. */
    private final List<IntFunction<byte[]>> values = new ArrayList<>();

    MemoryIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
        this.name = "memory-" + System.nanoTime();
    }

    @BeforeEach
    void layOutTheBundle(@TempDir Path directory) throws Exception {
        kafka.createStream(name, PARTITIONS);
        producer = kafka.producer();
        bundle = new BundleProcess(directory).storing(name, kafka, s3.connectionUrl(name));
    }

    @AfterEach
    void end() {
        producer.close();
        bundle.close();
    }

    @Test
    void storesRecordsOfOneMegabyte() throws Exception {
        s3.createBucket(name);
        for (int n = 0; n < ("long".equals(System.getProperty("faults")) ? 300 : 150); n++) {
            produce(MEGABYTE);
        }

        bundle.start();

        assertAllStored();
    }

    @Test
    void storesARecordOfTwentyMegabytesAmongSmallOnes() throws Exception {
        s3.createBucket(name);
        for (int n = 0; n < 1_000; n++) {
            produce(n == 500 ? 20 * MEGABYTE : 100);
        }

        bundle.start();

        assertAllStored();
    }

    @Test
    void sendsLargeRecordsWholeAgainWhenS3HasRefusedThem() throws Exception {
        for (int n = 0; n < 60; n++) {
            produce(n == 30 ? 20 * MEGABYTE : MEGABYTE);
        }

        bundle.start();
        // Each upload at once has failed a few times when the bucket is there at last.
        Awaitility.await().atMost(PATIENCE).until(() -> s3.attempts(name) >= 60 || !bundle.isAlive());
        s3.createBucket(name);

        assertAllStored();
    }

    /** One in each partition but the last, more than a quarter of the heap together: the largest are read again. */
    @Test
    void largeRecordsThatS3RefusesBlockTheirPartitionsOnlyAndAreReadAgain() throws Exception {
        s3.createBucket(name);
        filled = PARTITIONS;
        int refused = PARTITIONS - 1;
        try (FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1)) {
            proxy.fail(Pattern.compile("/" + name + "-([0-9]|10)-0000000000"), Fault.ACCESS_DENIED);
            bundle.with("DATALAKE_URL", s3.connectionUrl(name, proxy.endpoint()))
                    .withProperty("connector.to-s3.uploads", "4");
            for (int n = 0; n < 50 * PARTITIONS; n++) {
                produce(n < refused ? 4 * MEGABYTE : 100);
            }

            bundle.start();
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> !bundle.isAlive()
                            || IntStream.range(0, refused)
                                    .allMatch(
                                            p -> proxy.requestTimes("/" + name + "-" + p + "-0000000000").length > 1));
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> !bundle.isAlive()
                            || s3.keys(name).stream()
                                            .filter(key -> key.contains(name + "-" + refused + "-"))
                                            .count()
                                    == 50);
            proxy.fix();

            assertAllStored();
        }
    }

    @Test
    void storesRecordsThatTheirProducerHasCompressedToAlmostNothing() throws Exception {
        s3.createBucket(name);
        try (KafkaProducer<byte[], byte[]> compressing = kafka.producer(COMPRESSED)) {
            for (int n = 0; n < 400; n++) {
                produce(compressing, MemoryIT::oneLetter, new byte[0]);
            }
        }

        bundle.start();

        assertAllStored();
    }

    @Test
    void storesRecordsWithLargeHeaders() throws Exception {
        try (KafkaProducer<byte[], byte[]> compressing = kafka.producer(COMPRESSED)) {
            for (int n = 0; n < 3_000; n++) {
                produce(compressing, number -> ("{\"n\":" + number + "}").getBytes(UTF_8), new byte[150_000]);
            }
        }

        bundle.start();
        // As much is in flight as may be when the bucket is there at last.
        Awaitility.await().atMost(PATIENCE).until(() -> s3.attempts(name) >= 200 || !bundle.isAlive());
        s3.createBucket(name);

        assertAllStored();
    }

    /** JSON that gzip makes hardly smaller, the same for each n. */
    private static byte[] json(int n, int size) {
        byte[] random = new byte[size * 3 / 4];
        new Random(n).nextBytes(random);
        return ("{\"n\":" + n + ",\"data\":\"" + Base64.getEncoder().encodeToString(random) + "\"}").getBytes(UTF_8);
    }

    private static byte[] oneLetter(int n) {
        return ("{\"n\":" + n + ",\"data\":\"" + "a".repeat(MEGABYTE) + "\"}").getBytes(UTF_8);
    }

    private void produce(int size) {
        produce(producer, n -> json(n, size), new byte[0]);
    }

    private void produce(KafkaProducer<byte[], byte[]> producer, IntFunction<byte[]> value, byte[] header) {
        int n = values.size();
        values.add(value);
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, n % filled, null, value.apply(n));
        record.headers().add("header", header);
        producer.send(record);
    }

    private void assertAllStored() throws Exception {
        producer.flush();
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> !bundle.isAlive() || s3.keys(name).size() == values.size());
        assertThat(bundle.isAlive()).as("the process is alive").isTrue();
        for (int n = 0; n < values.size(); n++) {
            String key = "datalake/%s-%d-%010d.gz".formatted(name, n % filled, n / filled);
            byte[] object =
                    s3.client().getObjectAsBytes(b -> b.bucket(name).key(key)).asByteArray();
            byte[] stored = S3Server.unzipped(object);
            assertThat(Arrays.equals(stored, values.get(n).apply(n)))
                    .as("%s is what was produced", key)
                    .isTrue();
        }
        assertThat(bundle.log()).doesNotContain("java.lang.OutOfMemoryError");
        System.out.printf(
                "%d records of %s: %d MB of memory at most%n", values.size(), name, bundle.peakMemory() / MEGABYTE);
    }
}
