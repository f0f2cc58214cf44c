package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.KafkaProcess;
import io.s3destination.embedded.KafkaServer;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is committed, where reading begins, and that no record is lost or replaced without a report. */
@ExtendWith(EmbeddedServices.class)
@SuppressWarnings("try")
class OffsetsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String GROUP = "to-s3";
    private static final Uuid OTHER_TOPIC = new Uuid(7, 7);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String stream = "offsets-" + System.nanoTime();
    private final TopicPartition partition = new TopicPartition(stream, 0);

    @TempDir
    Path routes;

    OffsetsTest(EmbeddedKafka kafka, EmbeddedS3 s3) {
        this.kafka = kafka;
        this.s3 = s3;
        s3.createBucket(stream);
    }

    @Test
    void commitsOnlyPartitionsWhoseOffsetChanged() throws Exception {
        kafka.createStream(stream, 60);
        for (int p = 0; p < 60; p++) {
            produce(p, 1);
        }
        try (RunningBundle bundle = start()) {
            await(() -> commits().size() == 60);
            long before = kafka.end(new TopicPartition("__consumer_offsets", 0));

            for (int n = 2; n <= 51; n++) {
                produce(7, 1);
                long offset = n;
                await(() -> commits().get(7).offset() == offset);
            }

            // Each commit of one partition is one record there; a rebalance or two may be, too.
            assertThat(kafka.end(new TopicPartition("__consumer_offsets", 0)) - before)
                    .isBetween(1L, 60L);
        }
    }

    @Test
    void commitsThePositionBehindTransactionMarkersAndAbortedRecords() throws Exception {
        kafka.createStream(stream, 2);
        try (RunningBundle bundle = start();
                KafkaProducer<byte[], byte[]> producer = kafka.transactionalProducer(stream)) {
            producer.initTransactions();
            transaction(producer, 0, 5);
            producer.commitTransaction();
            transaction(producer, 1, 100);
            producer.abortTransaction();

            await(() -> commits().size() == 2 && commits().get(0).offset() == 6);
            await(() -> commits().get(1).offset() == 101);
            await(() -> bundle.metric("s3.destination.lag") == 0);
        }
        assertThat(s3.keys(stream)).hasSize(5);
        assertThat(commits().get(1).offset()).isEqualTo(101);
    }

    @Test
    void eachCommitNamesItsTopicPlaceAndOffset() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 3);

        try (RunningBundle bundle = start()) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 3);
        }

        OffsetAndMetadata commit = commits().get(0);
        String place = CommitMark.place(s3.endpoint().toString(), stream, "datalake");
        assertThat(commit.metadata())
                .isEqualTo("s3d1 topic=" + kafka.topicId(stream) + " place=" + place + " mode=1 offset=3");
        assertThat(commit.leaderEpoch()).contains(0);
    }

    @Test
    void beginsAtTheStartOfTheLogWithoutACommittedOffset() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 10);
        kafka.deleteRecords(partition, 4);

        try (RunningBundle bundle = start()) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 10);
            assertThat(bundle.metric("s3.destination.records.lost")).isZero();
        }

        assertThat(s3.keys(stream)).containsExactlyElementsOf(keys("datalake", 4, 10));
    }

    @Test
    void reportsRecordsThatKafkaDeletedWhileItWasStopped() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 3);
        try (RunningBundle bundle = start()) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 3);
        }
        produce(0, 600);
        kafka.deleteRecords(partition, 603);

        for (int starts = 0; starts < 2; starts++) {
            int lost = starts == 0 ? 600 : 0;
            try (RunningBundle bundle = start()) {
                await(() -> commits().get(0).offset() == 603);
                await(() -> bundle.metric("s3.destination.lag") == 0
                        && bundle.metric("s3.destination.records.lost") == lost);
                assertThat(bundle.notReady()).isEmpty();
            }
        }
        produce(0, 1);
        try (RunningBundle bundle = start()) {
            await(() -> commits().get(0).offset() == 604);
        }
        assertThat(s3.keys(stream))
                .hasSize(4)
                .endsWith(keys("datalake", 603, 604).get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void reportsRecordsThatKafkaDeletedWhileTheyWaitedToBeRead(String protocol) throws Exception {
        Map<String, String> settings = settings(protocol);
        kafka.createStream(stream, 1);
        // More than a consumer fetches ahead.
        produce("x".repeat(5_000), 0, 6_000);
        s3.deny(stream);

        try (RunningBundle bundle = start(settings)) {
            await(() -> bundle.metric("s3.destination.in.flight") > 0);
            kafka.deleteRecords(partition, 5_500);
            s3.allow(stream);

            await(() -> commits().containsKey(0) && commits().get(0).offset() == 6_000);
            await(() -> bundle.metric("s3.destination.records.lost") > 0);
            assertThat(s3.keys(stream).size() + bundle.metric("s3.destination.records.lost"))
                    .isEqualTo(6_000);
        }
        assertThat(s3.keys(stream)).containsAll(keys("datalake", 5_500, 6_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void stopsAStreamThatIsCreatedAgainWhileItRunsUntilItsOffsetsAreReset(String protocol) throws Exception {
        Map<String, String> settings = settings(protocol);
        kafka.createStream(stream, 2);
        produce(0, 3_000);
        Uuid first = kafka.topicId(stream);
        try (RunningBundle bundle = start(settings)) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 3_000);
            kafka.admin().deleteTopics(List.of(stream)).all().get();
            recreate(2);
            produce("new", 0, 600);

            awaitNotReady(bundle, "was deleted and created again");
            await(() -> commits().containsKey(0));
        }
        assertThat(commits().get(0).offset()).isEqualTo(3_000);
        assertThat(commits().get(0).metadata()).contains("topic=" + first + " ");
        Map<String, String> objects = contents();
        assertThat(objects).hasSize(3_000).allSatisfy((key, text) -> assertThat(text)
                .contains("old"));

        try (RunningBundle restarted = start(settings)) {
            awaitNotReady(restarted, "was deleted and created again");
        }
        assertThat(contents()).isEqualTo(objects);

        resetAsDocumented();
        settings.put("connector.to-s3.folder", "datalake-2");
        try (RunningBundle remedied = start(settings)) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 600);
            assertThat(remedied.notReady()).isEmpty();
        }
        assertThat(s3.keys(stream)).containsAll(keys("datalake-2", 0, 600)).hasSize(3_600);
        Map<String, String> after = contents();
        after.keySet().retainAll(objects.keySet());
        assertThat(after).isEqualTo(objects);
    }

    @Test
    void readsAStreamThatWasCreatedAgainWhileNoProcessRanFromItsBeginning() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 5);
        try (RunningBundle bundle = start()) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 5);
        }
        kafka.admin().deleteTopics(List.of(stream)).all().get();
        recreate(1);
        produce("new", 0, 3);

        try (RunningBundle bundle = start()) {
            await(() -> commits().containsKey(0) && commits().get(0).offset() == 3);
        }

        assertThat(contents().get(keys("datalake", 2, 3).get(0))).contains("new");
    }

    @Test
    void stopsAPartitionWhoseCommitBelongsToAnotherTopicOfThatName() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 5);
        reset(0, 2, new CommitMark(Optional.of(OTHER_TOPIC), "0123456789abcdef", "1", 2).toString());

        try (RunningBundle bundle = start()) {
            awaitNotReady(bundle, "was deleted and created again");
        }

        assertThat(s3.keys(stream)).isEmpty();
    }

    @Test
    void aMarkWhoseOffsetIsNotTheCommitsOwnIsIgnored() throws Exception {
        kafka.createStream(stream, 1);
        produce(0, 5);
        reset(0, 2, new CommitMark(Optional.of(OTHER_TOPIC), "0123456789abcdef", "1", 3).toString());

        try (RunningBundle bundle = start()) {
            await(() -> commits().get(0).offset() == 5);
        }

        assertThat(s3.keys(stream)).containsExactlyElementsOf(keys("datalake", 2, 5));
    }

    @Test
    void stopsAPartitionThatIsToBeReadBeyondTheEndOfItsLog() throws Exception {
        kafka.createStream(stream, 2);
        produce(0, 5);
        produce(1, 5);
        reset(0, 1_000, "");

        try (RunningBundle bundle = start()) {
            awaitNotReady(bundle, "partition " + partition + " is to be read from offset 1000, but its log ends at 5");
            await(() -> commits().containsKey(1) && commits().get(1).offset() == 5);
        }

        assertThat(s3.keys(stream)).hasSize(5);
        assertThat(commits().get(0).offset()).isEqualTo(1_000);
    }

    @Test
    void commitsWithoutAMarkWhereTheBrokerRefusesIt(@TempDir Path directory) throws Exception {
        try (EmbeddedKafka strict = EmbeddedKafka.start(directory, 0, Map.of("offset.metadata.max.bytes", "16"))) {
            strict.createStream(stream, 1);
            produce(strict, "old", 0, 3);

            try (RunningBundle bundle = start(Map.of("camel.component.kafka.brokers", strict.brokers()))) {
                await(() -> strict.commits(GROUP, stream).containsKey(0));
                assertThat(bundle.notReady()).isEmpty();
            }

            assertThat(strict.commits(GROUP, stream).get(0).offset()).isEqualTo(3);
            assertThat(strict.commits(GROUP, stream).get(0).metadata()).isEmpty();
        }
    }

    /** The log is shorter than what is committed, or has grown beyond it again. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void stopsAPartitionWhoseLogWasTruncated(int producedAfterwards, @TempDir Path directory) throws Exception {
        try (KafkaProcess broker = new KafkaProcess(directory).start()) {
            broker.createStream(stream, 2);
            for (int n = 0; n < 20; n++) {
                produce(broker, "old", 0, 5);
            }
            Map<String, String> settings = Map.of("camel.component.kafka.brokers", broker.brokers());
            try (RunningBundle bundle = start(settings)) {
                await(() -> broker.commits(GROUP, stream).containsKey(0)
                        && broker.commits(GROUP, stream).get(0).offset() == 100);
            }
            Map<String, String> objects = contents();
            broker.stop();
            long end = broker.truncate(stream, 0);
            broker.start();
            produce(broker, "new", 0, producedAfterwards);
            produce(broker, "new", 1, 1);

            try (RunningBundle bundle = start(settings)) {
                awaitNotReady(
                        bundle,
                        producedAfterwards == 0
                                ? "but its log ends at " + end
                                : "was truncated on its brokers to offset " + end);
                await(() -> broker.commits(GROUP, stream).containsKey(1));
            }

            assertThat(broker.commits(GROUP, stream).get(0).offset()).isEqualTo(100);
            Map<String, String> after = contents();
            assertThat(after).hasSize(101).containsAllEntriesOf(objects);
        }
    }

    /** By the command of docs/kafka.md. */
    private void resetAsDocumented() throws IOException {
        String command = Files.readAllLines(Path.of("docs", "kafka.md")).stream()
                .filter(line -> line.contains("--reset-offsets"))
                .map(line -> line.replaceAll(".*kafka-consumer-groups.sh |`.*", ""))
                .findFirst()
                .orElseThrow();
        ConsumerGroupCommand.main(command.replace("localhost:9092", kafka.brokers())
                .replace("public.orders", stream)
                .split(" "));
    }

    private RunningBundle start() {
        return start(Map.of());
    }

    /** For Kafka's classic group protocol, or the one of KIP-848, in which the broker knows the timeouts. */
    private Map<String, String> settings(String protocol) throws IOException {
        if (protocol.equals("classic")) {
            return new HashMap<>();
        }
        return new HashMap<>(Map.of(
                "camel.main.routes-include-pattern",
                EditedRoutes.of(routes, route -> route.replace("sessionTimeoutMs: 10000", ""))
                        .pattern(),
                "camel.component.kafka.additional-properties[group.protocol]",
                protocol));
    }

    private RunningBundle start(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "camel.component.kafka.brokers", kafka.brokers(),
                "resource.datalake.url", s3.connectionUrl(stream),
                "connector.to-s3.input", stream));
        settings.putAll(more);
        return RunningBundle.start(settings);
    }

    /** Kafka deletes a stream after it has answered. */
    private void recreate(int partitions) {
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            kafka.createStream(stream, partitions);
            return true;
        });
    }

    private void produce(int partition, int records) throws Exception {
        produce("old", partition, records);
    }

    private void produce(String text, int partition, int records) throws Exception {
        produce(kafka, text, partition, records);
    }

    private void produce(KafkaServer kafka, String text, int partition, int records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            send(producer, text, partition, records);
        }
    }

    private void transaction(KafkaProducer<byte[], byte[]> producer, int partition, int records) {
        producer.beginTransaction();
        send(producer, "old", partition, records);
        producer.flush();
    }

    private void send(KafkaProducer<byte[], byte[]> producer, String text, int partition, int records) {
        byte[] value = ("\"" + text + "\"").getBytes(UTF_8);
        IntStream.range(0, records).forEach(n -> producer.send(new ProducerRecord<>(stream, partition, null, value)));
    }

    private void reset(int partition, long offset, String metadata) throws Exception {
        kafka.reset(GROUP, new TopicPartition(stream, partition), new OffsetAndMetadata(offset, metadata));
    }

    private Map<Integer, OffsetAndMetadata> commits() throws Exception {
        return kafka.commits(GROUP, stream);
    }

    private List<String> keys(String folder, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(offset -> folder + "/" + stream + "-0-%010d.gz".formatted(offset))
                .toList();
    }

    private Map<String, String> contents() {
        Map<String, String> contents = new HashMap<>();
        s3.objects(stream)
                .forEach(
                        (key, object) -> contents.put(key, new String(S3Server.unzipped(object.asByteArray()), UTF_8)));
        return contents;
    }

    private static void awaitNotReady(RunningBundle bundle, String cause) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(bundle.notReady())
                .hasValueSatisfying(why -> assertThat(why).contains(cause)));
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }
}
