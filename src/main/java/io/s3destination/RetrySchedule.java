package io.s3destination;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which records that failed get their next attempt, and when: in the order in which they are due, so many at once as are
 * allowed. Each attempt takes a turn, and one that fails keeps it as long as its record waits, so that an outage is not made
 * worse by all that wait; after one that succeeds the next record follows at once. Has no clock and no thread: each time is
 * a number of nanoseconds. Safe for all threads.
 *
 * @param <R> a record
 */
final class RetrySchedule<R> {

    private record Waiting<R>(R record, long due, long order, long size) {}

    private final int atOnce;
    private final int turns;
    private final Map<R, Waiting<R>> waiting = new HashMap<>();
    private final TreeSet<Waiting<R>> byDue =
            new TreeSet<>(Comparator.<Waiting<R>>comparingLong(Waiting::due).thenComparingLong(Waiting::order));
    private final Set<R> running = new HashSet<>();
    /** When each turn that pauses may be taken again. */
    private final PriorityQueue<Long> pausing = new PriorityQueue<>();

    private long order;

    /**
     * @param atOnce how many records may be in an attempt at once
     * @param turns how many attempts at most are made within the delay of one that fails
     */
    RetrySchedule(int atOnce, int turns) {
        this.atOnce = atOnce;
        this.turns = turns;
    }

    /**
     * Has a record wait for its next attempt, after one that failed or was not made.
     *
     * @param size of the record in memory, in bytes
     */
    synchronized void add(R record, long due, long size) {
        remove(record);
        if (running.remove(record)) {
            pausing.add(due);
        }
        Waiting<R> entry = new Waiting<>(record, due, order++, size);
        waiting.put(record, entry);
        byDue.add(entry);
    }

    /** Takes a record out, if it waits. */
    synchronized void remove(R record) {
        Optional.ofNullable(waiting.remove(record)).ifPresent(byDue::remove);
    }

    /** Takes in that a record needs no further attempt. */
    synchronized void ended(R record) {
        remove(record);
        running.remove(record);
    }

    /** The records whose next attempt is to begin now. */
    synchronized List<R> next(long now) {
        while (!pausing.isEmpty() && pausing.peek() <= now) {
            pausing.remove();
        }
        List<R> next = new ArrayList<>();
        while (running.size() < atOnce
                && running.size() + pausing.size() < turns
                && !byDue.isEmpty()
                && byDue.first().due() <= now) {
            R record = byDue.first().record();
            remove(record);
            running.add(record);
            next.add(record);
        }
        return next;
    }

    /** The record that waits and takes most memory. */
    synchronized Optional<R> largest() {
        return byDue.stream()
                .max(Comparator.comparingLong(Waiting<R>::size).thenComparingLong(Waiting::order))
                .map(Waiting::record);
    }
}
