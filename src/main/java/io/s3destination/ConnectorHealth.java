package io.s3destination;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaConsumer;
import org.apache.camel.component.kafka.TaskHealthState;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;
import org.apache.camel.model.Model;

/**
 * Whether a connector can read and store; the message of a DOWN says what keeps it from that and what to do. An idle
 * stream is UP. As a liveness check it is DOWN only where nothing but a restart helps: the consumer has ended for good.
 */
final class ConnectorHealth extends AbstractHealthCheck {

    /** A stop takes less, between the end of a consumer's thread and its own. */
    private static final Duration ENDED = Duration.ofSeconds(1);

    private final String connector;
    private final Set<String> connectors;
    private ProgressMonitor routes;
    /** Whether its routes were there a moment ago: an edit takes a route away before it brings another. */
    private volatile boolean wereThere;

    private volatile boolean removed;
    private volatile long looked = System.nanoTime();
    /** The look after which the next one is overdue. */
    private final Unchanged missedLook = new Unchanged();
    /** The route whose consumer has ended. */
    private final Unchanged endedRoute = new Unchanged();

    /** @param connectors the names of all connectors, each of which answers for its own route */
    ConnectorHealth(CamelContext context, String connector, Set<String> connectors) {
        super("s3-destination", "connector:" + connector);
        this.connector = connector;
        this.connectors = connectors;
        setCamelContext(context);
    }

    /** Takes in that its progress was looked at, and whether its routes are there. For one thread. */
    void look(long now) {
        looked = now;
        routes = routes == null ? new ProgressMonitor(limits().interval()) : routes;
        boolean areMissing = !missingRoutes().isEmpty();
        routes.look(now, areMissing, 0);
        wereThere =
                !areMissing || wereThere && routes.stalled(limits().failing()).isEmpty();
    }

    /** From now on its route may be missing. */
    void removed() {
        removed = true;
    }

    @Override
    public boolean isLiveness() {
        return true;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        List<String> faults = new ArrayList<>();
        ended().ifPresent(faults::add);
        boolean isLiveness = options.get(CHECK_KIND) == Kind.LIVENESS;
        notPolling(isLiveness ? limits().hanging() : limits().stalled()).ifPresent(faults::add);
        if (!isLiveness) {
            notWatched().ifPresent(faults::add);
            List<String> missing = missingRoutes();
            if (missing.isEmpty()) {
                wereThere = true;
            } else if (!wereThere) {
                faults.addAll(missing);
            }
            if (faults.isEmpty()) {
                reading().ifPresent(faults::add);
            }
            bean("retries", RetryReporter.class)
                    .failing(connector, limits().failing())
                    .ifPresent(faults::add);
            if (faults.isEmpty()) {
                // A cause that is known says more.
                bean("metrics", Metrics.class).fault(connector).ifPresent(faults::add);
            }
        }
        if (faults.isEmpty()) {
            builder.up();
        } else {
            builder.down().message(String.join("; ", faults));
        }
    }

    /** For how long calls have shown the same. */
    private static final class Unchanged {

        private Object last;
        private long since = System.nanoTime();

        synchronized boolean isFor(Object now, Duration time) {
            if (!Objects.equals(now, last)) {
                last = now;
                since = System.nanoTime();
            }
            return System.nanoTime() - since >= time.toNanos();
        }
    }

    /** An edit that is read but cannot be started leaves a definition without its route. */
    private List<String> missingRoutes() {
        List<String> missing = new ArrayList<>(
                getCamelContext()
                        .getCamelContextExtension()
                        .getContextPlugin(Model.class)
                        .getRouteDefinitions()
                        .stream()
                        .map(NamedNode::getId)
                        .filter(id -> getCamelContext().getRoute(id) == null)
                        .filter(id -> id.equals(connector) || !connectors.contains(id))
                        .toList());
        if (getCamelContext().getRoute(connector) == null && !removed && !missing.contains(connector)) {
            missing.add(connector);
        }
        return missing.stream()
                .map(id -> "there is no route " + id + ": its file is missing or has been edited to what cannot start;"
                        + " the log tells why; a connector that is removed for good has no settings, either")
                .toList();
    }

    /** Looks that do not come; one that is late, since the process was paused, comes before the next call. */
    private Optional<String> notWatched() {
        long last = looked;
        Duration since = Duration.ofNanos(System.nanoTime() - last);
        return since.compareTo(limits().stalled()) >= 0 && missedLook.isFor(last, limits().interval())
                ? Optional.of("its progress cannot be watched for " + since.toSeconds() + " s: the log shows why")
                : Optional.empty();
    }

    /** A consumer that is being stopped looks the same for a moment. */
    private Optional<String> ended() {
        Optional<TaskHealthState> ended = tasks().stream()
                .filter(task -> task.isTerminated() || task.getClientId() != null && !task.isRecoverable())
                .findFirst();
        Route route = ended.isPresent() ? getCamelContext().getRoute(connector) : null;
        boolean isForLong = endedRoute.isFor(route, ENDED);
        return ended.filter(task -> isForLong)
                .map(task -> "reading from Kafka has ended, as after a refused login: "
                        + bean("kafka-clients", KafkaConsumerFactory.class)
                                .group(task.getGroupId())
                                .failure(Duration.ofDays(365))
                                .orElse("the log shows why")
                        + "; correct it and restart");
    }

    /** A thread that polls no more, as after an Error, reports nothing itself. */
    private Optional<String> notPolling(Duration patience) {
        return tasks().stream().findFirst().flatMap(task -> {
            ConsumerGroup group =
                    bean("kafka-clients", KafkaConsumerFactory.class).group(task.getGroupId());
            return Optional.of(group.sinceTurned())
                    .filter(since -> since.compareTo(patience) >= 0)
                    .map(since -> "Kafka is not polled for " + since.toSeconds() + " s"
                            + group.failure(since.plus(limits().failing()))
                                    .map(cause -> ": " + cause)
                                    .orElse(""));
        });
    }

    private Optional<String> reading() {
        return tasks().stream()
                .flatMap(task -> bean("kafka-clients", KafkaConsumerFactory.class).fault(task.getGroupId()).stream()
                        .map(fault -> fault + " (" + task.getBootstrapServers() + ")"))
                .findFirst();
    }

    private List<TaskHealthState> tasks() {
        Route route = getCamelContext().getRoute(connector);
        boolean reads = route != null && route.getConsumer() instanceof KafkaConsumer kafka && kafka.isStarted();
        return reads ? ((KafkaConsumer) route.getConsumer()).healthStates() : List.of();
    }

    private ReadinessLimits limits() {
        return ReadinessLimits.of(getCamelContext());
    }

    private <T> T bean(String name, Class<T> type) {
        return getCamelContext().getRegistry().lookupByNameAndType(name, type);
    }
}
