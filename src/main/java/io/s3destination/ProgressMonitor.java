package io.s3destination;

import java.time.Duration;
import java.util.Optional;

/**
 * Decides whether work is pending without progress, whatever keeps it. Has no clock: each time is one of {@link
 * System#nanoTime()}. For one thread.
 */
final class ProgressMonitor {

    private final long longestLook;
    private boolean wasPending;
    private long lastLook;
    private long lastProgress;
    private long waited;

    /**
     * @param interval from one look to the next; a look that comes later than twice that, because the process was paused,
     *     counts as twice that
     */
    ProgressMonitor(Duration interval) {
        this.longestLook = interval.multipliedBy(2).toNanos();
    }

    /**
     * Takes in what is seen now.
     *
     * @param isPending whether there is anything to do
     * @param progress a number that grows with each progress
     */
    void look(long now, boolean isPending, long progress) {
        boolean isWaiting = wasPending && isPending && progress == lastProgress;
        waited = isWaiting ? waited + Math.min(now - lastLook, longestLook) : 0;
        wasPending = isPending;
        lastLook = now;
        lastProgress = progress;
    }

    /** For how long work is pending without progress, if that is not shorter than the limit. */
    Optional<Duration> stalled(Duration limit) {
        return Optional.of(Duration.ofNanos(waited)).filter(time -> time.compareTo(limit) >= 0);
    }
}
