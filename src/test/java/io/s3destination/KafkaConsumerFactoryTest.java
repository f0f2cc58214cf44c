package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.s3destination.embedded.EmbeddedKafka;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;

class KafkaConsumerFactoryTest {

    private static final String STARTING = "starting: it is no member of its group yet";

    /** As while the broker refuses each of them. */
    @Test
    @SuppressWarnings("try")
    void eachConsumerWaitsUntilFiveSecondsAfterTheOneBefore() throws Exception {
        KafkaConsumerFactory clients = new KafkaConsumerFactory();
        Properties kafka = kafka();
        long start = System.nanoTime();

        clients.getConsumer(kafka).close();
        assertThat(clients.fault("orders")).contains(STARTING);
        clients.getConsumer(kafka).close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(5));
        assertThat(clients.fault("orders"))
                .hasValueSatisfying(fault -> assertThat(fault).contains("fails and is retried"));
        assertThat(clients.fault("customers")).contains(STARTING);
    }

    /** As after an edit of the route. */
    @Test
    void kafkasOwnResetOfOffsetsIsRefusedWithTheReason() throws Exception {
        KafkaConsumerFactory factory = new KafkaConsumerFactory();
        Properties kafka = kafka();
        kafka.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");

        assertThatThrownBy(() -> factory.getConsumer(kafka)).hasMessageContaining("latest, and must be none");

        assertThat(factory.fault("orders"))
                .hasValueSatisfying(fault -> assertThat(fault).contains("latest, and must be none"));
    }

    @Test
    void aConsumerIsMadeBeforeItsNetworkThreadHasBegun() throws Exception {
        KafkaConsumerFactory clients = new KafkaConsumerFactory();
        clients.setCamelContext(new DefaultCamelContext());
        Properties kafka = kafka();
        kafka.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "consumer");
        kafka.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "SSL");
        kafka.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, LateNetwork.class.getName());

        Consumer<?, ?> consumer = clients.getConsumer(kafka);

        assertThat(clients.fault("orders")).contains(STARTING);
        LateNetwork.BEGIN.countDown();
        consumer.close(Duration.ZERO);
    }

    private static Properties kafka() throws IOException {
        Properties kafka = new Properties();
        kafka.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:" + EmbeddedKafka.freePort());
        kafka.put(ConsumerConfig.GROUP_ID_CONFIG, "orders");
        kafka.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        kafka.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        kafka.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        return kafka;
    }

    /** Holds up the thread that makes the network's client, and its metrics. */
    public static final class LateNetwork extends DefaultSslEngineFactory {

        static final CountDownLatch BEGIN = new CountDownLatch(1);

        @Override
        public void configure(Map<String, ?> settings) {
            super.configure(settings);
            if (!Thread.currentThread().getName().contains("consumer")) {
                // That of the Admin client, which is made by the caller.
                return;
            }
            try {
                BEGIN.await(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
