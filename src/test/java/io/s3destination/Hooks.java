package io.s3destination;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;

/** Places in and around a running bundle where a test can have anything happen. A hook that is not set does nothing. */
public final class Hooks {

    /** Where a fault may happen. */
    enum Place {
        /** In a step of the user in front of all others, on the polling thread. */
        POLLING_STEP,
        /** In a step of the user, on the thread of an upload. */
        STEP,
        /** In Kafka's deserializer of values, within a poll. */
        DESERIALIZER,
        /** In a consumer interceptor, when a poll returns its records. */
        ON_CONSUME,
        /** In a consumer interceptor, when a commit has been answered. */
        ON_COMMIT,
        /** In an assignor, within a poll in which the members of the group change. */
        ASSIGNMENT,
        /** In a listener of the meter registry, whenever the gauges of the lag are renewed. */
        LAG_GAUGE
    }

    /** What happens; the record is null where no step is. */
    interface Hook {
        void run(Exchange record) throws Throwable;
    }

    private final Map<Place, Hook> hooks = new ConcurrentHashMap<>();
    private final AtomicInteger hits = new AtomicInteger();
    private volatile int times = 1;

    void set(Place place, Hook hook) {
        hooks.put(place, hook);
    }

    void clear(Place place) {
        hooks.remove(place);
    }

    /** How often something happened. */
    AtomicInteger hits() {
        return hits;
    }

    /** For a loop in a route, which asks how often it is to run. */
    public int times() {
        hits.addAndGet(times - 1);
        return times;
    }

    void repeat(int newTimes) {
        times = newTimes;
    }

    Processor step(Place place) {
        return exchange -> run(place, exchange);
    }

    void run(Place place, Exchange exchange) {
        Hook hook = hooks.get(place);
        if (hook != null) {
            hits.incrementAndGet();
            try {
                hook.run(exchange);
            } catch (Throwable e) {
                throw Hooks.<RuntimeException>undeclared(e);
            }
        }
    }

    /** Only for the records of one partition. */
    static Hook onPartition(int partition, Hook hook) {
        return record -> {
            if (record.getMessage().getHeader(KafkaConstants.PARTITION, Integer.class) == partition) {
                hook.run(record);
            }
        };
    }

    /** Only for the first record that comes, at each attempt. */
    static Hook onOneRecord(Hook hook) {
        Map<String, Long> chosen = new ConcurrentHashMap<>();
        return record -> {
            Long offset = record.getMessage().getHeader(KafkaConstants.OFFSET, Long.class);
            if (chosen.computeIfAbsent("offset", unused -> offset).equals(offset)) {
                hook.run(record);
            }
        };
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T undeclared(Throwable e) throws T {
        throw (T) e;
    }
}
