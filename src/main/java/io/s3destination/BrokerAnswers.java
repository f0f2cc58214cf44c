package io.s3destination;

import java.time.Duration;
import org.apache.kafka.clients.consumer.Consumer;

/** Whether brokers answer a consumer, by Kafka's own count. Safe for all threads. */
final class BrokerAnswers {

    private static final long SILENCE = Duration.ofSeconds(10).toNanos();

    private final Consumer<?, ?> consumer;
    private double last;
    private long lastSeen;

    BrokerAnswers(Consumer<?, ?> consumer) {
        this.consumer = consumer;
    }

    /**
     * Whether a broker has answered in the last ten seconds, as far as it was asked.
     *
     * @param polled when the consumer last polled, by {@link System#nanoTime()}
     */
    synchronized boolean areRecent(long polled) {
        long now = System.nanoTime();
        double total = total();
        if (total != last) {
            last = total;
            lastSeen = now;
        }
        boolean asked = now - polled < SILENCE;
        return total > 0 && (!asked || now - lastSeen < SILENCE);
    }

    /** None yet in a consumer of KIP-848 whose network thread has not begun. */
    private double total() {
        return consumer.metrics().entrySet().stream()
                .filter(metric -> metric.getKey().name().equals("response-total")
                        && metric.getKey().group().equals("consumer-metrics"))
                .mapToDouble(metric -> (Double) metric.getValue().metricValue())
                .findFirst()
                .orElse(0);
    }
}
