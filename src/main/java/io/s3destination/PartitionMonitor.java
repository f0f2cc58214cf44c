package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/** A {@link ProgressMonitor} for each partition, so that one that moves hides none that does not. For one thread. */
final class PartitionMonitor {

    private final Duration interval;
    private final Map<TopicPartition, ProgressMonitor> monitors = new HashMap<>();

    PartitionMonitor(Duration interval) {
        this.interval = interval;
    }

    /** What is seen of a partition; see {@link ProgressMonitor#look}. */
    record State(boolean isPending, long progress) {}

    /** Takes in what is seen now of all partitions: those that are missing are forgotten. */
    void look(long now, Map<TopicPartition, State> seen) {
        monitors.keySet().retainAll(seen.keySet());
        seen.forEach((partition, state) -> monitors.computeIfAbsent(partition, unused -> new ProgressMonitor(interval))
                .look(now, state.isPending(), state.progress()));
    }

    /** The partitions that are pending without progress for no less than the limit, and for how long. */
    Map<TopicPartition, Duration> stalled(Duration limit) {
        Map<TopicPartition, Duration> stalled = new HashMap<>();
        monitors.forEach(
                (partition, monitor) -> monitor.stalled(limit).ifPresent(time -> stalled.put(partition, time)));
        return stalled;
    }

    /** The one that is pending for longest, in words. */
    Optional<String> longest(Duration limit, String words) {
        return stalled(limit).entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(longest -> "partition " + longest.getKey() + " " + words + " for "
                        + longest.getValue().toSeconds() + " s");
    }
}
