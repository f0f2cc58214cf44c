package io.s3destination.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A chart as SVG: one line for each series over a common x.
 *
 * @param unit of the values, as Grafana names it
 * @param xUnit of the common x
 * @param series the points of each line by its name, as pairs of x and y
 */
public record Chart(String title, String unit, String xUnit, Map<String, List<double[]>> series) {

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
        for (int line = 0; line <= 2; line++) {
            double height = BOTTOM - (BOTTOM - TOP) * line / 2.0;
            parts.add("<path class=\"grid\" d=\"M%d %.1fH%d\"/>".formatted(LEFT, height, RIGHT));
            parts.add("<text x=\"%d\" y=\"%.1f\" class=\"y\">%s</text>"
                    .formatted(LEFT - 6, height + 4, label(top * line / 2)));
        }
        parts.add("<text x=\"%d\" y=\"%d\" class=\"y\">%.0f %s</text>".formatted(RIGHT, BOTTOM + 14, last, xUnit));
        int n = 0;
        for (Map.Entry<String, List<double[]>> line : series.entrySet()) {
            String colour = COLOURS.get(n % COLOURS.size());
            String path = line.getValue().stream()
                    .map(point -> String.format(
                            Locale.ROOT,
                            "%.1f %.1f",
                            LEFT + (RIGHT - LEFT) * point[0] / last,
                            BOTTOM - (BOTTOM - TOP) * point[1] / top))
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
            case "bytes" -> "%.0f MB".formatted(value / 1e6);
            case "Bps" -> "%.0f kB/s".formatted(value / 1e3);
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
