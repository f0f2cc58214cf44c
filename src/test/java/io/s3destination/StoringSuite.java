package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.ZipInputStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * What users find in the bucket, through the shipped routes and properties, on any S3 server: the objects are read back
 * with a plain client.
 */
abstract class StoringSuite {

    private static final AtomicInteger TESTS = new AtomicInteger();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final int test = TESTS.incrementAndGet();
    protected final String stream = "public.orders-" + test;
    protected final String bucket = "data-lake-" + test;
    private final Map<String, String> settings = new HashMap<>();
    private KafkaProducer<byte[], byte[]> producer;

    @TempDir
    Path directory;

    protected abstract EmbeddedKafka kafka();

    protected abstract S3Server s3();

    @BeforeEach
    void createStreamAndBucket() throws Exception {
        kafka().createStream(stream, 2);
        s3().createBucket(bucket);
        producer = kafka().producer();
        settings.put("camel.component.kafka.brokers", kafka().brokers());
        settings.put("resource.datalake.url", s3().connectionUrl(bucket));
        settings.put("connector.to-s3.input", stream);
    }

    @AfterEach
    void closeProducer() {
        producer.close();
    }

    @Test
    void objectsAreNamedByStreamPartitionAndOffsetInTheFolderOfTheResource() throws Exception {
        String fixed = "resource-5-499379.public.orders";
        kafka().createStream(fixed, 1);
        settings.put("connector.to-s3.to", "resource-7-133274");
        settings.put("resource.resource-7-133274.url", s3().connectionUrl(bucket));
        settings.put("connector.to-s3.input", fixed + "," + stream);
        produce(fixed, 0, "{}");
        produce(stream, 0, "{}", "{}");
        produce(stream, 1, "{}");

        runUntilStored(4);
        // The same suite on another store has it, too.
        kafka().admin().deleteTopics(List.of(fixed)).all().get();

        assertThat(objects().keySet())
                .containsExactly(
                        "resource-7-133274/" + stream + "-0-0000000000.gz",
                        "resource-7-133274/" + stream + "-0-0000000001.gz",
                        "resource-7-133274/" + stream + "-1-0000000000.gz",
                        "resource-7-133274/resource-5-499379.public.orders-0-0000000000.gz");
    }

    @Test
    void theFolderIsASetting() throws Exception {
        settings.put("connector.to-s3.folder", "lake/raw orders");
        produce(stream, 0, "{}", "no json");

        runUntilStored(2);

        assertThat(objects().keySet())
                .containsExactly(
                        "lake/raw orders-dead-letter/" + stream + "-0-0000000001",
                        "lake/raw orders/" + stream + "-0-0000000000.gz");
    }

    @ParameterizedTest
    @CsvSource({
        "gzip, .gz,  application/json, gzip",
        "GZip, .gz,  application/json, gzip",
        "none, '',   application/json,",
        "zip,  .zip, application/zip,",
        "zstd, .zst, application/json, zstd"
    })
    void theBodyIsCompressedAsSet(String compression, String suffix, String type, String encoding) throws Exception {
        settings.put("connector.to-s3.output_compression", compression);
        String value = "{\"schema\":{\"type\":\"struct\"},\"payload\":{\"op\":\"c\",\"after\":{\"id\":1}}}";
        produce(stream, 1, value);

        runUntilStored(1);

        ResponseBytes<GetObjectResponse> object = object("datalake/" + stream + "-1-0000000000" + suffix);
        assertThat(unpacked(object, suffix)).isEqualTo(value);
        assertThat(object.response().contentType()).isEqualTo(type);
        assertThat(object.response().contentEncoding()).isEqualTo(encoding);
    }

