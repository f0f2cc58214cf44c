package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.KafkaProcess;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The faults of {@link FaultsSuite} with an object for each record, and those that say nothing else with many. */
class FaultsIT extends FaultsSuite {

    FaultsIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        super(kafka, s3, 1, 5_000);
    }

    @ParameterizedTest
    @CsvSource({"range,RangeAssignor", "cooperative-sticky,CooperativeStickyAssignor", "uniform,"})
    void aSecondInstanceComesAndGoes(String assignor, String type) throws Exception {
        aSecondInstanceComesAndGoesWith(assignor, type);
    }

    @Test
    void storesEveryRecordWhileOneRequestInTwentyFails() throws Exception {
        System.out.println("-Dfaults.seed=" + SEED);
        given(embeddedKafka);
        proxy.fail("", 0.05, Fault.INTERNAL_ERROR, Fault.RESET);

        bundle.start();

        ledger.isComplete(PATIENCE);
        ledger.committedIsStored();
        reportedAsOutages();
    }

    @Test
    void showsCauseAndRemedyOfWhatSomebodyMustFixAndRecoversByItself() throws Exception {
        Map<Fault, String> causeAndRemedy = new TreeMap<>(Map.of(
                Fault.ACCESS_DENIED, "403 AccessDenied; let the access key put objects",
                Fault.NO_SUCH_BUCKET, "404 NoSuchBucket; create the bucket",
                Fault.SIGNATURE_DOES_NOT_MATCH, "403 SignatureDoesNotMatch; correct the access secret"));
        given(embeddedKafka);
        startedInMidLoad();

        causeAndRemedy.forEach((fault, text) -> {
            proxy.fail(fault);
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
                HttpResponse<String> ready = bundle.get("/observe/health/ready");
                assertThat(ready.statusCode()).isEqualTo(503);
                assertThat(ready.body()).contains(text);
                ledger.committedIsStored();
            });
            proxy.fix();
            goesOn(GOES_ON);
        });

        ledger.isComplete(PATIENCE);
        assertThat(bundle.log().lines().filter(line -> line.contains(" ERROR ")))
                .first()
                .asString()
                .contains(causeAndRemedy.get(Fault.ACCESS_DENIED));
        reportedAsOutages();
    }

    @Test
    void aDeadLetterThatCannotBeWrittenLeavesTheRestAloneAndIsNotTriedInAHotLoop() throws Exception {
        given(embeddedKafka);
        proxy.fail("-dead-letter/", 1, Fault.ACCESS_DENIED);

        bundle.start();
        long start = System.nanoTime();
        Awaitility.await().atMost(PATIENCE).untilAsserted(ledger::onlyDeadLettersAreMissing);
        lasting(FAULT);
        int refused = proxy.requests() - proxy.stored();
        long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();

        // Each with a pause that doubles from 200 ms to 5 s.
        assertThat(refused).isBetween(1, (int) (ledger.deadLetters() * (6 + seconds / 5) * 2));
        proxy.fix();
        goesOn(GOES_ON);
        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void waitsForABrokerThatIsNotThereAtTheStart() throws Exception {
        try (KafkaProcess kafka = new KafkaProcess(directory).start()) {
            given(kafka);
            kafka.stop();

            bundle.start();
            Awaitility.await().atMost(PATIENCE).until(() -> bundle.log().contains("Started to-s3"));
            lasting(FAULT, () -> bundle.isAlive());
            kafka.start();

            goesOn(GOES_ON);
            ledger.isComplete(PATIENCE);
        }
    }

    @Test
    void aRecordThatIsRefusedForEverHoldsUpItsPartitionOnly() throws Exception {
        given(embeddedKafka);
        proxy.fail(name + "-2-0000000700", 1, Fault.ACCESS_DENIED);

        bundle.start();

        ledger.isCommittedBut(2, 700, PATIENCE);
        ledger.produce(records / 5);
        ledger.isCommittedBut(2, 700, PATIENCE);
        proxy.fix();
        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void staysInTheGroupWhileRecordsTakeLongerThanItWaits() throws Exception {
        given(embeddedKafka);
        bundle.withProperty("camel.component.kafka.max-poll-interval-ms", "3000");
        startedInMidLoad();

        proxy.fail(Fault.SLOW_DOWN);
        lasting(FAULT, () -> {
            ledger.committedIsStored();
            return embeddedKafka.readers(name) == 1;
        });
        proxy.fix();

        goesOn(GOES_ON);
        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void aCorruptBatchHoldsUpItsPartitionOnly() throws Exception {
        try (KafkaProcess kafka = new KafkaProcess(directory).start()) {
            given(kafka);
            kafka.stop();
            long corrupt = kafka.corrupt(name, 1);
            kafka.start();

            holdsUpOnly(1, corrupt);
        }
    }

    @Test
    void aRecordThatCannotBeDeserialisedHoldsUpItsPartitionOnly() throws Exception {
        given(embeddedKafka);
        bundle.withRoute(
                "to-s3",
                "keyDeserializer: org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "keyDeserializer: org.apache.kafka.common.serialization.IntegerDeserializer");
        long unreadable = ledger.produce(2, "no integer".getBytes(UTF_8));
        ledger.produce(records / 5);

        holdsUpOnly(2, unreadable);
    }

    private void holdsUpOnly(int partition, long offset) throws Exception {
        long started = System.nanoTime();
        bundle.start();
        ledger.isCompleteBut(partition, offset, PATIENCE);
        ledger.produce(records / 5);
        ledger.isCompleteBut(partition, offset, PATIENCE);
        // Once a minute it is tried again, by a new consumer.
        assertThat(bundle.log().lines().filter(line -> line.contains(" ERROR i.s.OffsetCommittingConsumer")))
                .hasSizeBetween(
                        1,
                        1 + (int) Duration.ofNanos(System.nanoTime() - started).toMinutes())
                .allSatisfy(error -> assertThat(error)
                        .contains("partition " + name + "-" + partition + " cannot be read at offset " + offset));
    }
}
