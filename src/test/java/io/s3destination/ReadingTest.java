package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** The script of docs/EXACTLY_ONCE.md that checks a chain, as it stands there, on what the bundle has stored. */
@ExtendWith(EmbeddedServices.class)
class ReadingTest {

    private static final int RECORDS = 1_050;

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "reading-" + System.nanoTime();
    private final String prefix = "datalake/" + stream + "-0-";

    @TempDir
    Path directory;

    ReadingTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void writeScript() throws Exception {
        assumeThat(python("-c", "import boto3"))
                .as("what python3 says to import boto3")
                .isEmpty();
        Matcher script = Pattern.compile("(?ms)^```python\\n(.*?)^```$")
                .matcher(Files.readString(Path.of("docs/EXACTLY_ONCE.md")));
        assertThat(script.find()).isTrue();
        Files.writeString(directory.resolve("check_chain.py"), script.group(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd", "none"})
    void findsNothingWrongWithWhatIsStored(String compression) throws Exception {
        store(compression);
        // Another stream's, and an object at an offset where any chain may go on.
        put("datalake/" + stream + "-0-1-0000000005.ndjson.gz", 5, 5, "");
        put(prefix + "0002097152.ndjson", 2_097_152, 2_097_152, "1\n");

        assertThat(checked())
                .containsExactly("%d objects, %d records, up to offset 2097152".formatted(keys().size(), RECORDS + 1));
    }

    @Test
    void findsObjectsThatAreMissingOverlapOrWereChanged() throws Exception {
        store("none");
        List<String> keys = keys();
        s3.client().deleteObject(object -> object.bucket(stream).key(keys.get(1)));
        put(prefix + "0000000250.ndjson", 250, 299, "1\n".repeat(50));
        put(keys.get(4), 400, 499, "1\n".repeat(99));

        assertThat(checked())
                .startsWith(
                        "missing: an object that begins at offset 100, before " + keys.get(2),
                        "overlap: " + prefix + "0000000250.ndjson begins before offset 300",
                        "changed: " + keys.get(4) + " does not hold 100 lines")
                .hasSize(4);
    }

    /** Runs the bundle until the records are stored, a hundred to an object. */
    @SuppressWarnings("try")
    private void store(String compression) throws Exception {
        kafka.createStream(stream, 1);
        s3.createBucket(stream);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < RECORDS; n++) {
                producer.send(new ProducerRecord<>(stream, "{}".getBytes(UTF_8)));
            }
        }
        try (RunningBundle bundle = RunningBundle.start(RunningBundle.storing(
                stream,
                kafka,
                s3.connectionUrl(stream),
                Map.of(
                        "connector.to-s3.records_per_object",
                        "100",
                        "connector.to-s3.seconds_per_object",
                        "2",
                        "connector.to-s3.output_compression",
                        compression)))) {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> kafka.commits("to-s3", stream).containsKey(0)
                            && kafka.commits("to-s3", stream).get(0).offset() == RECORDS);
        }
    }

    /** As another program does. */
    private void put(String key, long start, long last, String lines) throws Exception {
        try (S3Client client = S3Clients.create(ConnectionUrl.parse(s3.connectionUrl(stream)), 1)) {
            client.putObject(
                    object -> object.bucket(stream)
                            .key(key)
                            .metadata(Map.of(
                                    "last-offset", String.valueOf(last), "records", String.valueOf(last + 1 - start))),
                    RequestBody.fromBytes(lines.getBytes(UTF_8)));
        }
    }

    private List<String> keys() {
        return s3.keys(stream).stream()
                .filter(key -> key.matches(Pattern.quote(prefix) + "\\d+\\.ndjson.*"))
                .toList();
    }

    private List<String> checked() throws Exception {
        return python("check_chain.py", stream, prefix).lines().toList();
    }

    /** What it says, or that it is missing. */
    private String python(String... arguments) throws Exception {
        Path output = directory.resolve("output");
        ProcessBuilder builder = new ProcessBuilder("python3")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.command().addAll(List.of(arguments));
        builder.environment()
                .putAll(Map.of(
                        "AWS_ACCESS_KEY_ID", EmbeddedS3.OWNER_KEY,
                        "AWS_SECRET_ACCESS_KEY", EmbeddedS3.OWNER_SECRET,
                        "AWS_DEFAULT_REGION", EmbeddedS3.REGION,
                        "AWS_ENDPOINT_URL", s3.endpoint().toString()));
        try {
            builder.start().waitFor();
        } catch (IOException e) {
            return "python3 is missing: " + e.getMessage();
        }
        return Files.readString(output);
    }
}
