package io.s3destination;

import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.StopDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/**
 * An Error that a step throws, such as a StackOverflowError of a regular expression, fails its record as an exception does,
 * and is retried. Camel 4.17 goes on with the next step as if the step had done its work, and then ends the thread. An
 * OutOfMemoryError ends the process. Safe for all threads.
 *
 * <p>The steps {@code filter} and {@code stop} are how a user leaves records out: no object is missed then.
 */
final class StepErrors implements InterceptStrategy {

    private static final StepErrors STRATEGY = new StepErrors();

    /** Private, since {@code camel run} calls any other constructor without parameters. */
    private StepErrors() {}

    static StepErrors strategy() {
        return STRATEGY;
    }

    @Override
    public Processor wrapProcessorInInterceptors(
            CamelContext context, NamedNode definition, Processor target, Processor next) {
        boolean mayLeaveOut = definition instanceof StopDefinition || definition instanceof FilterDefinition;
        return new DelegateAsyncProcessor(target) {
            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                if (mayLeaveOut) {
                    RecordCompletion.of(exchange).ifPresent(RecordInFlight::needsNoObject);
                }
                Deferred deferred = new Deferred(callback);
                try {
                    boolean isSync = super.process(exchange, deferred);
                    return deferred.end(isSync);
                } catch (Exception e) {
                    throw e;
                } catch (Throwable e) {
                    OutOfMemory.endIfOutOfMemory(e);
                    exchange.setException(e);
                    deferred.done(true);
                    return deferred.end(true);
                }
            }
        };
    }

    /** Passes on that a step is done when it has returned: Camel reports it before an Error is seen. */
    private static final class Deferred implements AsyncCallback {

        private final AsyncCallback callback;
        private final Thread thread = Thread.currentThread();
        private boolean isRunning = true;
        private boolean isDone;

        Deferred(AsyncCallback callback) {
            this.callback = callback;
        }

        @Override
        public void done(boolean doneSync) {
            if (Thread.currentThread() == thread && isRunning) {
                isDone = true;
            } else {
                callback.done(doneSync);
            }
        }

        boolean end(boolean isSync) {
            isRunning = false;
            if (isDone) {
                callback.done(isSync);
            }
            return isSync;
        }
    }
}
