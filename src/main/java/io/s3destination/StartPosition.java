package io.s3destination;

import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * Where reading a partition begins, or why it must not. Decided from what the brokers answer, and from nothing else.
 *
 * @param offset the first offset to read
 * @param epoch the leader epoch to check the offset by, which recognises a log that was truncated
 * @param lost how many offsets before it Kafka deleted before they were stored: an upper bound, gaps among them
 * @param isBeginning whether there was no committed offset
 * @param end of the log
 * @param stop why the partition must not be read; the other components mean nothing then
 */
record StartPosition(
        long offset, Optional<Integer> epoch, long lost, boolean isBeginning, long end, Optional<String> stop) {

    private static final String RESET = "Stop all instances, reset the group's offsets of this stream"
            + " (kafka-consumer-groups --reset-offsets), set another folder unless the stored objects may be replaced,"
            + " and start again";

    /**
     * Decides for one partition.
     *
     * @param position where it was read until now, if Kafka refused that offset; else reading follows the commit
     * @param remembered the ID of the topic when this process first read it
     * @param isSecondLook whether an offset beyond the end of the log was seen in the answer before, too
     * @return empty to ask again, since an answer may be out of date
     */
    static Optional<StartPosition> of(
            TopicPartition partition,
            OptionalLong position,
            PartitionLookup.Answer answer,
            Optional<Uuid> remembered,
            boolean isSecondLook) {
        Optional<OffsetAndMetadata> commit =
                position.isPresent() ? Optional.of(new OffsetAndMetadata(position.getAsLong())) : answer.committed();
        Optional<Uuid> marked = answer.committed().flatMap(CommitMark::of).flatMap(CommitMark::topic);
        Optional<String> recreated = recreated(partition.topic(), remembered, answer.topicId())
                .or(() -> recreated(partition.topic(), marked, answer.topicId()));
        if (recreated.isPresent()) {
            return Optional.of(stopped(recreated.get()));
        }
        if (commit.isEmpty()) {
            return Optional.of(
                    new StartPosition(answer.start(), Optional.empty(), 0, true, answer.end(), Optional.empty()));
        }
        long offset = commit.get().offset();
        if (offset > answer.end()) {
            return isSecondLook ? Optional.of(stopped(beyondEnd(partition, offset, answer.end()))) : Optional.empty();
        }
        return Optional.of(new StartPosition(
                Math.max(offset, answer.start()),
                offset < answer.start() ? Optional.empty() : commit.get().leaderEpoch(),
                Math.max(0, answer.start() - offset),
                false,
                answer.end(),
                Optional.empty()));
    }

    /** Why a topic must not be read: it is not the one whose records were stored. Empty where one of the IDs is unknown. */
    static Optional<String> recreated(String topic, Optional<Uuid> stored, Optional<Uuid> current) {
        return stored.isPresent() && current.isPresent() && !stored.equals(current)
                ? Optional.of("stream " + topic + " was deleted and created again (topic ID " + current.get() + ", was "
                        + stored.get() + "): its new records would replace the stored objects of the old ones. "
                        + RESET)
                : Optional.empty();
    }

    private static String beyondEnd(TopicPartition partition, long offset, long end) {
        return "partition " + partition + " is to be read from offset " + offset + ", but its log ends at " + end
                + ": its stream was created again, or its log was truncated or restored. " + RESET;
    }

    /** Why a partition whose log was truncated must not be read. */
    static String truncated(TopicPartition partition, long offset, OptionalLong diverged) {
        return "partition " + partition + " was truncated on its brokers"
                + (diverged.isPresent() ? " to offset " + diverged.getAsLong() : "") + ", before offset " + offset
                + " where it is to be read: records that were stored may have been replaced by others. " + RESET;
    }

    private static StartPosition stopped(String why) {
        return new StartPosition(0, Optional.empty(), 0, false, 0, Optional.of(why));
    }
}
