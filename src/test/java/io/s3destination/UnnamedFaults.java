package io.s3destination;

import io.s3destination.Hooks.Hook;
import io.s3destination.Hooks.Place;
import io.s3destination.UnnamedFault.Effect;
import io.s3destination.UnnamedFault.End;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.KafkaProxy;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;

/** The faults of {@link UnnamedFaultsIT}. */
final class UnnamedFaults {

    private static final List<Class<? extends Throwable>> THROWABLES = List.of(
            Exception.class,
            InterruptedException.class,
            Throwable.class,
            Error.class,
            StackOverflowError.class,
            NoClassDefFoundError.class,
            ExceptionInInitializerError.class,
            AssertionError.class);

    static final List<UnnamedFault> ALL = List.of(
            // A step of the user.
            hanging(Place.STEP, "a step waits with one record", UnnamedFaults::onOne)
                    .sparingPartition1(),
            hanging(Place.STEP, "a step waits with each record", hook -> hook),
            UnnamedFault.of(Place.STEP, "a step sleeps and ignores interrupts", Effect.DOWN, bundle -> {
                        CountDownLatch ended = new CountDownLatch(1);
                        bundle.hooks().set(Place.STEP, onOne(record -> sleep(ended)));
                        return ending(bundle, Place.STEP, ended);
                    })
                    .sparingPartition1(),
            UnnamedFault.of(Place.STEP, "a step blocks on a lock", Effect.DOWN, UnnamedFaults::lock)
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a step throws any Throwable",
                            Effect.DOWN,
                            () -> Hooks.onPartition(0, UnnamedFaults::fail))
                    .sparingPartition1(),
            failing(
                            Place.STEP,
                            "a step drops one record",
                            Effect.DOWN,
                            () -> onOne(record -> record.setRouteStop(true)))
                    .sparingPartition1(),
            doubling("a step doubles records", UnnamedFaults::doubledRest),
            // On the polling thread.
            hanging(Place.POLLING_STEP, "a step on the polling thread waits", hook -> hook),
            failing(
                    Place.POLLING_STEP,
                    "a step on the polling thread throws an Error",
                    Effect.DOWN,
                    () -> throwing(() -> new StackOverflowError())),
            failing(
                    Place.POLLING_STEP,
                    "a step on the polling thread drops records",
                    Effect.DOWN,
                    () -> record -> record.setRouteStop(true)),
            doubling("a step on the polling thread doubles records", UnnamedFaults::doubledRoute),
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
                    () -> throwing(() -> new StackOverflowError())),
            // The task that watches the lag.
            hanging(Place.LAG_GAUGE, "the task that watches progress hangs", hook -> hook),
            failing(
                    Place.LAG_GAUGE,
                    "the task that watches progress ends by an Error once",
                    Effect.NONE,
                    UnnamedFaults::once),
            // Kafka.
            kafka("Kafka accepts and never answers", KafkaProxy.Fault.HANG, Effect.DOWN),
            kafka("each request to Kafka breaks off", KafkaProxy.Fault.CUT, Effect.DOWN),
            kafka("no fetch is answered", KafkaProxy.Fault.HANG, Effect.DOWN, ApiKeys.FETCH),
            kafka("no commit is answered", KafkaProxy.Fault.HANG, Effect.DOWN, ApiKeys.OFFSET_COMMIT),
            kafka("each commit breaks off", KafkaProxy.Fault.CUT, Effect.DOWN, ApiKeys.OFFSET_COMMIT),
            kafka(
                    "no heartbeat is answered",
                    KafkaProxy.Fault.HANG,
                    Effect.DOWN,
                    ApiKeys.HEARTBEAT,
                    ApiKeys.JOIN_GROUP),
            kafka("no question for offsets is answered", KafkaProxy.Fault.HANG, Effect.NONE, ApiKeys.LIST_OFFSETS),
            UnnamedFault.of("group", "another member of the group hangs", Effect.DOWN, UnnamedFaults::hangingMember),
            // S3.
            s3("S3 never answers", FaultyProxy.Fault.HANG),
            s3("S3 answers half", FaultyProxy.Fault.ANSWER_CUT),
            s3("S3 answers 200 with nothing", FaultyProxy.Fault.EMPTY_SUCCESS),
            s3("S3 closes after the headers", FaultyProxy.Fault.HEAD_ONLY),
            UnnamedFault.of("S3", "S3 reads a byte a second", Effect.DOWN, UnnamedFaults::readSlowly)
                    .sparingPartition1());

    private UnnamedFaults() {}

    private interface Selection {
        Hook of(Hook hook);
    }

    private static Hook onOne(Hook hook) {
        return Hooks.onPartition(0, Hooks.onOneRecord(hook));
    }

    private static Hook once() {
        AtomicInteger runs = new AtomicInteger();
        return record -> {
            if (runs.getAndIncrement() == 0) {
                throw new StackOverflowError();
            }
        };
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

    private static UnnamedFault kafka(String name, KafkaProxy.Fault fault, Effect effect, ApiKeys... requests) {
        return UnnamedFault.of("Kafka", name, effect, bundle -> {
            bundle.kafkaProxy().fail(bundle.name(), fault, bundle.hooks().hits(), requests);
            return () -> bundle.kafkaProxy().mend(bundle.name());
        });
    }

    private static UnnamedFault s3(String name, FaultyProxy.Fault fault) {
        return UnnamedFault.of("S3", name, Effect.DOWN, bundle -> {
                    bundle.s3Proxy().fail(bundle.name() + "-0-", 1, fault);
                    return bundle.s3Proxy()::mend;
                })
                .sparingPartition1();
    }

    /** With a record that no buffer of a socket takes whole. */
    private static End readSlowly(HookedBundle bundle) throws Exception {
        bundle.s3Proxy().fail(bundle.name() + "-0-", 1, FaultyProxy.Fault.READ_SLOWLY);
        byte[] random = new byte[5 << 20];
        new Random().nextBytes(random);
        bundle.produce(0, "\"" + Base64.getEncoder().encodeToString(random) + "\"");
        return bundle.s3Proxy()::mend;
    }

    /** It does not rejoin when a third one comes, and so the assignment is never done. */
    private static End hangingMember(HookedBundle bundle) {
        KafkaConsumer<byte[], byte[]> hanging = member(bundle);
        Awaitility.await().until(() -> {
            hanging.poll(Duration.ofMillis(100));
            return !hanging.assignment().isEmpty();
        });
        KafkaConsumer<byte[], byte[]> third = member(bundle);
        for (int poll = 0; poll < 3; poll++) {
            third.poll(Duration.ofMillis(500));
        }
        return () -> {
            hanging.close(Duration.ofSeconds(5));
            third.close(Duration.ofSeconds(5));
        };
    }

    private static KafkaConsumer<byte[], byte[]> member(HookedBundle bundle) {
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", bundle.kafka().brokers(),
                        "group.id", bundle.name(),
                        "client.id", "another-member",
                        "enable.auto.commit", "false",
                        "max.poll.interval.ms", "600000"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        consumer.subscribe(List.of(bundle.name()));
        return consumer;
    }
}
