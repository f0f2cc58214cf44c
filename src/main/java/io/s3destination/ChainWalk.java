package io.s3destination;

import java.util.OptionalLong;

/**
 * Looks for the end of a {@link Chain} where no mark shows it: for an object at or before an offset, at growing distance,
 * and from there along the chain. Asks for one object after the other, by {@link #start}, and is done when the next one is
 * not there: its start is the link where the chain goes on. For one thread at a time; {@link #stored} is for all threads.
 *
 * <p>An answer may have been cut off, and half a number is a number: it is a smaller one. Since objects do not overlap, one that
 * begins behind an end shows that the end is right; the end behind which none begins is asked for twice.
 */
final class ChainWalk {

    private static final long NONE = -1;

    private final long offset;
    private final long target;
    private final long cellStart;
    private long start;
    private long distance;
    private boolean onChain;
    private boolean done;
    /** Where the last object that was found begins; it is a link, as is all that an object begins at. */
    private volatile long lastFound = NONE;
    /** While that object is asked for again: behind its end no object begins. */
    private long end = NONE;

    /** @param target at or above the first offset that must be stored, such as what is committed */
    ChainWalk(long recordsPerObject, long target) {
        this(recordsPerObject, Chain.CELL, target);
    }

    /** @param cell as {@link Chain#CELL}, for tests */
    ChainWalk(long recordsPerObject, long cell, long target) {
        this.offset = 0;
        this.target = target;
        cellStart = target / cell * cell;
        start = Math.max(target / recordsPerObject * recordsPerObject, cellStart);
        distance = recordsPerObject;
        onChain = start == cellStart;
    }

    /**
     * From a link on.
     *
     * @param begin what is committed
     * @param goesOn whether the end of the chain was not found yet; else this is done
     */
    ChainWalk(Chain.Commit begin, boolean goesOn) {
        offset = begin.offset();
        target = begin.offset();
        cellStart = begin.link();
        start = begin.link();
        onChain = true;
        done = !goesOn;
    }

    /** The start of the object to ask for next. */
    long start() {
        return start;
    }

    /** Where the chain goes on, when it {@link #isDone}: what is to be read from there on is not stored. */
    Chain.Commit end() {
        return new Chain.Commit(Math.max(offset, start), start);
    }

    boolean isDone() {
        return done;
    }

    /**
     * A link above the target up to which all is stored from the target on, as far as the walk has come: it may be committed, as
     * the offset, too. Links at or below the target may not: what lies between them and the target may be stored nowhere.
     */
    OptionalLong stored() {
        long link = lastFound;
        return link > target ? OptionalLong.of(link) : OptionalLong.empty();
    }

    /** Takes in that there is an object at the start, which ends there, or further on if the answer was cut off. */
    void found(long last) {
        onChain = true;
        lastFound = start;
        start = last + 1;
        done = start == end;
        end = NONE;
    }

    /** Takes in that there is no object at the start. */
    void notFound() {
        if (!onChain) {
            // Runs end at multiples of their size, too, and the start of a cell always is a link.
            start = Math.max(start - distance, cellStart);
            distance *= 2;
            onChain = start == cellStart;
        } else if (lastFound == NONE || start == lastFound) {
            done = true;
        } else {
            end = start;
            start = lastFound;
        }
    }
}
