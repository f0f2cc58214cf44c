package io.s3destination;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * The objects of many records of one partition, as one writer knows them: each begins at the offset behind the last one of
 * the object before it, so that they form a chain without overlaps. Has no clock and no connection: the records that were
 * read come in, runs to be stored and the offset to be committed come out. For one thread at a time.
 *
 * <p>A start is a link of the chain if an object ends just before it, or if it begins a cell: no run crosses into the next
 * cell. An object that begins at a link and is created only where none is cannot overlap with another one.
 */
final class Chain {

    /** So many offsets are a cell, whatever the settings: changed, runs of old and new writers overlap. */
    static final long CELL = 1 << 20;

    /**
     * What a group commits of a partition.
     *
     * @param offset behind all that is stored, or is nothing that is to be stored
     * @param link where the next object begins, at or before the offset
     */
    record Commit(long offset, long link) {}

    private final long recordsPerObject;
    private final long cell;
    /** Complete runs, to be stored in this order; the first one's start is a link, the others' will be. */
    private final Deque<Run> complete = new ArrayDeque<>();

    private Run open;
    private long link;
    private long offset;

    /**
     * @param recordsPerObject a run ends before a multiple of it
     * @param begin a link, and the offset to read from
     */
    Chain(long recordsPerObject, Commit begin) {
        this(recordsPerObject, CELL, begin);
    }

    /** @param cell as {@link #CELL}, for tests */
    Chain(long recordsPerObject, long cell, Commit begin) {
        this.recordsPerObject = recordsPerObject;
        this.cell = cell;
        this.link = begin.link();
        this.offset = begin.offset();
    }

    /**
     * Takes the next offset whose record has ended its steps. The run before it is complete where it cannot reach that far.
     *
     * @return the run that the offset belongs to
     */
    Run take(long read) {
        if (open != null && read >= open.limit()) {
            complete();
        }
        if (open == null) {
            open = begin(read);
        }
        open.take(read);
        return open;
    }

    private Run begin(long first) {
        Run before = complete.peekLast();
        long next = before == null ? link : before.next();
        // Where no record is left in a cell the chain goes on at the start of the next one, which is a link.
        long start = first / cell == next / cell ? next : first / cell * cell;
        return new Run(start, Math.min((first / recordsPerObject + 1) * recordsPerObject, (start / cell + 1) * cell));
    }

    /** The run that takes the next offset, if that is not beyond it. */
    Optional<Run> open() {
        return Optional.ofNullable(open);
    }

    /** Completes the open run, if there is one: by its size, its age, or since it cannot reach the next offset. */
    void complete() {
        if (open != null) {
            complete.add(open);
            open = null;
        }
    }

    /** The complete run that is to be stored now; the next one follows when it is. */
    Optional<Run> next() {
        return Optional.ofNullable(complete.peek());
    }

    /** Takes in that the run of {@link #next} is stored: its dead letters, and its object unless it has no line. */
    void stored() {
        Run run = complete.remove();
        link = run.next();
        offset = run.last() + 1;
    }

    /**
     * Takes in that another object was there at the start of the run of {@link #next}.
     *
     * @param last the last offset of that object
     * @return whether it is another writer's: then nothing that was read fits behind it any more, all is dropped, and reading
     *     goes on at {@link #commit}'s offset
     */
    boolean occupied(long last) {
        if (last == complete.element().last()) {
            stored();
            return false;
        }
        complete.clear();
        open = null;
        link = last + 1;
        // That writer may have read records that were deleted since: its object may end before the offset.
        offset = Math.max(offset, link);
        return true;
    }

    /** Takes in that what lies before that offset and was not taken holds no record, as transaction markers do not. */
    void passed(long position) {
        if (open == null && complete.isEmpty()) {
            offset = Math.max(offset, position);
        }
    }

    /** What may be committed. */
    Commit commit() {
        return new Commit(offset, link);
    }

    /** A range of offsets that becomes one object. */
    static final class Run {

        private final long start;
        private final long limit;
        private long last;
        private boolean hasLine;

        Run(long start, long limit) {
            this.start = start;
            this.limit = limit;
        }

        private void take(long read) {
            last = read;
        }

        /** Takes in that it holds a line: one with dead letters and gaps alone makes no object. */
        void line() {
            hasLine = true;
        }

        boolean hasLine() {
            return hasLine;
        }

        /** The offset that its object is named for. */
        long start() {
            return start;
        }

        /** The last offset that it covers, so far. */
        long last() {
            return last;
        }

        /** The first offset that it may not cover. */
        long limit() {
            return limit;
        }

        /** Where the object behind it begins. */
        private long next() {
            return hasLine ? last + 1 : start;
        }

        /** Whether it covers all that it may: a further offset would not belong to it. */
        boolean isFull() {
            return last + 1 >= limit;
        }
    }
}
