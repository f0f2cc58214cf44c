package io.s3destination.plot;

import io.s3destination.embedded.Scrape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * As much of <a href="https://prometheus.io/docs/prometheus/latest/querying/basics/">Prometheus's query language</a> as our
 * dashboard speaks, over scrapes of one bundle. What it does not know it refuses.
 */
final class Query {

    /** One scrape, and one some seconds before it, for rates. */
    record Moment(Scrape now, Scrape before, double seconds) {}

    private static final Pattern TOKEN = Pattern.compile("\\w+|\"[^\"]*\"|=~|\\$\\w+|[(){}\\[\\],/=.]");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

    private final List<String> tokens;
    private final Moment moment;
    private int at;

    private Query(String text, Moment moment) {
        this.tokens = TOKEN.matcher(text).results().map(token -> token.group()).toList();
        this.moment = moment;
    }

    /** The value of each series, by its labels. */
    static Map<Map<String, String>, Double> evaluate(String text, Moment moment) {
        Query query = new Query(text, moment);
        Map<Map<String, String>, Double> result = query.quotient();
        query.check(query.at == query.tokens.size());
        return result;
    }

    private Map<Map<String, String>, Double> quotient() {
        Map<Map<String, String>, Double> dividend = term();
        if (at == tokens.size() || !tokens.get(at).equals("/")) {
            return dividend;
        }
        take("/");
        if (Character.isDigit(tokens.get(at).charAt(0))) {
            double divisor = Double.parseDouble(next());
            dividend.replaceAll((labels, value) -> value / divisor);
        } else {
            Map<Map<String, String>, Double> divisors = term();
            dividend.replaceAll((labels, value) -> value / divisors.getOrDefault(labels, Double.NaN));
        }
        return dividend;
    }

    private Map<Map<String, String>, Double> term() {
        String word = next();
        return switch (word) {
            case "sum" -> by(Double::sum);
            case "min" -> by(Math::min);
            case "rate" -> rate();
            case "histogram_quantile" -> quantile();
            default -> selector(word, moment.now());
        };
    }

    private Map<Map<String, String>, Double> by(BinaryOperator<Double> merge) {
        take("by");
        List<String> kept = Arrays.asList(upTo(")").replaceAll("[()]", "").split(","));
        take("(");
        Map<Map<String, String>, Double> result = emptyResult();
        quotient()
                .forEach((labels, value) -> result.merge(
                        new TreeMap<>(labels.entrySet().stream()
                                .filter(label -> kept.contains(label.getKey()))
                                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))),
                        value,
                        merge));
        take(")");
        return result;
    }

    private Map<Map<String, String>, Double> rate() {
        take("(");
        int start = at;
        Map<Map<String, String>, Double> now = selector(next(), moment.now());
        at = start;
        Map<Map<String, String>, Double> before = selector(next(), moment.before());
        upTo("]");
        take(")");
        now.replaceAll((labels, value) -> (value - before.getOrDefault(labels, 0.0)) / moment.seconds());
        return now;
    }

    /** Linear within a bucket, as Prometheus has it. */
    private Map<Map<String, String>, Double> quantile() {
        take("(");
        double quantile = Double.parseDouble(upTo(",").replace(",", ""));
        TreeMap<Double, Double> buckets = new TreeMap<>();
        quotient()
                .forEach((labels, value) ->
                        buckets.put(Double.valueOf(labels.get("le").replace("+Inf", "Infinity")), value));
        take(")");
        Map<Map<String, String>, Double> result = emptyResult();
        double rank = quantile * buckets.lastEntry().getValue();
        double bound = 0;
        double below = 0;
        for (Map.Entry<Double, Double> bucket : buckets.entrySet()) {
            if (rank > 0 && bucket.getValue() >= rank) {
                double share = (rank - below) / (bucket.getValue() - below);
                result.put(Map.of(), bucket.getKey().isInfinite() ? bound : bound + (bucket.getKey() - bound) * share);
                break;
            }
            bound = bucket.getKey();
            below = bucket.getValue();
        }
        return result;
    }

    private Map<Map<String, String>, Double> selector(String metric, Scrape scrape) {
        String condition = at < tokens.size() && tokens.get(at).equals("{") ? upTo("}") : "";
        Map<Map<String, String>, Double> result = emptyResult();
        // There is one connector.
        String label = condition.contains("$") ? "" : condition.replaceAll("[{}]", "");
        scrape.of(metric, label).forEach((series, value) -> result.put(labels(series), value));
        if (condition.contains("routeId")) {
            result.keySet().removeIf(labels -> !labels.get("routeId").equals("to-s3"));
        }
        return result;
    }

    private static Map<String, String> labels(String series) {
        Map<String, String> labels = new TreeMap<>();
        for (Matcher label = LABEL.matcher(series); label.find(); ) {
            labels.put(label.group(1), label.group(2));
        }
        return labels;
    }

    private static Map<Map<String, String>, Double> emptyResult() {
        return new TreeMap<>(Comparator.comparing(Map::toString));
    }

    private String next() {
        check(at < tokens.size());
        return tokens.get(at++);
    }

    private void take(String token) {
        check(next().equals(token));
    }

    /** All up to that token, and with it. */
    private String upTo(String token) {
        StringBuilder text = new StringBuilder();
        do {
            text.append(next());
        } while (!text.toString().endsWith(token));
        return text.toString();
    }

    private void check(boolean right) {
        if (!right) {
            throw new IllegalArgumentException("at " + at + " of " + tokens);
        }
    }
}
