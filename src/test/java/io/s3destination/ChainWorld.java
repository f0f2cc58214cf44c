package io.s3destination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The log of one partition, the two folders that its records may go to, and the group's committed offset: what the
 * {@link ChainWriter}s of the partition share. What happens to them depends on the seed alone.
 */
final class ChainWorld {

    /** Small, so that worlds cross cells. */
    static final long CELL = 32;

    private static final List<Integer> SIZES = List.of(2, 3, 5, 7, 8, 12, 50);
    private static final int MAX_WRITERS = 4;
    private static final int MAX_STEPS_TO_THE_END = 10_000;

    /** What keeps an object from overlapping with another one and a record from being lost; each can be broken alone. */
    enum Rule {
        /** An object is named for a link of the chain, not for its first record. */
        LINK,
        /** No object is replaced. */
        CONDITIONAL,
        /** Where another writer's object is found, all that was read is dropped. */
        FOREIGN,
        /** No run crosses into the next cell. */
        CELL,
        /** A commit without a mark is not taken for a link. */
        MARK,
        /** A mark counts in its own folder only. */
        PLACE,
        /** A mark counts with its own offset only. */
        MOVED,
        /** What a mark gives as the link is the link, not the offset. */
        POSITION,
        /** Where the start of the log has passed the offset, the link stays. */
        START,
        /** The dead letters of a run are created before its object. */
        LETTERS,
        /** A run without a line is no link: its start stays the link. */
        EMPTY
    }

    /** @param offset of the commit that it was made for */
    record Mark(Folder folder, long link, long offset) {}

    record Committed(long offset, Optional<Mark> mark) {}

    record StoredRun(long start, long last, List<Long> lines) {}

    private final SplittableRandom random;
    private final Optional<Rule> broken;
    private final List<Folder> folders = List.of(new Folder(), new Folder());
    private final List<ChainWriter> writers = new ArrayList<>();
    private final List<Runnable> latePuts = new ArrayList<>();
    private final List<Committed> lateCommits = new ArrayList<>();
    private final List<Integer> recordsPerObject = new ArrayList<>();
    private final NavigableSet<Long> records = new TreeSet<>();
    /** Those that are neither compacted nor expired. */
    private final NavigableSet<Long> lasting = new TreeSet<>();

    private final Set<Long> invalid = new HashSet<>();
    private Folder folder = folders.get(0);
    private Optional<Committed> committed = Optional.empty();
    private Optional<String> fault = Optional.empty();
    private boolean alone;
    private long start;
    private long end;

    ChainWorld(long seed, Optional<Rule> broken) {
        random = new SplittableRandom(seed);
        this.broken = broken;
        recordsPerObject.add(any(SIZES));
        grow(random.nextInt(10, 91));
    }

    /**
     * Lets things happen, and one writer read to the end.
     *
     * @return what must not be, if it came to be
     */
    Optional<String> run() {
        for (int events = random.nextInt(50, 501); events > 0 && fault.isEmpty(); events--) {
            happen(random.nextDouble());
        }
        finish();
        return fault;
    }

    /** As {@link #run}, with nothing else than that writer: it never finds an object of another one. */
    Optional<String> runAlone() {
        alone = true;
        finish();
        return fault;
    }

    private void happen(double event) {
        if (event < 0.05 || writers.isEmpty()) {
            if (writers.size() < MAX_WRITERS) {
                writers.add(new ChainWriter(this, any(recordsPerObject)));
            }
        } else if (event < 0.07) {
            removeAny(writers);
        } else if (event < 0.08) {
            committed = Optional.of(new Committed(random.nextLong(start, end + 1), Optional.empty()));
        } else if (event < 0.085) {
            committed = committed.map(before -> new Committed(random.nextLong(start, end + 1), before.mark()));
        } else if (event < 0.09) {
            recordsPerObject.add(any(SIZES));
            if (recordsPerObject.size() > 3) {
                recordsPerObject.remove(0);
            }
        } else if (event < 0.105) {
            records.removeIf(offset -> happens(0.1));
            lasting.retainAll(records);
        } else if (event < 0.11) {
            start = Math.min(end - 1, start + random.nextInt(21));
            lasting.headSet(start).clear();
        } else if (event < 0.125) {
            grow(random.nextInt(1, 16));
        } else if (event < 0.13) {
            folder = folders.get(1 - folders.indexOf(folder));
        } else if (event < 0.17 && !latePuts.isEmpty()) {
            removeAny(latePuts).run();
        } else if (event < 0.27 && !lateCommits.isEmpty()) {
            committed = Optional.of(removeAny(lateCommits));
        } else {
            any(writers).step();
        }
    }

