package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.camel.component.kafka.KafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The suite on the embedded S3 server, where the user of the connection URL may put objects and do nothing else. */
@ExtendWith(EmbeddedServices.class)
class StoringTest extends StoringSuite {

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;

    StoringTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @Override
    protected EmbeddedKafka kafka() {
        return kafka;
    }

    @Override
    protected S3Server s3() {
        return s3;
    }

    @Test
    void theUserOfTheConnectionUrlMayNeitherListNorLookAtTheBucket() {
        try (S3Client writer = S3Clients.create(ConnectionUrl.parse(s3.connectionUrl(bucket)), 1)) {
            assertThatThrownBy(() -> writer.listObjectsV2(b -> b.bucket(bucket)))
                    .isInstanceOfSatisfying(
                            S3Exception.class, e -> assertThat(e.statusCode()).isEqualTo(403));
        }
    }

    @Test
    @SuppressWarnings("try")
    void nothingIsCommittedBeforeItIsStored() throws Exception {
        String missing = bucket + "-missing";
        settings().put("resource.datalake.url", s3.connectionUrl(missing));
        produce(stream, 0, "1", "no json", "3");

        try (RunningBundle bundle = RunningBundle.start(settings())) {
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> s3.attempts(missing) >= 9);
            assertThat(committed()).isEmpty();
            s3.createBucket(missing);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> committed().getOrDefault(0, 0L) == 3);
        }

        assertThat(s3.objects(missing).keySet())
                .containsExactly(
                        "datalake-dead-letter/" + stream + "-0-0000000001",
                        "datalake/" + stream + "-0-0000000000.gz",
                        "datalake/" + stream + "-0-0000000002.gz");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2"})
    void eachRecordIsPutOnce(String consumers) throws Exception {
        settings().put("camel.component.kafka.consumers-count", consumers);
        for (int n = 0; n < 1_500; n++) {
            produceSoon(n % 2, "{\"n\":" + n + "}");
        }

        runUntilStored(1_500);

        assertThat(s3.puts(bucket)).hasSize(1_500);
        assertThat(committed()).containsOnly(Map.entry(0, 750L), Map.entry(1, 750L));
    }

    @Test
    @SuppressWarnings("try")
    void aPollThatFailsSkipsNoRecord() throws Exception {
        produce(stream, 0, "1", "2", "3");
        FailingOnce clients = new FailingOnce();

        try (RunningBundle bundle = RunningBundle.start(
                settings(), registry -> registry.bind("kafka-clients", KafkaClientFactory.class, clients))) {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> committed().getOrDefault(0, 0L) == 3);
        }

        assertThat(clients.failed).isTrue();
        assertThat(objects().keySet())
                .containsExactly(
                        "datalake/" + stream + "-0-0000000000.gz",
                        "datalake/" + stream + "-0-0000000001.gz",
                        "datalake/" + stream + "-0-0000000002.gz");
    }

    /** The bundle's consumers, of which the first fails when it has got the first of its records. */
    private static final class FailingOnce extends DefaultKafkaClientFactory implements CamelContextAware {

        private final KafkaConsumerFactory clients = new KafkaConsumerFactory();
        private volatile boolean failed;

        @Override
        public CamelContext getCamelContext() {
            return clients.getCamelContext();
        }

        @Override
        public void setCamelContext(CamelContext context) {
            clients.setCamelContext(context);
        }

        @Override
        public Consumer<?, ?> getConsumer(Properties kafka) {
            kafka.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
            Consumer<?, ?> consumer = clients.getConsumer(kafka);
            return (Consumer<?, ?>) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, arguments) -> {
                        Object answer = call(consumer, method, arguments);
                        if (answer instanceof ConsumerRecords<?, ?> records && !records.isEmpty() && !failed) {
                            failed = true;
                            throw new KafkaException("as the test wants it");
                        }
                        return answer;
                    });
        }

        private static Object call(Consumer<?, ?> consumer, Method method, Object[] arguments) throws Throwable {
            try {
                return method.invoke(consumer, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }
}
