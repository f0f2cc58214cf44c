package io.s3destination.embedded;

import io.s3destination.Bundle;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.spi.Registry;

/** The bundle in this JVM: the shipped routes and properties, with what a user would set in the environment. */
public final class RunningBundle implements AutoCloseable {

    private final Main main;

    private RunningBundle(Main main) {
        this.main = main;
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

    public CamelContext context() {
        return main.getCamelContext();
    }

    /** Stops it as SIGTERM does: what is stored is committed. */
    @Override
    public void close() {
        main.stop();
    }
}
