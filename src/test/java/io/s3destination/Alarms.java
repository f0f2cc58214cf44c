package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/** What readiness reports while it is DOWN, from the first UP on; asked each 100 ms. */
final class Alarms implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final List<String> down = new CopyOnWriteArrayList<>();
    private final AtomicInteger looks = new AtomicInteger();

    /** @param notReady why it is DOWN, or an empty text; asked once it is UP */
    Alarms(Callable<String> notReady) {
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> notReady.call()
                .isEmpty());
        long start = System.nanoTime();
        clock.scheduleWithFixedDelay(() -> look(notReady, start), 0, 100, TimeUnit.MILLISECONDS);
    }

    private void look(Callable<String> notReady, long start) {
        long at = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        try {
            String why = notReady.call();
            looks.incrementAndGet();
            if (!why.isEmpty()) {
                down.add(at + " ms: " + why);
            }
        } catch (Exception e) {
            down.add(at + " ms: " + e);
        }
    }

    /** It was UP each time, and was asked. */
    void isEmpty() {
        assertThat(down).as("when it was DOWN").isEmpty();
        assertThat(looks.get()).isPositive();
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
