package io.s3destination.bench;

import io.s3destination.bench.StoreProcess.Figures;
import io.s3destination.bench.StoreProcess.Latency;
import java.time.Duration;
import java.util.Arrays;

/** Something that puts records into the store, warm between its runs. */
abstract class Contender implements AutoCloseable {

    /**
     * What one run measured.
     *
     * @param requests to the store, of all kinds
     * @param perSecond records stored in a second, without the first and the last tenth of them
     * @param cpuMicros of CPU for each record, of the whole process
     * @param allocatedBytes on the heap for each record
     * @param storeCpuMicros of CPU for each record, of the store
     */
    record Run(
            String contender,
            Latency latency,
            int uploads,
            int records,
            int objects,
            int requests,
            double perSecond,
            double cpuMicros,
            double allocatedBytes,
            double storeCpuMicros) {}

    private final String name;
    private final int uploads;
    private final StoreProcess store;
    private final GcLog log;

    /** @param log of its process */
    Contender(String name, int uploads, StoreProcess store, GcLog log) {
        this.name = name;
        this.uploads = uploads;
        this.store = store;
        this.log = log;
    }

    final String name() {
        return name;
    }

    /**
     * Puts at least so many records, or brings about that they are put; need not wait for them.
     *
     * @return how many
     */
    abstract int put(int records) throws Exception;

    /** When each record was stored, in milliseconds; what is stored is compared with what should be. */
    abstract long[] stored(StoreProcess store) throws Exception;

    /** What its process has used so far. */
    abstract Duration cpu();

    final Run run(Latency latency, int atLeast) throws Exception {
        store.reset(latency);
        Duration cpu = cpu();
        long allocated = log.allocated();
        long storeCpu = store.figures().cpuNanos();
        int records = put(atLeast);
        store.await(records);
        double cpuMicros = cpu().minus(cpu).toNanos() / 1e3 / records;
        double allocatedBytes = (double) (log.allocated() - allocated) / records;
        Figures figures = store.figures();
        double storeCpuMicros = (figures.cpuNanos() - storeCpu) / 1e3 / records;
        double perSecond = perSecond(stored(store));
        Run run = new Run(
                name,
                latency,
                uploads,
                records,
                figures.objects(),
                figures.requests(),
                perSecond,
                cpuMicros,
                allocatedBytes,
                storeCpuMicros);
        System.out.printf(
                "  %-12s %4d ms  %,9d records  %,8.0f/s  each %.1f us CPU (store %.1f), %.1f kB allocated%n",
                name, latency.millis(), records, perSecond, cpuMicros, storeCpuMicros, allocatedBytes / 1e3);
        return run;
    }

    /** The slope of what is stored over time, by least squares: objects of many records come in bursts. */
    private static double perSecond(long[] millis) {
        Arrays.sort(millis);
        int from = millis.length / 10;
        int to = millis.length - from;
        double middle = (from + to - 1) / 2.0;
        double time = Arrays.stream(millis, from, to).average().orElseThrow();
        double both = 0;
        double square = 0;
        for (int n = from; n < to; n++) {
            both += (n - middle) * (millis[n] - time);
            square += (millis[n] - time) * (millis[n] - time);
        }
        return both * 1e3 / Math.max(1, square);
    }

    @Override
    public abstract void close();
}
