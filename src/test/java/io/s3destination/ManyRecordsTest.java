package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.Chains;
import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.RunningBundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Objects of many records: each record in exactly one, whatever completes them. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class ManyRecordsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String FOLDER = "datalake";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "many-" + System.nanoTime();
    private final List<String> produced = new ArrayList<>();
    private Map<String, String> settings;
    private KafkaProducer<byte[], byte[]> producer;
    /** As another process of the connector. */
    private S3Client writer;

    ManyRecordsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() throws Exception {
        kafka.createStream(stream, 4);
        producer = kafka.producer();
        writer = S3Clients.create(ConnectionUrl.parse(s3.connectionUrl(stream)), 1);
        s3.createBucket(stream);
        settings = new HashMap<>(RunningBundle.storing(stream, kafka, s3.connectionUrl(stream)));
        settings.put("connector.to-s3.records_per_object", "100");
        settings.put("connector.to-s3.seconds_per_object", "1");
    }

    @AfterEach
    void close() {
        producer.close();
        writer.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd", "none"})
    void eachRecordIsInOneObject(String compression) throws Exception {
        settings.put("connector.to-s3.output_compression", compression);
        produce(1_050);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
            produce(3);
            isComplete(bundle);
        }

        assertThat(chains().values())
                .allSatisfy(chain -> assertThat(chain).allSatisfy(link -> assertThat(link.last() / 100)
                        .as(link.key())
                        .isEqualTo((link.last() + 1 - link.lines().size()) / 100)));
    }

    /** Also by the shipped steps, which take several records at once. */
    @Test
    void valuesThatADeserializerChangedAreStoredAsBytes(@TempDir Path directory) throws Exception {
        EditedRoutes routes = EditedRoutes.of(
                directory,
                route -> route.replace(
                        "valueDeserializer: org.apache.kafka.common.serialization.ByteArrayDeserializer",
                        "valueDeserializer: org.apache.kafka.common.serialization.StringDeserializer"));
        settings.put("camel.main.routes-include-pattern", routes.pattern());
        produce(200);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
    }

    /** Records that take their steps together fail together; while the connector is suspended they are dropped. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void recordsWhoseStepsFailAreStoredOnce(boolean isSuspended) throws Exception {
        produce(1_000);
        AtomicBoolean fails = new AtomicBoolean(true);
        InterceptStrategy failing = (context, step, target, next) -> new DelegateAsyncProcessor(target) {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                if (fails.get() && step.getId().endsWith("validate-json")) {
                    exchange.setException(new IllegalStateException("of the test"));
                    callback.done(true);
                    return true;
                }
                return super.process(exchange, callback);
            }
        };

        try (RunningBundle bundle = RunningBundle.start(settings, failing)) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.retries") > 0);
            if (isSuspended) {
                bundle.context().getRouteController().suspendRoute("to-s3");
                Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.in.flight") == 0);
            }
            fails.set(false);
            if (isSuspended) {
                bundle.context().getRouteController().resumeRoute("to-s3");
            }
            isComplete(bundle);
            produce(10);
            isComplete(bundle);
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.in.flight") == 0);
        }
    }

    @Test
    void aRestartGoesOnWhereTheChainEnds() throws Exception {
        produce(150);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
        List<String> before = s3.keys(stream);
        produce(150);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }

        assertThat(s3.keys(stream)).containsAll(before);
    }

    @Test
    void bytesCompleteARunToo() throws Exception {
        settings.put("connector.to-s3.bytes_per_object", "1024");
        settings.put("connector.to-s3.records_per_object", "1000000");
        produce(4_000);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }

        assertThat(chains().values()).allSatisfy(chain -> assertThat(chain).hasSizeGreaterThan(8));
    }

    @Test
    void valuesThatAreNotJsonAreDeadLettersAndNoLines() throws Exception {
        produce(20);
        send("{\"n\":", 0);
        send(null, 1);
        produced.add("null");
        produce(20);
        send("not JSON", 2);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle, 2);
        }

        assertThat(s3.keys(stream).stream().filter(key -> key.startsWith(FOLDER + "-dead-letter/")))
                .hasSize(2);
    }

    @Test
    void anotherWritersObjectIsKeptAndFollowed() throws Exception {
        settings.put("connector.to-s3.seconds_per_object", "6");
        produce(80);
        try (RunningBundle bundle = startWithShortLimits()) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.lag") == 80);
            // Partition 0 is in an open run; the other writer has read less of it.
            store(0, 0, 4);
            isComplete(bundle);
            assertThat(bundle.metric("s3.destination.objects.found")).isOne();
        }

        assertThat(chains().get(0)).extracting(Chains.Link::start).startsWith(0L, 5L);
    }

    @Test
    void offsetsSetBackToTheBeginningChangeNothing() throws Exception {
        produce(450);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
        Map<String, String> before = etags();

        for (long offset : List.of(0L, 37L, 100L)) {
            reset(offset);
            settings.put("connector.to-s3.records_per_object", String.valueOf(60 + offset));
            try (RunningBundle bundle = RunningBundle.start(settings)) {
                isComplete(bundle);
                produce(40);
                isComplete(bundle);
            }

            assertThat(etags()).containsAllEntriesOf(before);
        }
    }

    @Test
    void oneAndManyRecordsPerObjectDoNotShareAFolder() throws Exception {
        settings.put("connector.to-s3.records_per_object", "1");
        produce(8);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> s3.keys(stream).size() == 8);
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == 8);
        }
        settings.put("connector.to-s3.records_per_object", "100");
        isRefused("was stored with records_per_object = 1 in this folder");
        reset(1);
        isRefused("the folder holds objects of one record");
        settings.put("connector.to-s3.folder", "many");
        reset(0);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
        settings.put("connector.to-s3.records_per_object", "1");
        isRefused("was stored with records_per_object above 1 in this folder");
    }

    @Test
    void objectsOfOneRecordAreNoticedAlsoWhereKafkaDeletedWhatFollowsThem() throws Exception {
        settings.put("connector.to-s3.records_per_object", "1");
        produce(8);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == 8);
        }
        reset(2);
        produce(16);
        for (int partition = 0; partition < 4; partition++) {
            kafka.deleteRecords(new TopicPartition(stream, partition), 4);
        }

        settings.put("connector.to-s3.records_per_object", "100");
        isRefused("the folder holds objects of one record");
    }

    @Test
    void theCompressionOfAStreamCannotChangeInItsFolder() throws Exception {
        produce(8);
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
        settings.put("connector.to-s3.output_compression", "zstd");
        isRefused("so output_compression cannot change there: set another folder");
    }

    @Test
    void theRightToLookAtObjectsIsNeeded() throws Exception {
        produce(8);
        try (FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1)) {
            proxy.fail("HEAD /", 1, Fault.ACCESS_DENIED);
            settings.put("resource.datalake.url", s3.connectionUrl(stream, proxy.endpoint()));
            isRefused("records_per_object above 1 needs s3:GetObject beside s3:PutObject");
        }

        assertThat(s3.keys(stream)).containsExactly(FOLDER + "/_chain/" + stream);
    }

    @Test
    void anObjectWithoutItsMetadataStopsItsPartitionOnly() throws Exception {
        writer.putObject(
                object -> object.bucket(stream).key(FOLDER + "/" + stream + "-0-0000000000.ndjson.gz"),
                RequestBody.fromBytes(new byte[] {1}));
        produce(40);

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isRefused(
                    bundle,
                    "last-offset of the object " + FOLDER + "/" + stream + "-0-0000000000.ndjson.gz is missing");
            Awaitility.await().atMost(PATIENCE).until(() -> committed() == 30);
        }
    }

    @Test
    void whatIsInAnOpenRunWhenItStopsIsStoredAfterTheNextStart() throws Exception {
        settings.put("connector.to-s3.seconds_per_object", "3600");
        produce(40);
        try (RunningBundle bundle = startWithShortLimits()) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.metric("s3.destination.lag") == 40);
        }
        assertThat(chains()).isEmpty();

        settings.put("connector.to-s3.seconds_per_object", "1");
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isComplete(bundle);
        }
    }

    @Test
    void anOpenRunIsNoPendingWork() throws Exception {
        settings.put("connector.to-s3.seconds_per_object", "20");
        produce(40);

        try (RunningBundle bundle = startWithShortLimits()) {
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.notReady().isEmpty());
            Awaitility.await()
                    .during(Duration.ofSeconds(12))
                    .atMost(Duration.ofSeconds(13))
                    .until(() -> bundle.notReady().isEmpty());
            assertThat(Chains.read(s3, stream, FOLDER, stream)).isEmpty();
        }
    }

    private RunningBundle startWithShortLimits() {
        return RunningBundle.start(
                settings,
                registry ->
                        registry.bind("readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(5)));
    }

    private Map<Integer, List<Chains.Link>> chains() {
        return Chains.read(s3, stream, settings.getOrDefault("connector.to-s3.folder", FOLDER), stream);
    }

    private Map<String, String> etags() {
        return s3.client().listObjectsV2Paginator(list -> list.bucket(stream)).contents().stream()
                .collect(Collectors.toMap(S3Object::key, S3Object::eTag));
    }

    /** As another process of the connector does. */
    private void store(int partition, long start, long last) throws IOException {
        ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(gzipped)) {
            List<String> lines = IntStream.range(0, produced.size())
                    .filter(n -> (n + 1) % 4 == partition)
                    .mapToObj(produced::get)
                    .toList();
            for (String line : lines.subList((int) start, (int) last + 1)) {
                gzip.write((line + "\n").getBytes(UTF_8));
            }
        }
        writer.putObject(
                object -> object.bucket(stream)
                        .key("%s/%s-%d-%010d.ndjson.gz".formatted(FOLDER, stream, partition, start))
                        .contentType("application/x-ndjson")
                        .metadata(Map.of(
                                "last-offset", String.valueOf(last), "records", String.valueOf(last + 1 - start))),
                RequestBody.fromBytes(gzipped.toByteArray()));
    }

    private void reset(long offset) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int partition = 0; partition < 4; partition++) {
            offsets.put(new TopicPartition(stream, partition), new OffsetAndMetadata(offset));
        }
        kafka.admin().alterConsumerGroupOffsets("to-s3", offsets).all().get();
    }

    private void isRefused(String why) {
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            isRefused(bundle, why);
        }
    }

    private void isRefused(RunningBundle bundle, String why) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                .hasValueSatisfying(text -> assertThat(text).contains(why)));
    }

    private void produce(int records) {
        for (int n = 0; n < records; n++) {
            String value = "{\"n\":" + produced.size() + "}";
            produced.add(value);
            send(value, produced.size() % 4);
        }
        producer.flush();
    }

    private void send(String value, int partition) {
        producer.send(new ProducerRecord<>(stream, partition, null, value == null ? null : value.getBytes(UTF_8)));
    }

    private void isComplete(RunningBundle bundle) {
        isComplete(bundle, 0);
    }

    private void isComplete(RunningBundle bundle, int deadLetters) {
        Awaitility.await()
                .atMost(PATIENCE)
                // S3Proxy lists an object before it shows it.
                .ignoreException(NoSuchKeyException.class)
                .untilAsserted(() -> assertThat(Chains.lines(chains())).containsExactlyInAnyOrderElementsOf(produced));
        Awaitility.await().atMost(PATIENCE).until(() -> committed() == produced.size() + deadLetters);
    }

    private long committed() throws Exception {
        return kafka.committed("to-s3").entrySet().stream()
                .filter(committed -> committed.getKey().topic().equals(stream))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
