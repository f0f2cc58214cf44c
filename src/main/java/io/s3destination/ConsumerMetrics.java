package io.s3destination;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * What Kafka's consumer measured of itself up to now.
 *
 * @param heartbeats that the group's coordinator has answered
 * @param responses by the ID of the broker; answers to fetches, but for a few
 * @param isThrottled whether a broker delayed a fetch within the last minute
 */
record ConsumerMetrics(double heartbeats, Map<String, Double> responses, boolean isThrottled) {

    /** Of no consumer. */
    static final ConsumerMetrics NONE = new ConsumerMetrics(0, Map.of(), false);

    /** May be called by any thread. */
    static ConsumerMetrics of(Consumer<?, ?> consumer) {
        double heartbeats = 0;
        boolean isThrottled = false;
        Map<String, Double> responses = new HashMap<>();
        for (Map.Entry<MetricName, ? extends Metric> metric : consumer.metrics().entrySet()) {
            MetricName name = metric.getKey();
            switch (name.group() + "/" + name.name()) {
                case "consumer-coordinator-metrics/heartbeat-total" -> heartbeats = value(metric.getValue());
                case "consumer-node-metrics/response-total" ->
                    responses.put(name.tags().get("node-id"), value(metric.getValue()));
                case "consumer-fetch-manager-metrics/fetch-throttle-time-max" ->
                    isThrottled = value(metric.getValue()) > 0;
                default -> {
                    // Not needed.
                }
            }
        }
        return new ConsumerMetrics(heartbeats, responses, isThrottled);
    }

    private static double value(Metric metric) {
        return (Double) metric.metricValue();
    }

    /** How many answers there were. */
    double answers() {
        return responses.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** Whether the coordinator has answered a heartbeat since then. */
    boolean hasHeartbeatSince(ConsumerMetrics before) {
        return heartbeats > before.heartbeats;
    }

    /** Whether a broker has answered since then. */
    boolean hasAnswerSince(ConsumerMetrics before, int broker) {
        String node = "node-" + broker;
        return responses.getOrDefault(node, 0.0) > before.responses.getOrDefault(node, 0.0);
    }
}
