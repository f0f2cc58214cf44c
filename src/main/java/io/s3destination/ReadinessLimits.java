package io.s3destination;

import java.time.Duration;
import org.apache.camel.CamelContext;

/**
 * How long a connector may be without progress, or in a state that is not right, before it is DOWN.
 *
 * @param interval from one look at the connector to the next
 * @param failing how long a record may fail and be retried
 * @param stalled how long work may be pending without progress, a record be in one attempt, or a lag be unknown
 * @param throttled how long a partition with lag may get no record while the brokers throttle the consumer
 * @param hanging how long the polling loop may not turn before only a restart helps
 * @param transaction how long a transaction may be open before it is reported
 */
record ReadinessLimits(
        Duration interval,
        Duration failing,
        Duration stalled,
        Duration throttled,
        Duration hanging,
        Duration transaction) {

    static final ReadinessLimits DEFAULT = new ReadinessLimits(
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(5),
            Duration.ofMinutes(5),
            Duration.ofMinutes(15));

    /** Those of a context: the bean {@code readiness-limits}, which tests bind to shorten them, or else the default. */
    static ReadinessLimits of(CamelContext context) {
        ReadinessLimits bound = context.getRegistry().lookupByNameAndType("readiness-limits", ReadinessLimits.class);
        return bound == null ? DEFAULT : bound;
    }

    /** All of them, so many times shorter. */
    ReadinessLimits shortened(int times) {
        return new ReadinessLimits(
                interval.dividedBy(times),
                failing.dividedBy(times),
                stalled.dividedBy(times),
                throttled.dividedBy(times),
                hanging.dividedBy(times),
                transaction.dividedBy(times));
    }
}
