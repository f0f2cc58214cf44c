package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Readiness beside other members of the group, which are consumers of the test. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class GroupReadinessTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final ReadinessLimits LIMITS = ReadinessLimits.DEFAULT.shortened(10);

    private final String name = "group-readiness-" + System.nanoTime();
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;

    @TempDir
    private Path routes;

    GroupReadinessTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void setUp() throws Exception {
        s3.createBucket(name);
        kafka.createStream(name, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void aMemberWithoutPartitionsIsReady(String protocol) throws Exception {
        try (KafkaConsumer<byte[], byte[]> reader = member("a", protocol)) {
            await(() -> {
                reader.poll(Duration.ofMillis(100));
                assertThat(reader.assignment()).hasSize(1);
            });
            try (RunningBundle bundle = start(protocol)) {
                await(() -> {
                    reader.poll(Duration.ofMillis(100));
                    assertThat(bundle.notReady()).isEmpty();
                });
                // Longer than it may be outside the group.
                Awaitility.await()
                        .during(LIMITS.stalled().multipliedBy(2))
                        .atMost(PATIENCE)
                        .until(() -> {
                            reader.poll(Duration.ofMillis(100));
                            return bundle.notReady().isEmpty();
                        });
                // With the consumer protocol the coordinator may give the partition to the bundle, too.
                assumeThat(reader.assignment()).hasSize(1);
            }
        }
    }

    /** Kafka waits for it until its max.poll.interval.ms is over. */
    @Test
    void aRebalanceThatAnotherMemberHangsInIsDownUntilItEnds() throws Exception {
        try (KafkaConsumer<byte[], byte[]> hanging = member("z", "classic");
                RunningBundle bundle = start("classic")) {
            await(() -> {
                hanging.poll(Duration.ofMillis(100));
                assertThat(hanging.groupMetadata().generationId()).isPositive();
                assertThat(bundle.notReady()).isEmpty();
            });

            try (KafkaConsumer<byte[], byte[]> joining = member("y", "classic")) {
                await(() -> {
                    joining.poll(Duration.ofMillis(100));
                    assertThat(bundle.notReady()).hasValueSatisfying(why -> assertThat(why)
                            .contains("it is no member of its group for", "the group is rebalancing"));
                });
                // Longer than brokers that are asked may not answer.
                Awaitility.await()
                        .during(Duration.ofSeconds(12))
                        .atMost(PATIENCE)
                        .until(() -> bundle.notReady().orElse("").contains("the group is rebalancing"));
                hanging.close(Duration.ZERO);

                await(() -> {
                    joining.poll(Duration.ofMillis(100));
                    assertThat(bundle.notReady()).isEmpty();
                });
            }
        }
    }

    private RunningBundle start(String protocol) throws Exception {
        EditedRoutes edited = EditedRoutes.of(routes, route -> route.replace(
                        "sessionTimeoutMs: 10000", "additionalProperties.group.protocol: " + protocol)
                .replace("groupId: to-s3", "groupId: " + name));
        return RunningBundle.start(
                RunningBundle.storing(
                        name,
                        kafka,
                        s3.connectionUrl(name),
                        Map.of("camel.main.routes-include-pattern", edited.pattern())),
                registry ->
                        registry.bind("readiness-limits", ReadinessLimits.class, ReadinessLimits.DEFAULT.shortened(5)));
    }

    /** By the order of their IDs, the first gets the one partition. */
    private KafkaConsumer<byte[], byte[]> member(String id, String protocol) {
        KafkaConsumer<byte[], byte[]> member = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        kafka.brokers(),
                        ConsumerConfig.CLIENT_ID_CONFIG,
                        id + name,
                        ConsumerConfig.GROUP_ID_CONFIG,
                        name,
                        ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                        protocol,
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                        "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        member.subscribe(List.of(name));
        return member;
    }

    private static void await(ThrowingRunnable condition) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(condition);
    }
}