    @ParameterizedTest
    @CsvSource({"gzip, .gz, gzip", "zstd, .zst, zstd", "none, '',"})
    void manyRecordsShareAnObjectWithALineForEach(String compression, String suffix, String encoding) throws Exception {
        settings.put("connector.to-s3.output_compression", compression);
        settings.put("connector.to-s3.records_per_object", "3");
        settings.put("connector.to-s3.seconds_per_object", "1");
        produce(stream, 1, "{\"a\":1.10}", "{\"b\":\r\n2}", "no json", "{\"c\":3}");

        runUntilStored(4);

        assertThat(objects().keySet())
                .containsExactly(
                        "datalake-dead-letter/" + stream + "-1-0000000002",
                        "datalake/_chain/" + stream,
                        "datalake/" + stream + "-1-0000000000.ndjson" + suffix,
                        "datalake/" + stream + "-1-0000000003.ndjson" + suffix);
        ResponseBytes<GetObjectResponse> object = object("datalake/" + stream + "-1-0000000000.ndjson" + suffix);
        assertThat(unpacked(object, suffix)).isEqualTo("{\"a\":1.10}\n{\"b\":  2}\n");
        assertThat(object.response().contentType()).isEqualTo("application/x-ndjson");
        assertThat(object.response().contentEncoding()).isEqualTo(encoding);
        assertThat(object.response().metadata())
                .containsEntry("records", "2")
                .containsEntry("last-offset", "2")
                .containsKey("topic-id");
    }

    @Test
    void jsonIsStoredAsItCame() throws Exception {
        String[] values = {
            "{\"a\":1,\"b\":2,\"a\":3}",
            "[1.10, 1e400, -0, 0.1e-7, 123456789012345678901234567890, 3.141592653589793238462643383279502884197]",
            "9".repeat(5_000),
            "\"Zoë €, 日本, 😀, \\ud83d\\ude00, \\ud800, \\u0000, \\/\"",
            "[".repeat(5_000) + "]".repeat(5_000),
            " \t{ \"a\" :\r\n 1 } \n",
            "null",
            "\"\"",
            "{\"" + "long name".repeat(10_000) + "\":\"" + "long text ".repeat(50_000) + "\"}"
        };
        produce(stream, 0, values);

        runUntilStored(values.length);

        assertThat(stored("datalake/", ".gz")).containsExactly(values);
    }

    @Test
    void anyJsonIsStoredByteForByte() throws Exception {
        List<String> values =
                new JsonPropertyTest().texts().sampleStream().limit(500).toList();
        values.forEach(value -> produceSoon(0, value));

        runUntilStored(values.size());

        assertThat(stored("datalake/", ".gz")).containsExactlyElementsOf(values);
    }

    @Test
    void aTombstoneIsStoredAsNull() throws Exception {
        produce(stream, 0, "{}", null, "{}");

        runUntilStored(3);

        assertThat(stored("datalake/", ".gz")).containsExactly("{}", "null", "{}");
    }

    @Test
    void aValueThatIsNotJsonIsSetAsideByteForByteAndTheStreamGoesOn() throws Exception {
        byte[][] values = {
            {}, {' '}, {0, 1, 2, -1}, "{\"a\":1} {}".getBytes(UTF_8), "{\"a\":".getBytes(UTF_8), {'"', -61, '"'}
        };
        for (byte[] value : values) {
            produce(stream, 0, value);
        }
        produce(stream, 0, "{\"good\":true}");

        runUntilStored(values.length + 1);

        for (int offset = 0; offset < values.length; offset++) {
            ResponseBytes<GetObjectResponse> letter =
                    object("datalake-dead-letter/%s-0-%010d".formatted(stream, offset));
            assertThat(letter.asByteArray()).isEqualTo(values[offset]);
            assertThat(letter.response().contentType()).isEqualTo("application/octet-stream");
            assertThat(letter.response().contentEncoding()).isNull();
            assertThat(letter.response().metadata()).containsEntry("reason", new Json().fault(values[offset]));
        }
        assertThat(stored("datalake/", ".gz")).containsExactly("{\"good\":true}");
    }

