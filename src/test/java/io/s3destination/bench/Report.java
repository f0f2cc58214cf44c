package io.s3destination.bench;

import static io.s3destination.bench.Bench.median;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.s3destination.bench.Contender.Run;
import io.s3destination.plot.Chart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** The figures of the benchmark beside their goals: on the screen, as JSON, and as docs/benchmarks.md with its charts. */
final class Report {

    /** @param met "yes", "no", or nothing where there is no goal */
    private record Row(String measured, String figure, String against, String goal, String met) {}

    private static final String MANY = """
            Many records per object: `records_per_object` is 10,000, S3 takes 30 ms. The loop is Kafka's consumers with the fetch settings
            of the route, and the bundle's own validation, compression and S3 client, with as many consumers as are fastest (its
            uploads below): the limit.
            """;

    private final List<Row> rows = new ArrayList<>();
    private final List<Object> raw = new ArrayList<>();
    private final Map<String, List<double[]>> overLatency = new TreeMap<>();
    private final Map<String, List<double[]>> overUploads = new TreeMap<>();

    void throughput(int latency, List<Run> runs) {
        raw.addAll(runs);
        double bundle = median(runs, "bundle", Run::perSecond);
        double loop = median(runs, "loop", Run::perSecond);
        String measured = "backlog, S3 at %d ms".formatted(latency);
        double goal = latency == 0 || latency == 30 ? 0.9 : 0;
        ratio(measured + ", of the loop", spread(runs, "bundle"), spread(runs, "loop"), bundle / loop, goal);
        point(overLatency, "bundle", latency, bundle);
        point(overLatency, "bare loop", latency, loop);
        double plain = median(runs, "plain", Run::perSecond);
        point(overLatency, "plain route", latency, plain);
        ratio(
                measured + ", of the plain route",
                spread(runs, "bundle"),
                spread(runs, "plain"),
                bundle / plain,
                latency == 30 ? 10 : 0);
        cost(measured + ", CPU an object", runs, run -> run.cpuMicros() / 1e3, "%.2f ms", latency == 0 ? 0.45 : 0);
        cost(measured + ", heap allocated an object", runs, run -> run.allocatedBytes() / 1e3, "%.0f kB", 0);
        if (latency == 30) {
            overUploads(64, latency, runs);
            // It has four consumers, whatever the uploads of the others are.
            List.of(1, 8, 64, 256)
                    .forEach(uploads ->
                            point(overUploads, "plain route", uploads, median(runs, "plain", Run::perSecond)));
        }
        if (latency == 100) {
            ratio(measured + ", of 64 uploads / 100 ms", spread(runs, "bundle"), perSecond(640), bundle / 640, 0.95);
        }
    }

    private void cost(String measured, List<Run> runs, ToDoubleFunction<Run> figure, String format, double goal) {
        double bundle = median(runs, "bundle", figure);
        row(
                measured,
                format.formatted(bundle),
                "loop %s, plain route %s"
                        .formatted(
                                format.formatted(median(runs, "loop", figure)),
                                format.formatted(median(runs, "plain", figure))),
                goal == 0 ? "" : "<= " + format.formatted(goal),
                goal == 0 ? null : bundle <= goal);
    }

    void uploads(int uploads, int latency, List<Run> runs) {
        raw.addAll(runs);
        overUploads(uploads, latency, runs);
    }

    private void overUploads(int uploads, int latency, List<Run> runs) {
        double law = uploads * 1e3 / latency;
        double bundle = median(runs, "bundle", Run::perSecond);
        double loop = median(runs, "loop", Run::perSecond);
        point(overUploads, "bundle", uploads, bundle);
        point(overUploads, "bare loop", uploads, loop);
        // Beyond it the CPU is the limit.
        if (uploads <= 64) {
            point(overUploads, "uploads / latency", uploads, law);
        }
        ratio(
                "uploads at once: %d, S3 at %d ms, of uploads / latency".formatted(uploads, latency),
                spread(runs, "bundle"),
                "%s, loop %s".formatted(perSecond(law), perSecond(loop)),
                bundle / law,
                0);
    }

    void slowTail(List<Run> even, List<Run> tail) {
        raw.addAll(even);
        raw.addAll(tail);
        double without = median(even, "bundle", Run::perSecond);
        double with = median(tail, "bundle", Run::perSecond);
        ratio(
                "1 % of PUTs take 2 s, others 30 ms, of none",
                spread(tail, "bundle"),
                "%s; 64 uploads can do %s".formatted(spread(even, "bundle"), perSecond(64 / 0.0497)),
                with / without,
                0.6);
    }

    void instances(Run one, Run two) {
        raw.add(one);
        raw.add(two);
        ratio(
                "two instances, S3 at 100 ms, of one",
                perSecond(two.perSecond()),
                perSecond(one.perSecond()),
                two.perSecond() / one.perSecond(),
                1.8);
    }

