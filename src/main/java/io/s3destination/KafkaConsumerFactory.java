package io.s3destination;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.BindToRegistry;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidConfigurationException;

/**
 * Makes the consumers of the connectors, with a pause: after a record that failed or an error from the broker Camel makes a
 * new consumer at once, as long as the fault lasts, thousands of times a minute.
 */
@BindToRegistry("kafka-clients")
public final class KafkaConsumerFactory extends DefaultKafkaClientFactory implements CamelContextAware {

    private static final Duration PAUSE = Duration.ofSeconds(5);
    /** So long after it broke off, reading counts as broken: longer than from one broken consumer to the next. */
    private static final Duration BROKEN = PAUSE.multipliedBy(3);

    /** When this polling thread may have its next consumer, by {@link System#nanoTime()}. */
    private final ThreadLocal<Long> next = new ThreadLocal<>();

    /** When a group last had a consumer in place of another. */
    private final Map<String, Long> replaced = new ConcurrentHashMap<>();

    private final Map<String, ConsumerGroup> groups = new ConcurrentHashMap<>();
    private CamelContext context;

    @Override
    public CamelContext getCamelContext() {
        return context;
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        context = camelContext;
    }

    /** @throws KafkaException if the settings are wrong or ask Kafka to choose where reading begins */
    @Override
    public Consumer<?, ?> getConsumer(Properties kafka) {
        ConsumerGroup group = group(kafka.getProperty(ConsumerConfig.GROUP_ID_CONFIG));
        group.turned();
        waitForTurn(group.id());
        refusal(kafka.getProperty(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG)).ifPresent(why -> {
            group.failed(why);
            throw new InvalidConfigurationException(why);
        });
        try {
            return new OffsetCommittingConsumer(kafka, group);
        } catch (KafkaException e) {
            group.failed(KafkaErrorRemedies.of(e).text());
            throw e;
        }
    }

    /** Why a route must not leave to Kafka where reading begins: empty for {@code none}. */
    static Optional<String> refusal(String autoOffsetReset) {
        return "none".equals(autoOffsetReset)
                ? Optional.empty()
                : Optional.of(
                        "autoOffsetReset is " + autoOffsetReset + ", and must be none: the connector begins at the"
                                + " start of a stream by itself, and reports records that Kafka deleted before they were stored,"
                                + " which Kafka skips without a report");
    }

    private void waitForTurn(String group) {
        try {
            if (next.get() != null) {
                replaced.put(group, System.nanoTime());
                Thread.sleep(Math.max(
                        0, Duration.ofNanos(next.get() - System.nanoTime()).toMillis()));
            }
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
        next.set(System.nanoTime() + PAUSE.toNanos());
    }

    /** What the consumers of a group share, from the first one on; may be called by any thread. */
    ConsumerGroup group(String id) {
        return groups.computeIfAbsent(
                id,
                unused -> new ConsumerGroup(
                        id,
                        () -> bean("connectors", Connectors.class).place(connector(id)),
                        this::runs,
                        (stream, number) -> bean("metrics", Metrics.class)
                                .of(connector(id), stream)
                                .lost(number)));
    }

    /** Empty without the bean of the connectors, whose settings are those of the runs. */
    private Optional<RunStorage> runs(ConsumerGroup group) {
        return Optional.ofNullable(context)
                .flatMap(known -> Optional.ofNullable(bean("connectors", Connectors.class)))
                .flatMap(connectors -> connectors.runs(connector(group.id()), group.inFlight()));
    }

    /** The route that reads with a group. */
    private String connector(String group) {
        return context.getRoutes().stream()
                .filter(route -> route.getEndpoint() instanceof KafkaEndpoint kafka
                        && group.equals(kafka.getConfiguration().getGroupId()))
                .map(Route::getRouteId)
                .findFirst()
                .orElse(group);
    }

    private <T> T bean(String name, Class<T> type) {
        return context.getRegistry().lookupByNameAndType(name, type);
    }

    /** What keeps a group from reading, in words; may be called by any thread. */
    Optional<String> fault(String id) {
        ConsumerGroup group = group(id);
        Long last = replaced.get(id);
        Optional<String> known = group.consumers()
                .flatMap(consumer -> consumer.fault(ReadinessLimits.of(context).failing()).stream())
                .findFirst();
        if (known.isPresent()) {
            return known;
        }
        Optional<String> failure = group.failure(BROKEN);
        if (failure.isPresent() || last != null && System.nanoTime() - last < BROKEN.toNanos()) {
            return Optional.of("reading from Kafka fails and is retried: " + failure.orElse("the log shows why"));
        }
        Optional<String> unfinished = group.inFlight().unfinished(BROKEN);
        if (unfinished.isPresent()) {
            return unfinished.map(record -> record + "; it is read again");
        }
        return group.isSilent() ? Optional.of("no Kafka broker answers") : group.starting();
    }
}