    @Test
    void headersAndKeysOfARecordChangeNothing() throws Exception {
        ProducerRecord<byte[], byte[]> hostile =
                new ProducerRecord<>(stream, 0, "${camelId}".getBytes(UTF_8), "{\"a\":1}".getBytes(UTF_8));
        List.of(
                        "CamelAwsS3Key",
                        "CamelAwsS3BucketName",
                        "CamelAwsS3ContentType",
                        "CamelAwsS3ContentEncoding",
                        "CamelAwsS3OverrideBucketName",
                        "CamelAwsS3Operation",
                        "CamelFileName",
                        "kafka.TOPIC",
                        "kafka.PARTITION",
                        "kafka.OFFSET",
                        "CamelKafkaManualCommit",
                        "Content-Type",
                        "Content-Length",
                        "file",
                        "ce-file",
                        "breadcrumbId",
                        "folder",
                        "object",
                        "fault")
                .forEach(name -> hostile.headers().add(name, "evil".getBytes(UTF_8)));
        producer.send(hostile).get();

        runUntilStored(1);

        ResponseBytes<GetObjectResponse> object = object("datalake/" + stream + "-0-0000000000.gz");
        assertThat(unpacked(object, ".gz")).isEqualTo("{\"a\":1}");
        assertThat(object.response().contentType()).isEqualTo("application/json");
        assertThat(object.response().metadata()).isEmpty();
    }

    @Test
    @SuppressWarnings("try")
    void aSecondConnectorIsACopyOfTheFirstAndThreeProperties() throws Exception {
        String second = stream + ".second";
        kafka().createStream(second, 1);
        s3().createBucket(bucket + "-second");
        Path routes = Files.createDirectory(directory.resolve("routes"));
        Files.writeString(
                routes.resolve("to-archive.camel.yaml"),
                Files.readString(Path.of("routes", "to-s3.camel.yaml")).replace("to-s3", "to-archive"));
        settings.put("camel.main.routes-include-pattern", "file:routes/*.camel.yaml,file:" + routes + "/*.camel.yaml");
        settings.put("resource.archive.url", s3().connectionUrl(bucket + "-second"));
        settings.put("connector.to-archive.to", "archive");
        settings.put("connector.to-archive.input", second);
        settings.put("connector.to-archive.output_compression", "none");
        produce(stream, 0, "1");
        produce(second, 0, "2", "no json");

        try (RunningBundle bundle = RunningBundle.start(settings)) {
            await(1);
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> s3().keys(bucket + "-second").size() == 2);
        }

