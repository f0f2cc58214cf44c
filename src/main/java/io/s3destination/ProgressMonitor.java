package io.s3destination;

import java.time.Duration;
import java.util.Optional;

/**
 * Decides whether work is pending without progress, whatever keeps it. Has no clock: each time is one of {@link
 * System#nanoTime()}. One thread looks; {@link #stalled} is for all threads.
 */
final class ProgressMonitor {

    private final long limit;
    private final long longestLook;
    private boolean hasLooked;
    private long lastLook;
    private long lastProgress;
    private volatile long waited;

    /**
     * @param limit how long work may be pending without progress
     * @param interval from one look to the next; a look that comes later than twice that, because the process was paused,
     *     counts as twice that
     */
    ProgressMonitor(Duration limit, Duration interval) {
        this.limit = limit.toNanos();
        this.longestLook = interval.multipliedBy(2).toNanos();
    }

    /**
     * Takes in what is seen now.
     *
     * @param isPending whether there is anything to do
     * @param progress a number that grows with each progress
     */
    void look(long now, boolean isPending, long progress) {
        boolean isWaiting = hasLooked && isPending && progress == lastProgress;
        waited = isWaiting ? waited + Math.min(now - lastLook, longestLook) : 0;
        hasLooked = true;
        lastLook = now;
        lastProgress = progress;
    }

    /** For how long work is pending without progress, if that is longer than it may be. */
    Optional<Duration> stalled() {
        return waited >= limit ? Optional.of(Duration.ofNanos(waited)) : Optional.empty();
    }
}
