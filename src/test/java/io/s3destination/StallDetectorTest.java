package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class StallDetectorTest {

    private static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    private static final TopicPartition CUSTOMERS = new TopicPartition("customers", 1);
    private static final Duration TICK = ReadinessLimits.DEFAULT.interval();
    private static final StallDetector.Work IDLE = work(0, 0);

    private long now = Long.MAX_VALUE - 7;
    private final StallDetector stalls = new StallDetector(ReadinessLimits.DEFAULT, now);

    @Test
    void anIdleConnectorIsNotStalled() {
        assertThat(look(100, snapshot(0, 0), IDLE)).isEmpty();
    }

    @Test
    void pendingWorkWithoutProgressIsOfUnknownCauseWithAllThatIsKnown() {
        long begun = now;
        StallDetector.Work work = new StallDetector.Work(
                64,
                7,
                Optional.of(new StallDetector.Attempt("partition orders-0 offset 5 in the step compress", begun)));
        assertThat(look(1, snapshot(1_204, 7), work)).isEmpty();
        for (int tick = 1; tick < 6; tick++) {
            // A byte that is sent is progress of the attempt, of which nothing comes.
            work = new StallDetector.Work(
                    64,
                    7,
                    Optional.of(new StallDetector.Attempt("partition orders-0 offset 5 in the step compress", now)));
            assertThat(look(1, snapshot(1_204, tick), work)).isEmpty();
        }

        assertThat(look(1, snapshot(1_204, 8), work))
                .contains(
                        "no progress for 30 s, cause unknown, 1,204 records pending, 64 in flight, the oldest partition"
                                + " orders-0 offset 5 in the step compress for 10 s, last progress 30 s ago");
    }

    @Test
    void aSuspendedRouteHasNothingToDo() {
        for (int tick = 0; tick < 100; tick++) {
            now += TICK.toNanos();
            assertThat(stalls.look(now, snapshot(10, tick), work(10, 0), true)).isEmpty();
        }
    }

    @Test
    void oneAttemptThatSendsNothingIsAStallWhileOthersAreStored() {
        StallDetector.Attempt hanging = new StallDetector.Attempt("partition orders-0 offset 5 in the step hang", now);
        for (int tick = 0; tick < 6; tick++) {
            assertThat(look(1, snapshot(0, tick), new StallDetector.Work(3, tick, Optional.of(hanging))))
                    .isEmpty();
        }

        assertThat(look(1, snapshot(0, 7), new StallDetector.Work(3, 7, Optional.of(hanging))))
                .hasValueSatisfying(why -> assertThat(why)
                        .startsWith("a record is in one attempt and sends nothing for 30 s")
                        .contains("orders-0 offset 5 in the step hang for 35 s", "last progress 0 s ago"));
    }

    @Test
    void aPartitionWithLagThatGetsNoRecordsIsAStallWhileAnotherFlows() {
        for (int tick = 0; tick < 6; tick++) {
            assertThat(look(1, flowing(tick, false), work(0, tick))).isEmpty();
        }

        assertThat(look(1, flowing(6, false), work(0, 6))).hasValueSatisfying(why -> assertThat(why)
                .startsWith("partition customers-1 has lag and gets no records for 30 s"));
        assertThat(look(1, snapshot(12, 9), work(0, 9))).isEmpty();
    }

    @Test
    void recordsThatWaitInAnOpenRunAreNoPendingWork() {
        for (int tick = 0; tick < 20; tick++) {
            assertThat(look(1, waiting(9, 9), IDLE)).isEmpty();
        }
        for (int tick = 0; tick < 6; tick++) {
            assertThat(look(1, waiting(10, 9), IDLE)).isEmpty();
        }

        assertThat(look(1, waiting(10, 9), IDLE)).isPresent();
    }

    @Test
    void throttlingGivesAPartitionFiveMinutes() {
        for (int tick = 0; tick <= 59; tick++) {
            assertThat(look(1, flowing(tick, true), work(0, tick))).isEmpty();
        }

        assertThat(look(1, flowing(60, true), work(0, 60))).isPresent();
    }

    @Test
    void aLagThatIsUnknownForLongIsAStall() {
        GroupSnapshot unknown = new GroupSnapshot(
                Map.of(ORDERS, 0L),
                Map.of(ORDERS, state(false, 0), CUSTOMERS, state(true, 0)),
                Map.of(),
                0,
                false,
                Optional.empty(),
                Optional.empty());
        assertThat(look(6, unknown, IDLE)).isEmpty();

        assertThat(look(1, unknown, IDLE)).hasValueSatisfying(why -> assertThat(why)
                .startsWith("partition customers-1 has an unknown lag for 30 s"));
    }

    @Test
    void failedLooksNowAndThenAreNoStall() {
        GroupSnapshot unknown = new GroupSnapshot(
                Map.of(),
                Map.of(ORDERS, state(true, 0)),
                Map.of(),
                0,
                false,
                Optional.of("no answer"),
                Optional.empty());
        for (int tick = 0; tick < 20; tick++) {
            assertThat(look(5, unknown, IDLE)).isEmpty();
            assertThat(look(1, snapshot(0, 0), IDLE)).isEmpty();
        }
    }

    @Test
    void aConsumerThatIsNoMemberForLongIsAStallWithTheReason() {
        GroupSnapshot outside = snapshot(0, 0, 0, false, Optional.of("the group is rebalancing"));
        assertThat(look(6, outside, IDLE)).isEmpty();

        assertThat(look(1, outside, IDLE)).hasValueSatisfying(why -> assertThat(why)
                .startsWith("it is no member of its group for 30 s: the group is rebalancing"));
    }

    private Optional<String> look(int ticks, GroupSnapshot seen, StallDetector.Work work) {
        Optional<String> stall = Optional.empty();
        for (int tick = 0; tick < ticks; tick++) {
            now += TICK.toNanos();
            stall = stalls.look(now, seen, work, false);
        }
        return stall;
    }

    private static StallDetector.Work work(int records, long progress) {
        return new StallDetector.Work(records, progress, Optional.empty());
    }

    private static PartitionMonitor.State state(boolean isPending, long progress) {
        return new PartitionMonitor.State(isPending, progress);
    }

    /** One partition, whose reading goes on with its turns. */
    private static GroupSnapshot snapshot(long lag, long turns) {
        return snapshot(lag, 0, turns, false, Optional.empty());
    }

    /** The first partition gets records at each tick, the second has lag and gets none. */
    private static GroupSnapshot flowing(long turns, boolean isThrottled) {
        return snapshot(9, 3, turns, isThrottled, Optional.empty());
    }

    private static GroupSnapshot waiting(long lag, long inOpenRun) {
        return new GroupSnapshot(
                Map.of(ORDERS, lag),
                Map.of(ORDERS, state(false, 0)),
                Map.of(ORDERS, state(false, 0)),
                inOpenRun,
                false,
                Optional.empty(),
                Optional.empty());
    }

    private static GroupSnapshot snapshot(
            long lag, long stuck, long turns, boolean isThrottled, Optional<String> notMember) {
        return new GroupSnapshot(
                Map.of(ORDERS, lag, CUSTOMERS, stuck),
                Map.of(ORDERS, state(false, 0), CUSTOMERS, state(false, 0)),
                Map.of(ORDERS, state(lag > 0, turns), CUSTOMERS, state(stuck > 0, 0)),
                0,
                isThrottled,
                notMember,
                Optional.empty());
    }
}
