package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;

/** A polling thread that needs one consumer after the other, as while the broker refuses each of them. */
class KafkaClientsTest {

    @Test
    @SuppressWarnings("try")
    void eachConsumerWaitsUntilFiveSecondsAfterTheOneBefore() throws Exception {
        KafkaClients clients = new KafkaClients();
        Properties kafka = new Properties();
        kafka.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:" + EmbeddedKafka.freePort());
        kafka.put(ConsumerConfig.GROUP_ID_CONFIG, "orders");
        kafka.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        kafka.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        long start = System.nanoTime();

        clients.getConsumer(kafka).close();
        assertThat(clients.fault("orders")).contains("no Kafka broker answers");
        clients.getConsumer(kafka).close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(5));
        assertThat(clients.fault("orders"))
                .hasValueSatisfying(fault -> assertThat(fault).contains("broke off"));
        assertThat(clients.fault("customers")).contains("no Kafka broker answers");
    }
}
