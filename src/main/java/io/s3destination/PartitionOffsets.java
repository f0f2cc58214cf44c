package io.s3destination;

import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/** The records of a partition that are not stored; safe for all threads. */
final class PartitionOffsets {

    private final TreeMap<Long, RecordInFlight> waiting = new TreeMap<>();
    /** The leader epochs of the records, by the first offset of each. */
    private final NavigableMap<Long, Integer> epochs = new TreeMap<>();

    private long committed;
    private long next;
    private long lastBegun = -1;
    private boolean revoked;
    private boolean forgotten;
    private int inFlight;

    PartitionOffsets(long committed, Optional<Integer> epoch) {
        this.committed = committed;
        epoch.ifPresent(before -> epochs.put(-1L, before));
    }

    synchronized void next(long offset) {
        next = offset;
    }

    synchronized void add(ConsumerRecord<?, ?> record, RecordInFlight inFlight) {
        waiting.put(record.offset(), inFlight);
        next = record.offset() + 1;
        record.leaderEpoch()
                .filter(epoch ->
                        epochs.isEmpty() || !epoch.equals(epochs.lastEntry().getValue()))
                .ifPresent(epoch -> epochs.put(record.offset(), epoch));
    }

    synchronized RecordInFlight dispatch(long offset) {
        inFlight++;
        return waiting.get(offset);
    }

    synchronized void revoke() {
        revoked = true;
    }

    synchronized void forget() {
        revoked = true;
        forgotten = true;
    }

    synchronized boolean isForgotten() {
        return forgotten;
    }

    synchronized boolean begin(long offset) {
        if (revoked && offset > lastBegun) {
            return false;
        }
        lastBegun = Math.max(lastBegun, offset);
        return true;
    }

    synchronized void done(long offset, boolean stored) {
        inFlight--;
        if (stored) {
            waiting.remove(offset);
        }
    }

    synchronized int inFlight() {
        return inFlight;
    }

    synchronized Optional<OffsetAndMetadata> uncommitted(Supplier<OptionalLong> position) {
        long stored = waiting.isEmpty() ? Math.max(next, position.get().orElse(next)) : waiting.firstKey();
        if (stored <= committed) {
            return Optional.empty();
        }
        Map.Entry<Long, Integer> epoch = epochs.lowerEntry(stored);
        if (epoch != null) {
            epochs.headMap(epoch.getKey()).clear();
        }
        return Optional.of(
                new OffsetAndMetadata(stored, Optional.ofNullable(epoch).map(Map.Entry::getValue), ""));
    }

    synchronized void committed(long offset) {
        committed = Math.max(committed, offset);
    }

    synchronized long span() {
        return waiting.isEmpty() ? 0 : next - waiting.firstKey();
    }
}
