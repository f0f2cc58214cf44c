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
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the progress of a connector: asks Kafka for its lag, logs what was stored, and finds out when work is pending
 * without progress, whatever the cause. For one thread; {@link #fault} is for all threads.
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
    private final ProgressMonitor monitor = new ProgressMonitor(ConnectorHealth.STALLED, INTERVAL);
    private volatile Optional<String> fault = Optional.empty();
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
            Optional<ConsumerGroup> group = group();
            Optional<Map<TopicPartition, Long>> behind = group.flatMap(this::behind);
            OptionalLong lag = behind.map(Progress::total).map(OptionalLong::of).orElse(OptionalLong.empty());
            gauges.register(rows(behind.orElse(Map.of())), true);
            group.ifPresent(reads -> watch(reads, lag));
            context.getRegistry()
                    .lookupByNameAndType("retries", RetryReporter.class)
                    .tick(connector, lag);
            if (System.nanoTime() - logged > LOG_INTERVAL) {
                log(lag.isPresent() ? ", " + grouped(lag.getAsLong()) + " behind" : "");
            }
        } catch (Throwable e) {
            OutOfMemory.endIfOutOfMemory(e);
            // Thrown on, it would end the looks at all connectors.
            LOG.warn("{}: cannot look at its lag: {}", connector, e.toString());
        }
    }

    private void watch(ConsumerGroup group, OptionalLong lag) {
        OffsetTracker.Limit inFlight = group.inFlight();
        boolean isPending = !isSuspended() && (lag.orElse(0) > 0 || inFlight.records() > 0);
        monitor.look(System.nanoTime(), isPending, inFlight.progress());
        Optional<OffsetTracker.Record> hanging =
                inFlight.oldestAttempt().filter(record -> record.inactive().compareTo(ConnectorHealth.STALLED) >= 0);
        Optional<String> now = hanging.map(record ->
                        record + " is not done for " + record.inactive().toSeconds() + " s and sends nothing")
                .or(() -> monitor.stalled().map(since -> "no progress for " + since.toSeconds() + " s, cause unknown"));
        String pending = ", " + (lag.isPresent() ? grouped(lag.getAsLong()) + " records pending, " : "")
                + inFlight.records() + " in flight";
        if (now.isPresent() && fault.isEmpty()) {
            LOG.error(
                    "{}: {}{}. The thread of the oldest record in flight:\n{}",
                    connector,
                    now.get(),
                    pending,
                    inFlight.oldestAttempt().map(Progress::stack).orElse("none"));
        }
        fault = now.map(text -> text + pending);
    }

    private static String stack(OffsetTracker.Record record) {
        return Stream.of(record.stack()).map(frame -> "    at " + frame).collect(Collectors.joining("\n"));
    }

    private boolean isSuspended() {
        return context.getRouteController().getRouteStatus(connector) != ServiceStatus.Started;
    }

    /** What keeps the connector from progress, by whatever cause; may be asked by any thread. */
    Optional<String> fault() {
        return fault;
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
        return group().map(group -> group.inFlight().records()).orElse(0);
    }

    private Optional<ConsumerGroup> group() {
        return Optional.ofNullable(context.getRoute(connector))
                .map(Route::getEndpoint)
                .filter(KafkaEndpoint.class::isInstance)
                .map(endpoint -> context.getRegistry()
                        .lookupByNameAndType("kafka-clients", KafkaConsumerFactory.class)
                        .group(((KafkaEndpoint) endpoint).getConfiguration().getGroupId()));
    }

    /** The records between what is committed and the end of each partition that is read; empty if Kafka does not answer. */
    private Optional<Map<TopicPartition, Long>> behind(ConsumerGroup group) {
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
