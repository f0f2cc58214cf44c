package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** A stream with little to store, which must not wait for a batch to fill. */
@ExtendWith(EmbeddedServices.class)
@Isolated
class TrickleIT {

    private static final int RECORDS = "long".equals(System.getProperty("faults")) ? 100 : 33;
    private static final Duration GOAL = Duration.ofSeconds(1);
    private static final String STREAM = "trickle-orders";
    private static final String BUCKET = "trickle-lake";

    @Test
    @SuppressWarnings("try")
    void eachRecordIsStoredWithinASecond(EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path directory) throws Exception {
        kafka.createStream(STREAM, 1);
        s3.createBucket(BUCKET);
        Map<Integer, Long> produced = new ConcurrentHashMap<>();
        Map<Integer, Long> stored = new ConcurrentHashMap<>();
        AtomicInteger next = new AtomicInteger();
        ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer();
                BundleProcess bundle = new BundleProcess(directory)
                        .with("DATALAKE_URL", s3.connectionUrl(BUCKET))
                        .with("STREAM_NAME", STREAM)
                        .with("KAFKA_BROKERS", kafka.brokers())
                        .withRoute("to-s3", "groupId: to-s3", "groupId: trickle")
                        .start()) {
            producer.send(new ProducerRecord<>(STREAM, "\"the first, which waits for the start\"".getBytes(UTF_8)));
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> s3.puts(BUCKET)
                    .contains(key(0)));

            clock.scheduleAtFixedRate(
                    () -> {
                        int n = next.incrementAndGet();
                        if (n <= RECORDS) {
                            produced.put(n, System.nanoTime());
                            producer.send(new ProducerRecord<>(STREAM, ("{\"n\":" + n + "}").getBytes(UTF_8)));
                        }
                    },
                    0,
                    300,
                    TimeUnit.MILLISECONDS);
            clock.scheduleAtFixedRate(
                    () -> produced.keySet().stream()
                            .filter(n ->
                                    !stored.containsKey(n) && s3.puts(BUCKET).contains(key(n)))
                            .forEach(n -> stored.put(n, System.nanoTime())),
                    0,
                    5,
                    TimeUnit.MILLISECONDS);
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> stored.size() == RECORDS);
        } finally {
            clock.shutdownNow();
        }

        long[] millis = stored.keySet().stream()
                .mapToLong(n -> TimeUnit.NANOSECONDS.toMillis(stored.get(n) - produced.get(n)))
                .sorted()
                .toArray();
        System.out.printf(
                "a record each 300 ms, %d records: stored after %d ms (p50), %d ms (p99), %d ms (max); goal %d ms%n",
                RECORDS,
                millis[RECORDS / 2],
                millis[(RECORDS * 99 + 99) / 100 - 1],
                millis[RECORDS - 1],
                GOAL.toMillis());
        assertThat(millis[RECORDS - 1]).isLessThan(3 * GOAL.toMillis());
    }

    private static String key(int offset) {
        return "datalake/%s-0-%010d.gz".formatted(STREAM, offset);
    }
}
