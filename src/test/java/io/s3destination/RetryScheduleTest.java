package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RetryScheduleTest {

    private final RetrySchedule<String> schedule = new RetrySchedule<>(2, 3);

    @Test
    void aRecordIsRetriedAfterItsDelay() {
        schedule.add("a", 100, 1);

        assertThat(schedule.next(99)).isEmpty();
        assertThat(schedule.next(100)).containsExactly("a");
        assertThat(schedule.next(101)).isEmpty();
    }

    @Test
    void recordsAreRetriedInTheOrderInWhichTheyAreDue() {
        schedule.add("late", 30, 1);
        schedule.add("early", 10, 1);
        schedule.add("also early", 10, 1);

        assertThat(schedule.next(50)).containsExactly("early", "also early");
    }

    @Test
    void noMoreAreInAnAttemptThanMayBeAtOnce() {
        List.of("a", "b", "c").forEach(record -> schedule.add(record, 0, 1));
        assertThat(schedule.next(0)).containsExactly("a", "b");

        schedule.ended("b");

        assertThat(schedule.next(0)).containsExactly("c");
    }

    @Test
    void theTurnOfAnAttemptThatFailsPausesAsLongAsTheRecord() {
        List.of("a", "b", "c", "d", "e").forEach(record -> schedule.add(record, 0, 1));
        schedule.next(0);

        schedule.add("a", 100, 1);
        schedule.add("b", 200, 1);

        assertThat(schedule.next(0)).containsExactly("c");
        assertThat(schedule.next(99)).isEmpty();
        assertThat(schedule.next(100)).containsExactly("d");
        schedule.ended("c");
        assertThat(schedule.next(100)).containsExactly("e");
    }

    @Test
    void aRecordThatIsTakenOutIsNotRetried() {
        schedule.add("a", 0, 1);

        schedule.remove("a");

        assertThat(schedule.next(0)).isEmpty();
        assertThat(schedule.largest()).isEmpty();
    }

    @Test
    void theLargestThatWaitsIsFound() {
        schedule.add("running", 0, 9);
        schedule.next(0);
        schedule.add("small", 1, 1);
        schedule.add("large", 2, 8);
        schedule.add("middle", 3, 4);

        assertThat(schedule.largest()).contains("large");
    }
}
