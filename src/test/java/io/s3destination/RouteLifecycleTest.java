package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Flow;
import io.s3destination.embedded.RunningBundle;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The route suspended, resumed, stopped and started by whoever runs it, while records flow. */
@ExtendWith(EmbeddedServices.class)
class RouteLifecycleTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ROUTE = "to-s3";

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
        return Awaitility.await().atMost(PATIENCE);
    }
}
