package io.s3destination;

/**
 * Looks for the end of a {@link Chain} where no mark shows it: for an object at or before an offset, at growing distance,
 * and from there along the chain. Asks for one object after the other, by {@link #start}, and is done when the next one is
 * not there: its start is the link. For one thread at a time.
 */
final class ChainWalk {

    private final long cellStart;
    private long start;
    private long distance;
    private boolean onChain;
    private boolean done;

    /** @param target at or above the first offset that must be stored, such as what is committed */
    ChainWalk(long recordsPerObject, long target) {
        this(recordsPerObject, Chain.CELL, target);
    }

    /** @param cell as {@link Chain#CELL}, for tests */
    ChainWalk(long recordsPerObject, long cell, long target) {
        cellStart = target / cell * cell;
        start = Math.max(target / recordsPerObject * recordsPerObject, cellStart);
        distance = recordsPerObject;
        onChain = start == cellStart;
    }

    /** The start of the object to ask for next; the link when it {@link #isDone}. */
    long start() {
        return start;
    }

    boolean isDone() {
        return done;
    }

    /** Takes in that there is an object at the start. */
    void found(long last) {
        onChain = true;
        start = last + 1;
    }

    /** Takes in that there is no object at the start. */
    void notFound() {
        if (onChain) {
            done = true;
            return;
        }
        // Runs end at multiples of their size, too, and the start of a cell always is a link.
        start = Math.max(start - distance, cellStart);
        distance *= 2;
        onChain = start == cellStart;
    }
}
