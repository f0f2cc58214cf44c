package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.Chains;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
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
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Two processes with many records per object, which are killed, paused for longer than their session, and started with other
 * settings, while S3 fails, loses answers, and offsets are set back: each record is in exactly one object, and no object is
 * ever replaced. The seed is {@code -Dstorm.seed=…}.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class ChainStormIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int PARTITIONS = 4;
    /** Longer than a member of the group may be silent, so that others read its partitions. */
    private static final Duration PAUSE = Duration.ofSeconds(12);

    private final long seed = Long.getLong("storm.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final String name = "storm-" + System.nanoTime();
    private final List<String> produced = Collections.synchronizedList(new ArrayList<>());
    private final List<BundleProcess> bundles = new ArrayList<>();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private FaultyProxy proxy;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    ChainStormIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() throws Exception {
        System.out.println("ChainStormIT with the seed " + seed);
        kafka.createStream(name, PARTITIONS);
        s3.createBucket(name);
        proxy = new FaultyProxy(s3.endpoint(), seed);
        for (int n = 0; n < 2; n++) {
            bundles.add(new BundleProcess(directory.resolve("bundle-" + n))
                    .storing(name, kafka, s3.connectionUrl(name, proxy.endpoint()))
                    .withProperty("connector.to-s3.seconds_per_object", "1"));
        }
    }

    @AfterEach
    void close() {
        bundles.forEach(BundleProcess::close);
        proxy.close();
    }

    @Test
    void eachRecordIsInOneObjectThatIsNeverReplaced() throws Exception {
        for (BundleProcess bundle : bundles) {
            restart(bundle);
        }
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        Map<String, String> seen = new HashMap<>();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            clock.scheduleAtFixedRate(() -> produce(producer), 0, 5, TimeUnit.MILLISECONDS);
            for (int round = 0; round < 6; round++) {
                proxy.fail("/" + name + "/", 0.1, faults());
                disturb(bundles.get(random.nextInt(bundles.size())));
                noneIsReplaced(seen);
            }
            clock.shutdown();
            assertThat(clock.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            clock.shutdownNow();
        }
        proxy.fix();
        bundles.forEach(BundleProcess::close);
        restart(bundles.get(0));
        isComplete();
        noneIsReplaced(seen);

        for (long offset : List.of(0L, (long) random.nextInt(produced.size() / PARTITIONS))) {
            bundles.get(0).close();
            Awaitility.await().atMost(PATIENCE).until(() -> kafka.readers(name) == 0);
            reset(offset);
            restart(bundles.get(0));
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == produced.size());
            isComplete();
            noneIsReplaced(seen);
        }
    }

    private Fault[] faults() {
        List<Fault> all = new ArrayList<>(
                List.of(Fault.SLOW_DOWN, Fault.INTERNAL_ERROR, Fault.RESET, Fault.ANSWER_LOST, Fault.ANSWER_CUT));
        Collections.shuffle(all, random);
        return all.subList(0, 3).toArray(Fault[]::new);
    }

    private void disturb(BundleProcess bundle) throws Exception {
        switch (random.nextInt(3)) {
            case 0 -> {
                bundle.kill();
                pass(Duration.ofSeconds(2));
                restart(bundle);
                pass(Duration.ofSeconds(6));
            }
            case 1 -> {
                bundle.pause();
                pass(PAUSE);
                bundle.wake();
                pass(Duration.ofSeconds(4));
            }
            default -> {
                bundle.terminate();
                assertThat(bundle.ends(Duration.ofSeconds(30))).isTrue();
                restart(bundle);
                pass(Duration.ofSeconds(6));
            }
        }
    }

    /** With another number of records. */
    private void restart(BundleProcess bundle) throws Exception {
        bundle.withProperty("connector.to-s3.records_per_object", String.valueOf(2 + random.nextInt(200)))
                .start();
    }

    private static void pass(Duration time) {
        long start = System.nanoTime();
        Awaitility.await().atMost(time.plusMinutes(1)).until(() -> System.nanoTime() - start > time.toNanos());
    }

    private void produce(KafkaProducer<byte[], byte[]> producer) {
        int number = produced.size();
        String value = "{\"n\":" + number + "}";
        produced.add(value);
        producer.send(new ProducerRecord<>(name, number % PARTITIONS, null, value.getBytes(UTF_8)));
    }

    private void noneIsReplaced(Map<String, String> seen) {
        Map<String, String> now = s3.client().listObjectsV2Paginator(list -> list.bucket(name)).contents().stream()
                .collect(Collectors.toMap(S3Object::key, S3Object::eTag));
        assertThat(now).containsAllEntriesOf(seen);
        seen.putAll(now);
    }

    private void isComplete() {
        Awaitility.await()
                .atMost(PATIENCE)
                // S3Proxy lists an object before it shows it.
                .ignoreException(NoSuchKeyException.class)
                .untilAsserted(() -> {
                    Map<Integer, List<Chains.Link>> chains = Chains.read(s3, name, "datalake", name);
                    assertThat(Chains.lines(chains).size())
                            .as(() -> String.join("\n", Chains.gaps(chains)))
                            .isEqualTo(produced.size());
                });
        assertThat(Chains.lines(Chains.read(s3, name, "datalake", name))).containsExactlyInAnyOrderElementsOf(produced);
    }

    private long committed() throws Exception {
        return kafka.committed(name).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private void reset(long offset) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            offsets.put(new TopicPartition(name, partition), new OffsetAndMetadata(offset));
        }
        kafka.admin().alterConsumerGroupOffsets(name, offsets).all().get();
    }
}
