package io.s3destination.bench;

import io.s3destination.bench.StoreProcess.Latency;
import io.s3destination.bench.StoreProcess.Stored;
import java.time.Duration;
import java.util.Map;

/** Something that puts objects into the store, warm between its runs. */
abstract class Contender implements AutoCloseable {

    /**
     * What one run measured.
     *
     * @param perSecond objects stored in a second, without the first and last twentieth of them
     * @param cpuMillis of CPU for each object, of the whole process
     * @param allocatedBytes on the heap for each object
     * @param storeCpuMillis of CPU for each object, of the store
     */
    record Run(
            String contender,
            Latency latency,
            int uploads,
            int records,
            double perSecond,
            double cpuMillis,
            double allocatedBytes,
            double storeCpuMillis) {}

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

    /** Puts so many objects, or brings about that they are put; need not wait for them. */
    abstract void put(int objects) throws Exception;

    /** Compares what is stored with what should be. */
    abstract void check(Map<String, Stored> objects, int records);

    /** What its process has used so far. */
    abstract Duration cpu();

    final Run run(Latency latency, int records) throws Exception {
        store.reset(latency);
        Duration cpu = cpu();
        long allocated = log.allocated();
        long storeCpu = store.figures().cpuNanos();
        put(records);
        store.await(records);
        double cpuMillis = cpu().minus(cpu).toNanos() / 1e6 / records;
        double allocatedBytes = (double) (log.allocated() - allocated) / records;
        double storeCpuMillis = (store.figures().cpuNanos() - storeCpu) / 1e6 / records;
        Map<String, Stored> objects = store.objects();
        check(objects, records);
        Run run =
                new Run(name, latency, uploads, records, perSecond(objects), cpuMillis, allocatedBytes, storeCpuMillis);
        System.out.printf(
                "  %-8s %4d ms  %,7d objects  %,7.0f/s  each %.2f ms CPU (store %.2f), %.0f kB allocated%n",
                name, latency.millis(), records, run.perSecond(), cpuMillis, storeCpuMillis, allocatedBytes / 1e3);
        return run;
    }

    private static double perSecond(Map<String, Stored> objects) {
        long[] millis =
                objects.values().stream().mapToLong(Stored::millis).sorted().toArray();
        int from = millis.length / 20;
        int to = millis.length - 1 - from;
        return (to - from) * 1e3 / Math.max(1, millis[to] - millis[from]);
    }

    @Override
    public abstract void close();
}
