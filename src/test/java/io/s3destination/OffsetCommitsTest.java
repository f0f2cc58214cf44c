package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.WakeupException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is committed, when, and what is reported, with the answers of the broker passed in. */
class OffsetCommitsTest {

    private static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    private static final TopicPartition CUSTOMERS = new TopicPartition("customers", 0);

    private final Answering consumer = new Answering();
    private final ConsumerGroup group =
            new ConsumerGroup("to-s3", () -> "0123456789abcdef", unused -> Optional.empty(), (stream, lost) -> {});
    private final OffsetTracker tracker = new OffsetTracker(group.inFlight(), 100, Optional.empty());
    private final OffsetCommits commits = new OffsetCommits(consumer, group, tracker);

    @BeforeEach
    void assign() {
        consumer.assign(Set.of(ORDERS, CUSTOMERS));
        for (TopicPartition partition : Set.of(ORDERS, CUSTOMERS)) {
            consumer.seek(partition, 0);
            tracker.start(partition, 0, 0, Optional.empty(), Optional.empty());
        }
    }

    @Test
    void holdsOnlyPartitionsWhoseOffsetChanged() {
        store(ORDERS, 0);
        commit();
        consumer.answer(null);
        store(CUSTOMERS, 0);
        commit();

        assertThat(consumer.sent).hasSize(2);
        assertThat(consumer.sent.get(0)).containsOnlyKeys(ORDERS);
        assertThat(consumer.sent.get(1)).containsOnlyKeys(CUSTOMERS);
    }

    @Test
    void sendsNoSecondCommitBeforeTheFirstIsAnswered() {
        store(ORDERS, 0);
        commit();
        store(ORDERS, 1);
        commits.atOnce();

        commits.commit();

        assertThat(consumer.sent).hasSize(1);
    }

    @Test
    void isRepeatedAndReportedUntilItSucceeds() {
        store(ORDERS, 0);
        commit();
        consumer.answer(new RetriableCommitFailedException("no coordinator"));
        assertThat(commits.fault(Duration.ZERO))
                .hasValueSatisfying(fault -> assertThat(fault).contains("not committed", "no coordinator"));
        assertThat(commits.fault(Duration.ofMinutes(1))).isEmpty();

        commit();
        consumer.answer(null);

        assertThat(consumer.sent.get(1)).isEqualTo(consumer.sent.get(0));
        assertThat(commits.fault(Duration.ZERO)).isEmpty();
    }

    @Test
    void isNotReportedAnyMoreWhenNothingIsLeftToCommit() {
        store(ORDERS, 0);
        commit();
        consumer.answer(new RetriableCommitFailedException("no coordinator"));

        // Another member has it now.
        tracker.remove(Set.of(ORDERS));
        Awaitility.await().until(() -> {
            commits.commit();
            return commits.fault(Duration.ZERO).isEmpty();
        });
    }

    @Test
    void isRepeatedWithoutAMarkWhereTheBrokerRefusesIt() {
        store(ORDERS, 0);
        commit();
        assertThat(consumer.sent.get(0).get(ORDERS).metadata()).startsWith("s3d1 topic=- place=0123456789abcdef");

        consumer.answer(new OffsetMetadataTooLarge("too large"));
        commit();

        assertThat(consumer.sent.get(1)).isEqualTo(Map.of(ORDERS, new OffsetAndMetadata(1, "")));
        assertThat(commits.fault(Duration.ZERO)).isEmpty();
    }

    @Test
    void atTheEndHoldsOnlyWhatChanged() {
        store(ORDERS, 0);
        commit();
        consumer.answer(null);

        commits.last(Set.of(ORDERS, CUSTOMERS));

        assertThat(consumer.sent).hasSize(1);
        assertThat(consumer.committed(Set.of(ORDERS))).isEqualTo(Map.of());
    }

    /** As Camel does to stop it, at any moment. */
    @Test
    void atTheEndIsMadeAgainIfTheConsumerIsWokenMeanwhile() {
        store(ORDERS, 0);
        consumer.isWoken = true;

        commits.last(Set.of(ORDERS));

        assertThat(consumer.sent)
                .singleElement()
                .satisfies(sent -> assertThat(sent.get(ORDERS).offset()).isEqualTo(1));
    }

    private void store(TopicPartition partition, long offset) {
        ConsumerRecord<byte[], byte[]> record =
                new ConsumerRecord<>(partition.topic(), partition.partition(), offset, new byte[0], new byte[0]);
        tracker.add(new ConsumerRecords<>(Map.of(partition, List.of(record))));
        tracker.dispatch(partition, offset).orElseThrow().done(Optional.empty());
        consumer.seek(partition, offset + 1);
    }

    private void commit() {
        int before = consumer.sent.size();
        commits.atOnce();
        commits.commit();
        assertThat(consumer.sent).hasSize(before + 1);
    }

    /** Kafka's own consumer for tests, whose commits are answered by hand. */
    private static final class Answering extends MockConsumer<byte[], byte[]> {

        private final List<Map<TopicPartition, OffsetAndMetadata>> sent = new ArrayList<>();
        private OffsetCommitCallback callback;
        private boolean isWoken;

        Answering() {
            super(OffsetResetStrategy.NONE);
        }

        @Override
        public synchronized void commitAsync(
                Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback answered) {
            sent.add(offsets);
            callback = answered;
        }

        @Override
        public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
            if (isWoken) {
                isWoken = false;
                throw new WakeupException();
            }
            super.commitSync(offsets, timeout);
        }

        void answer(Exception fault) {
            callback.onComplete(sent.get(sent.size() - 1), fault);
        }
    }
}
