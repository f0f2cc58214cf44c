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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.health.HealthCheck;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the progress of a connector: its lag as metrics, what was stored in the log, and what keeps it from progress, to
 * health and, once for each stall, in the log. For one thread; {@link #fault} is for all threads.
 */
final class Progress {

    /** Half an interval less than ten seconds, since looks are not on time. */
    private static final long LOG_INTERVAL = Duration.ofMillis(7_500).toNanos();

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);
    /** So many records at most are logged with the stacks of their threads. */
    private static final int STACKS = 3;

    private final String connector;
    private final CamelContext context;
    private final Metrics metrics;
    private final MultiGauge gauges;
    private final GroupLookup lookup;
    private final StallDetector stalls;
    private final ProgressMonitor turns;
    private volatile Optional<String> fault = Optional.empty();
    private boolean isStalled;
    private long records;
    private long objects;
    private long logged = System.nanoTime();

    Progress(String connector, CamelContext context, Metrics metrics, MeterRegistry registry) {
        this.connector = connector;
        this.context = context;
        this.metrics = metrics;
        ReadinessLimits limits = ReadinessLimits.of(context);
        lookup = new GroupLookup(connector, limits);
        stalls = new StallDetector(limits, logged);
        turns = new ProgressMonitor(limits.interval());
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
        Gauge.builder(Metrics.PREFIX + "hanging.transactions", lookup.transactions(), HangingTransactions::number)
                .description("Partitions in which one transaction has been open for 15 minutes")
                .tag("connector", connector)
                .register(registry);
    }

    /** May wait for Kafka, for some seconds. */
    void look() {
        try {
            Optional<ConsumerGroup> group = group();
            group.ifPresent(this::lookAtTurns);
            Optional<GroupSnapshot> seen = group.isPresent()
                    ? lookup.ask(group.get(), ConnectorInput.of(context, connector))
                    : Optional.empty();
            fault = group.isPresent() && seen.isPresent() ? fault(group.get(), seen.get()) : Optional.empty();
            health().look(System.nanoTime());
            report(seen);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Throwable e) {
            OutOfMemory.endIfOutOfMemory(e);
            // Thrown on, it would end the looks at all connectors.
            LOG.warn("{}: cannot look at its progress: {}", connector, e.toString());
        }
    }

    private void report(Optional<GroupSnapshot> seen) {
        OptionalLong lag = seen.filter(GroupSnapshot::isComplete)
                .map(complete -> OptionalLong.of(complete.totalLag()))
                .orElse(OptionalLong.empty());
        context.getRegistry()
                .lookupByNameAndType("retries", RetryReporter.class)
                .tick(connector, lag);
        if (System.nanoTime() - logged > LOG_INTERVAL) {
            log(lag.isPresent() ? ", " + grouped(lag.getAsLong()) + " behind" : "");
        }
        gauges.register(rows(seen.map(GroupSnapshot::lag).orElse(Map.of())), true);
    }

    private void lookAtTurns(ConsumerGroup group) {
        long turn = group.turn();
        turns.look(System.nanoTime(), true, turn);
        group.stands(turn, turns.stalled(Duration.ZERO).orElse(Duration.ZERO));
    }

    private ConnectorHealth health() {
        return (ConnectorHealth) context.getRegistry().lookupByNameAndType("health-" + connector, HealthCheck.class);
    }

    private Optional<String> fault(ConsumerGroup group, GroupSnapshot seen) {
        InFlightLimit inFlight = group.inFlight();
        List<RecordInFlight> oldest = inFlight.oldestAttempts(STACKS);
        Optional<String> stall = stalls.look(
                System.nanoTime(),
                seen,
                new StallDetector.Work(
                        inFlight.records(),
                        inFlight.progress(),
                        oldest.stream()
                                .findFirst()
                                .map(record -> new StallDetector.Attempt(record.toString(), record.active()))),
                isSuspended());
        if (stall.isPresent() && !isStalled) {
            LOG.error(
                    "{}: {}. The thread that polls Kafka:\n{}\nThe threads of the oldest records in flight:\n{}",
                    connector,
                    stall.get(),
                    stack(group.poller().getStackTrace()),
                    oldest.isEmpty()
                            ? "    none"
                            : oldest.stream()
                                    .map(record -> "  " + record + "\n" + stack(record.stack()))
                                    .collect(Collectors.joining("\n")));
        }
        isStalled = stall.isPresent();
        return seen.unreadable().or(() -> stall);
    }

    private static String stack(StackTraceElement[] stack) {
        return Stream.of(stack).map(frame -> "    at " + frame).collect(Collectors.joining("\n"));
    }

    private boolean isSuspended() {
        return context.getRouteController().getRouteStatus(connector) != ServiceStatus.Started;
    }

    /** What keeps the connector from progress, by whatever cause; may be asked by any thread. */
    Optional<String> fault() {
        return fault;
    }

    private void log(String behind) {
        long before = records;
        long objectsBefore = objects;
        records = metrics.of(connector).mapToLong(StreamMetrics::records).sum();
        objects = metrics.of(connector).mapToLong(StreamMetrics::objects).sum();
        long now = System.nanoTime();
        if (records > before) {
            LOG.info(
                    "{}: {} records stored in {} s{}{}",
                    connector,
                    grouped(records - before),
                    Duration.ofNanos(now - logged).toSeconds(),
                    objects == records ? "" : ", in " + grouped(objects - objectsBefore) + " objects",
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

    private List<Row<?>> rows(Map<TopicPartition, Long> lag) {
        // What is shown from the start counts from zero, not from the first event.
        lag.keySet().forEach(partition -> metrics.of(connector, partition.topic()));
        return lag.entrySet().stream()
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
