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
 * @param isThrottled whether the brokers throttle a consumer
 * @param notMember why a consumer is not a member of the group, if one is not
 * @param unreadable what is wrong with the streams that are to be read
 */
record GroupSnapshot(
        Map<TopicPartition, Long> lag,
        Map<TopicPartition, PartitionMonitor.State> lookups,
        Map<TopicPartition, PartitionMonitor.State> reading,
        boolean isThrottled,
        Optional<String> notMember,
        Optional<String> unreadable) {

    /** Of the partitions where it is known. */
    long totalLag() {
        return lag.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Whether the lag of each assigned partition is known. */
    boolean isComplete() {
        return lag.size() == lookups.size();
    }
}
