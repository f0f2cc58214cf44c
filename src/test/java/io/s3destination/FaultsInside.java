package io.s3destination;

import io.s3destination.Hooks.Hook;
import io.s3destination.Hooks.Place;
import io.s3destination.UnnamedFault.Effect;
import io.s3destination.UnnamedFault.End;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.SynchronizationAdapter;
import org.awaitility.Awaitility;
import org.hamcrest.Matchers;

/** Faults of {@link UnnamedFaultsIT} in the process: in steps, in polls and in the tasks of its pools. */
final class FaultsInside {

    private static final List<Class<? extends Throwable>> THROWABLES = List.of(
            Exception.class,
            InterruptedException.class,
            Throwable.class,
            Error.class,
            StackOverflowError.class,
            NoClassDefFoundError.class,
            ExceptionInInitializerError.class,
            AssertionError.class);

    /** Without the task that watches progress, a record that hangs is DOWN all the same. */
    static final List<UnnamedFault> BLIND = List.of(
            failing(
                    Place.LAG_GAUGE,
                    "the task that watches progress throws an Error",
                    Effect.NONE,
                    () -> throwing(StackOverflowError::new)),
            hanging(Place.STEP, "a step waits with one record", FaultsInside::onOne)
                    .sparingPartition1());

    static final List<UnnamedFault> ALL = List.of(
            BLIND.get(1),
            hanging(Place.STEP, "a step waits with each record", hook -> hook),
            UnnamedFault.of(Place.STEP, "a step sleeps and ignores interrupts", Effect.DOWN, bundle -> {
                        CountDownLatch ended = new CountDownLatch(1);
                        bundle.hooks().set(Place.STEP, onOne(record -> sleep(ended)));
                        return ending(bundle, Place.STEP, ended);
                    })
                    .sparingPartition1(),
            UnnamedFault.of(Place.STEP, "a step blocks on a lock", Effect.DOWN, FaultsInside::lock)
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a step throws any Throwable",
                            Effect.DOWN,
                            () -> Hooks.onPartition(0, FaultsInside::fail))
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a step drops one record",
                            Effect.DOWN,
                            () -> onOne(record -> record.setRouteStop(true)))
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a step leaves its thread interrupted",
                            Effect.NONE,
                            () -> Hooks.onPartition(
                                    0, record -> Thread.currentThread().interrupt()))
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a task of the uploads ends by an Error",
                            Effect.DOWN,
                            () -> onOne(FaultsInside::failWhenDone))
                    .sparingPartition1(),
            doubling("a step doubles records", FaultsInside::doubledRest),
            hanging(Place.POLLING_STEP, "a step on the polling thread waits", hook -> hook),
            failing(
                    Place.POLLING_STEP,
                    "a step on the polling thread throws an Error",
                    Effect.DOWN,
                    () -> throwing(StackOverflowError::new)),
            failing(
                    Place.POLLING_STEP,
                    "a step on the polling thread drops records",
                    Effect.DOWN,
                    () -> record -> record.setRouteStop(true)),
            doubling("a step on the polling thread doubles records", FaultsInside::doubledRoute),
            hanging(Place.DESERIALIZER, "a deserializer waits", hook -> hook),
            failing(
                    Place.DESERIALIZER,
                    "a deserializer throws an Error",
                    Effect.DEAD,
                    () -> throwing(() -> new NoClassDefFoundError("as the test wants it"))),
            hanging(Place.ON_CONSUME, "a poll waits in an interceptor", hook -> hook),
            failing(
                    Place.ON_CONSUME,
                    "an interceptor throws an exception",
                    Effect.NONE,
                    () -> throwing(() -> new IllegalStateException("as the test wants it"))),
            hanging(Place.ON_COMMIT, "a commit waits in an interceptor", hook -> hook),
            failing(
                    Place.ON_COMMIT,
                    "a commit throws an Error in an interceptor",
                    Effect.DEAD,
                    () -> throwing(StackOverflowError::new)),
            UnnamedFault.of(
                    Place.ASSIGNMENT, "a poll throws an exception", Effect.DOWN, FaultsInside::failInAssignment),
            hanging(Place.LAG_GAUGE, "the task that watches progress hangs", hook -> hook),
            BLIND.get(0));

    private FaultsInside() {}

    private interface Selection {
        Hook of(Hook hook);
    }

    private static Hook onOne(Hook hook) {
        return Hooks.onPartition(0, Hooks.onOneRecord(hook));
    }

    private static UnnamedFault hanging(Place place, String name, Selection selection) {
        return UnnamedFault.of(place, name, Effect.DOWN, bundle -> {
            CountDownLatch ended = new CountDownLatch(1);
            bundle.hooks().set(place, selection.of(record -> ended.await()));
            return ending(bundle, place, ended);
        });
    }

    private static End ending(HookedBundle bundle, Place place, CountDownLatch ended) {
        return () -> {
            bundle.hooks().clear(place);
            ended.countDown();
        };
    }

    private static UnnamedFault failing(Place place, String name, Effect effect, Supplier<Hook> hook) {
        return UnnamedFault.of(place, name, effect, bundle -> {
            bundle.hooks().set(place, hook.get());
            return () -> bundle.hooks().clear(place);
        });
    }

    private static Hook throwing(Supplier<Throwable> fault) {
        return record -> {
            throw fault.get();
        };
    }

    /** With each record another one. */
    private static void fail(Exchange record) throws Throwable {
        long offset = record.getMessage().getHeader(KafkaConstants.OFFSET, Long.class);
        throw THROWABLES
                .get((int) offset % THROWABLES.size())
                .getDeclaredConstructor()
                .newInstance();
    }

    /** A poll passes on what an assignor throws, which is asked when the members of the group change. */
    private static End failInAssignment(HookedBundle bundle) throws Exception {
        bundle.hooks().set(Place.ASSIGNMENT, throwing(() -> new IllegalStateException("as the test wants it")));
        bundle.removeMembers();
        Awaitility.await()
                .dontCatchUncaughtExceptions()
                .atMost(Duration.ofSeconds(30))
                .untilAtomic(bundle.hooks().hits(), Matchers.greaterThan(0));
        return () -> bundle.hooks().clear(Place.ASSIGNMENT);
    }

    private static void failWhenDone(Exchange record) {
        record.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                throw new StackOverflowError();
            }
        });
    }

    private static void sleep(CountDownLatch ended) {
        while (ended.getCount() > 0) {
            try {
                ended.await();
            } catch (InterruptedException e) {
                // Ignored, as some code does.
            }
        }
    }

    private static End lock(HookedBundle bundle) {
        ReentrantLock lock = new ReentrantLock();
        lock.lock();
        bundle.hooks().set(Place.STEP, onOne(record -> {
            lock.lock();
            lock.unlock();
        }));
        return () -> {
            bundle.hooks().clear(Place.STEP);
            lock.unlock();
        };
    }

    private static UnnamedFault doubling(String name, UnaryOperator<String> edit) {
        return UnnamedFault.of(name, name, Effect.NONE, bundle -> {
                    bundle.hooks().repeat(2);
                    return () -> bundle.hooks().repeat(1);
                })
                .with(edit);
    }

    /** The steps from the check of a record on run in a loop. */
    private static String doubledRest(String route) {
        return looped(route, route.indexOf(HookedBundle.CHECK));
    }

    /** All steps run in a loop. */
    private static String doubledRoute(String route) {
        return looped(route, route.indexOf("        - ", route.indexOf("\n      steps:\n")));
    }

    private static String looped(String route, int start) {
        String steps = route.substring(start);
        String margin = steps.substring(0, steps.indexOf('-'));
        String loop = """
                - loop:
                    copy: true
                    expression:
                      method:
                        ref: hooks
                        method: times
                    steps:
                """;
        return route.substring(0, start) + loop.indent(margin.length()) + steps.indent(6);
    }
}
