package io.s3destination.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RatioIntervalTest {

    @Test
    void aRatioAndItsInverseCancelOut() {
        assertThat(RatioInterval.of(0.5, 2).mean()).isCloseTo(1, within(1e-9));
    }

    @Test
    void tenPairsHaveNineDegreesOfFreedom() {
        RatioInterval interval = RatioInterval.of(tenRatios(1, 0.1));

        // The standard deviation of the logarithms is 0.1 * sqrt(10 / 9), the standard error of their mean 0.1 / 3.
        assertThat(interval.mean()).isCloseTo(1, within(1e-9));
        assertThat(interval.lower()).isCloseTo(Math.exp(-2.262 * 0.1 / 3), within(1e-9));
        assertThat(interval.upper()).isCloseTo(Math.exp(2.262 * 0.1 / 3), within(1e-9));
    }

    @Test
    void theIntervalMovesWithTheMean() {
        RatioInterval interval = RatioInterval.of(tenRatios(0.8, 0.1));

        assertThat(interval.mean()).isCloseTo(0.8, within(1e-9));
        assertThat(interval.lower()).isCloseTo(0.8 * Math.exp(-2.262 * 0.1 / 3), within(1e-9));
        assertThat(interval.upper()).isCloseTo(0.8 * Math.exp(2.262 * 0.1 / 3), within(1e-9));
    }

    @Test
    void twoPairsHaveOneDegreeOfFreedom() {
        // The standard error of two logarithms, 0 and -0.02, is 0.01.
        RatioInterval interval = RatioInterval.of(1, Math.exp(-0.02));

        assertThat(interval.upper()).isCloseTo(Math.exp(-0.01 + 12.706 * 0.01), within(1e-9));
    }

    @Test
    void worseIsAnIntervalBelow098() {
        // Upper ends: 0.9712, 0.9907 and 1.0009.
        assertThat(RatioInterval.of(tenRatios(0.97, 0.0016)).worse()).isTrue();
        assertThat(RatioInterval.of(tenRatios(0.97, 0.028)).worse()).isFalse();
        assertThat(RatioInterval.of(tenRatios(0.98, 0.028)).worse()).isFalse();
        assertThat(RatioInterval.of(tenRatios(1.05, 0.0016)).worse()).isFalse();
    }

    @Test
    void numbersOfPairsWithoutQuantileAreRefused() {
        assertThatThrownBy(() -> RatioInterval.of(1)).hasMessage("1 ratios: must be from 2 to 20");
        assertThatThrownBy(() -> RatioInterval.of(new double[21])).hasMessage("21 ratios: must be from 2 to 20");
        assertThat(RatioInterval.of(new double[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
                        .upper())
                .isEqualTo(1);
    }

    /** Half of them above the mean, and half of them below. */
    private static double[] tenRatios(double mean, double deviation) {
        return IntStream.range(0, 10)
                .mapToDouble(n -> mean * Math.exp(n % 2 == 0 ? deviation : -deviation))
                .toArray();
    }
}
