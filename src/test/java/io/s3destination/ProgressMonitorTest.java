package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressMonitorTest {

    private static final Duration TICK = Duration.ofSeconds(5);
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final ProgressMonitor monitor = new ProgressMonitor(TICK);
    private long now = Long.MAX_VALUE - 7;

    @Test
    void isStalledWhenWorkIsPendingForItsLimitWithoutProgress() {
        look(true, 7);
        for (int tick = 1; tick < 6; tick++) {
            tick(true, 7);
            assertThat(monitor.stalled(LIMIT)).isEmpty();
        }

        tick(true, 7);

        assertThat(monitor.stalled(LIMIT)).contains(Duration.ofSeconds(30));
        tick(true, 7);
        assertThat(monitor.stalled(LIMIT)).contains(Duration.ofSeconds(35));
    }

    @Test
    void anyProgressEndsAStall() {
        stall();

        tick(true, 8);

        assertThat(monitor.stalled(LIMIT)).isEmpty();
    }

    @Test
    void noWorkEndsAStall() {
        stall();

        tick(false, 7);

        assertThat(monitor.stalled(LIMIT)).isEmpty();
        tick(true, 7);
        assertThat(monitor.stalled(LIMIT)).isEmpty();
    }

    @Test
    void anIdleConnectorIsNotStalled() {
        for (int tick = 0; tick < 100; tick++) {
            tick(false, 7);
        }

        tick(true, 7);

        assertThat(monitor.stalled(LIMIT)).isEmpty();
    }

    @Test
    void theTimeBeforeTheFirstWorkDoesNotCount() {
        tick(false, 7);
        tick(true, 7);
        for (int tick = 1; tick < 6; tick++) {
            tick(true, 7);
        }
        assertThat(monitor.stalled(LIMIT)).isEmpty();

        tick(true, 7);

        assertThat(monitor.stalled(LIMIT)).contains(LIMIT);
    }

    @Test
    void aProcessThatWasPausedIsNotStalled() {
        look(true, 7);

        now += Duration.ofHours(8).toNanos();
        look(true, 7);

        assertThat(monitor.stalled(LIMIT)).isEmpty();
        tick(true, 8);
        assertThat(monitor.stalled(LIMIT)).isEmpty();
    }

    private void stall() {
        for (int tick = 0; tick < 10; tick++) {
            tick(true, 7);
        }
        assertThat(monitor.stalled(LIMIT)).isPresent();
    }

    private void tick(boolean isPending, long progress) {
        now += TICK.toNanos();
        look(isPending, progress);
    }

    private void look(boolean isPending, long progress) {
        monitor.look(now, isPending, progress);
    }
}
