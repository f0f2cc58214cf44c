package io.s3destination;

import io.s3destination.UnnamedFault.Effect;
import io.s3destination.UnnamedFault.End;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.KafkaProxy;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;

/** Faults of {@link UnnamedFaultsIT} around the process: in Kafka, in its group and in S3. */
final class FaultsOutside {

    static final List<UnnamedFault> ALL = List.of(
            kafka("Kafka accepts and never answers", KafkaProxy.Fault.HANG, Effect.DOWN),
            kafka("each request to Kafka breaks off", KafkaProxy.Fault.CUT, Effect.DOWN),
            kafka("no fetch is answered", KafkaProxy.Fault.HANG, Effect.DOWN, ApiKeys.FETCH),
            kafka("no commit is answered", KafkaProxy.Fault.HANG, Effect.DOWN, ApiKeys.OFFSET_COMMIT),
            kafka("each commit breaks off", KafkaProxy.Fault.CUT, Effect.DOWN, ApiKeys.OFFSET_COMMIT),
            kafka("no heartbeat is answered", KafkaProxy.Fault.HANG, Effect.NONE, ApiKeys.HEARTBEAT),
            admin("no Admin request is answered", KafkaProxy.Fault.HANG),
            admin("each Admin request breaks off", KafkaProxy.Fault.CUT),
            UnnamedFault.of("Kafka", "a member is removed and cannot rejoin", Effect.DOWN, FaultsOutside::remove),
            UnnamedFault.of("group", "another member of the group hangs", Effect.DOWN, FaultsOutside::hangingMember),
            s3("S3 never answers", FaultyProxy.Fault.HANG),
            UnnamedFault.of(
                    "S3", "S3 never answers, and more records wait than it has uploads", Effect.DOWN, bundle -> {
                        bundle.s3Proxy().fail(FaultyProxy.Fault.HANG);
                        bundle.produce(100);
                        return bundle.s3Proxy()::fix;
                    }),
            s3("S3 answers half", FaultyProxy.Fault.ANSWER_CUT),
            s3("S3 answers 200 with nothing", FaultyProxy.Fault.EMPTY_SUCCESS),
            s3("S3 closes after the headers", FaultyProxy.Fault.HEAD_ONLY),
            UnnamedFault.of("S3", "S3 reads a byte a second", Effect.DOWN, FaultsOutside::readSlowly)
                    .sparingPartition1());

    private FaultsOutside() {}

    /** What happens to requests of the consumer and of the Admin client. */
    private static UnnamedFault kafka(String name, KafkaProxy.Fault fault, Effect effect, ApiKeys... requests) {
        return UnnamedFault.of("Kafka", name, effect, bundle -> failing(bundle, bundle.name(), fault, requests));
    }

    /** What happens to requests of the Admin client: records are stored without it. */
    private static UnnamedFault admin(String name, KafkaProxy.Fault fault) {
        return UnnamedFault.of(
                "Kafka", name, Effect.NONE, bundle -> failing(bundle, bundle.name() + "-offsets", fault));
    }

    private static End failing(HookedBundle bundle, String client, KafkaProxy.Fault fault, ApiKeys... requests) {
        bundle.kafkaProxy().fail(client, fault, bundle.hooks().hits(), requests);
        return () -> bundle.kafkaProxy().fix(client);
    }

    private static End remove(HookedBundle bundle) throws Exception {
        End end = failing(bundle, bundle.name(), KafkaProxy.Fault.HANG, ApiKeys.JOIN_GROUP);
        bundle.removeMembers();
        return end;
    }

    private static UnnamedFault s3(String name, FaultyProxy.Fault fault) {
        return UnnamedFault.of("S3", name, Effect.DOWN, bundle -> {
                    bundle.s3Proxy().fail(bundle.name() + "-0-", 1, fault);
                    return bundle.s3Proxy()::fix;
                })
                .sparingPartition1();
    }

    /** With a record that no buffer of a socket takes whole. */
    private static End readSlowly(HookedBundle bundle) throws Exception {
        bundle.s3Proxy().fail(bundle.name() + "-0-", 1, FaultyProxy.Fault.READ_SLOWLY);
        byte[] random = new byte[5 << 20];
        new Random().nextBytes(random);
        bundle.produce(0, "\"" + Base64.getEncoder().encodeToString(random) + "\"");
        return bundle.s3Proxy()::fix;
    }

    /** It does not rejoin when a third one comes, and so the assignment is never done. */
    private static End hangingMember(HookedBundle bundle) {
        KafkaConsumer<byte[], byte[]> hanging = member(bundle);
        Awaitility.await()
                .dontCatchUncaughtExceptions()
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
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
