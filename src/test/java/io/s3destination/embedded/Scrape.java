package io.s3destination.embedded;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a bundle answers at /observe/metrics, in the
 * <a href="https://prometheus.io/docs/instrumenting/exposition_formats/">text format of Prometheus</a>.
 *
 * @param series the value of each series, by its name and labels as they are written
 */
public record Scrape(Map<String, Double> series) {

    private static final Pattern SERIES = Pattern.compile("([^#\\s{]+(?:\\{.*})?) (\\S+)");

    public static Scrape of(String text) {
        Map<String, Double> series = new TreeMap<>();
        text.lines()
                .map(SERIES::matcher)
                .filter(Matcher::matches)
                .forEach(line -> series.put(line.group(1), Double.valueOf(line.group(2))));
        return new Scrape(series);
    }

    /** The names of all metrics. */
    public Set<String> names() {
        return series.keySet().stream().map(Scrape::name).collect(Collectors.toSet());
    }

    /** The series of a metric that hold a label, such as {@code le="+Inf"}; all of them where that is empty. */
    public Map<String, Double> of(String metric, String label) {
        return series.entrySet().stream()
                .filter(entry ->
                        name(entry.getKey()).equals(metric) && entry.getKey().contains(label))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** The sum of a metric over all its series; not a number if there is none. */
    public double sum(String metric) {
        Map<String, Double> found = of(metric, "");
        return found.isEmpty()
                ? Double.NaN
                : found.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    private static String name(String series) {
        return series.replaceFirst("\\{.*", "");
    }
}
