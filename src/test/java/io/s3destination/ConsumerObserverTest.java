package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.RunningBundle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the running consumer knows itself, where the brokers do not answer. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class ConsumerObserverTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String stream = "observer-" + System.nanoTime();
    private final TopicPartition partition = new TopicPartition(stream, 0);
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;

    ConsumerObserverTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void theLagThatAConsumerKnowsCountsWhereTheLeaderAnswersIt(String protocol, @TempDir Path routes) throws Exception {
        kafka.createStream(stream, 1);
        s3.createBucket(stream);
        String edited = EditedRoutes.of(
                        routes,
                        route -> route.replace(
                                "sessionTimeoutMs: 10000", "additionalProperties.group.protocol: " + protocol))
                .pattern();
        try (FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1);
                KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            proxy.fail(Fault.SLOW_DOWN);
            try (RunningBundle bundle = RunningBundle.start(RunningBundle.storing(
                    stream,
                    kafka,
                    s3.connectionUrl(stream, proxy.endpoint()),
                    Map.of("camel.main.routes-include-pattern", edited)))) {
                ConsumerGroup group = bundle.context()
                        .getRegistry()
                        .lookupByNameAndType("kafka-clients", KafkaConsumerFactory.class)
                        .group("to-s3");
                ConsumerObserver consumers = new ConsumerObserver(Duration.ofSeconds(10));
                for (int record = 0; record < 3; record++) {
                    producer.send(new ProducerRecord<>(stream, "1".getBytes(UTF_8)));
                }

                awaitLook(
                        consumers,
                        group,
                        () -> consumers.areMembersForSure()
                                && consumers.assigned().equals(Set.of(partition)));
                awaitLook(consumers, group, () -> proxy.requests() >= 3);
                assertThat(consumers.lag(partition)).as("of an unknown leader").isEmpty();
                PartitionLookup lookup = new PartitionLookup(
                        group.admin().orElseThrow(),
                        group.id(),
                        Set.of(),
                        Set.of(partition),
                        IsolationLevel.READ_COMMITTED);
                lookup.await();
                consumers.leaders(lookup);

                awaitLook(
                        consumers,
                        group,
                        () -> consumers.lag(partition).filter(lag -> lag == 3).isPresent());
                assertThat(consumers.memberIds()).hasSize(1).doesNotContain("");
                assertThat(consumers.isThrottled()).isFalse();
                assertThat(consumers.reading(partition, 3, 0).isPending())
                        .as("with records in flight")
                        .isFalse();
                proxy.fix();
            }
        }
    }

    private static void awaitLook(ConsumerObserver consumers, ConsumerGroup group, Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).until(() -> {
            consumers.look(group.consumers());
            return condition.call();
        });
    }
}
