package io.s3destination;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.aws2.s3.AWS2S3Endpoint;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.component.micrometer.MicrometerUtils;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.spi.CamelEvent.ExchangeSendingEvent;
import org.apache.camel.spi.CamelEvent.ExchangeSentEvent;
import org.apache.camel.support.EventNotifierSupport;

/**
 * What there is to graph about the connectors and their streams, beside what Camel tells about routes: the metrics
 * {@code s3_destination_*} of the README. Camel starts and stops it with its context, and tells it what is sent to S3.
 * Safe for all threads.
 */
final class Metrics extends EventNotifierSupport {

    static final String PREFIX = "s3.destination.";

    /** By connector and stream. */
    private final Map<String, Map<String, StreamMetrics>> streams = new ConcurrentHashMap<>();

    private MeterRegistry registry;
    private volatile Map<String, Progress> connectors;
    private ScheduledExecutorService clock;

    Metrics(CamelContext context) {
        setCamelContext(context);
    }

    @Override
    protected void doStart() {
        registry = MicrometerUtils.getOrCreateMeterRegistry(
                getCamelContext().getRegistry(), MicrometerConstants.METRICS_REGISTRY_NAME);
        connectors = new Settings(getCamelContext())
                .names(Connector.SETTING).stream()
                        .collect(Collectors.toMap(
                                name -> name, name -> new Progress(name, getCamelContext(), this, registry)));
        connectors.keySet().forEach(this::registerReady);
        // A thread for each, so that a Kafka that does not answer one connector delays the looks at no other.
        clock = getCamelContext()
                .getExecutorServiceManager()
                .newScheduledThreadPool(this, "progress", connectors.size());
        long interval = ReadinessLimits.of(getCamelContext()).interval().toMillis();
        connectors
                .values()
                .forEach(progress -> clock.scheduleWithFixedDelay(progress::look, 0, interval, TimeUnit.MILLISECONDS));
    }

    @Override
    protected void doStop() {
        getCamelContext().getExecutorServiceManager().shutdownNow(clock);
    }

    /** Uploads alone, and before they begin, too, or Camel does not measure how long they take. */
    @Override
    public boolean isEnabled(CamelEvent event) {
        return event instanceof ExchangeSentEvent sent && sent.getEndpoint() instanceof AWS2S3Endpoint
                || event instanceof ExchangeSendingEvent sending && sending.getEndpoint() instanceof AWS2S3Endpoint;
    }

    @Override
    public void notify(CamelEvent event) {
        if (event instanceof ExchangeSentEvent sent && sent.getExchange().getException() == null) {
            RecordCompletion.of(sent.getExchange()).ifPresent(RecordInFlight::needsNoObject);
            of(sent.getExchange()).stored(sent.getExchange(), sent.getTimeTaken());
        }
    }

    /** Counts that a step has failed and is tried again. */
    void retried(Exchange exchange) {
        of(exchange).retried();
    }

    StreamMetrics of(String connector, String stream) {
        return streams.computeIfAbsent(connector, unused -> new ConcurrentHashMap<>())
                .computeIfAbsent(stream, unused -> new StreamMetrics(registry, connector, stream));
    }

    /** What keeps a connector from progress, by whatever cause. */
    Optional<String> fault(String connector) {
        return connectors == null
                ? Optional.empty()
                : Optional.ofNullable(connectors.get(connector)).flatMap(Progress::fault);
    }

    /** Those of a connector's streams. */
    Stream<StreamMetrics> of(String connector) {
        return streams.getOrDefault(connector, Map.of()).values().stream();
    }

    private StreamMetrics of(Exchange record) {
        return of(record.getFromRouteId(), record.getMessage().getHeader(KafkaConstants.TOPIC, "", String.class));
    }

    private void registerReady(String connector) {
        HealthCheck health =
                getCamelContext().getRegistry().lookupByNameAndType("health-" + connector, HealthCheck.class);
        Gauge.builder(PREFIX + "ready", health, check -> check.call().getState() == HealthCheck.State.UP ? 1 : 0)
                .description("1 while the connector can read and store, else 0")
                .tag("connector", connector)
                .register(registry);
    }
}
