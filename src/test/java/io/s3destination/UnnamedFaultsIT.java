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

    @TestFactory
    Stream<DynamicTest> eachFaultIsDownAndLeavesEachRecordWithItsObject() {
        List<DynamicTest> tests = new ArrayList<>();
        UnnamedFaults.ALL.forEach(fault -> tests.add(test(fault.name(), List.of(fault))));
        seeds().forEach(seed -> {
            Random random = new Random(seed);
            for (int pair = 0; pair < Integer.getInteger("unnamed.pairs", 3); pair++) {
                List<UnnamedFault> two = pair(random);
                tests.add(test("-Dunnamed.seed=%d: %s, and %s".formatted(seed, two.get(0), two.get(1)), two));
            }
        });
        String chosen = System.getProperty("unnamed", "");
        return tests.stream().filter(test -> test.getDisplayName().contains(chosen));
    }

    private static LongStream seeds() {
        Long seed = Long.getLong("unnamed.seed");
        return seed != null ? LongStream.of(seed) : LongStream.of(1, System.nanoTime());
    }

    private static List<UnnamedFault> pair(Random random) {
        while (true) {
            UnnamedFault one = UnnamedFaults.ALL.get(random.nextInt(UnnamedFaults.ALL.size()));
            UnnamedFault other = UnnamedFaults.ALL.get(random.nextInt(UnnamedFaults.ALL.size()));
            if (!one.place().equals(other.place())) {
                return List.of(one, other);
            }
        }
    }

    /** It runs as soon as there is a thread for it, and is waited for in its turn. */
    private DynamicTest test(String name, List<UnnamedFault> faults) {
        String chosen = System.getProperty("unnamed", "");
        if (!name.contains(chosen)) {
            return DynamicTest.dynamicTest(name, () -> {});
        }
        Future<?> scenario = scenarios.submit(() -> {
            run(name, faults);
            return null;
        });
        return DynamicTest.dynamicTest(name, () -> {
            try {
                scenario.get();
            } catch (ExecutionException e) {
                throw e.getCause();
            }
        });
    }

    private void run(String name, List<UnnamedFault> faults) throws Exception {
        String stream = "unnamed-%03d".formatted(NAMES.incrementAndGet());
        try (HookedBundle bundle = new HookedBundle(stream, kafka, proxy, s3, route -> edited(route, faults))) {
            bundle.produce(10);
            await(PATIENCE).untilAsserted(bundle::isDone);

            long began = System.nanoTime();
            boolean isDead = happen(name, bundle, faults);
            if (isDead) {
                bundle.restart();
            }
            bundle.produce(5);
            await(PATIENCE).untilAsserted(bundle::isDone);
            bundle.isComplete();
            System.out.printf("%s: done after %d ms%n", name, (System.nanoTime() - began) / 1_000_000);
        }
    }

    /** Returns whether only a restart helps. */
    private static boolean happen(String name, HookedBundle bundle, List<UnnamedFault> faults) throws Exception {
        List<End> ends = new ArrayList<>();
        long began = System.nanoTime();
        try {
            for (UnnamedFault fault : faults) {
                ends.add(fault.begin().in(bundle));
            }
            shows(bundle, faults);
            System.out.printf(
                    "%s: after %d ms %s%n",
                    name,
                    (System.nanoTime() - began) / 1_000_000,
                    bundle.notReady().orElse("UP"));
            return has(Effect.DEAD, faults) && isDead(bundle, faults);
        } finally {
            for (End end : ends) {
                end.run();
            }
        }
    }

    private static String edited(String route, List<UnnamedFault> faults) {
        String edited = route;
        for (UnnamedFault fault : faults) {
            edited = fault.edit().apply(edited);
        }
        return edited;
    }

    /** Waits until the faults do what they must, while records come. */
    private static void shows(HookedBundle bundle, List<UnnamedFault> faults) throws Exception {
        boolean isDown = has(Effect.DOWN, faults) || has(Effect.DEAD, faults);
        boolean spared = faults.stream().allMatch(fault -> fault.spared() || fault.effect() == Effect.NONE);
        long stored = bundle.committed(1) + 5;
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
    }

    /** A fault that only a restart helps against may not come to that beside another one. */
    private static boolean isDead(HookedBundle bundle, List<UnnamedFault> faults) {
        if (faults.size() == 1) {
            await(LIMIT).untilAsserted(() -> assertThat(bundle.notLive()).isPresent());
        }
        return bundle.notLive().isPresent();
    }

    private static boolean has(Effect effect, List<UnnamedFault> faults) {
        return faults.stream().anyMatch(fault -> fault.effect() == effect);
    }

    private static ConditionFactory await(Duration limit) {
        return Awaitility.await().atMost(limit).pollInterval(Duration.ofMillis(250));
    }
}
