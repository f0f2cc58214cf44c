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
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stream with little to store, in which no record waits for another. */
@ExtendWith(EmbeddedServices.class)
@Isolated
class TrickleIT {

    private static final Duration LENGTH = Duration.ofSeconds("long".equals(System.getProperty("faults")) ? 30 : 6);
    private static final Duration GOAL = Duration.ofSeconds(1);

    /** With a pause between the records in which the connector looks in vain, and without. */
    @ParameterizedTest
    @ValueSource(ints = {300, 30})
    @SuppressWarnings("try")
    void eachRecordIsStoredWithinASecond(int pauseMillis, EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path directory)
            throws Exception {
        String name = "trickle-" + pauseMillis;
        int records = (int) LENGTH.toMillis() / pauseMillis;
        kafka.createStream(name, 1);
        s3.createBucket(name);
        Map<Integer, Long> produced = new ConcurrentHashMap<>();
        Map<Integer, Long> stored = new ConcurrentHashMap<>();
        AtomicInteger next = new AtomicInteger();
        ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer();
                BundleProcess bundle = new BundleProcess(directory)
                        .storing(name, kafka, s3.connectionUrl(name))
                        .start()) {
            producer.send(new ProducerRecord<>(name, "\"the first, which waits for the start\"".getBytes(UTF_8)));
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> s3.puts(name)
                    .contains(key(name, 0)));

            clock.scheduleAtFixedRate(
                    () -> {
                        int n = next.incrementAndGet();
                        if (n <= records) {
                            produced.put(n, System.nanoTime());
                            producer.send(new ProducerRecord<>(name, ("{\"n\":" + n + "}").getBytes(UTF_8)));
                        }
                    },
                    0,
                    pauseMillis,
                    TimeUnit.MILLISECONDS);
            clock.scheduleAtFixedRate(
                    () -> produced.keySet().stream()
                            .filter(n -> !stored.containsKey(n) && s3.puts(name).contains(key(name, n)))
                            .forEach(n -> stored.put(n, System.nanoTime())),
                    0,
                    5,
                    TimeUnit.MILLISECONDS);
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> stored.size() == records);
        } finally {
            clock.shutdownNow();
        }

        long[] millis = stored.keySet().stream()
                .mapToLong(n -> TimeUnit.NANOSECONDS.toMillis(stored.get(n) - produced.get(n)))
                .sorted()
                .toArray();
        System.out.printf(
                "a record each %d ms, %d records: stored after %d ms (p50), %d ms (p99), %d ms (max); goal %d ms%n",
                pauseMillis,
                records,
                millis[records / 2],
                millis[(records * 99 + 99) / 100 - 1],
                millis[records - 1],
                GOAL.toMillis());
        assertThat(millis[records - 1]).isLessThan(3 * GOAL.toMillis());
    }

    private static String key(String stream, int offset) {
        return "datalake/%s-0-%010d.gz".formatted(stream, offset);
    }
}
