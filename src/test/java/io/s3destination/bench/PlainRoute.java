package io.s3destination.bench;

import java.util.List;
import org.apache.camel.main.Main;

/** {@code src/test/resources/bench/plain.camel.yaml} in Camel Main, with its defaults. */
public final class PlainRoute {

    private PlainRoute() {}

    public static void main(String[] args) throws Exception {
        Main main = new Main();
        main.configure().withRoutesIncludePattern("classpath:bench/plain.camel.yaml");
        main.setDefaultPropertyPlaceholderLocation("false");
        // Without what the class path of the tests would switch on.
        List.of("management", "metrics", "health", "opentelemetry2")
                .forEach(service -> main.addOverrideProperty("camel." + service + ".enabled", "false"));
        main.run(args);
    }
}
