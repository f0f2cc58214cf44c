package io.s3destination.bench;

import io.s3destination.KafkaLoop;
import io.s3destination.bench.Contender.Run;
import io.s3destination.bench.StoreProcess.Latency;
import io.s3destination.embedded.BundleProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Objects of many records: the bundle beside a bare loop, and beside itself with one record per object. */
final class Many {

    private static final int PER_OBJECT = 10_000;
    private static final Latency S3 = Latency.of(30);

    private final Bench bench;

    Many(Bench bench) {
        this.bench = bench;
    }

    void run() throws Exception {
        compare("gzip", PER_OBJECT, 200_000, Bench.TURNS, 0.85);
        compare("zstd", PER_OBJECT, 320_000, Bench.TURNS, 0.7);
        compare("none", PER_OBJECT, 400_000, Bench.TURNS, 0.6);
        partitions();
        large();
        Bench.say("from the start to the first stored object of many records");
        bench.report.start("object of 10,000 records, java -jar", bench.started(3, PER_OBJECT));
        age(PER_OBJECT, 50, 300);
    }

    /** A moment of it. */
    void smoke() throws Exception {
        for (String compression : List.of("gzip", "zstd")) {
            compare(compression, 100, 800, 1, 0);
        }
        age(100, 5, 20);
    }

    private void compare(String compression, int perObject, int records, int turns, double goal) throws Exception {
        Bench.say("objects of %,d records, %s".formatted(perObject, compression));
        Backlog backlog = bench.backlog(Backlog.PARTITIONS, Bench.RECORD, perObject);
        Backlog ones = bench.backlog(Backlog.PARTITIONS, Bench.RECORD, 1);
        try (Consuming bundle = bundle("bundle " + compression, compression, 60, backlog);
                LoopProcess loop = loop(compression, backlog);
                Consuming one = bundle("one " + compression, compression, 60, ones)) {
            for (int turn = 0; turn < 2; turn++) {
                bundle.run(Latency.of(0), records / 2);
            }
            ManyLoop fastest = fastest(Stream.of(1, 2, 4)
                    .map(consumers -> new ManyLoop("loop " + compression, bench.store, backlog, loop, consumers))
                    .toList());
            List<Run> runs = new ArrayList<>();
            for (int turn = 0; turn < turns; turn++) {
                runs.add(bundle.run(S3, records));
                runs.add(fastest.run(S3, records));
            }
            one.run(Latency.of(0), records / 20);
            bench.report.many(compression, runs, one.run(S3, records / 40), goal, bundle.peakMemory());
        }
    }

    /** Each runs over what is there when their JVM is warm. */
    private static ManyLoop fastest(List<ManyLoop> loops) throws Exception {
        for (int turn = 0; turn < 2; turn++) {
            loops.get(1).run(Latency.of(0), 0);
        }
        ManyLoop fastest = loops.get(0);
        double most = 0;
        for (ManyLoop loop : loops) {
            double perSecond = loop.run(S3, 0).perSecond();
            if (perSecond > most) {
                most = perSecond;
                fastest = loop;
            }
        }
        return fastest;
    }

    private void partitions() throws Exception {
        int partitions = 64;
        Bench.say("many records, %d partitions, zstd".formatted(partitions));
        Backlog backlog = bench.backlog(partitions, Bench.RECORD, PER_OBJECT);
        try (Consuming bundle = bundle("bundle zstd, 64 partitions", "zstd", 5, backlog)) {
            Run run = bundle.run(S3, 1);
            bench.report.partitions(partitions, run, bundle.peakMemory());
        }
    }

    private void large() throws Exception {
        Bench.say("many records of 1 MB, -Xmx256m");
        Backlog backlog = bench.backlog(Backlog.PARTITIONS, 1_000_000, 8);
        bench.large("many records of 1 MB", backlog, process("gzip", 5, backlog), 320);
    }

    private void age(int perObject, int interval, int records) throws Exception {
        Bench.say("from produced to stored, seconds_per_object = 1");
        Backlog backlog = bench.backlog(Backlog.PARTITIONS, Bench.RECORD, perObject);
        try (Consuming bundle = bundle("bundle", "gzip", 1, backlog)) {
            bundle.run(Latency.of(0), 1);
            bench.report.latency(
                    "many records, seconds_per_object = 1, one each %d ms".formatted(interval),
                    0,
                    bench.paced(backlog, interval, records));
        }
    }

    private Consuming bundle(String name, String compression, int secondsPerObject, Backlog backlog) throws Exception {
        return new Consuming(
                name,
                64,
                bench.store,
                backlog,
                process(compression, secondsPerObject, backlog).start());
    }

    /** @param secondsPerObject of consequence only where objects are not complete before, by records or memory */
    private BundleProcess process(String compression, int secondsPerObject, Backlog backlog) throws Exception {
        return bench.process(backlog, 64)
                .with("OUTPUT_COMPRESSION", compression)
                .withProperty("connector.to-s3.seconds_per_object", String.valueOf(secondsPerObject));
    }

    private LoopProcess loop(String compression, Backlog backlog) throws Exception {
        return new LoopProcess(
                bench.nextDirectory("loop"),
                KafkaLoop.class,
                bench.store.connectionUrl(),
                compression,
                String.valueOf(backlog.recordsPerObject()),
                Path.of("routes", "to-s3.camel.yaml").toAbsolutePath().toString(),
                bench.kafka.brokers(),
                backlog.stream());
    }
}
