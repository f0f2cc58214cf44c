package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Flow;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

/** The route suspended, resumed, stopped and started by whoever runs it, while records flow. */
@ExtendWith(EmbeddedServices.class)
class RouteLifecycleTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ROUTE = "to-s3";
    private static final String OBJECTS = "objects-to-s3";

    private final String name = "lifecycle-" + UUID.randomUUID();

    @Test
    @SuppressWarnings("try")
    void aSuspendedRouteStoresNothingAndStoresEachRecordOnceWhenItIsResumed(EmbeddedKafka kafka, EmbeddedS3 s3)
            throws Exception {
        kafka.createStream(name, 4);
        s3.createBucket(name);
        try (Flow flow = new Flow(kafka, List.of(name));
                RunningBundle bundle = start(kafka, s3)) {
            patiently().until(() -> s3.puts(name).size() > 50);

            bundle.context().getRouteController().suspendRoute(ROUTE);

            int suspended = whenNothingIsInFlight(s3);
            int flowed = flow.size(name);
            patiently().until(() -> flow.size(name) > flowed + 100);
            assertThat(s3.puts(name)).hasSize(suspended);

            bundle.context().getRouteController().resumeRoute(ROUTE);

            patiently().until(() -> s3.puts(name).size() > flowed + 100);
            flow.close();
            flow.isPutOnce(s3, name, ".gz", PATIENCE, name);
        }
    }

    @Test
    @SuppressWarnings("try")
    void aRouteThatIsStoppedAndStartedStoresEachRecordOnce(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        kafka.createStream(name, 4);
        s3.createBucket(name);
        try (Flow flow = new Flow(kafka, List.of(name));
                RunningBundle bundle = start(kafka, s3)) {
            patiently().until(() -> s3.puts(name).size() > 50);

            bundle.context().getRouteController().stopRoute(ROUTE);

            int stopped = s3.puts(name).size();
            int flowed = flow.size(name);
            patiently().until(() -> flow.size(name) > flowed + 100);
            assertThat(s3.puts(name)).hasSize(stopped);

            bundle.context().getRouteController().startRoute(ROUTE);

            patiently().until(() -> s3.puts(name).size() > flowed + 100);
            flow.close();
            flow.isPutOnce(s3, name, ".gz", PATIENCE, name);
        }
    }

    @Test
    @SuppressWarnings("try")
    void editsAndStopsOfTheRoutesLeaveEachRecordInOneObjectOfMany(
            EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path directory) throws Exception {
        kafka.createStream(name, 4);
        s3.createBucket(name);
        EditedRoutes routes = EditedRoutes.copied(directory);
        Map<String, String> settings = new HashMap<>(RunningBundle.storing(name, kafka, s3.connectionUrl(name)));
        settings.put("connector.to-s3.records_per_object", "20");
        settings.put("connector.to-s3.seconds_per_object", "1");
        settings.put("camel.main.routes-include-pattern", routes.pattern());
        settings.put("camel.main.routes-reload-enabled", "true");
        settings.put("camel.main.routes-reload-directory", directory.toString());
        settings.put("camel.main.routes-reload-pattern", "*.camel.yaml");
        try (Flow flow = new Flow(kafka, List.of(name));
                RunningBundle bundle = RunningBundle.start(settings)) {
            storesMore(s3);

            routes.insert(ROUTE, "validate-json", Readme.yaml("id: add-origin"));
            patiently().until(() -> s3.objects(name).entrySet().stream()
                    .filter(object -> object.getKey().endsWith(".ndjson.gz"))
                    .anyMatch(object -> new String(
                                    S3Server.unzipped(object.getValue().asByteArray()), UTF_8)
                            .contains("\"record\":")));
            routes.insert(OBJECTS, "add-metadata", Readme.yaml("id: describe-object"));
            patiently().until(() -> s3.objects(name).values().stream()
                    .anyMatch(object -> object.response().metadata().containsKey("stream")));

            bundle.context().getRouteController().suspendRoute(ROUTE);
            whenNothingIsInFlight(s3);
            bundle.context().getRouteController().resumeRoute(ROUTE);
            storesMore(s3);
            for (String route : List.of(ROUTE, OBJECTS)) {
                bundle.context().getRouteController().stopRoute(route);
                whenNothingIsInFlight(s3);
                bundle.context().getRouteController().startRoute(route);
                storesMore(s3);
            }
            for (String route : List.of(ROUTE, OBJECTS, OBJECTS, ROUTE)) {
                Object before = bundle.context().getRoute(route);
                routes.edit(route, yaml -> yaml + "# edited\n");
                patiently()
                        .until(() -> bundle.context().getRoute(route) != null
                                && bundle.context().getRoute(route) != before);
            }
            storesMore(s3);

            flow.close();
            flow.isInChains(
                    s3,
                    name,
                    "datalake",
                    PATIENCE,
                    name,
                    line -> line.replaceFirst("^\\{\"partition\":\\d,\"offset\":\\d+,\"record\":(.*)}$", "$1"));
            patiently().until(() -> bundle.notReady().isEmpty());
        }
    }

    private void storesMore(EmbeddedS3 s3) {
        int before = s3.puts(name).size();
        patiently().until(() -> s3.puts(name).size() > before + 8);
    }

    private RunningBundle start(EmbeddedKafka kafka, EmbeddedS3 s3) {
        return RunningBundle.start(RunningBundle.storing(name, kafka, s3.connectionUrl(name)));
    }

    /** What was read before the route was suspended is stored; returns how many records that are, in all. */
    private int whenNothingIsInFlight(EmbeddedS3 s3) {
        int[] last = {-1};
        patiently()
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> last[0] == (last[0] = s3.puts(name).size()));
        return last[0];
    }

    private static ConditionFactory patiently() {
        // S3Proxy lists an object before it shows it.
        return Awaitility.await().atMost(PATIENCE).ignoreException(NoSuchKeyException.class);
    }
}
