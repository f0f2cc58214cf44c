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
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a connector gets on: asks Kafka how far it is behind, and says in the log what was stored since it looked last, if
 * anything was. For one thread; whoever made it closes it.
 */
final class Progress implements AutoCloseable {

    static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

    private final String connector;
    private final CamelContext context;
    private final Metrics metrics;
    private final MultiGauge gauges;
    private Optional<Lag> lag = Optional.empty();
    private long objects;
    private long looked = System.nanoTime();

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
            say(behind.map(Progress::total)
                    .map(total -> ", " + grouped(total) + " behind")
                    .orElse(""));
        } catch (RuntimeException e) {
            // Thrown on, it would end the clock of all connectors.
            LOG.warn("{}: how it gets on is not known: {}", connector, e.toString());
        }
    }

    private void say(String behind) {
        long before = objects;
        objects = metrics.of(connector).mapToLong(StreamMetrics::objects).sum();
        long now = System.nanoTime();
        if (objects > before) {
            LOG.info(
                    "{}: {} records stored in {} s{}",
                    connector,
                    grouped(objects - before),
                    Duration.ofNanos(now - looked).toSeconds(),
                    behind);
        }
        looked = now;
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private double inFlight() {
        return group().map(group -> clients().load(group).records()).orElse(0);
    }

    private Optional<String> group() {
        return Optional.ofNullable(context.getRoute(connector))
                .map(Route::getEndpoint)
                .filter(KafkaEndpoint.class::isInstance)
                .map(endpoint -> ((KafkaEndpoint) endpoint).getConfiguration().getGroupId());
    }

    private KafkaClients clients() {
        return context.getRegistry().lookupByNameAndType("kafka-clients", KafkaClients.class);
    }

    private Optional<Map<TopicPartition, Long>> behind(String group) {
        List<WindowedConsumer> consumers = clients().of(group).toList();
        if (consumers.isEmpty()) {
            return Optional.empty();
        }
        if (lag.filter(known -> known.group().equals(group)).isEmpty()) {
            close();
            lag = Optional.of(new Lag(group, consumers.get(0).settings()));
        }
        return lag.get()
                .behind(consumers.stream()
                        .flatMap(consumer -> consumer.assigned().stream())
                        .collect(Collectors.toSet()));
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

    @Override
    public void close() {
        lag.ifPresent(Lag::close);
    }
}
