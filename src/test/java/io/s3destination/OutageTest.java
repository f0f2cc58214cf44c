package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.Outage.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What is logged of failures, and when; the time is the test's. */
class OutageTest {

    private final Outage outage = Outage.none();
    /** Near to where {@link System#nanoTime()} overflows. */
    private long now = Long.MAX_VALUE - Duration.ofSeconds(20).toNanos();

    private long stored = 100;

    @Test
    void theFirstFailureIsReportedAtOnce() {
        assertThat(fails("a")).contains("cannot store s3://lake/a: HTTP 503; it is retried until it is stored");
        assertThat(fails("b")).isEmpty();
    }

    @Test
    void aReminderFollowsEach30SecondsWithTimeAndPendingRecords() {
        fails("a");
        after(29);
        tick(12_408);
        assertThat(fails("b")).isEmpty();

        after(1);
        assertThat(fails("b"))
                .contains("still cannot store after 30 s, 12,408 records pending, such as s3://lake/b: HTTP 503");
        after(29);
        assertThat(fails("b")).isEmpty();
        after(41);
        assertThat(fails("b")).hasValueSatisfying(text -> assertThat(text).contains("after 1 min 40 s, 12,408"));
        after(7_300);
        assertThat(fails("b")).hasValueSatisfying(text -> assertThat(text).contains("after 2 h 3 min, 12,408"));
    }

    @Test
    void itIsOverWhenAllIsStoredAndNothingHasFailedForFiveSeconds() {
        fails("a");
        after(252);
        fails("a");
        isStored("a");
        assertThat(tick(12_408)).isEmpty();
        after(4);
        assertThat(tick(12_408)).isEmpty();

        after(1);

        assertThat(tick(12_408)).contains("recovered after 4 min 12 s, 12,408 records pending");
        after(60);
        assertThat(tick(0)).isEmpty();
    }

    @Test
    void whatIsPendingIsLeftOutWhereItIsNotKnown() {
        fails("a");
        isStored("a");
        after(5);

        assertThat(outage.tick(now, stored, OptionalLong.empty())).contains("recovered after 1 s");
    }

    @Test
    void itIsNotOverWhileARecordFails() {
        fails("a");
        fails("b");
        isStored("a");
        after(3_600);

        assertThat(tick(1)).isEmpty();
    }

    @Test
    void failuresThatKeepComingMakeOneOutage() {
        int lines = 0;
        for (int n = 0; n < 100; n++) {
            lines += fails("record-" + n).isPresent() ? 1 : 0;
            isStored("record-" + n);
            after(4);
            assertThat(tick(1)).isEmpty();
        }
        after(1);

        assertThat(lines).isEqualTo(1 + 396 / 32);
        assertThat(tick(1)).contains("recovered after 6 min 36 s, 1 record pending");
    }

    @Test
    void recordsThatAreRevokedWhileTheyFailDoNotEndIt() {
        fails("a");
        outage.ended("a");
        after(60);
        assertThat(tick(5)).isEmpty();

        stored++;

        assertThat(tick(4)).contains("recovered after 1 s, 4 records pending");
    }

    @Test
    void theNextOutageIsReportedAtOnce() {
        fails("a");
        isStored("a");
        after(5);
        tick(0);

        assertThat(fails("b")).hasValueSatisfying(text -> assertThat(text).startsWith("cannot store s3://lake/b"));
    }

    @Test
    void healthShowsTheRecordThatFailsLongestWithItsLatestFailure() {
        fails("a");
        after(5);
        fails("b");
        after(4);
        outage.failed("a", failure("a", "HTTP 500"), now, stored);
        assertThat(outage.failing(now, Duration.ofSeconds(10))).isEmpty();

        after(3);

        assertThat(outage.failing(now, Duration.ofSeconds(10)))
                .contains("bucket lake: a record is not stored for 12 s: HTTP 500");
        outage.ended("a");
        assertThat(outage.failing(now, Duration.ofSeconds(10))).isEmpty();
    }

    @Test
    void numbersAreTheSameInEveryLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-u-nu-arab"));
        try {
            theFirstFailureIsReportedAtOnce();
            isStored("a");
            isStored("b");
            after(12);
            assertThat(tick(12_408)).contains("recovered after 1 s, 12,408 records pending");
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void theReadmeShowsWhatIsLogged() throws IOException {
        Failure failure = new Failure(
                "data-lake-bucket",
                "s3://data-lake-bucket/datalake/public.orders-0-0000000042.gz",
                Explanation.passing("PUT answered HTTP 503 SlowDown"));
        List<String> lines = new ArrayList<>();
        outage.failed("a", failure, now, stored).ifPresent(lines::add);
        tick(12_408);
        after(30);
        outage.failed("a", failure, now, stored).ifPresent(lines::add);
        after(222);
        outage.failed("a", failure, now, stored);
        isStored("a");
        after(5);
        tick(12_408).ifPresent(lines::add);

        assertThat(lines).hasSize(3);
        assertThat(Files.readString(Path.of("README.md"))).contains(lines);
    }

    private Optional<String> fails(String record) {
        return outage.failed(record, failure(record, "HTTP 503"), now, stored);
    }

    private static Failure failure(String record, String text) {
        return new Failure("lake", "s3://lake/" + record, Explanation.passing(text));
    }

    private void isStored(String record) {
        stored++;
        outage.ended(record);
    }

    private void after(int seconds) {
        now += Duration.ofSeconds(seconds).toNanos();
    }

    private Optional<String> tick(long pending) {
        return outage.tick(now, stored, OptionalLong.of(pending));
    }
}
