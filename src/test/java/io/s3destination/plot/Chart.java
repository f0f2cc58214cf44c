package io.s3destination.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A chart as SVG: one line for each series over a common x.
 *
 * @param unit of the values, as Grafana names it
 * @param xUnit of the common x
 * @param steps all there are of x, to be drawn at equal distances, under a logarithmic scale from 10 on; or none, for
 *     plain scales
 * @param series the points of each line by its name, as pairs of x and y
 */
public record Chart(String title, String unit, String xUnit, List<Integer> steps, Map<String, List<double[]>> series) {

    static final int WIDTH = 400;
    static final int HEIGHT = 200;

    private static final List<String> COLOURS =
            List.of("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b");
    private static final int LEFT = 58;
    private static final int TOP = 28;
    private static final int BOTTOM = HEIGHT - 38;
    private static final int RIGHT = WIDTH - 14;

    /** The chart with its upper left corner there. */
    String svg(int x, int y) {
        List<double[]> points = series.values().stream().flatMap(List::stream).toList();
        double last = points.stream().mapToDouble(point -> point[0]).max().orElse(1);
        double top = nice(points.stream().mapToDouble(point -> point[1]).max().orElse(1));
        List<String> parts = new ArrayList<>();
        parts.add("<g transform=\"translate(%d %d)\">".formatted(x, y));
        parts.add("<text x=\"%d\" y=\"18\" class=\"title\">%s</text>".formatted(LEFT, title));
        for (double value : steps.isEmpty() ? new double[] {0, top / 2, top} : decades(top)) {
            double height = height(value, top);
            parts.add("<path class=\"grid\" d=\"M%d %.1fH%d\"/>".formatted(LEFT, height, RIGHT));
            parts.add("<text x=\"%d\" y=\"%.1f\" class=\"y\">%s</text>".formatted(LEFT - 6, height + 4, label(value)));
        }
        for (double tick : steps.isEmpty()
                ? new double[] {last}
                : steps.stream().mapToDouble(Integer::doubleValue).toArray()) {
            parts.add("<text x=\"%.1f\" y=\"%d\" class=\"y\">%.0f %s</text>"
                    .formatted(place(tick, last) + (tick == 0 ? 20 : 0), BOTTOM + 14, tick, xUnit));
        }
        int n = 0;
        for (Map.Entry<String, List<double[]>> line : series.entrySet()) {
            String colour = COLOURS.get(n % COLOURS.size());
            String path = line.getValue().stream()
                    .map(point -> String.format(Locale.ROOT, "%.1f %.1f", place(point[0], last), height(point[1], top)))
                    .collect(Collectors.joining("L", "M", ""));
            parts.add("<path class=\"line\" stroke=\"%s\" d=\"%s\"/>".formatted(colour, path));
            parts.add("<text x=\"%d\" y=\"%d\" fill=\"%s\" font-size=\"%d\">%s</text>"
                    .formatted(
                            LEFT + n * (RIGHT - LEFT) / series.size(),
                            HEIGHT - 8,
                            colour,
                            series.size() > 2 ? 9 : 11,
                            line.getKey()));
            n++;
        }
        parts.add("</g>");
        return String.join("\n", parts);
    }

    private double place(double x, double last) {
        double share = steps.isEmpty() ? x / last : (double) steps.indexOf((int) x) / (steps.size() - 1);
        return LEFT + (RIGHT - LEFT) * share;
    }

    private double height(double value, double top) {
        double share = steps.isEmpty() ? value / top : (Math.log10(value) - 1) / (Math.ceil(Math.log10(top)) - 1);
        return BOTTOM - (BOTTOM - TOP) * share;
    }

    private static double[] decades(double top) {
        return IntStream.rangeClosed(1, (int) Math.ceil(Math.log10(top)))
                .mapToDouble(power -> Math.pow(10, power))
                .toArray();
    }

    /** A page of charts, three in a row. */
    public static String page(List<Chart> charts) {
        StringBuilder page = new StringBuilder(String.format(
                Locale.ROOT, """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">
                <style>.title{font-size:13px;font-weight:bold}.y{text-anchor:end;fill:#666}\
                .grid{stroke:#ddd}.line{fill:none;stroke-width:1.5}</style>
                <rect width="100%%" height="100%%" fill="#fff"/>
                """, WIDTH * Math.min(3, charts.size()), HEIGHT * ((charts.size() + 2) / 3)));
        for (int n = 0; n < charts.size(); n++) {
            page.append(charts.get(n).svg(n % 3 * WIDTH, n / 3 * HEIGHT)).append('\n');
        }
        return page.append("</svg>\n").toString();
    }

    private String label(double value) {
        return switch (unit) {
            case "bytes" ->
                value >= 1e6 || value == 0 ? "%.0f MB".formatted(value / 1e6) : "%.1f kB".formatted(value / 1e3);
            case "Bps" -> value >= 1e6 ? "%.0f MB/s".formatted(value / 1e6) : "%.0f kB/s".formatted(value / 1e3);
            case "s" -> value >= 10 || value == 0 ? "%.0f s".formatted(value) : "%.2f s".formatted(value);
            case "reqps" -> "%s/s".formatted(plain(value));
            default -> plain(value);
        };
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? "%.0f".formatted(value) : "%.1f".formatted(value);
    }

    /** The next of 1, 2, 4, 10, 20, 40 and so on. */
    private static double nice(double value) {
        if (value == 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        return List.of(1, 2, 4, 10).stream()
                .mapToDouble(step -> step * power)
                .filter(step -> step >= value)
                .findFirst()
                .orElse(10 * power);
    }
}
