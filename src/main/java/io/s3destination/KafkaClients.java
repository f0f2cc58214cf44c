package io.s3destination;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.BindToRegistry;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Kafka's consumers as {@link WindowedConsumer}s, and with a pause: after a record that failed or an error from the broker
 * Camel makes a new consumer at once, for as long as the fault lasts, thousands of times a minute.
 */
@BindToRegistry("kafka-clients")
public final class KafkaClients extends DefaultKafkaClientFactory {

    /** More than the uploads of a connector get through between two polls. */
    private static final int RECORDS = 2_000;
    /** Beside Camel and the AWS SDK this fits into a heap of 256 MB. */
    private static final long BYTES = 8 << 20;

    private static final Duration PAUSE = Duration.ofSeconds(5);
    /** So long after it broke off, reading counts as broken: longer than from one broken consumer to the next. */
    private static final Duration BROKEN = PAUSE.multipliedBy(3);

    /** When this polling thread may have its next consumer, by {@link System#nanoTime()}. */
    private final ThreadLocal<Long> next = new ThreadLocal<>();

    /** When a group last had a consumer in place of another. */
    private final Map<String, Long> replaced = new ConcurrentHashMap<>();

    private final Map<String, Window.Load> loads = new ConcurrentHashMap<>();
    private final Set<WindowedConsumer> open = ConcurrentHashMap.newKeySet();

    @Override
    public Consumer<?, ?> getConsumer(Properties kafka) {
        String group = kafka.getProperty(ConsumerConfig.GROUP_ID_CONFIG);
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
        WindowedConsumer consumer = new WindowedConsumer(kafka, group, load(group), open::remove);
        open.add(consumer);
        return consumer;
    }

    /** What a group has read and not stored. */
    Window.Load load(String group) {
        return loads.computeIfAbsent(group, unused -> new Window.Load(RECORDS, BYTES));
    }

    /** The open consumers of a group; may be called by any thread. */
    Stream<WindowedConsumer> of(String group) {
        return open.stream().filter(consumer -> consumer.group().equals(group));
    }

    /** What keeps a group from reading, in words; may be called by any thread. */
    Optional<String> fault(String group) {
        Long last = replaced.get(group);
        Optional<String> unreadable =
                of(group).flatMap(consumer -> consumer.unreadable().stream()).findFirst();
        if (unreadable.isPresent()) {
            return unreadable;
        }
        Optional<String> uncommitted = of(group)
                .flatMap(consumer -> consumer.uncommitted(ConnectorHealth.PATIENCE).stream())
                .findFirst();
        if (uncommitted.isPresent()) {
            return uncommitted;
        }
        if (last != null && System.nanoTime() - last < BROKEN.toNanos()) {
            return Optional.of("reading from Kafka broke off and is taken up again: the log tells why");
        }
        return of(group).anyMatch(SteadyConsumer::answered) ? Optional.empty() : Optional.of("no Kafka broker answers");
    }
}
