package io.s3destination;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.kafka.common.Uuid;

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
        EMPTY,
        /** Of the links that are found on the way to the end of the chain, those above the offset alone are committed. */
        WALK,
        /** An end that one answer shows counts if an object begins behind it, or if it is shown again. */
        CUT,
        /** An object is taken for missing where S3 refuses to show it only if it shows the claim. */
        DENIED,
        /** Objects of many records are not stored where those of one record are. */
        MODE,
        /** The claim keeps the objects of another topic of that name out of the folder. */
        CLAIM,
        /** Claim and objects show the ID of their topic. */
        TOPIC
    }

    /**
     * @param offset of the commit that it was made for
     * @param isOnTheWay whether the end of the chain was not found yet
     */
    record Mark(Uuid topic, ChainFolder folder, long link, long offset, boolean isOnTheWay) {}

    record Committed(long offset, Optional<Mark> mark) {}

    private final SplittableRandom random;
    private final Optional<Rule> broken;
    private final List<ChainFolder> folders = List.of(new ChainFolder(this), new ChainFolder(this));
    private final List<ChainWriter> writers = new ArrayList<>();
    private final List<Runnable> latePuts = new ArrayList<>();
    private final List<Committed> lateCommits = new ArrayList<>();
    private final List<Integer> recordsPerObject = new ArrayList<>();
    /** Whether S3 shows that an object is missing, which needs s3:ListBucket; else it refuses to show it. */
    private final boolean mayList;

    private ChainFolder folder = folders.get(0);
    private ChainLog log;
    private Optional<Committed> committed = Optional.empty();
    private Optional<String> fault = Optional.empty();
    private boolean isDenied;
    private boolean alone;

    ChainWorld(long seed, Optional<Rule> broken) {
        random = new SplittableRandom(seed);
        this.broken = broken;
        recordsPerObject.add(any(SIZES));
        mayList = random.nextBoolean();
        log = new ChainLog(new Uuid(seed, 1), random);
        if (happens(0.1)) {
            storeSingles();
        }
    }

    /** An older version has stored the first records one by one. */
    private void storeSingles() {
        long last = random.nextLong(log.end());
        for (long offset = 0; offset <= last; offset++) {
            if (log.recordFrom(offset).equals(Optional.of(offset)) && log.isLine(offset)) {
                folder.createSingle(log.topic(), offset);
                committed = Optional.of(new Committed(offset + 1, Optional.empty()));
            }
        }
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
            reset(random.nextLong(log.start(), log.end() + 1));
        } else if (event < 0.085) {
            // By a tool that translates offsets.
            committed
                    .filter(before -> before.mark().isPresent())
                    .ifPresent(before -> committed =
                            Optional.of(new Committed(random.nextLong(log.start(), log.end() + 1), before.mark())));
        } else if (event < 0.09) {
            recordsPerObject.add(any(SIZES));
            if (recordsPerObject.size() > 3) {
                recordsPerObject.remove(0);
            }
        } else if (event < 0.105) {
            log.compact();
        } else if (event < 0.11) {
            log.expire(random.nextInt(21));
        } else if (event < 0.125) {
            log.grow(random.nextInt(1, 16));
        } else if (event < 0.13) {
            useOtherFolder();
        } else if (event < 0.132) {
            recreateTopic();
        } else if (event < (isDenied ? 0.17 : 0.135)) {
            isDenied = !isDenied;
        } else if (event < 0.175 && !latePuts.isEmpty()) {
            removeAny(latePuts).run();
        } else if (event < 0.275 && !lateCommits.isEmpty()) {
            committed = Optional.of(removeAny(lateCommits));
        } else {
            ChainWriter writer = any(writers);
            writer.step();
            if (writer.isStopped()) {
                writers.remove(writer);
            }
        }
    }

    /** Away from objects of one record for good: where offsets were reset meanwhile, one HEAD does not show them. */
    private void useOtherFolder() {
        if (folder.hasSingles()) {
            writers.clear();
        }
        ChainFolder other = folders.get(1 - folders.indexOf(folder));
        folder = other.hasSingles() ? folder : other;
    }

    /** To one record per object an older version has committed without a mark, behind an object. */
    private void reset(long offset) {
        if (!folder.hasSingles() || folder.isSingle(log.topic(), offset - 1)) {
            committed = Optional.of(new Committed(offset, Optional.empty()));
        }
    }

    /** Kafka deletes the commits with the topic, and a process may write them again; one record per object has no claim. */
    private void recreateTopic() {
        if (!folder.hasSingles()) {
            log = new ChainLog(
                    new Uuid(log.topic().getMostSignificantBits(), log.topic().getLeastSignificantBits() + 1), random);
            committed = committed.filter(kept -> happens(0.5));
        }
    }

    private void finish() {
        writers.clear();
        isDenied = false;
        if (!folder.hasSingles()) {
            setBack();
        }
        if (readToTheEnd().isStopped()) {
            require(folder.isRefused(log.topic()), "stopped: the last writer, in a folder of its own");
            folder = new ChainFolder(this);
            setBack();
            require(!readToTheEnd().isStopped(), "stopped: the last writer, in a new folder");
        }
        while (!latePuts.isEmpty()) {
            removeAny(latePuts).run();
        }
        requireStored(folder, log, 0, log.end());
    }

    private void setBack() {
        committed = random.nextBoolean() ? Optional.of(new Committed(0, Optional.empty())) : Optional.empty();
    }

    private ChainWriter readToTheEnd() {
        ChainWriter last = new ChainWriter(this, any(recordsPerObject));
        for (int steps = 0; fault.isEmpty() && !last.isIdle() && !last.isStopped(); steps++) {
            last.step();
            require(steps < MAX_STEPS_TO_THE_END, "endless: the last writer does not reach the end");
        }
        return last;
    }

    /** What must hold when an offset is committed by a writer that read from another one. */
    void requireStored(ChainFolder folder, ChainLog log, long from, long committed) {
        if (from < committed) {
            for (long offset : log.lasting().subSet(from, committed)) {
                require(folder.isStored(log, offset), "lost: " + offset + " when " + committed + " is committed");
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

    ChainFolder folder() {
        return folder;
    }

    ChainLog log() {
        return log;
    }

    boolean mayList() {
        return mayList;
    }

    /** Whether S3 refuses to show objects. */
    boolean isDenied() {
        return isDenied;
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
}
