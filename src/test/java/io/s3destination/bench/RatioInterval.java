package io.s3destination.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * The geometric mean of the ratios of paired runs, and its 95 % interval, by the t distribution of their logarithms.
 *
 * @param mean the geometric mean
 */
record RatioInterval(double mean, double lower, double upper) {

    /** A ratio that is lower than this, for certain, is worse. */
    private static final double TOLERATED = 0.98;

    /** The 97.5 % quantile of the t distribution for 1, 2, 3 … degrees of freedom. */
    private static final double[] T = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093
    };

    static final int MIN_PAIRS = 2;
    static final int MAX_PAIRS = T.length + 1;

    static RatioInterval of(double... ratios) {
        if (ratios.length < MIN_PAIRS || ratios.length > MAX_PAIRS) {
            throw new IllegalArgumentException(
                    ratios.length + " ratios: must be from " + MIN_PAIRS + " to " + MAX_PAIRS);
        }
        double[] logs = Arrays.stream(ratios).map(Math::log).toArray();
        double mean = Arrays.stream(logs).average().orElseThrow();
        int freedom = logs.length - 1;
        double variance =
                Arrays.stream(logs).map(log -> (log - mean) * (log - mean)).sum() / freedom;
        double half = T[freedom - 1] * Math.sqrt(variance / logs.length);
        return new RatioInterval(Math.exp(mean), Math.exp(mean - half), Math.exp(mean + half));
    }

    /** Whether the whole interval is below 0.98: for figures of which more is better. */
    boolean worse() {
        return upper < TOLERATED;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.3f (%.3f to %.3f)", mean, lower, upper);
    }
}