        assertThat(objects().keySet()).containsExactly("datalake/" + stream + "-0-0000000000.gz");
        assertThat(s3().objects(bucket + "-second").keySet())
                .containsExactly(
                        "archive-dead-letter/" + second + "-0-0000000001", "archive/" + second + "-0-0000000000");
    }

    @Test
    void theInputMayBeAPatternOfStreams() throws Exception {
        kafka().createStream(stream + ".de", 1);
        kafka().createStream(stream + ".en", 1);
        settings.put("connector.to-s3.input", stream.replace(".", "[.]") + "[.](de|en)");
        settings.put("connector.to-s3.input_is_pattern", "true");
        produce(stream, 0, "1");
        produce(stream + ".de", 0, "2");
        produce(stream + ".en", 0, "3");

        runUntilStored(2);

        assertThat(objects().keySet())
                .containsExactly(
                        "datalake/" + stream + ".de-0-0000000000.gz", "datalake/" + stream + ".en-0-0000000000.gz");
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "False"})
    void theInputIsTheNameOfAStreamWhereItIsSaidToBeNoPattern(String isPattern) throws Exception {
        // As a pattern it would match the second, too.
        String similar = stream.replace('.', '-');
        kafka().createStream(similar, 1);
        settings.put("connector.to-s3.input_is_pattern", isPattern);
        produce(similar, 0, "1");
        produce(stream, 0, "2");

        runUntilStored(1);
        // The same suite on another store has it, too.
        kafka().admin().deleteTopics(List.of(similar)).all().get();

        assertThat(objects().keySet()).containsExactly("datalake/" + stream + "-0-0000000000.gz");
        assertThat(stored("datalake/", ".gz")).containsExactly("2");
    }

    @Test
    void whatIsStoredIsCommittedAndARestartGoesOnBehindIt() throws Exception {
        produce(stream, 0, "1", "2", "no json");
        produce(stream, 1, "3");
        runUntilStored(4);
        assertThat(committed()).containsOnly(Map.entry(0, 3L), Map.entry(1, 1L));
        objects().keySet().forEach(key -> s3().client()
                .deleteObject(b -> b.bucket(bucket).key(key)));

        produce(stream, 0, "4");
        runUntilStored(1);

        assertThat(objects().keySet()).containsExactly("datalake/" + stream + "-0-0000000003.gz");
        assertThat(committed()).containsOnly(Map.entry(0, 4L), Map.entry(1, 1L));
    }

    @Test
    void aTransactionThatIsAbortedLeavesNoObject() throws Exception {
        try (KafkaProducer<byte[], byte[]> transactional = kafka().transactionalProducer(stream)) {
            transactional.initTransactions();
            transactional.beginTransaction();
            transactional.send(new ProducerRecord<>(stream, 0, null, "\"aborted\"".getBytes(UTF_8)));
            transactional.flush();
            transactional.abortTransaction();
            transactional.beginTransaction();
            transactional.send(new ProducerRecord<>(stream, 0, null, "\"committed\"".getBytes(UTF_8)));
            transactional.commitTransaction();
        }

        runUntilStored(1);

        assertThat(stored("datalake/", ".gz")).containsExactly("\"committed\"");
    }

    protected final Map<String, String> settings() {
        return settings;
    }

    protected final void produce(String stream, int partition, String... values) throws Exception {
        for (String value : values) {
            produce(stream, partition, value == null ? null : value.getBytes(UTF_8));
        }
    }

    protected final void produceSoon(int partition, String value) {
        producer.send(new ProducerRecord<>(stream, partition, null, value.getBytes(UTF_8)));
    }

    private void produce(String stream, int partition, byte[] value) throws Exception {
        producer.send(new ProducerRecord<>(stream, partition, null, value)).get();
    }

    @SuppressWarnings("try")
    protected final void runUntilStored(int objects) {
        try (RunningBundle bundle = RunningBundle.start(settings)) {
            await(objects);
        }
    }

    private void await(int objects) {
        Awaitility.await().atMost(PATIENCE).until(() -> s3().keys(bucket).size() >= objects);
    }

    protected final Map<String, ResponseBytes<GetObjectResponse>> objects() {
        return s3().objects(bucket);
    }

    protected final Map<Integer, Long> committed() throws Exception {
        Map<Integer, Long> committed = new HashMap<>();
        kafka().committed("to-s3").forEach((partition, offset) -> {
            if (partition.topic().equals(stream)) {
                committed.put(partition.partition(), offset);
            }
        });
        return committed;
    }

    private ResponseBytes<GetObjectResponse> object(String key) {
        return s3().client().getObjectAsBytes(b -> b.bucket(bucket).key(key));
    }

    /** The unpacked bodies of a folder, in the order of their keys. */
    private List<String> stored(String folder, String suffix) {
        List<String> bodies = new ArrayList<>();
        objects().forEach((key, object) -> {
            if (key.startsWith(folder)) {
                bodies.add(unpacked(object, suffix));
            }
        });
        return bodies;
    }

    private String unpacked(ResponseBytes<GetObjectResponse> object, String suffix) {
        byte[] body = object.asByteArray();
        return switch (suffix) {
            case ".gz" -> new String(S3Server.unzipped(body), UTF_8);
            case ".zip" -> onlyEntry(body);
            case ".zst" -> new String(S3Server.unzstd(body), UTF_8);
            default -> new String(body, UTF_8);
        };
    }

    private String onlyEntry(byte[] archive) {
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
            assertThat(zip.getNextEntry().getName()).isEqualTo(stream + "-1-0000000000.json");
            String text = new String(zip.readAllBytes(), UTF_8);
            assertThat(zip.getNextEntry()).isNull();
            return text;
        } catch (IOException e) {
            throw new AssertionError("the archive cannot be read", e);
        }
    }
}
