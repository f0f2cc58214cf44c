package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That Kafka's consumers, of both protocols, measure what is asked for. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class ConsumerMetricsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String name = "metrics-" + System.nanoTime();
    private final EmbeddedKafka kafka;

    ConsumerMetricsTest(EmbeddedKafka kafka) {
        this.kafka = kafka;
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void heartbeatsAnswersAndThrottlingShow(String protocol) throws Exception {
        kafka.createStream(name, 1);
        kafka.admin()
                .alterClientQuotas(List.of(new ClientQuotaAlteration(
                        new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, name)),
                        List.of(new ClientQuotaAlteration.Op("consumer_byte_rate", 20_000.0)))))
                .all()
                .get();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int record = 0; record < 20; record++) {
                producer.send(new ProducerRecord<>(name, new byte[50_000]));
            }
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.brokers(),
                        ConsumerConfig.CLIENT_ID_CONFIG, name,
                        ConsumerConfig.GROUP_ID_CONFIG, name,
                        ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol,
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            ConsumerMetrics before = ConsumerMetrics.of(consumer);
            assertThat(before.hasHeartbeatSince(ConsumerMetrics.NONE)).isFalse();
            assertThat(before.hasAnswerSince(ConsumerMetrics.NONE, 1)).isFalse();
            consumer.subscribe(List.of(name));

            Awaitility.await().atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100));
                ConsumerMetrics now = ConsumerMetrics.of(consumer);
                return now.hasHeartbeatSince(before) && now.hasAnswerSince(before, 1) && now.isThrottled();
            });
            // Else it would wait for the broker, which throttles it.
            consumer.close(Duration.ZERO);
        }
    }
}
