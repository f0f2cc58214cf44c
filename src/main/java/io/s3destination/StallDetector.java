package io.s3destination;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Decides what keeps a connector from progress, whatever the cause, and words it. Has no clock: each time is one of {@link
 * System#nanoTime()}. For one thread.
 */
final class StallDetector {

    private final ReadinessLimits limits;
    private final ProgressMonitor progress;
    private final ProgressMonitor attempts;
    private final ProgressMonitor membership;
    private final PartitionMonitor lookups;
    private final PartitionMonitor reading;
    private long lastProgress;
    private long lastProgressAt;

    /** @param now when the connector starts */
    StallDetector(ReadinessLimits limits, long now) {
        this.limits = limits;
        this.lastProgressAt = now;
        progress = new ProgressMonitor(limits.interval());
        attempts = new ProgressMonitor(limits.interval());
        membership = new ProgressMonitor(limits.interval());
        lookups = new PartitionMonitor(limits.interval());
        reading = new PartitionMonitor(limits.interval());
    }

    /**
     * The records that are in flight.
     *
     * @param progress a number that grows with each record stored, offset committed, and byte sent
     * @param oldest the one that has been in one attempt and sent nothing for longest
     */
    record Work(int records, long progress, Optional<Attempt> oldest) {}

    /** @param since when it began or sent its last byte */
    record Attempt(String record, long since) {}

    /**
     * Takes in what is seen now, and decides.
     *
     * @param isSuspended whether nothing is to be read
     */
    Optional<String> look(long now, GroupSnapshot seen, Work work, boolean isSuspended) {
        if (work.progress() != lastProgress) {
            lastProgress = work.progress();
            lastProgressAt = now;
        }
        progress.look(now, !isSuspended && (seen.isPending() || work.records() > 0), work.progress());
        attempts.look(
                now,
                work.oldest().isPresent(),
                work.oldest().map(Attempt::since).orElse(0L));
        membership.look(now, seen.notMember().isPresent(), 0);
        lookups.look(now, seen.lookups());
        reading.look(now, seen.reading());
        return stall(seen).map(text -> text + details(now, seen, work));
    }

    private Optional<String> stall(GroupSnapshot seen) {
        Duration limit = limits.stalled();
        return attempts.stalled(limit)
                .map(time -> "a record is in one attempt and sends nothing for " + time.toSeconds() + " s")
                .or(() -> membership.stalled(limit).flatMap(time -> seen.notMember()
                        .map(why -> "it is no member of its group for " + time.toSeconds() + " s: " + why)))
                .or(() ->
                        reading.longest(seen.isThrottled() ? limits.throttled() : limit, "has lag and gets no records"))
                .or(() -> lookups.longest(limit, "has an unknown lag"))
                .or(() -> progress.stalled(limit)
                        .map(time -> "no progress for " + time.toSeconds() + " s, cause unknown"));
    }

    private String details(long now, GroupSnapshot seen, Work work) {
        return String.format(
                Locale.ROOT,
                ", %,d records pending, %,d in flight%s, last progress %d s ago",
                seen.totalLag(),
                work.records(),
                work.oldest()
                        .map(oldest ->
                                ", the oldest " + oldest.record() + " for " + seconds(now - oldest.since()) + " s")
                        .orElse(""),
                seconds(now - lastProgressAt));
    }

    private static long seconds(long nanos) {
        return Duration.ofNanos(nanos).toSeconds();
    }
}