    /**
     * @param goal milliseconds beyond what S3 takes, or 0
     * @param millis from produced to stored, sorted
     */
    void latency(String load, int goal, long[] millis) {
        raw.add(Map.of("latency", load, "millis", millis));
        long p99 = millis[(int) (millis.length * 0.99)];
        row(
                "produced to stored, " + load,
                "p50 %d ms, p99 %d ms, max %d ms".formatted(millis[millis.length / 2], p99, millis[millis.length - 1]),
                "S3 itself 30 ms",
                goal == 0 ? "" : "p99 <= 30 + %d ms".formatted(goal),
                goal == 0 ? null : p99 <= 30 + goal);
    }

    /** @param heap the most bytes of it that were in use */
    void large(String what, Run run, long heap, long peakMemory) {
        raw.add(run);
        memory(what, "%.0f MB/s, heap %d MB, ".formatted(run.perSecond(), heap / 1_000_000), peakMemory, 450);
    }

    private void memory(String what, String figures, long peakMemory, int goal) {
        row(
                what,
                "%sprocess %d MB at most".formatted(figures, peakMemory / 1_000_000),
                "",
                "<= %d MB".formatted(goal),
                peakMemory <= goal * 1_000_000L);
    }

    /**
     * Many records per object.
     *
     * @param runs of {@code bundle <compression>} and {@code loop <compression>}
     * @param one the same with one record per object
     * @param goal the ratio to the loop
     */
    void many(String compression, List<Run> runs, Run one, double goal, long peakMemory) {
        raw.addAll(runs);
        raw.add(one);
        String name = "bundle " + compression;
        String loopName = "loop " + compression;
        double bundle = median(runs, name, Run::perSecond);
        double loop = median(runs, loopName, Run::perSecond);
        String measured = "many records, " + compression;
        ratio(measured + ", of the loop", spread(runs, name), spread(runs, loopName), bundle / loop, goal);
        ratio(
                measured + ", of one record per object",
                spread(runs, name),
                perSecond(one.perSecond()),
                bundle / one.perSecond(),
                0);
        double cpu = median(runs, name, Run::cpuMicros);
        double loopCpu = median(runs, loopName, Run::cpuMicros);
        row(
                measured + ", CPU a record",
                "%.1f us".formatted(cpu),
                "loop %.1f us, one record per object %.0f us".formatted(loopCpu, one.cpuMicros()),
                "<= loop + 3 us",
                cpu <= loopCpu + 3);
        boolean peer = compression.equals("zstd");
        if (peer) {
            row(
                    measured + ", beside another sink that groups",
                    spread(runs, name),
                    "34,000/s, 1,200 MB",
                    ">= 68,000/s",
                    bundle >= 68_000);
        }
        memory(measured, "", peakMemory, peer ? 400 : 450);
        requests(
                measured,
                runs.stream().filter(run -> run.contender().equals(name)).toList());
    }

    private void requests(String measured, List<Run> runs) {
        int requests = runs.stream().mapToInt(Run::requests).sum();
        int objects = runs.stream().mapToInt(Run::objects).sum();
        row(
                measured + ", requests an object",
                "%.2f; %,d objects".formatted((double) requests / objects, objects),
                "",
                "1",
                requests == objects);
    }

    void partitions(int partitions, Run run, long peakMemory) {
        raw.add(run);
        String measured = "many records, %d partitions".formatted(partitions);
        memory(measured, perSecond(run.perSecond()) + ", ", peakMemory, 450);
        requests(measured, List.of(run));
    }

    void start(String how, double[] millis) {
        raw.add(Map.of("start", how, "millis", millis));
        row("start to first stored " + how, "%.1f s".formatted(median(millis) / 1e3), "", "", null);
    }

    void print() {
        System.out.println();
        rows.forEach(row -> System.out.printf(
                "%-58s %-46s %-34s %-18s %s%n", row.measured(), row.figure(), row.against(), row.goal(), row.met()));
    }

