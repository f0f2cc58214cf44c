package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a step throws is counted, reported and retried, and blocks the partition of its record only. */
@ExtendWith(EmbeddedServices.class)
class StepErrorsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** By partition; of the partition behind them no record fails. */
    private static final List<Supplier<Throwable>> THROWN = List.of(
            StackOverflowError::new,
            () -> new NoClassDefFoundError("a/class"),
            () -> new AssertionError("as the test wants it"),
            () -> new Throwable("neither an error nor an exception"),
            () -> new IllegalStateException("an exception"));

    @Test
    @SuppressWarnings("try")
    void isCountedReportedAndRetried(EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path routes) throws Exception {
        String stream = "step-errors-" + System.nanoTime();
        int partitions = THROWN.size() + 1;
        kafka.createStream(stream, partitions);
        s3.createBucket(stream);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < 10 * partitions; n++) {
                producer.send(new ProducerRecord<>(stream, n % partitions, null, "1".getBytes(UTF_8)));
            }
        }
        Breaking step = new Breaking();
        Map<String, String> settings = RunningBundle.storing(
                stream,
                kafka,
                s3.connectionUrl(stream),
                Map.of(
                        "camel.main.routes-include-pattern",
                        EditedRoutes.withStep(routes, "breaking").pattern()));

        try (RunningBundle bundle =
                RunningBundle.start(settings, registry -> registry.bind("breaking", Processor.class, step))) {
            Map<Integer, Long> blocked = IntStream.range(0, partitions)
                    .boxed()
                    .collect(Collectors.toMap(Function.identity(), p -> p < THROWN.size() ? 3L : 10L));
            awaitCommitted(kafka, stream, blocked);
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                    .hasValueSatisfying(why -> assertThat(why).contains("breaking-step")));
            assertThat(bundle.metric("s3.destination.retries")).isGreaterThanOrEqualTo(THROWN.size());
            assertThat(step.failed).hasSize(THROWN.size());
            step.isBroken = false;
            blocked.replaceAll((partition, offset) -> 10L);
            awaitCommitted(kafka, stream, blocked);
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> bundle.notReady().isEmpty() && bundle.metric("s3.destination.in.flight") == 0);
        }

        assertThat(s3.puts(stream)).hasSize(10 * partitions).doesNotHaveDuplicates();
    }

    private static void awaitCommitted(EmbeddedKafka kafka, String stream, Map<Integer, Long> offsets) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            Map<Integer, Long> committed = new HashMap<>();
            kafka.commits("to-s3", stream).forEach((partition, commit) -> committed.put(partition, commit.offset()));
            assertThat(committed).isEqualTo(offsets);
        });
    }

    /** Fails for one record of a partition, until it is fixed. */
    private static final class Breaking implements Processor {

        private final Set<Integer> failed = ConcurrentHashMap.newKeySet();
        private volatile boolean isBroken = true;

        @Override
        public void process(Exchange exchange) {
            int partition = exchange.getMessage().getHeader(KafkaConstants.PARTITION, Integer.class);
            long offset = exchange.getMessage().getHeader(KafkaConstants.OFFSET, Long.class);
            if (isBroken && offset == 3 && partition < THROWN.size()) {
                failed.add(partition);
                sneak(THROWN.get(partition).get());
            }
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> void sneak(Throwable fault) throws T {
            throw (T) fault;
        }
    }
}
