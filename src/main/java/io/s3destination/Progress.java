package io.s3destination;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a connector gets on: asks Kafka how far it is behind, and says in the log what was stored since it looked last, if
 * anything was. For one thread.
 */
final class Progress {

    static final Duration INTERVAL = Duration.ofSeconds(5);

    /** Half an interval less than ten seconds, since looks are not on time. */
    private static final long LOG_INTERVAL = Duration.ofMillis(7_500).toNanos();

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

    private final String connector;
    private final CamelContext context;
    private final Metrics metrics;
    private final MultiGauge gauges;
    private long objects;
    private long logged = System.nanoTime();

    Progress(String connector, CamelContext context, Metrics metrics, MeterRegistry registry) {
        this.connector = connector;
        this.context = context;
        this.metrics = metrics;
        gauges = MultiGauge.builder(Metrics.PREFIX + "lag")
                .description("Records that are not committed yet, in the partitions that this process reads")
                .baseUnit("records")
                .tag("connector", connector)
                .register(registry);
        Gauge.builder(Metrics.PREFIX + "in.flight", this, Progress::inFlight)
                .description("Records that are read and on their way to S3")
                .baseUnit("records")
                .tag("connector", connector)
                .register(registry);
    }

    /** May wait for Kafka, for some seconds. */
    void look() {
        try {
            Optional<Map<TopicPartition, Long>> behind = group().flatMap(this::behind);
            gauges.register(rows(behind.orElse(Map.of())), true);
            context.getRegistry()
                    .lookupByNameAndType("retries", RetryReporter.class)
                    .tick(
                            connector,
                            behind.map(Progress::total).map(OptionalLong::of).orElse(OptionalLong.empty()));
            if (System.nanoTime() - logged > LOG_INTERVAL) {
                log(behind.map(Progress::total)
                        .map(lag -> ", " + grouped(lag) + " behind")
                        .orElse(""));
            }
        } catch (Throwable e) {
            OutOfMemory.endIfOutOfMemory(e);
            // Thrown on, it would end the looks at all connectors.
            LOG.warn("{}: cannot look at its lag: {}", connector, e.toString());
        }
    }

    private void log(String behind) {
        long before = objects;
        objects = metrics.of(connector).mapToLong(StreamMetrics::objects).sum();
        long now = System.nanoTime();
        if (objects > before) {
            LOG.info(
                    "{}: {} records stored in {} s{}",
                    connector,
                    grouped(objects - before),
                    Duration.ofNanos(now - logged).toSeconds(),
                    behind);
        }
        logged = now;
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private double inFlight() {
        return group().map(group -> consumers().group(group).inFlight().records())
                .orElse(0);
    }

    private Optional<String> group() {
        return Optional.ofNullable(context.getRoute(connector))
                .map(Route::getEndpoint)
                .filter(KafkaEndpoint.class::isInstance)
                .map(endpoint -> ((KafkaEndpoint) endpoint).getConfiguration().getGroupId());
    }

    private KafkaConsumerFactory consumers() {
        return context.getRegistry().lookupByNameAndType("kafka-clients", KafkaConsumerFactory.class);
    }

    /** The records between what is committed and the end of each partition that is read; empty if Kafka does not answer. */
    private Optional<Map<TopicPartition, Long>> behind(String id) {
        ConsumerGroup group = consumers().group(id);
        Set<TopicPartition> partitions = group.consumers()
                .flatMap(consumer -> consumer.assigned().stream())
                .collect(Collectors.toSet());
        return group.lookUp(partitions, IsolationLevel.READ_COMMITTED).flatMap(lookup -> {
            try {
                lookup.await();
                Map<TopicPartition, PartitionLookup.Answer> answers = lookup.answers();
                answers.forEach((partition, answer) -> group.compare(partition.topic(), answer.topicId()));
                return Optional.of(answers)
                        .filter(all -> all.size() == partitions.size())
                        .map(all -> all.entrySet().stream()
                                .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue()
                                        .lag())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        });
    }

    private List<Row<?>> rows(Map<TopicPartition, Long> behind) {
        // What is told from the start counts from nought, not from the first event.
        behind.keySet().forEach(partition -> metrics.of(connector, partition.topic()));
        return behind.entrySet().stream()
                .<Row<?>>map(partition -> Row.of(
                        Tags.of(
                                "stream",
                                partition.getKey().topic(),
                                "partition",
                                String.valueOf(partition.getKey().partition())),
                        partition.getValue()))
                .toList();
    }

    private static long total(Map<TopicPartition, Long> behind) {
        return behind.values().stream().mapToLong(Long::longValue).sum();
    }
}
