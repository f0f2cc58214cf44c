package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.UnnamedFault.Effect;
import io.s3destination.UnnamedFault.End;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.KafkaProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Faults of which the product knows nothing, inside and outside of it, alone and two at once. Each makes the connector DOWN,
 * spares the partitions that it does not concern, and leaves each record with its one object when it is over; then the
 * connector is UP again, or no more live if only a restart helps.
 *
 * <p>The limits of readiness are shortened. The scenarios run side by side, since they wait most of the time. {@code
 * -Dunnamed=deserializer} runs those with that text in their name, {@code -Dunnamed.seed} chooses pairs again, {@code
 * -Dunnamed.pairs} is their number for each seed.
 */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class UnnamedFaultsIT {

    private static final Duration LIMIT = Duration.ofSeconds(45);
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final int SIDE_BY_SIDE = 6;
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static final List<UnnamedFault> FAULTS =
            Stream.concat(FaultsInside.ALL.stream(), FaultsOutside.ALL.stream()).toList();

    private static ExecutorService scenarios;
    private static EmbeddedKafka kafka;
    private static KafkaProxy proxy;

    private final EmbeddedS3 s3;

    UnnamedFaultsIT(EmbeddedS3 s3) {
        this.s3 = s3;
    }

    @BeforeAll
    static void startKafkaBehindAProxy(@TempDir Path directory) throws Exception {
        int broker = EmbeddedKafka.freePort();
        proxy = new KafkaProxy(EmbeddedKafka.freePort(), broker);
        kafka = EmbeddedKafka.start(
                directory, broker, Map.of("advertised.listeners", "PLAINTEXT://" + proxy.address()));
        scenarios = Executors.newFixedThreadPool(SIDE_BY_SIDE);
    }

    @AfterAll
    static void end() {
        scenarios.shutdownNow();
        kafka.close();
        proxy.close();
    }

    private record Scenario(String name, List<UnnamedFault> faults) {

        boolean has(Effect effect) {
            return faults.stream().anyMatch(fault -> fault.effect() == effect);
        }

        String edited(String route) {
            String edited = route;
            for (UnnamedFault fault : faults) {
                edited = fault.edit().apply(edited);
            }
            return edited;
        }
    }

    /** Each runs as soon as there is a thread for it, and is waited for in its turn. */
    @TestFactory
    Stream<DynamicTest> eachFaultIsDownAndLeavesEachRecordWithItsObject() {
        return Stream.of(alone(), blind(), seeds().boxed().flatMap(UnnamedFaultsIT::pairs))
                .flatMap(scenarios -> scenarios)
                .filter(scenario -> scenario.name().contains(System.getProperty("unnamed", "")))
                .map(this::submitted)
                .toList()
                .stream();
    }

    private static Stream<Scenario> alone() {
        return FAULTS.stream().map(fault -> new Scenario(fault.name(), List.of(fault)));
    }

    private static Stream<Scenario> blind() {
        return Stream.of(new Scenario("%s, and %s".formatted(FaultsInside.BLIND.toArray()), FaultsInside.BLIND));
    }

    private static Stream<Scenario> pairs(long seed) {
        Random random = new Random(seed);
        return Stream.generate(() -> pair(random))
                .filter(two -> !two.get(0).place().equals(two.get(1).place()))
                .limit(Integer.getInteger("unnamed.pairs", 3))
                .map(two -> new Scenario("-Dunnamed.seed=%d: %s, and %s".formatted(seed, two.get(0), two.get(1)), two));
    }

    private static List<UnnamedFault> pair(Random random) {
        return List.of(FAULTS.get(random.nextInt(FAULTS.size())), FAULTS.get(random.nextInt(FAULTS.size())));
    }

    private static LongStream seeds() {
        Long seed = Long.getLong("unnamed.seed");
        return seed != null ? LongStream.of(seed) : LongStream.of(1, System.nanoTime());
    }

    private DynamicTest submitted(Scenario scenario) {
        Future<?> running = scenarios.submit(() -> {
            run(scenario);
            return null;
        });
        return DynamicTest.dynamicTest(scenario.name(), () -> {
            try {
                running.get(5, TimeUnit.MINUTES);
            } catch (ExecutionException e) {
                throw new AssertionError(scenario.name(), e.getCause());
            }
        });
    }

    private void run(Scenario scenario) throws Exception {
        String name = "unnamed-%03d".formatted(NAMES.incrementAndGet());
        try (HookedBundle bundle = new HookedBundle(name, kafka, proxy, s3, scenario::edited)) {
            bundle.produce(10);
            await(PATIENCE).untilAsserted(() -> assertThat(bundle.pending()).isEmpty());

            happen(scenario, bundle);

            bundle.produce(5);
            if (scenario.has(Effect.DEAD)) {
                await(PATIENCE)
                        .until(() ->
                                bundle.notLive().isPresent() || bundle.pending().isEmpty());
                bundle.restart();
            }
            await(PATIENCE).untilAsserted(() -> assertThat(bundle.pending()).isEmpty());
            bundle.isComplete();
        }
    }

    private static void happen(Scenario scenario, HookedBundle bundle) throws Exception {
        List<End> ends = new ArrayList<>();
        try {
            for (UnnamedFault fault : scenario.faults()) {
                ends.add(fault.begin().in(bundle));
            }
            shows(scenario, bundle);
        } finally {
            for (End end : ends) {
                end.run();
            }
        }
    }

    /** Waits, while records come, until the connector is DOWN, or the fault has happened if it is to be none. */
    private static void shows(Scenario scenario, HookedBundle bundle) throws Exception {
        boolean isDown = scenario.has(Effect.DOWN) || scenario.has(Effect.DEAD);
        boolean spared = scenario.faults().stream().allMatch(fault -> fault.spared() || fault.effect() == Effect.NONE);
        long stored = bundle.committed(1) + 5;
        long began = System.nanoTime();
        await(LIMIT).untilAsserted(() -> {
            bundle.produce(1);
            if (isDown) {
                assertThat(bundle.notReady()).get().asString().isNotBlank();
            } else {
                assertThat(bundle.hooks().hits()).hasPositiveValue();
            }
            if (spared) {
                assertThat(bundle.committed(1)).isGreaterThanOrEqualTo(stored);
            }
        });
        System.out.printf(
                "%s, %s, after %d ms: %s%n",
                scenario.name(),
                bundle.name(),
                (System.nanoTime() - began) / 1_000_000,
                bundle.notReady().orElse("UP"));
    }

    private static ConditionFactory await(Duration limit) {
        return Awaitility.await().dontCatchUncaughtExceptions().atMost(limit).pollInterval(Duration.ofMillis(250));
    }
}
