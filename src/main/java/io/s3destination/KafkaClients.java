package io.s3destination;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.BindToRegistry;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.errors.InterruptException;

/**
 * Kafka's clients as Camel makes them, but for a pause: after a batch that failed or an error from the broker Camel
 * makes a new consumer at once, for as long as the fault lasts, thousands of times a minute.
 */
@BindToRegistry("kafka-clients")
public final class KafkaClients extends DefaultKafkaClientFactory {

    private static final Duration PAUSE = Duration.ofSeconds(5);
    /** So long after it broke off, reading counts as broken: longer than from one broken consumer to the next. */
    private static final Duration BROKEN = PAUSE.multipliedBy(3);

    /** When this polling thread may have its next consumer, by {@link System#nanoTime()}. */
    private final ThreadLocal<Long> next = new ThreadLocal<>();

    /** When a group last had a consumer in place of another. */
    private final Map<String, Long> replaced = new ConcurrentHashMap<>();

    @Override
    public Consumer<?, ?> getConsumer(Properties kafka) {
        try {
            if (next.get() != null) {
                replaced.put(kafka.getProperty(ConsumerConfig.GROUP_ID_CONFIG), System.nanoTime());
                Thread.sleep(Math.max(
                        0, Duration.ofNanos(next.get() - System.nanoTime()).toMillis()));
            }
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
        next.set(System.nanoTime() + PAUSE.toNanos());
        return super.getConsumer(kafka);
    }

    /** Whether a consumer of the group broke off a short while ago, or does so again and again. */
    boolean broken(String group) {
        Long last = replaced.get(group);
        return last != null && System.nanoTime() - last < BROKEN.toNanos();
    }
}
