package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever happens to a partition on a real broker, in any order: transactions, compaction, retention, deletion and
 * creation, offsets that are reset, S3 that refuses, stops and starts. In the end each record that Kafka still has is
 * stored, no object holds another record than its own, and what Kafka deleted before is reported.
 *
 * <p>{@code -Dhistories=20} makes so many, {@code -Dhistory.seed} one again.
 */
@ExtendWith(EmbeddedServices.class)
class PartitionHistoryTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String GROUP = "to-s3";
    private static final int STEPS = 14;

    private final EmbeddedS3 s3;
    private String stream;
    private TopicPartition partition;
    private EmbeddedKafka kafka;
    private Random random;
    private RunningBundle bundle;
    private boolean isCompacted;
    private int folder;
    /** By offset, the value of each record of the present topic; those that were rolled back are none. */
    private final Map<Long, String> produced = new TreeMap<>();

    private final Map<String, String> finished = new HashMap<>();
    /** Offsets that a reset skipped, or that were deleted before anything was committed. */
    private final Set<Long> notPromised = new HashSet<>();

    private double lost;

    PartitionHistoryTest(EmbeddedS3 s3) {
        this.s3 = s3;
    }

    static Stream<Long> seeds() {
        Long seed = Long.getLong("history.seed");
        return seed != null
                ? Stream.of(seed)
                : Stream.concat(
                        Stream.of(1L, 2L),
                        new Random().longs(Integer.getInteger("histories", 1)).boxed());
    }

    @AfterEach
    void end() {
        if (bundle != null) {
            bundle.close();
        }
        if (kafka != null) {
            kafka.close();
        }
    }

    @ParameterizedTest(name = "-Dhistory.seed={0}")
    @MethodSource("seeds")
    void everyRecordIsStoredOrReportedAsLost(long seed, @TempDir Path directory) throws Exception {
        random = new Random(seed);
        isCompacted = random.nextInt(3) == 0;
        stream = "history-" + System.nanoTime();
        partition = new TopicPartition(stream, 0);
        s3.createBucket(stream);
        kafka = EmbeddedKafka.start(directory, 0, Map.of("log.cleaner.backoff.ms", "50"));
        create();
        produce();
        start();
        for (int step = 0; step < STEPS; step++) {
            step();
        }
        if (bundle == null) {
            start();
        }
        s3.allow(stream);
        await(() -> committed() == kafka.end(partition));
        stop();
        isComplete();
    }

    private void step() throws Exception {
        switch (random.nextInt(10)) {
            case 0, 1, 2 -> produce();
            case 3 -> transaction(true);
            case 4 -> transaction(false);
            case 5 -> deleteRecords();
            case 6 -> toggle();
            case 7 -> reset();
            case 8 -> recreate();
            default -> refuseOrAllow();
        }
    }

    private void create() throws Exception {
        Map<String, String> settings = isCompacted
                ? Map.of("cleanup.policy", "compact", "segment.bytes", "20000", "min.cleanable.dirty.ratio", "0.01")
                : Map.of();
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            kafka.admin()
                    .createTopics(List.of(new NewTopic(stream, 1, (short) 1).configs(settings)))
                    .all()
                    .get();
            return true;
        });
    }

    private void start() {
        bundle = RunningBundle.start(Map.of(
                "camel.component.kafka.brokers",
                kafka.brokers(),
                "resource.datalake.url",
                s3.connectionUrl(stream),
                "connector.to-s3.folder",
                "folder-" + folder,
                "connector.to-s3.input",
                stream));
    }

    private void stop() {
        lost += bundle.metric("s3.destination.records.lost");
        bundle.close();
        bundle = null;
    }

    private void toggle() {
        if (bundle == null) {
            start();
        } else {
            stop();
        }
    }

    private void produce() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            send(producer, random.nextInt(200)).forEach(produced::put);
        }
    }

    private Map<Long, String> send(KafkaProducer<byte[], byte[]> producer, int records) throws Exception {
        Map<Future<RecordMetadata>, String> sent = new HashMap<>();
        for (int n = 0; n < records; n++) {
            String value = "\"" + folder + "-" + random.nextLong() + "\"";
            byte[] key = new byte[] {(byte) random.nextInt(40)};
            sent.put(producer.send(new ProducerRecord<>(stream, 0, key, value.getBytes(UTF_8))), value);
        }
        Map<Long, String> offsets = new HashMap<>();
        for (Map.Entry<Future<RecordMetadata>, String> record : sent.entrySet()) {
            offsets.put(record.getKey().get().offset(), record.getValue());
        }
        return offsets;
    }

    private void transaction(boolean commits) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.transactionalProducer(stream)) {
            producer.initTransactions();
            producer.beginTransaction();
            Map<Long, String> sent = send(producer, random.nextInt(100));
            if (commits) {
                producer.commitTransaction();
                produced.putAll(sent);
            } else {
                producer.abortTransaction();
            }
        }
    }

    private void deleteRecords() throws Exception {
        if (!isCompacted) {
            long before = random.nextLong(kafka.end(partition) + 1);
            if (!kafka.committed(GROUP).containsKey(partition)) {
                // Without a commit the log begins where it begins.
                LongStream.range(0, before).forEach(notPromised::add);
            }
            kafka.deleteRecords(partition, before);
        }
    }

    private void refuseOrAllow() {
        if (random.nextBoolean()) {
            s3.deny(stream);
        } else {
            s3.allow(stream);
        }
    }

    /** By hand, or by a tool that copies the mark and translates the offset. */
    private void reset() throws Exception {
        if (bundle != null) {
            stop();
        }
        long before = committed();
        long offset = random.nextLong(kafka.end(partition) + 1);
        String metadata = random.nextBoolean() || !kafka.commits(GROUP, stream).containsKey(0)
                ? ""
                : kafka.commits(GROUP, stream).get(0).metadata();
        kafka.reset(GROUP, partition, new OffsetAndMetadata(offset, metadata));
        LongStream.range(before, offset).forEach(notPromised::add);
        start();
    }

    /** While a process runs, which is to stop; then the remedy that it names. */
    private void recreate() throws Exception {
        if (bundle == null || bundle.metric("s3.destination.lag") > 0) {
            return;
        }
        s3.allow(stream);
        await(() -> committed() == kafka.end(partition));
        finished.putAll(contents("folder-" + folder + "/"));
        kafka.admin().deleteTopics(List.of(stream)).all().get();
        create();
        folder++;
        produced.clear();
        notPromised.clear();
        produce();
        Awaitility.await().atMost(PATIENCE).until(() -> bundle.notReady()
                .filter(why -> why.contains("was deleted and created again"))
                .isPresent());
        stop();
        kafka.admin().deleteConsumerGroupOffsets(GROUP, Set.of(partition)).all().get();
        // What was stored of the new topic before it was recognised has new names.
        Map<String, String> after = contents("folder-" + (folder - 1) + "/");
        after.keySet().retainAll(finished.keySet());
        finished.keySet().removeIf(key -> !key.startsWith("folder-" + (folder - 1) + "/"));
        assertThat(after).isEqualTo(finished);
        start();
    }

    private void isComplete() throws Exception {
        Map<String, String> stored = contents("folder-" + folder + "/");
        stored.forEach((key, text) -> assertThat(text).as(key).isEqualTo(produced.get(offset(key))));
        Set<Long> kept = survivors();
        kept.removeAll(notPromised);
        assertThat(stored.keySet()).containsAll(kept.stream().map(this::key).toList());
        if (!isCompacted) {
            Set<Long> missing = new HashSet<>(produced.keySet());
            missing.removeAll(notPromised);
            stored.keySet().forEach(key -> missing.remove(offset(key)));
            assertThat((double) missing.size())
                    .as("records that are not stored")
                    .isLessThanOrEqualTo(lost);
        }
    }

    /** The offsets of the records that Kafka still has. */
    private Set<Long> survivors() throws Exception {
        Set<Long> survivors = new HashSet<>();
        long end = kafka.end(partition);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.brokers(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> survivors.add(record.offset()));
            }
        }
        return survivors;
    }

    private long committed() throws Exception {
        return kafka.committed(GROUP).getOrDefault(partition, 0L);
    }

    private String key(long offset) {
        return "folder-%d/%s-0-%010d.gz".formatted(folder, stream, offset);
    }

    private static long offset(String key) {
        return Long.parseLong(key.substring(key.lastIndexOf('-') + 1, key.lastIndexOf('.')));
    }

    private Map<String, String> contents(String prefix) {
        Map<String, String> contents = new HashMap<>();
        s3.objects(stream).forEach((key, object) -> {
            if (key.startsWith(prefix)) {
                contents.put(key, new String(S3Server.unzipped(object.asByteArray()), UTF_8));
            }
        });
        return contents;
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }
}
