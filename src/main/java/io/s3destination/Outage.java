package io.s3destination;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * When a connector's failures make one outage, and what is logged of it: the first failure, a reminder from time to time,
 * and its end. It is over when no record is failing any more, none has failed for some seconds, and one was stored since: a
 * record that is revoked while it fails does not end it. Has no clock: each time is one of {@link System#nanoTime()}. Safe
 * for all threads.
 */
final class Outage {

    private static final long REMINDER = Duration.ofSeconds(30).toNanos();
    private static final long QUIET = Duration.ofSeconds(5).toNanos();

    private final Map<Object, Failing> failing = new HashMap<>();
    private boolean lasting;
    private long first;
    private long last;
    private long reported;
    private long storedAtLast;
    private OptionalLong pending = OptionalLong.empty();

    /** Private, since {@code camel run} calls any other constructor without parameters. */
    private Outage() {}

    /** No failure yet. */
    static Outage none() {
        return new Outage();
    }

    /** A record that fails, in its latest attempt. */
    record Failure(String bucket, String object, Explanation explanation) {}

    private record Failing(long since, Failure failure) {}

    /**
     * Notes that an attempt to store a record has failed.
     *
     * @param stored how many objects the connector has stored so far
     * @return what is to be logged now, if anything is
     */
    synchronized Optional<String> failed(Object record, Failure failure, long now, long stored) {
        failing.merge(
                record, new Failing(now, failure), (earlier, later) -> new Failing(earlier.since(), later.failure()));
        last = now;
        storedAtLast = stored;
        if (!lasting) {
            lasting = true;
            first = now;
            reported = now;
            return Optional.of("cannot store " + failure.object() + ": "
                    + failure.explanation().text() + "; it is retried until it is stored");
        }
        if (now - reported < REMINDER) {
            return Optional.empty();
        }
        reported = now;
        return Optional.of("still cannot store after " + text(now - first) + pending() + ", such as " + failure.object()
                + ": " + failure.explanation().text());
    }

    synchronized boolean isFailing(Object record) {
        return failing.containsKey(record);
    }

    /** Notes that a record is failing no more: it was stored, or is left to whoever reads it next. */
    synchronized void ended(Object record) {
        failing.remove(record);
    }

    /**
     * Notes how many records of the connector are pending, where that is known.
     *
     * @param stored how many objects the connector has stored so far
     * @return what is to be logged if the outage is over
     */
    synchronized Optional<String> tick(long now, long stored, OptionalLong nowPending) {
        pending = nowPending;
        if (!lasting || !failing.isEmpty() || now - last < QUIET || stored <= storedAtLast) {
            return Optional.empty();
        }
        lasting = false;
        return Optional.of("recovered after " + text(last - first) + pending());
    }

    /** What keeps a record from being stored for longer than that, and for how long; never its content. */
    synchronized Optional<String> failing(long now, Duration patience) {
        return failing.values().stream()
                .min(Comparator.comparingLong(record -> record.since() - now))
                .filter(record -> now - record.since() >= patience.toNanos())
                .map(record -> "bucket " + record.failure().bucket() + ": a record is not stored for "
                        + text(now - record.since()) + ": "
                        + record.failure().explanation().text());
    }

    private String pending() {
        return pending.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        ", %,d record%s pending",
                        pending.getAsLong(),
                        pending.getAsLong() == 1 ? "" : "s");
    }

    /** As in "12 s", "4 min 12 s" and "2 h 5 min"; a second at least. */
    private static String text(long nanos) {
        long seconds = Math.max(1, Duration.ofNanos(nanos).toSeconds());
        if (seconds < 60) {
            return seconds + " s";
        }
        return seconds < 3_600
                ? seconds / 60 + " min " + seconds % 60 + " s"
                : seconds / 3_600 + " h " + seconds / 60 % 60 + " min";
    }
}
