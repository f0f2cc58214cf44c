package io.s3destination;

import java.util.HashSet;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;

/** The log of one partition in a {@link ChainWorld}; a topic that is created again has another one. */
final class ChainLog {

    private final Uuid topic;
    private final SplittableRandom random;
    private final NavigableSet<Long> records = new TreeSet<>();
    /** Those that are neither compacted nor expired. */
    private final NavigableSet<Long> lasting = new TreeSet<>();

    private final Set<Long> invalid = new HashSet<>();
    private long start;
    private long end;

    ChainLog(Uuid topic, SplittableRandom random) {
        this.topic = topic;
        this.random = random;
        grow(random.nextInt(10, 91));
    }

    void grow(int offsets) {
        for (long offset = end; offset < end + offsets; offset++) {
            if (random.nextDouble() < 0.8) {
                records.add(offset);
                lasting.add(offset);
            }
            if (random.nextDouble() < 0.15) {
                invalid.add(offset);
            }
        }
        end += offsets;
    }

    void compact() {
        records.removeIf(offset -> random.nextDouble() < 0.1);
        lasting.retainAll(records);
    }

    void expire(int offsets) {
        start = Math.min(end - 1, start + offsets);
        lasting.headSet(start).clear();
    }

    Uuid topic() {
        return topic;
    }

    long start() {
        return start;
    }

    long end() {
        return end;
    }

    Optional<Long> recordFrom(long position) {
        return Optional.ofNullable(records.ceiling(Math.max(position, start)));
    }

    NavigableSet<Long> lasting() {
        return lasting;
    }

    boolean isLine(long offset) {
        return !invalid.contains(offset);
    }
}
