package io.s3destination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * What the brokers know of some partitions and of a group's commits there, asked once. The answers arrive while the asking
 * thread does something else. Safe for all threads.
 */
final class PartitionLookup {

    /**
     * The answers for one partition.
     *
     * @param committed the group's commit
     * @param topicId the ID of the topic (KIP-516), or empty where the brokers know none
     * @param start the first offset of the log
     * @param end the offset behind the last record that may be read at the lookup's isolation level
     */
    record Answer(Optional<OffsetAndMetadata> committed, Optional<Uuid> topicId, long start, long end) {

        /** The records that are not committed, gaps between their offsets among them. */
        long lag() {
            long from = committed.map(OffsetAndMetadata::offset).orElse(start);
            return Math.max(0, end - Math.max(start, from));
        }
    }

    private final Set<TopicPartition> partitions;
    private final KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed;
    private final Map<String, KafkaFuture<TopicDescription>> topics;
    private final ListOffsetsResult starts;
    private final ListOffsetsResult ends;
    private final KafkaFuture<Void> all;

    PartitionLookup(Admin admin, String group, Set<TopicPartition> partitions, IsolationLevel isolation) {
        this.partitions = Set.copyOf(partitions);
        committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata();
        topics = admin.describeTopics(
                        partitions.stream().map(TopicPartition::topic).collect(Collectors.toSet()))
                .topicNameValues();
        starts = admin.listOffsets(each(OffsetSpec.earliest()));
        ends = admin.listOffsets(each(OffsetSpec.latest()), new ListOffsetsOptions(isolation));
        List<KafkaFuture<?>> parts = new ArrayList<>(topics.values());
        parts.add(committed);
        partitions.forEach(partition -> {
            parts.add(starts.partitionResult(partition));
            parts.add(ends.partitionResult(partition));
        });
        all = KafkaFuture.allOf(parts.toArray(KafkaFuture[]::new));
    }

    private Map<TopicPartition, OffsetSpec> each(OffsetSpec spec) {
        return partitions.stream().collect(Collectors.toMap(Function.identity(), partition -> spec));
    }

    /** Whether there is an answer, or a failure, for each partition. */
    boolean isDone() {
        return all.isDone();
    }

    /** Waits until {@link #isDone}: no longer than the timeout of the Admin client's requests. */
    void await() throws InterruptedException {
        try {
            all.get(1, TimeUnit.MINUTES);
        } catch (ExecutionException | TimeoutException e) {
            // Each partition has its own answer or failure.
        }
    }

    /** The answers for a partition; call it when {@link #isDone}. */
    Answer answer(TopicPartition partition) throws ExecutionException, InterruptedException {
        Uuid id = topics.get(partition.topic()).get().topicId();
        return new Answer(
                Optional.ofNullable(committed.get().get(partition)),
                Optional.of(id).filter(known -> !known.equals(Uuid.ZERO_UUID)),
                starts.partitionResult(partition).get().offset(),
                ends.partitionResult(partition).get().offset());
    }

    /** The answers for those partitions that have them. */
    Map<TopicPartition, Answer> answers() throws InterruptedException {
        Map<TopicPartition, Answer> answers = new HashMap<>();
        for (TopicPartition partition : partitions) {
            try {
                answers.put(partition, answer(partition));
            } catch (ExecutionException e) {
                // Unknown for now.
            }
        }
        return answers;
    }
}