    void write() throws IOException {
        ObjectMapper json = new ObjectMapper();
        Files.createDirectories(Path.of("target", "bench"));
        json.writerWithDefaultPrettyPrinter()
                .writeValue(Path.of("target", "bench", "results.json").toFile(), Map.of("table", rows, "runs", raw));
        Files.writeString(
                Path.of("docs", "benchmarks-latency.svg"),
                Chart.page(List.of(new Chart(
                        "Objects a second over the latency of S3", "reqps", "ms", steps(overLatency), overLatency))));
        Files.writeString(
                Path.of("docs", "benchmarks-uploads.svg"),
                Chart.page(List.of(new Chart(
                        "Objects a second over uploads at once", "reqps", "", steps(overUploads), overUploads))));
        Files.writeString(Path.of("docs", "benchmarks.md"), page("mvn -Pbench", """
                One record per object: 51,000 records in three turns where S3 takes 30 ms or less. The loop puts what is compressed
                beforehand, with the bundle's own S3 client and as many threads: the limit. The plain route is the one of Camel's
                documentation.

                """ + MANY, """
                The goal at 0 ms, where the CPU is the limit, is out of reach of a route: see "At 0 ms the CPU is the limit" in
                [DECISIONS.md](DECISIONS.md).

                ![Objects a second over the latency of S3: bundle, limit and plain route](benchmarks-latency.svg)

                ![Objects a second over uploads at once: bundle, limit, the line of Little's law and plain route](benchmarks-uploads.svg)

                """));
    }

    /** The page of {@link Many} records alone. */
    void writeMany(Path file) throws IOException {
        Files.writeString(file, page("mvn -Pbench -Dbench.mode=many", MANY, ""));
    }

    private String page(String command, String loads, String notes) throws IOException {
        String table = rows.stream()
                .map(row -> "| %s | %s | %s | %s | %s |"
                        .formatted(row.measured(), row.figure(), row.against(), row.goal(), row.met()))
                .collect(Collectors.joining("\n"));
        String runs = raw.stream()
                .filter(Run.class::isInstance)
                .map(Run.class::cast)
                .map(run -> "| %s | %s ms%s | %d | %,d | %,d | %,.0f | %,.1f | %,.1f | %,.1f |"
                        .formatted(
                                run.contender(),
                                run.latency().millis(),
                                run.latency().slowShare() > 0 ? ", 1 % 2 s" : "",
                                run.uploads(),
                                run.records(),
                                run.objects(),
                                run.perSecond(),
                                run.cpuMicros(),
                                run.allocatedBytes() / 1e3,
                                run.storeCpuMicros()))
                .collect(Collectors.joining("\n"));
        return """
                # Benchmarks

                Written by `%s`. Everything ran in one go on one machine, each contender a process of its own, in turns; figures are
                medians of the runs below, of a run the slope of what is stored over time, without the first and the last tenth.
                **After each run each record was compared with what is stored: each is there once, in its place, byte for byte.**

                %s

                Records of 800 bytes, 4 partitions, gzip, a JVM of 256 MB each, unless a row says otherwise. Kafka and the S3 stand-in,
                which keeps objects in memory and answers after the time given, run on the same machine and take their share of it.
                Ratios are of medians; in brackets the least and the most.

                %s
                | measured | bundle | against | goal | met |
                | --- | --- | --- | --- | --- |
                %s

                %s## All runs

                | contender | S3 | uploads | records | objects | records/s | CPU us a record | kB allocated | CPU us of S3 |
                | --- | --- | --- | --- | --- | --- | --- | --- | --- |
                %s
                """.formatted(command, machine(), loads, table, notes, runs);
    }

    private static String machine() throws IOException {
        String cpu = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .map(line -> line.replaceFirst(".*: *", ""))
                .orElse("unknown CPU");
        return "%d cores of %s, %s, Java %s."
                .formatted(
                        Runtime.getRuntime().availableProcessors(),
                        cpu,
                        System.getProperty("os.name"),
                        System.getProperty("java.version"));
    }

    private void ratio(String measured, String figure, String against, double ratio, double goal) {
        row(
                measured,
                "%s = %.2f".formatted(figure, ratio),
                against,
                goal == 0 ? "" : ">= %s".formatted(goal),
                goal == 0 ? null : ratio >= goal);
    }

    private void row(String measured, String figure, String against, String goal, Boolean met) {
        rows.add(new Row(measured, figure, against, goal, met == null ? "" : met ? "yes" : "no"));
    }

    private static void point(Map<String, List<double[]>> chart, String line, double x, double y) {
        List<double[]> points = chart.computeIfAbsent(line, name -> new ArrayList<>());
        points.add(new double[] {x, y});
        points.sort(Comparator.comparingDouble(point -> point[0]));
    }

    private static List<Integer> steps(Map<String, List<double[]>> chart) {
        return chart.get("bundle").stream().map(point -> (int) point[0]).toList();
    }

    /** The median, and the least and the most. */
    private static String spread(List<Run> runs, String contender) {
        DoubleSummaryStatistics all = runs.stream()
                .filter(run -> run.contender().equals(contender))
                .mapToDouble(Run::perSecond)
                .summaryStatistics();
        return "%,.0f/s (%,.0f-%,.0f)".formatted(median(runs, contender, Run::perSecond), all.getMin(), all.getMax());
    }

    private static String perSecond(double figure) {
        return "%,.0f/s".formatted(figure);
    }
}
