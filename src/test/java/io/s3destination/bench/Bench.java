package io.s3destination.bench;

import io.s3destination.bench.Contender.Run;
import io.s3destination.bench.StoreProcess.Latency;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.KafkaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.utils.Utils;
import org.awaitility.Awaitility;

/**
 * {@code mvn -Pbench}: how fast the shipped bundle stores, beside a bare loop over its own S3 client (the limit) and the
 * route of the documentation (what it replaces), all in one run, one after the other in turns. Kafka, the store and each
 * contender are processes of their own; each object of each run is compared with its record.
 *
 * <p>With the argument {@code pairs} it compares this state of the project with that of another checkout in
 * {@link Pairs}; with {@code many} objects of {@link Many} records alone are measured.
 *
 * <p>With the argument {@code smoke} some of it runs for a moment, so that the code is tested; no time is judged.
 */
public final class Bench implements AutoCloseable {

    static final int RECORD = 800;
    static final int TURNS = 3;

    private final boolean smoke;
    private final Path directory;
    final KafkaProcess kafka;
    final StoreProcess store;
    final Report report;
    private int streams;

    private Bench(boolean smoke, Path directory) throws Exception {
        this.smoke = smoke;
        this.directory = directory;
        this.kafka = new KafkaProcess(Files.createDirectories(directory.resolve("kafka"))).start();
        this.store = new StoreProcess();
        this.report = new Report();
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "whole" -> run(false);
            case "smoke" -> run(true);
            case "many" -> many();
            case "pairs" ->
                pairs(
                        System.getProperty("bench.other"),
                        Integer.parseInt(System.getProperty("bench.pairs")),
                        Integer.parseInt(System.getProperty("bench.records-per-object")));
            default ->
                throw new IllegalArgumentException("bench.mode=" + args[0] + ": must be whole, many, pairs or smoke");
        }
        // Threads of the clients do not end by themselves.
        System.exit(0);
    }

    static void run(boolean smoke) throws Exception {
        try (Bench bench = new Bench(smoke, Files.createTempDirectory("bench"))) {
            bench.backlogs();
            bench.latency();
            if (smoke) {
                bench.pairs(Path.of(""), 2, 1);
                new Many(bench).smoke();
            } else {
                bench.uploadsAtOnce();
                bench.largeRecords();
                bench.start();
                new Many(bench).run();
                bench.report.write();
            }
            bench.report.print();
        }
    }

    private static void many() throws Exception {
        try (Bench bench = new Bench(false, Files.createTempDirectory("bench"))) {
            new Many(bench).run();
            bench.report.print();
            Path report = Path.of("target", "many.md");
            bench.report.writeMany(report);
            System.out.println("written to " + report);
        }
    }

    private static void pairs(String other, int pairs, int recordsPerObject) throws Exception {
        if (other.isEmpty()) {
            throw new IllegalArgumentException("bench.other is not set: must be the directory of another checkout");
        }
        try (Bench bench = new Bench(false, Files.createTempDirectory("bench"))) {
            Path report = Path.of("target", "pairs.md");
            Files.writeString(report, bench.pairs(Path.of(other), pairs, recordsPerObject));
            System.out.println("written to " + report);
        }
    }

    /** The report, which is printed, too. */
    private String pairs(Path checkout, int count, int recordsPerObject) throws Exception {
        say("pairs of this state and that of " + checkout.toAbsolutePath());
        // Many of them are stored so much faster.
        boolean many = recordsPerObject > 1;
        try (Contender current = ofCheckout("this", Path.of(""), recordsPerObject);
                Contender other = ofCheckout("other", checkout, recordsPerObject)) {
            Pairs pairs = new Pairs(current, other, count);
            pairs.warmUp(scaled(many ? 150_000 : 20_000));
            pairs.compare(30, scaled(many ? 200_000 : 10_000));
            pairs.compare(100, scaled(many ? 200_000 : 3_000));
            String report = pairs.report(checkout.toAbsolutePath(), recordsPerObject);
            System.out.println(report);
            return report;
        }
    }

    private void backlogs() throws Exception {
        Backlog backlog = backlog();
        try (Contender bundle = bundle(64, backlog)) {
            throughput(bundle);
            if (!smoke) {
                slowTail(bundle);
                twoInstances(bundle, backlog);
            }
        }
    }

    private void throughput(Contender bundle) throws Exception {
        say("a backlog, 64 uploads at once");
        try (Contender loop = loop(64);
                Contender plain = plain()) {
            // Their JVMs get faster for 100,000 objects: what the CPU limits comes last.
            for (int turn = 0; turn < (smoke ? 1 : 2); turn++) {
                bundle.run(Latency.of(0), scaled(20_000));
                loop.run(Latency.of(0), scaled(20_000));
            }
            plain.run(Latency.of(0), scaled(4_000));
            for (int latency : smoke ? new int[] {30} : new int[] {100, 30, 10, 0}) {
                List<Run> runs = new ArrayList<>();
                for (int turn = 0; turn < TURNS; turn++) {
                    runs.add(bundle.run(Latency.of(latency), scaled(latency == 100 ? 5_000 : 17_000)));
                    runs.add(loop.run(Latency.of(latency), scaled(latency == 100 ? 5_000 : 17_000)));
                    runs.add(plain.run(Latency.of(latency), scaled(Math.min(1_000, 12_000 / Math.max(1, latency)))));
                }
                report.throughput(latency, runs);
            }
        }
    }

    private void slowTail(Contender bundle) throws Exception {
        say("one PUT in a hundred takes 2 s, the others 30 ms");
        List<Run> even = new ArrayList<>();
        List<Run> tail = new ArrayList<>();
        for (int turn = 0; turn < TURNS; turn++) {
            even.add(bundle.run(Latency.of(30), 8_000));
            tail.add(bundle.run(new Latency(30, 0.01, 2_000), 8_000));
        }
        report.slowTail(even, tail);
    }

    private void twoInstances(Contender first, Backlog backlog) throws Exception {
        say("one instance and two, S3 at 100 ms");
        Run one = first.run(Latency.of(100), 8_000);
        BundleProcess second = process(backlog, 64).start();
        try {
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> kafka.readers(backlog.stream()) == 2);
            first.run(Latency.of(0), 8_000);
            report.instances(one, first.run(Latency.of(100), 16_000));
        } finally {
            second.close();
        }
    }

    private void uploadsAtOnce() throws Exception {
        say("uploads at once, S3 at 30 ms");
        for (int uploads : new int[] {1, 8, 256}) {
            int records = Math.min(17_000, uploads * 120);
            try (Contender bundle = bundle(uploads, backlog());
                    Contender loop = loop(uploads)) {
                for (int turn = 0; turn < (uploads == 256 ? 2 : 1); turn++) {
                    bundle.run(Latency.of(0), uploads == 256 ? 20_000 : 2_000);
                    loop.run(Latency.of(0), uploads == 256 ? 20_000 : 2_000);
                }
                List<Run> runs = new ArrayList<>();
                for (int turn = 0; turn < TURNS; turn++) {
                    runs.add(bundle.run(Latency.of(30), records));
                    runs.add(loop.run(Latency.of(30), records));
                }
                report.uploads(uploads, 30, runs);
            }
        }
    }

    private void latency() throws Exception {
        say("from produced to stored, S3 at 30 ms");
        Backlog backlog = backlog();
        try (Contender bundle = bundle(64, backlog)) {
            bundle.run(Latency.of(0), scaled(5_000));
            report.latency("one record each 300 ms", 250, paced(backlog, 300, smoke ? 5 : 60));
            report.latency("200 records a second", 500, paced(backlog, 5, smoke ? 200 : 3_000));
        }
    }

    /** Milliseconds from produced to stored, sorted. */
    long[] paced(Backlog backlog, long interval, int records) throws Exception {
        store.reset(Latency.of(30));
        long[] produced = new long[records];
        backlog.begin();
        long start = System.nanoTime();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < records; n++) {
                LockSupport.parkNanos(start + n * interval * 1_000_000 - System.nanoTime());
                produced[n] = System.currentTimeMillis();
                backlog.produce(producer);
            }
        }
        store.await(records);
        long[] stored = backlog.stored(store);
        return IntStream.range(0, records)
                .mapToLong(n -> stored[n] - produced[n])
                .sorted()
                .toArray();
    }

    private void largeRecords() throws Exception {
        say("records of 1 MB, -Xmx256m");
        Backlog backlog = backlog(Backlog.PARTITIONS, 1_000_000, 1);
        large("records of 1 MB, -Xmx256m", backlog, process(backlog, 64), 200);
    }

    void large(String what, Backlog backlog, BundleProcess process, int records) throws Exception {
        try (Consuming bundle = new Consuming("bundle", 64, store, backlog, process.start())) {
            bundle.run(Latency.of(0), 60);
            report.large(what, bundle.run(Latency.of(30), records), bundle.peakHeap(), bundle.peakMemory());
        }
    }

    private void start() throws Exception {
        say("from the start to the first stored record");
        Path archive = directory.resolve("classes.jsa");
        report.start("record, java -jar", started(3, 1));
        started(1, 1, "-XX:ArchiveClassesAtExit=" + archive);
        report.start("record, with AppCDS", started(3, 1, "-XX:SharedArchiveFile=" + archive));
    }

    /** Milliseconds, of each of so many starts. */
    double[] started(int times, int recordsPerObject, String... options) throws Exception {
        double[] millis = new double[times];
        for (int n = 0; n < times; n++) {
            Backlog backlog = backlog(Backlog.PARTITIONS, RECORD, recordsPerObject);
            backlog.produce(1);
            store.reset(Latency.of(0));
            BundleProcess process = process(backlog, 64);
            Arrays.stream(options).forEach(process::withOption);
            long start = System.currentTimeMillis();
            process.start();
            store.await(backlog.records());
            millis[n] = Arrays.stream(backlog.stored(store)).min().orElseThrow() - start;
            // An archive is written at an orderly end only.
            process.terminate();
            process.ends(Duration.ofMinutes(1));
        }
        return millis;
    }

    private Backlog backlog() throws Exception {
        return backlog(Backlog.PARTITIONS, RECORD, 1);
    }

    Backlog backlog(int partitions, int size, int recordsPerObject) throws Exception {
        return new Backlog(kafka, "bench-" + streams++, partitions, size, recordsPerObject);
    }

    BundleProcess process(Backlog backlog, int uploads) throws Exception {
        return process(new BundleProcess(bundleDirectory()), backlog, uploads);
    }

    private Path bundleDirectory() throws IOException {
        return Files.createDirectory(nextDirectory("bundle"));
    }

    /** That is not there yet. */
    Path nextDirectory(String name) {
        return directory.resolve(name + "-" + streams++);
    }

    private BundleProcess process(BundleProcess bundle, Backlog backlog, int uploads) throws Exception {
        if (backlog.recordsPerObject() > 1) {
            bundle.withProperty("connector.to-s3.records_per_object", String.valueOf(backlog.recordsPerObject()));
        }
        return bundle.storing(backlog.stream(), kafka, store.connectionUrl())
                .withProperty("connector.to-s3.uploads", String.valueOf(uploads))
                .withOption("-XX:TieredStopAtLevel=4")
                .withOption(GcLog.OPTION);
    }

    private Contender bundle(int uploads, Backlog backlog) throws Exception {
        return new Consuming(
                "bundle", uploads, store, backlog, process(backlog, uploads).start());
    }

    private Contender ofCheckout(String name, Path checkout, int recordsPerObject) throws Exception {
        Backlog backlog = backlog(Backlog.PARTITIONS, RECORD, recordsPerObject);
        BundleProcess bundle = BundleProcess.ofCheckout(bundleDirectory(), checkout);
        return new Consuming(
                name, 64, store, backlog, process(bundle, backlog, 64).start());
    }

    private Contender loop(int threads) throws Exception {
        return Loop.start(store, nextDirectory("loop"), threads, RECORD);
    }

    private Contender plain() throws Exception {
        Backlog backlog = backlog();
        return new Consuming(
                "plain",
                4,
                store,
                backlog,
                process(backlog, 64)
                        .with("STORE", store.endpoint().toString())
                        .withMain(PlainRoute.class)
                        .start());
    }

    private int scaled(int records) {
        return smoke ? Math.max(40, records / 1_000 * Backlog.PARTITIONS) : records;
    }

    static void say(String part) {
        System.out.println(part);
    }

    static double median(List<Run> runs, String contender, ToDoubleFunction<Run> figure) {
        return median(runs.stream()
                .filter(run -> run.contender().equals(contender))
                .mapToDouble(figure)
                .toArray());
    }

    static double median(double... figures) {
        double[] sorted = Arrays.stream(figures).sorted().toArray();
        return sorted.length % 2 == 1
                ? sorted[sorted.length / 2]
                : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
    }

    @Override
    public void close() throws IOException {
        store.close();
        kafka.close();
        // Gigabytes.
        Utils.delete(directory.resolve("kafka").toFile());
    }
}
