package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.zip.ZipInputStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

/** Records that flow in several streams, fifty a second in each, until it is closed. */
public final class Flow implements AutoCloseable {

    private final List<String> streams;
    private final KafkaProducer<byte[], byte[]> producer;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    /** By stream, the value of each record that Kafka has, by the name of its object. */
    private final Map<String, Map<String, String>> produced = new ConcurrentHashMap<>();

    public Flow(KafkaServer kafka, List<String> streams) {
        this.streams = streams;
        producer = kafka.producer();
        streams.forEach(stream -> produced.put(stream, new ConcurrentHashMap<>()));
        clock.scheduleAtFixedRate(this::produce, 0, 20, TimeUnit.MILLISECONDS);
    }

    private void produce() {
        for (String stream : streams) {
            String value = "{\"%s\": %d}".formatted(stream, System.nanoTime());
            producer.send(new ProducerRecord<>(stream, value.getBytes(UTF_8)), (record, fault) -> {
                if (fault == null) {
                    String name = "%s-%d-%010d".formatted(stream, record.partition(), record.offset());
                    produced.get(stream).put(name, value);
                }
            });
        }
    }

    /** Ends the flow; what flowed stays known. */
    @Override
    public void close() {
        clock.shutdown();
        try {
            assertThat(clock.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        producer.close();
    }

    /** How many records flowed in a stream. */
    public int size(String stream) {
        return produced.get(stream).size();
    }

    /** Of a flow that has ended: the records of these streams are in the bucket, put once, and nothing else is. */
    public void isPutOnce(EmbeddedS3 s3, String bucket, String suffix, Duration patience, String... streams) {
        Map<String, String> records = new HashMap<>();
        for (String stream : streams) {
            produced.get(stream).forEach((name, value) -> records.put(name + suffix, value));
        }
        Awaitility.await().atMost(patience).until(() -> s3.puts(bucket).size() >= records.size());
        assertThat(s3.puts(bucket))
                .extracting(Flow::name)
                .as("puts into " + bucket)
                .containsExactlyInAnyOrderElementsOf(records.keySet());
        Map<String, String> stored = new HashMap<>();
        s3.objects(bucket).forEach((key, object) -> stored.put(name(key), content(key, object.asByteArray())));
        assertThat(stored).isEqualTo(records);
    }

    /**
     * Of a flow that has ended: each record of a stream is a line of one object of many records, in the order of the offsets,
     * and nothing else is.
     *
     * @param value what of a line is the value of the record
     */
    public void isInChains(
            EmbeddedS3 s3,
            String bucket,
            String folder,
            Duration patience,
            String stream,
            UnaryOperator<String> value) {
        Map<String, String> records = new TreeMap<>(produced.get(stream));
        Awaitility.await()
                .atMost(patience)
                // S3Proxy lists an object before it shows it.
                .ignoreException(NoSuchKeyException.class)
                .untilAsserted(() -> assertThat(Chains.lines(Chains.read(s3, bucket, folder, stream)))
                        .hasSizeGreaterThanOrEqualTo(records.size()));
        Map<Integer, List<Chains.Link>> chains = Chains.read(s3, bucket, folder, stream);
        assertThat(Chains.lines(chains).stream().map(value))
                .as("lines in " + bucket)
                .containsExactlyElementsOf(records.values());
        assertThat(Chains.gaps(chains)).hasSameSizeAs(chains.keySet());
    }

    private static String name(String key) {
        return key.substring(key.lastIndexOf('/') + 1);
    }

    private static String content(String key, byte[] object) {
        if (!key.endsWith(".zip")) {
            return new String(S3Server.unzipped(object), UTF_8);
        }
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(object))) {
            assertThat(zip.getNextEntry().getName()).isEqualTo(name(key).replace(".zip", ".json"));
            return new String(zip.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(key, e);
        }
    }
}
