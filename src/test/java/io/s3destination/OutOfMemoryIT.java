package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Out of memory ends the process by itself, without the JVM's option -XX:+ExitOnOutOfMemoryError. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class OutOfMemoryIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String EXIT = "-XX:+ExitOnOutOfMemoryError";
    /** Enough for an idle bundle. */
    private static final String SMALL_HEAP = "-Xmx48m";

    private static final String STEP = "- setVariable:\n                  id: name-folder";

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String name = "out-of-memory-" + UUID.randomUUID();
    private BundleProcess bundle;

    @TempDir
    Path directory;

    OutOfMemoryIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @BeforeEach
    void createStreamAndBucket() throws Exception {
        kafka.createStream(name, 1);
        s3.createBucket(name);
    }

    @AfterEach
    void end() {
        bundle.close();
    }

    @Test
    void aRecordThatIsLargerThanTheHeapEndsTheProcess() throws Exception {
        produce(30 << 20);

        given(new BundleProcess(directory))
                .withoutOption(EXIT)
                .withOption(SMALL_HEAP)
                .start();

        assertThat(bundle.ends(PATIENCE)).as(bundle.log()).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(3);
        assertThat(bundle.log()).containsOnlyOnce("s3-destination ends: out of memory");
    }

    /** There a thread of Kafka's own catches the error and goes on, so that it takes the option. */
    @Test
    void withTheConsumerProtocolTheOptionOfTheJvmEndsTheProcess() throws Exception {
        produce(30 << 20);

        given(new BundleProcess(directory))
                .withProperty("camel.component.kafka.additional-properties[group.protocol]", "consumer")
                .withOption(SMALL_HEAP)
                .start();

        assertThat(bundle.ends(PATIENCE)).as(bundle.log()).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(3);
    }

    @Test
    void aStepThatRunsOutOfMemoryEndsTheProcess() throws Exception {
        assertThatAStepThatRunsOutOfMemoryEnds(new BundleProcess(directory));
    }

    @Test
    void aStepThatRunsOutOfMemoryEndsCamelRun() throws Exception {
        String line = Files.readString(Path.of("README.md"))
                .lines()
                .filter(text -> text.startsWith("camel run "))
                .findFirst()
                .orElseThrow();

        assertThatAStepThatRunsOutOfMemoryEnds(BundleProcess.ofCamelCli(directory, line));
    }

    private void assertThatAStepThatRunsOutOfMemoryEnds(BundleProcess process) throws Exception {
        produce(10);

        given(process).withoutOption(EXIT).withRoute("to-s3", STEP, """
                        - setVariable:
                                          id: too-large
                                          name: too-large
                                          expression:
                                            method:
                                              beanType: java.nio.ByteBuffer
                                              method: allocate(2000000000)
                                      - setVariable:
                                          id: name-folder\
                        """).start();

        assertThat(bundle.ends(PATIENCE)).as(bundle.log()).isTrue();
        assertThat(bundle.exitCode()).isEqualTo(3);
        assertThat(bundle.log()).containsOnlyOnce("s3-destination ends: out of memory");
        assertThat(s3.puts(name)).isEmpty();
    }

    private BundleProcess given(BundleProcess process) throws Exception {
        bundle = process.storing(name, kafka, s3.connectionUrl(name));
        return bundle;
    }

    private void produce(int size) {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            producer.send(new ProducerRecord<>(name, ("\"" + "a".repeat(size) + "\"").getBytes(UTF_8)));
        }
    }
}
