package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.ChainWorld.Rule;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random worlds in which up to four writers of one partition, all but one of them out of date, take steps in any order,
 * crash, and get no answers, while the log, its topic, the folder and the committed offset change: objects never overlap and are never
 * replaced, what is committed is stored, and in the end each record is in exactly one object. Each rule is needed for it:
 * without it worlds break.
 *
 * <p>{@code -Dchain.seed} and {@code -Dchain.worlds} choose the worlds of the random test.
 */
class ChainModelTest {

    private static final int WORLDS = 4_000;

    @Test
    void eachRecordIsInExactlyOneObject() {
        assertThat(firstBroken(1, WORLDS, seed -> new ChainWorld(seed, Optional.empty()).run()))
                .isEmpty();
    }

    @Test
    void eachRecordIsInExactlyOneObjectInFreshWorlds() {
        long seed = Long.getLong("chain.seed", System.nanoTime());
        int worlds = Integer.getInteger("chain.worlds", WORLDS);
        assertThat(firstBroken(seed, worlds, each -> new ChainWorld(each, Optional.empty()).run()))
                .isEmpty();
    }

    @Test
    void aWriterAloneFindsNoObjectThatIsNotItsOwn() {
        assertThat(firstBroken(1, 500, seed -> new ChainWorld(seed, Optional.empty()).runAlone()))
                .isEmpty();
    }

    /** The rarest one, {@link Rule#WALK}, breaks one world of 150. */
    @ParameterizedTest
    @EnumSource
    void eachRuleIsNeeded(Rule rule) {
        assertThat(firstBroken(1, 1_000, seed -> new ChainWorld(seed, Optional.of(rule)).run()))
                .isPresent();
    }

    private static Optional<String> firstBroken(long seed, int worlds, LongFunction<Optional<String>> world) {
        return LongStream.range(seed, seed + worlds)
                .mapToObj(each -> world.apply(each)
                        .map(fault -> fault + " in world " + (each - seed) + " of seed " + seed
                                + "; -Dchain.worlds=1 -Dchain.seed=" + each + " replays it"))
                .flatMap(Optional::stream)
                .findFirst();
    }
}
