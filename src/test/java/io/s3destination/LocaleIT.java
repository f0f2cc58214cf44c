package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.S3Server;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same names, bytes and log, whatever the language, the time zone and the charset of the machine are. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class LocaleIT {

    private static final Duration PATIENCE = Duration.ofSeconds(150);
    private static final String JSON = "{\"customer\": \"Zoë, ١٢٣, 日本, ı\"}";
    private static final String NO_JSON = "{\"customer\": Zoë";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String name = "locale-" + UUID.randomUUID();

    LocaleIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-Duser.language=ar -Duser.country=EG",
                "-Duser.language=tr -Duser.country=TR",
                "-Duser.language=th -Duser.country=TH -Duser.extensions=u-nu-thai",
                "-Duser.timezone=Asia/Kathmandu",
                "-Dfile.encoding=US-ASCII",
                "-Dfile.encoding=ISO-8859-1"
            })
    void namesBytesAndLogAreTheSameOnAnyMachine(String options, @TempDir Path directory) throws Exception {
        kafka.createStream(name, 1);
        s3.createBucket(name);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, JSON.getBytes(UTF_8)));
            producer.send(new ProducerRecord<>(name, NO_JSON.getBytes(UTF_8)));
        }
        String log;
        try (BundleProcess bundle = new BundleProcess(directory).storing(name, kafka, s3.connectionUrl(name))) {
            bundle.withRoute("to-s3", "{{connector.to-s3.folder:{{connector.to-s3.to}}}}", "größe")
                    .withOption(options)
                    .start();
            Awaitility.await().atMost(PATIENCE).until(() -> s3.puts(name).size() >= 2 || !bundle.isAlive());
            log = bundle.log();
        }

        String stored = "größe/%s-0-0000000000.gz".formatted(name);
        String deadLetter = "größe-dead-letter/%s-0-0000000001".formatted(name);
        assertThat(s3.objects(name)).containsOnlyKeys(stored, deadLetter);
        assertThat(S3Server.unzipped(s3.objects(name).get(stored).asByteArray()))
                .isEqualTo(JSON.getBytes(UTF_8));
        assertThat(s3.objects(name).get(deadLetter).asByteArray()).isEqualTo(NO_JSON.getBytes(UTF_8));
        assertThat(log.lines().filter(line -> line.contains("Started to-s3")))
                .singleElement()
                .asString()
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO .*");
    }
}