    private void grow(int offsets) {
        for (long offset = end; offset < end + offsets; offset++) {
            if (happens(0.8)) {
                records.add(offset);
                lasting.add(offset);
            }
            if (happens(0.15)) {
                invalid.add(offset);
            }
        }
        end += offsets;
    }

    private void finish() {
        writers.clear();
        committed = random.nextBoolean() ? Optional.of(new Committed(0, Optional.empty())) : Optional.empty();
        ChainWriter last = new ChainWriter(this, any(recordsPerObject));
        for (int steps = 0; fault.isEmpty() && !last.isIdle(); steps++) {
            last.step();
            require(steps < MAX_STEPS_TO_THE_END, "endless: the last writer does not reach the end");
        }
        while (!latePuts.isEmpty()) {
            removeAny(latePuts).run();
        }
        Map<Long, Integer> times = folder.timesStored();
        for (long offset : lasting) {
            int expected = invalid.contains(offset) ? 0 : 1;
            int actual = times.getOrDefault(offset, 0);
            require(actual == expected, "count: " + offset + " is in " + actual + " objects in the end");
        }
        requireStored(folder, 0, end);
    }

    /** What must hold when an offset is committed by a writer that read from another one. */
    void requireStored(Folder folder, long from, long committed) {
        if (from < committed) {
            for (long offset : lasting.subSet(from, committed)) {
                boolean isStored = (invalid.contains(offset) ? folder.letters : folder.lines).contains(offset);
                require(isStored, "lost: " + offset + " when " + committed + " is committed");
            }
        }
    }

    void require(boolean condition, String otherwise) {
        if (!condition && fault.isEmpty()) {
            fault = Optional.of(otherwise);
        }
    }

    void foundForeign(long last) {
        require(!alone, "foreign: an object that ends at " + last + " is taken for another writer's");
    }

    boolean breaks(Rule rule) {
        return broken.equals(Optional.of(rule));
    }

    boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    private <T> T any(List<T> things) {
        return things.get(random.nextInt(things.size()));
    }

    private <T> T removeAny(List<T> things) {
        return things.remove(random.nextInt(things.size()));
    }

    Folder folder() {
        return folder;
    }

    Optional<Committed> committed() {
        return committed;
    }

    void commitLater(Committed commit) {
        lateCommits.add(commit);
    }

    void putLater(Runnable put) {
        latePuts.add(put);
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

    boolean isLine(long offset) {
        return !invalid.contains(offset);
    }

    /** The objects of runs by their starts, and the dead letters. */
    final class Folder {

        private final NavigableMap<Long, StoredRun> objects = new TreeMap<>();
        private final Set<Long> lines = new HashSet<>();
        private final Set<Long> letters = new HashSet<>();

        /** @return whether it was not there */
        boolean create(StoredRun object) {
            if (objects.containsKey(object.start())) {
                if (!breaks(Rule.CONDITIONAL)) {
                    return false;
                }
                require(objects.get(object.start()).equals(object), "replaced: the object at " + object.start());
            }
            objects.put(object.start(), object);
            lines.addAll(object.lines());

            Optional.ofNullable(objects.lowerEntry(object.start()))
                    .ifPresent(before -> requireApart(before.getValue(), object));
            Optional.ofNullable(objects.higherEntry(object.start()))
                    .ifPresent(after -> requireApart(object, after.getValue()));
            require(
                    object.lines().stream().allMatch(line -> line >= object.start() && line <= object.last()),
                    "outside: a line of the object of " + object.start() + " to " + object.last());
            return true;
        }

        private void requireApart(StoredRun before, StoredRun after) {
            require(
                    before.last() < after.start(),
                    "overlap: the object at " + after.start() + " begins in one that ends at " + before.last());
        }

        void createLetter(long offset) {
            letters.add(offset);
        }

        /** The last offset of the object, if it is there. */
        OptionalLong head(long start) {
            return objects.containsKey(start)
                    ? OptionalLong.of(objects.get(start).last())
                    : OptionalLong.empty();
        }

        private Map<Long, Integer> timesStored() {
            Map<Long, Integer> times = new HashMap<>();
            objects.values().forEach(object -> object.lines().forEach(line -> times.merge(line, 1, Integer::sum)));
            return times;
        }
    }
}
