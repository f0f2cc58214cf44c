package io.s3destination;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * What was seen of a connector's group at one look.
 *
 * @param lag of the assigned partitions where it is known
 * @param lookups pending for each assigned partition whose lag is unknown
 * @param reading pending for each assigned partition that has lag and nothing in flight; its progress is that of reading
 * @param waiting so many of them are read and wait in open runs, which are stored by their size or age
 * @param isThrottled whether the brokers throttle a consumer
 * @param notMember why a consumer is not a member of the group, if one is not
 * @param unreadable what is wrong with the streams that are to be read
 */
record GroupSnapshot(
        Map<TopicPartition, Long> lag,
        Map<TopicPartition, PartitionMonitor.State> lookups,
        Map<TopicPartition, PartitionMonitor.State> reading,
        long waiting,
        boolean isThrottled,
        Optional<String> notMember,
        Optional<String> unreadable) {

    /** Of the partitions where it is known. */
    long totalLag() {
        return lag.values().stream().mapToLong(Long::longValue).sum();
    }

    /** What is to be stored now. */
    boolean isPending() {
        return totalLag() > waiting;
    }

    /** Whether the lag of each assigned partition is known. */
    boolean isComplete() {
        return lag.size() == lookups.size();
    }
}
