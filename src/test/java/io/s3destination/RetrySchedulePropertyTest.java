package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class RetrySchedulePropertyTest {

    /** A random history of attempts that fail, succeed or are given up. */
    @Property(tries = 200)
    void eachRecordGetsItsTurnAndNoneTwoAtOnce(
            @ForAll @IntRange(min = 1, max = 4) int atOnce,
            @ForAll @IntRange(max = 3) int more,
            @ForAll @IntRange(min = 1, max = 12) int records,
            @ForAll Random random) {
        RetrySchedule<Integer> all = new RetrySchedule<>(atOnce, atOnce + more);
        Map<Integer, Long> due = new HashMap<>();
        Set<Integer> running = new HashSet<>();
        Set<Integer> left = new HashSet<>();
        for (int record = 0; record < records; record++) {
            due.put(record, (long) random.nextInt(10));
            all.add(record, due.get(record), record);
            left.add(record);
        }
        for (long now = 0; !left.isEmpty(); now++) {
            assertThat(now).isLessThan(10_000);
            for (int record : all.next(now)) {
                assertThat(due.get(record)).isLessThanOrEqualTo(now);
                assertThat(running.add(record)).isTrue();
            }
            assertThat(running).hasSizeLessThanOrEqualTo(atOnce);
            for (int record : new ArrayList<>(running)) {
                int outcome = random.nextInt(4);
                if (outcome == 0) {
                    all.ended(record);
                    left.remove(record);
                    running.remove(record);
                } else if (outcome == 1) {
                    due.put(record, now + 1 + random.nextInt(10));
                    all.add(record, due.get(record), record);
                    running.remove(record);
                }
            }
        }
    }
}
