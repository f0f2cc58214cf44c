package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class StartPositionTest {

    private static final TopicPartition PARTITION = new TopicPartition("orders", 3);
    private static final Uuid OLD = new Uuid(1, 1);
    private static final Uuid NEW = new Uuid(2, 2);

    @Test
    void isTheBeginningOfTheLogWithoutACommit() {
        assertThat(decide(answer(Optional.empty(), 40, 90)))
                .contains(new StartPosition(40, Optional.empty(), 0, true, 90, Optional.empty()));
    }

    @Test
    void isTheCommittedOffsetWithItsLeaderEpoch() {
        assertThat(decide(answer(commit(50), 40, 90)))
                .contains(new StartPosition(50, Optional.of(4), 0, false, 90, Optional.empty()));
        assertThat(decide(answer(commit(40), 40, 40)).orElseThrow().lost()).isZero();
    }

    @Test
    void isTheStartOfTheLogWhereCommittedRecordsAreDeletedAndCountsThem() {
        assertThat(decide(answer(commit(30), 40, 90)))
                .contains(new StartPosition(40, Optional.empty(), 10, false, 90, Optional.empty()));
        assertThat(decide(answer(commit(30), 90, 90)).orElseThrow())
                .satisfies(position -> assertThat(position.offset()).isEqualTo(90))
                .satisfies(position -> assertThat(position.lost()).isEqualTo(60));
    }

    /** After KAFKA-19902 the offset is inside the log: the epoch was wrong, not the offset. */
    @Test
    void isTheRefusedPositionWithoutAnEpochWhereItIsInsideTheLog() {
        assertThat(decide(OptionalLong.of(70), answer(commit(50), 40, 90), Optional.empty(), false))
                .contains(new StartPosition(70, Optional.empty(), 0, false, 90, Optional.empty()));
    }

    @Test
    void countsFromTheRefusedPositionNotFromTheCommit() {
        assertThat(decide(OptionalLong.of(60), answer(commit(50), 80, 90), Optional.empty(), false)
                        .orElseThrow()
                        .lost())
                .isEqualTo(20);
    }

    @Test
    void isAskedForTwiceWhereItIsBeyondTheEndOfTheLog() {
        PartitionLookup.Answer answer = answer(commit(91), 40, 90);

        assertThat(decide(answer)).isEmpty();
        assertThat(decide(OptionalLong.empty(), answer, Optional.empty(), true)
                        .orElseThrow()
                        .stop())
                .hasValueSatisfying(why -> assertThat(why)
                        .contains("partition orders-3", "offset 91", "ends at 90", "--reset-offsets", "folder"));
    }

    @Test
    void isNoneWhereThisProcessReadAnotherTopicOfThatName() {
        for (Optional<OffsetAndMetadata> commit : List.of(Optional.<OffsetAndMetadata>empty(), commit(50))) {
            assertThat(decide(OptionalLong.empty(), answer(commit, 40, 90), Optional.of(OLD), false)
                            .orElseThrow()
                            .stop())
                    .hasValueSatisfying(
                            why -> assertThat(why).contains("orders was deleted and created again", "--reset-offsets"));
        }
    }

    @Test
    void isNoneWhereTheMarkNamesAnotherTopic() {
        OffsetAndMetadata commit =
                new OffsetAndMetadata(50, new CommitMark(Optional.of(OLD), "0123456789abcdef", "1", 50).toString());

        assertThat(decide(answer(Optional.of(commit), 40, 90)).orElseThrow().stop())
                .isPresent();
        assertThat(decide(OptionalLong.empty(), answer(Optional.of(commit), 40, 90), Optional.of(NEW), false)
                        .orElseThrow()
                        .stop())
                .isPresent();
    }

    @Test
    void isNotCheckedWithoutTopicIds() {
        OffsetAndMetadata commit =
                new OffsetAndMetadata(50, new CommitMark(Optional.of(OLD), "0123456789abcdef", "1", 50).toString());
        PartitionLookup.Answer answer = new PartitionLookup.Answer(Optional.of(commit), Optional.empty(), 40, 90);

        assertThat(decide(OptionalLong.empty(), answer, Optional.of(OLD), false)
                        .orElseThrow()
                        .stop())
                .isEmpty();
    }

    private static Optional<OffsetAndMetadata> commit(long offset) {
        return Optional.of(new OffsetAndMetadata(offset, Optional.of(4), "of some other tool"));
    }

    private static PartitionLookup.Answer answer(Optional<OffsetAndMetadata> commit, long start, long end) {
        return new PartitionLookup.Answer(commit, Optional.of(NEW), start, end);
    }

    private static Optional<StartPosition> decide(PartitionLookup.Answer answer) {
        return decide(OptionalLong.empty(), answer, Optional.empty(), false);
    }

    private static Optional<StartPosition> decide(
            OptionalLong position, PartitionLookup.Answer answer, Optional<Uuid> remembered, boolean isSecondLook) {
        return StartPosition.of(PARTITION, position, answer, remembered, isSecondLook);
    }
}
