package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.Chains;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.RunningBundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** A chain of many objects, which others have stored and which no commit shows, is followed by HEAD to its end. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class LongChainTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String FOLDER = "datalake";
    private static final int OBJECTS = 80;
    private static final int RECORDS = 5;

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "long-" + System.nanoTime();
    private final TopicPartition partition = new TopicPartition(stream, 0);
    private Map<String, String> settings;
    private FaultyProxy proxy;
    private KafkaProducer<byte[], byte[]> producer;

    LongChainTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() throws Exception {
        kafka.createStream(stream, 1);
        producer = kafka.producer();
        s3.createBucket(stream);
        proxy = new FaultyProxy(s3.endpoint(), 1);
        settings = new HashMap<>(RunningBundle.storing(stream, kafka, s3.connectionUrl(stream, proxy.endpoint())));
        settings.put("connector.to-s3.records_per_object", "1000");
        settings.put("connector.to-s3.seconds_per_object", "1");
        try (S3Client other = S3Clients.create(ConnectionUrl.parse(s3.connectionUrl(stream)), 1)) {
            for (int n = 0; n < OBJECTS; n++) {
                store(other, n * RECORDS);
            }
        }
    }

    @AfterEach
    void close() {
        proxy.close();
        producer.close();
    }

    @Test
    void aProcessThatIsStoppedOnTheWayIsFollowedByOneThatGoesOnThere() throws Exception {
        produce(OBJECTS * RECORDS + 3);
        stopWalksAt(OBJECTS / 2);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> committed() > 0);
        }
        long there = committed();
        assertThat(there).isLessThan(OBJECTS * RECORDS).matches(link -> link % RECORDS == 0);
        List<Integer> before = heads();
        proxy.fix();

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == OBJECTS * RECORDS + 3);
        }

        int found = (int) there / RECORDS;
        List<Integer> after = heads();
        assertThat(before.subList(0, found)).containsOnly(1);
        assertThat(after.subList(0, found)).containsOnly(1);
        List<Integer> asked = IntStream.range(found, OBJECTS)
                .mapToObj(n -> after.get(n) - before.get(n))
                .toList();
        // The end behind which there is no object is asked for again.
        assertThat(asked.subList(0, asked.size() - 1)).containsOnly(1);
        assertThat(asked).endsWith(2);
        assertThat(Chains.lines(Chains.read(s3, stream, FOLDER, stream)))
                .isEqualTo(IntStream.range(0, OBJECTS * RECORDS + 3)
                        .mapToObj(LongChainTest::line)
                        .toList());
    }

    @Test
    void aPartitionThatIsRevokedOnTheWayIsLookedAtNoFurtherUntilItComesBack() throws Exception {
        produce(OBJECTS * RECORDS);
        proxy.delay(Duration.ofMillis(100));
        stopWalksAt(OBJECTS - 1);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> committed() > 0);
            bundle.context().getRouteController().stopRoute("to-s3");
            long there = committed();
            int asked = proxy.requestTimes("HEAD /").length;
            Awaitility.await()
                    .during(Duration.ofSeconds(1))
                    .atMost(Duration.ofSeconds(2))
                    .until(() -> proxy.requestTimes("HEAD /").length <= asked + 1);
            proxy.fix();
            bundle.context().getRouteController().startRoute("to-s3");
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == OBJECTS * RECORDS);

            assertThat(heads().subList(0, (int) there / RECORDS)).containsOnly(1);
        }
    }

    @Test
    void aHeadThatFailsIsSentAgainAndNoneBeforeIt() throws Exception {
        produce(OBJECTS * RECORDS);
        stopWalksAt(OBJECTS / 2);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> heads().get(OBJECTS / 2) > 0);
            proxy.fix();
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == OBJECTS * RECORDS);
        }

        assertThat(heads().subList(0, OBJECTS / 2)).containsOnly(1);
    }

    @Test
    void nothingBeyondTheEndOfTheLogIsCommittedOnTheWay() throws Exception {
        produce(2 * RECORDS);
        proxy.delay(Duration.ofMillis(50));

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                    .hasValueSatisfying(text -> assertThat(text).contains("but its log ends at " + 2 * RECORDS)));
        }

        assertThat(committed()).isLessThanOrEqualTo(2 * RECORDS);
    }

    @Test
    void recordsThatKafkaDeletedAreReportedAlsoByAProcessThatFollowsOneStoppedOnTheWay() throws Exception {
        produce(OBJECTS * RECORDS);
        kafka.admin()
                .alterConsumerGroupOffsets("to-s3", Map.of(partition, new OffsetAndMetadata(3)))
                .all()
                .get();
        kafka.deleteRecords(partition, 7);
        stopWalksAt(OBJECTS / 2);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> heads().get(OBJECTS / 2) > 1);
        }
        proxy.fix();

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.records.lost") == 4);
        }
    }

    /** From now on the HEAD of that object fails. */
    private void stopWalksAt(int object) {
        proxy.fail("HEAD /" + stream + "/" + key(object * RECORDS), 1, FaultyProxy.Fault.SLOW_DOWN);
    }

    /** How often each object was asked for. */
    private List<Integer> heads() {
        return IntStream.range(0, OBJECTS)
                .mapToObj(n -> proxy.requestTimes("HEAD /" + stream + "/" + key(n * RECORDS)).length)
                .toList();
    }

    private String key(long start) {
        return "%s/%s-0-%010d.ndjson.gz".formatted(FOLDER, stream, start);
    }

    private void store(S3Client other, int start) throws IOException {
        ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(gzipped)) {
            for (int n = start; n < start + RECORDS; n++) {
                gzip.write((line(n) + "\n").getBytes(UTF_8));
            }
        }
        Map<String, String> metadata =
                Map.of("last-offset", String.valueOf(start + RECORDS - 1), "records", String.valueOf(RECORDS));
        other.putObject(
                object -> object.bucket(stream)
                        .key(key(start))
                        .contentType("application/x-ndjson")
                        .metadata(metadata),
                RequestBody.fromBytes(gzipped.toByteArray()));
    }

    private static String line(int n) {
        return "{\"n\":" + n + "}";
    }

    private void produce(int records) {
        for (int n = 0; n < records; n++) {
            producer.send(new ProducerRecord<>(stream, 0, null, line(n).getBytes(UTF_8)));
        }
        producer.flush();
    }

    private long committed() throws Exception {
        return kafka.committed("to-s3").getOrDefault(partition, 0L);
    }
}
