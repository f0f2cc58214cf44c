package io.s3destination.embedded;

import io.s3destination.Bundle;
import java.util.Map;
import org.apache.camel.main.Main;

/** The bundle in this JVM: the shipped routes and properties, with what a user would set in the environment. */
public final class RunningBundle implements AutoCloseable {

    private final Main main;

    private RunningBundle(Main main) {
        this.main = main;
    }

    /** Starts it with these properties over those of application.properties; its routes run when this returns. */
    public static RunningBundle start(Map<String, String> properties) {
        Main main = Bundle.configured();
        // Another bundle on this machine may have the port.
        main.addOverrideProperty("camel.management.enabled", "false");
        properties.forEach(main::addOverrideProperty);
        main.start();
        return new RunningBundle(main);
    }

    /** Stops it as SIGTERM does: what is stored is committed. */
    @Override
    public void close() {
        main.stop();
    }
}
