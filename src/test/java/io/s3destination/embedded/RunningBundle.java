package io.s3destination.embedded;

import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.MeterRegistry;
import io.s3destination.Bundle;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.spi.Registry;

/** The bundle in this JVM: the shipped routes and properties, with what a user would set in the environment. */
public final class RunningBundle implements AutoCloseable {

    private final Main main;

    private RunningBundle(Main main) {
        this.main = main;
    }

    /** The properties with which the connector to-s3 stores streams, which a user sets in the environment. */
    public static Map<String, String> storing(String input, KafkaServer kafka, String connectionUrl) {
        return storing(input, kafka, connectionUrl, Map.of());
    }

    /** As {@link #storing(String, KafkaServer, String)}, with more properties. */
    public static Map<String, String> storing(
            String input, KafkaServer kafka, String connectionUrl, Map<String, String> more) {
        Map<String, String> properties = new HashMap<>(more);
        properties.put("camel.component.kafka.brokers", kafka.brokers());
        properties.put("resource.datalake.url", connectionUrl);
        properties.put("connector.to-s3.input", input);
        return properties;
    }

    /** Starts it with these properties over those of application.properties; its routes run when this returns. */
    public static RunningBundle start(Map<String, String> properties) {
        return start(properties, registry -> {});
    }

    /** As {@link #start(Map)}, with beans of the test in place of the bundle's, which must be bound with their type. */
    public static RunningBundle start(Map<String, String> properties, Consumer<Registry> beans) {
        Main main = Bundle.configured();
        main.addMainListener(new MainListenerSupport() {
            @Override
            public void afterConfigure(BaseMainSupport configured) {
                beans.accept(configured.getCamelContext().getRegistry());
            }
        });
        // Another bundle on this machine may have the port.
        main.addOverrideProperty("camel.management.enabled", "false");
        properties.forEach(main::addOverrideProperty);
        main.start();
        return new RunningBundle(main);
    }

    /** As {@link #start(Map)}, with steps that the test makes fail, say. */
    public static RunningBundle start(Map<String, String> properties, InterceptStrategy steps) {
        return start(
                properties,
                registry -> registry.bind("steps", CamelContextAware.class, new CamelContextAware() {
                    @Override
                    public void setCamelContext(CamelContext context) {
                        context.getCamelContextExtension().addInterceptStrategy(steps);
                    }

                    @Override
                    public CamelContext getCamelContext() {
                        return null;
                    }
                }));
    }

    public CamelContext context() {
        return main.getCamelContext();
    }

    /** What keeps the connector to-s3 from being ready, or empty if nothing does. */
    public Optional<String> notReady() {
        return down(health().callReadiness());
    }

    /** Why only a restart helps the connector to-s3, or empty if it is live. */
    public Optional<String> notLive() {
        return down(health().callLiveness());
    }

    private HealthCheck health() {
        return context().getRegistry().lookupByNameAndType("health-to-s3", HealthCheck.class);
    }

    private static Optional<String> down(HealthCheck.Result result) {
        return result.getState() == HealthCheck.State.UP ? Optional.empty() : result.getMessage();
    }

    /** The value of a counter or gauge of the bundle's own, summed over its series. */
    public double metric(String name) {
        return context().getRegistry().findSingleByType(MeterRegistry.class).find(name).meters().stream()
                .flatMap(meter -> StreamSupport.stream(meter.measure().spliterator(), false))
                .mapToDouble(Measurement::getValue)
                .sum();
    }

    /** Of how many series a counter or gauge of the bundle's own consists. */
    public int series(String name) {
        return context()
                .getRegistry()
                .findSingleByType(MeterRegistry.class)
                .find(name)
                .meters()
                .size();
    }

    /** Stops it as SIGTERM does: what is stored is committed. */
    @Override
    public void close() {
        main.stop();
    }
}
