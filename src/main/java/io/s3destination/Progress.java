package io.s3destination;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.HashMap;
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

    /** Half an interval less than ten seconds, since looks are not on time. */
    private static final long LOG_INTERVAL = Duration.ofMillis(7_500).toNanos();

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

    private final String connector;
    private final CamelContext context;
    private final Metrics metrics;
    private final MultiGauge gauges;
    private final ProgressMonitor progress;
    /** Of the record that has been in one attempt for longest. */
    private final ProgressMonitor attempts;

    private final ProgressMonitor looks;
    private volatile Optional<String> fault = Optional.empty();
    private long objects;
    private long logged = System.nanoTime();

    Progress(String connector, CamelContext context, Metrics metrics, MeterRegistry registry) {
        this.connector = connector;
        this.context = context;
        this.metrics = metrics;
        ReadinessLimits limits = ReadinessLimits.of(context);
        progress = new ProgressMonitor(limits.stalled(), limits.interval());
        attempts = new ProgressMonitor(limits.stalled(), limits.interval());
        looks = new ProgressMonitor(limits.stalled(), limits.interval());
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

    /** What was seen of Kafka. */
    private record Seen(
            Set<TopicPartition> assigned, Map<TopicPartition, Long> lag, Optional<String> unreadableStream) {

        long total() {
            return lag.values().stream().mapToLong(Long::longValue).sum();
        }

        boolean isComplete() {
            return lag.size() == assigned.size();
        }
    }

    /** May wait for Kafka, for some seconds. */
    void look() {
        try {
            Optional<ConsumerGroup> group = group();
            Optional<Seen> seen = group.flatMap(this::ask);
            gauges.register(rows(seen.map(Seen::lag).orElse(Map.of())), true);
            OptionalLong lag = seen.filter(Seen::isComplete)
                    .map(complete -> OptionalLong.of(complete.total()))
                    .orElse(OptionalLong.empty());
            fault = group.flatMap(reads -> seen.flatMap(known -> watch(reads, known)));
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

    private Optional<String> watch(ConsumerGroup group, Seen seen) {
        InFlightLimit inFlight = group.inFlight();
        long now = System.nanoTime();
        boolean isPending = !isSuspended() && (seen.total() > 0 || inFlight.records() > 0);
        progress.look(now, isPending, inFlight.progress());
        looks.look(now, !seen.isComplete(), 0);
        Optional<RecordInFlight> oldest = inFlight.oldestAttempt();
        attempts.look(
                now, oldest.isPresent(), oldest.map(RecordInFlight::active).orElse(0L));
        if (seen.unreadableStream().isPresent()) {
            return seen.unreadableStream();
        }
        Optional<String> stall = attempts.stalled()
                .flatMap(since ->
                        oldest.map(record -> record + " is not done for " + since.toSeconds() + " s and sends nothing"))
                .or(() -> progress.stalled().map(since -> "no progress for " + since.toSeconds() + " s, cause unknown"))
                .or(() -> looks.stalled()
                        .map(since -> "the lag of a partition is unknown for " + since.toSeconds() + " s"))
                .map(text ->
                        text + ", " + grouped(seen.total()) + " records pending, " + inFlight.records() + " in flight");
        if (stall.isPresent() && fault.isEmpty()) {
            LOG.error(
                    "{}: {}. The thread of the oldest record in flight:\n{}",
                    connector,
                    stall.get(),
                    oldest.map(Progress::stack).orElse("none"));
        }
        return stall;
    }

    private static String stack(RecordInFlight record) {
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

    /** Asks Kafka; empty if no consumer is open. */
    private Optional<Seen> ask(ConsumerGroup group) {
        Set<TopicPartition> partitions = group.consumers()
                .flatMap(consumer -> consumer.assigned().stream())
                .collect(Collectors.toSet());
        return group.lookUp(streams(), partitions, IsolationLevel.READ_COMMITTED)
                .map(lookup -> {
                    try {
                        lookup.await();
                        Map<TopicPartition, PartitionLookup.Answer> answers = lookup.answers();
                        answers.forEach((partition, answer) -> group.compare(partition.topic(), answer.topicId()));
                        Map<TopicPartition, Long> lag = new HashMap<>();
                        answers.forEach((partition, answer) -> lag.put(partition, answer.lag()));
                        group.looked(lookup.failure());
                        return new Seen(partitions, lag, lookup.unreadableStream());
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return new Seen(partitions, Map.of(), Optional.empty());
                    }
                });
    }

    /** Those that the connector is to read; none where its input is a pattern. */
    private Set<String> streams() {
        String prefix = "{{connector." + connector;
        boolean isPattern =
                Boolean.parseBoolean(context.resolvePropertyPlaceholders(prefix + ".input_is_pattern:false}}"));
        return isPattern
                ? Set.of()
                : Set.of(
                        context.resolvePropertyPlaceholders(prefix + ".input}}").split(","));
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
}
