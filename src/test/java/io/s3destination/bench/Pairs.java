package io.s3destination.bench;

import static io.s3destination.bench.Bench.median;

import io.s3destination.bench.Contender.Run;
import io.s3destination.bench.StoreProcess.Latency;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Two contenders in pairs of runs, A B, B A, A B …, so that a drift of the machine affects both, and their ratios. */
final class Pairs {

    private final Contender current;
    private final Contender other;
    private final int count;
    private final List<String> rows = new ArrayList<>();
    private final List<String> verdicts = new ArrayList<>();

    /** @param count of pairs for each latency */
    Pairs(Contender current, Contender other, int count) {
        if (count < RatioInterval.MIN_PAIRS || count > RatioInterval.MAX_PAIRS) {
            throw new IllegalArgumentException("bench.pairs=%d: must be from %d to %d"
                    .formatted(count, RatioInterval.MIN_PAIRS, RatioInterval.MAX_PAIRS));
        }
        this.current = current;
        this.other = other;
        this.count = count;
    }

    void warmUp(int records) throws Exception {
        for (int turn = 0; turn < 2; turn++) {
            current.run(Latency.of(0), records);
            other.run(Latency.of(0), records);
        }
    }

    void compare(int millis, int records) throws Exception {
        Latency latency = Latency.of(millis);
        List<Run> ours = new ArrayList<>();
        List<Run> theirs = new ArrayList<>();
        for (int pair = 0; pair < count; pair++) {
            if (pair % 2 == 0) {
                ours.add(current.run(latency, records));
                theirs.add(other.run(latency, records));
            } else {
                theirs.add(other.run(latency, records));
                ours.add(current.run(latency, records));
            }
        }
        String load = "S3 at " + millis + " ms, ";
        RatioInterval perSecond = compare(load + "records a second", "%.0f", ours, theirs, Run::perSecond);
        compare(load + "CPU us a record", "%.1f", ours, theirs, Run::cpuMicros);
        verdicts.add(load + (perSecond.worse() ? "worse: " : "not worse: ") + perSecond);
    }

    private RatioInterval compare(
            String measured, String format, List<Run> ours, List<Run> theirs, ToDoubleFunction<Run> figure) {
        double[] ratios = IntStream.range(0, count)
                .mapToDouble(pair -> figure.applyAsDouble(ours.get(pair)) / figure.applyAsDouble(theirs.get(pair)))
                .toArray();
        RatioInterval interval = RatioInterval.of(ratios);
        rows.add(String.format(
                Locale.ROOT,
                "| %s | " + format + " | " + format + " | %s | %s |",
                measured,
                median(ours.stream().mapToDouble(figure).toArray()),
                median(theirs.stream().mapToDouble(figure).toArray()),
                interval,
                Arrays.stream(ratios)
                        .mapToObj(ratio -> String.format(Locale.ROOT, "%.3f", ratio))
                        .collect(Collectors.joining(" "))));
        return interval;
    }

    /** A Markdown page. */
    String report(Path checkout, int recordsPerObject) {
        return """
                # This state and that of %s

                Medians of %d runs each, in alternating pairs; of the ratios this/other the geometric mean, its 95 %% interval, and
                each pair. records_per_object = %d; each record was compared. Worse: the interval for records a second is below
                0.98.

                | measured | this | other | ratio | each pair |
                | --- | --- | --- | --- | --- |
                %s

                %s
                """.formatted(checkout, count, recordsPerObject, String.join("\n", rows), String.join("\n\n", verdicts));
    }
}
