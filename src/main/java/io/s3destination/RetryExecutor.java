package io.s3destination;

import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.camel.BindToRegistry;

/**
 * Where Camel's error handlers leave what they try again after a delay: a record waits in the pool of its connector, without
 * a thread, and the retry begins there. Has one daemon thread, while anything waits.
 */
@BindToRegistry("retry-schedule")
public final class RetryExecutor extends ScheduledThreadPoolExecutor {

    public RetryExecutor() {
        super(1, task -> {
            Thread thread = new Thread(task, "retry-schedule");
            thread.setDaemon(true);
            return thread;
        });
        setKeepAliveTime(10, TimeUnit.SECONDS);
        allowCoreThreadTimeOut(true);
    }

    /** Called by the thread on which an attempt has failed, after {@link RetryReporter}. */
    @Override
    public ScheduledFuture<?> schedule(Runnable attempt, long delay, TimeUnit unit) {
        Optional<RecordInFlight> record = RecordInFlight.failedByThread();
        Optional<RecordPool> pool = record.flatMap(RecordInFlight::pool);
        if (pool.isEmpty()) {
            // Of a step before the record is dispatched: the polling thread alone may dispatch it.
            sleep(unit.toMillis(delay));
            attempt.run();
            return super.schedule(() -> {}, 0, unit);
        }
        pool.get().retry(record.get(), attempt, unit.toNanos(delay));
        return super.schedule(pool.get()::advance, delay, unit);
    }

    /** Interrupted where the context is forced to stop: the error handler sees that itself, and retries no more. */
    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.yield();
        }
    }
}
