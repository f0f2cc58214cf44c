package io.s3destination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

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
    private final KafkaFuture<Void> done;

    /** @param streams are asked for beside those of the partitions */
    PartitionLookup(
            Admin admin, String group, Set<String> streams, Set<TopicPartition> partitions, IsolationLevel isolation) {
        this.partitions = Set.copyOf(partitions);
        committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata();
        Set<String> all = new HashSet<>(streams);
        partitions.forEach(partition -> all.add(partition.topic()));
        topics = admin.describeTopics(all).topicNameValues();
        starts = admin.listOffsets(each(OffsetSpec.earliest()));
        ends = admin.listOffsets(each(OffsetSpec.latest()), new ListOffsetsOptions(isolation));
        List<KafkaFuture<?>> parts = new ArrayList<>(topics.values());
        parts.add(committed);
        partitions.forEach(partition -> {
            parts.add(starts.partitionResult(partition));
            parts.add(ends.partitionResult(partition));
        });
        done = KafkaFuture.allOf(parts.toArray(KafkaFuture[]::new));
    }

    private Map<TopicPartition, OffsetSpec> each(OffsetSpec spec) {
        return partitions.stream().collect(Collectors.toMap(Function.identity(), partition -> spec));
    }

    /** Whether there is an answer, or a failure, for each partition. */
    boolean isDone() {
        return done.isDone();
    }

    /** Waits until {@link #isDone}, which the Admin client's requests are before this time is over, if it works. */
    void await() throws InterruptedException {
        try {
            done.get(10, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // Each partition has its own answer or failure.
        }
    }

    /** The answers for a partition. */
    Answer answer(TopicPartition partition) throws ExecutionException, InterruptedException {
        Uuid id = now(topics.get(partition.topic())).topicId();
        return new Answer(
                Optional.ofNullable(now(committed).get(partition)),
                Optional.of(id).filter(known -> !known.equals(Uuid.ZERO_UUID)),
                now(starts.partitionResult(partition)).offset(),
                now(ends.partitionResult(partition)).offset());
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

    /** The broker that leads a partition, or empty if none does; fails where that is unknown. */
    Optional<Integer> leader(TopicPartition partition) throws ExecutionException, InterruptedException {
        return now(topics.get(partition.topic())).partitions().stream()
                .filter(info -> info.partition() == partition.partition())
                .findFirst()
                .map(TopicPartitionInfo::leader)
                .filter(leader -> !leader.isEmpty())
                .map(Node::id);
    }

    /** The streams that do not exist. */
    Set<String> missing() throws InterruptedException {
        Set<String> missing = new HashSet<>();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> topic : topics.entrySet()) {
            failure(topic.getValue())
                    .filter(UnknownTopicOrPartitionException.class::isInstance)
                    .ifPresent(unused -> missing.add(topic.getKey()));
        }
        return missing;
    }

    /** Why a stream may not be read, with what to do. */
    Optional<String> refused() throws InterruptedException {
        for (KafkaFuture<TopicDescription> topic : topics.values()) {
            Optional<Throwable> failure = failure(topic).filter(TopicAuthorizationException.class::isInstance);
            if (failure.isPresent()) {
                return failure.map(cause -> KafkaErrorRemedies.of(cause).text());
            }
        }
        return Optional.empty();
    }

    /** What keeps the group's commits from being looked at. */
    Optional<String> failure() throws InterruptedException {
        return failure(committed).map(Membership::unknown);
    }

    private static Optional<Throwable> failure(KafkaFuture<?> future) throws InterruptedException {
        try {
            now(future);
            return Optional.empty();
        } catch (ExecutionException e) {
            return Optional.of(e.getCause());
        }
    }

    /** What is answered, without waiting. */
    private static <T> T now(KafkaFuture<T> future) throws ExecutionException, InterruptedException {
        if (!future.isDone()) {
            throw new ExecutionException(new org.apache.kafka.common.errors.TimeoutException("no answer yet"));
        }
        return future.get();
    }
}
