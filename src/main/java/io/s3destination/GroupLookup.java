package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Kafka, and the consumers themselves, for what the readiness of a connector follows from. For one thread. */
final class GroupLookup {

    private static final Logger LOG = LoggerFactory.getLogger(GroupLookup.class);

    private final String connector;
    private final ConsumerObserver consumers;
    private final HangingTransactions transactions;
    private final ProgressMonitor silence;
    private final Duration silenceLimit;
    private long answers;
    /** The streams that were read at the look before. */
    private Set<String> read = Set.of();

    GroupLookup(String connector, ReadinessLimits limits) {
        this.connector = connector;
        this.consumers = new ConsumerObserver(limits.stalled());
        this.silence = new ProgressMonitor(limits.interval());
        // More than one look that comes late, because the process was paused, may count for.
        this.silenceLimit = limits.failing().plus(limits.interval());
        this.transactions = new HangingTransactions(connector, limits.transaction(), System.nanoTime());
    }

    HangingTransactions transactions() {
        return transactions;
    }

    /** May wait for Kafka, for some seconds; empty if no consumer is open. */
    Optional<GroupSnapshot> ask(ConsumerGroup group, ConnectorInput input) throws InterruptedException {
        consumers.look(group.consumers());
        Optional<Admin> admin = group.admin().filter(open -> consumers.hasConsumers());
        if (admin.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(ask(admin.get(), group, input));
        } catch (RuntimeException e) {
            LOG.warn("{}: cannot ask Kafka for its lag: {}", connector, e.toString());
            Optional<String> failure = Optional.of(e.toString());
            looked(group, failure, Optional.empty());
            return Optional.of(snapshot(consumers.assigned(), Map.of(), failure, Optional.empty()));
        }
    }

    private GroupSnapshot ask(Admin admin, ConsumerGroup group, ConnectorInput input) throws InterruptedException {
        Set<TopicPartition> partitions = new HashSet<>(consumers.assigned());
        Set<String> streams = new HashSet<>(input.names());
        streams.addAll(read);
        PartitionLookup lookup =
                new PartitionLookup(admin, group.id(), streams, partitions, IsolationLevel.READ_COMMITTED);
        Optional<String> notMember = notMember(admin, group.id());
        Optional<String> noMatch =
                input.pattern().isPresent() && partitions.isEmpty() ? noMatch(admin, input) : Optional.empty();
        lookup.await();
        Set<String> missing = lookup.missing();
        Map<TopicPartition, PartitionLookup.Answer> answers = lookup.answers();
        answers.forEach((partition, answer) -> group.compare(partition.topic(), answer.topicId()));
        looked(group, lookup.failure(), notMember);
        reportTransactions(admin, answers);
        if (input.pattern().isPresent()) {
            partitions.removeIf(partition -> missing.contains(partition.topic()));
            reportVanished(missing);
        }
        read = partitions.stream().map(TopicPartition::topic).collect(Collectors.toSet());
        consumers.leaders(lookup);
        Optional<String> refused = lookup.refused();
        return snapshot(
                partitions,
                answers,
                notMember,
                input.missing(missing).or(() -> noMatch).or(() -> refused));
    }

    private void looked(ConsumerGroup group, Optional<String> failure, Optional<String> notMember) {
        group.looked(failure, notMember);
        if (failure.isEmpty()) {
            answers++;
        }
        silence.look(System.nanoTime(), true, answers + Math.round(consumers.answers()));
        group.silent(silence.stalled(silenceLimit).isPresent());
    }

    private GroupSnapshot snapshot(
            Set<TopicPartition> partitions,
            Map<TopicPartition, PartitionLookup.Answer> answers,
            Optional<String> notMember,
            Optional<String> unreadable) {
        Map<TopicPartition, Long> lag = new HashMap<>();
        Map<TopicPartition, PartitionMonitor.State> lookups = new HashMap<>();
        Map<TopicPartition, PartitionMonitor.State> reading = new HashMap<>();
        long waiting = 0;
        for (TopicPartition partition : partitions) {
            Optional<PartitionLookup.Answer> answer = Optional.ofNullable(answers.get(partition));
            Optional<Long> known = answer.map(PartitionLookup.Answer::lag).or(() -> consumers.lag(partition));
            known.ifPresent(records -> lag.put(partition, records));
            lookups.put(partition, new PartitionMonitor.State(known.isEmpty(), 0));
            long committed = answer.flatMap(PartitionLookup.Answer::committed)
                    .map(OffsetAndMetadata::offset)
                    .orElse(0L);
            long inOpenRun = consumers.waiting(partition);
            waiting += inOpenRun;
            reading.put(partition, consumers.reading(partition, known.orElse(0L) - inOpenRun, committed));
        }
        return new GroupSnapshot(lag, lookups, reading, waiting, consumers.isThrottled(), notMember, unreadable);
    }

    /** Asks the coordinator only where the consumers do not know it themselves. */
    private Optional<String> notMember(Admin admin, String group) throws InterruptedException {
        if (consumers.areMembersForSure()) {
            return Optional.empty();
        }
        try {
            return Membership.fault(
                    consumers.memberIds(),
                    answer(admin.describeConsumerGroups(Set.of(group))
                            .describedGroups()
                            .get(group)));
        } catch (ExecutionException e) {
            return Optional.of(Membership.unknown(e.getCause()));
        }
    }

    private Optional<String> noMatch(Admin admin, ConnectorInput input) throws InterruptedException {
        try {
            return input.noMatch(answer(admin.listTopics().names()));
        } catch (ExecutionException e) {
            return Optional.empty();
        }
    }

    private void reportVanished(Set<String> missing) {
        read.stream()
                .filter(missing::contains)
                .forEach(stream ->
                        LOG.warn("{}: stream {} does not exist any more, and is not read any more", connector, stream));
    }

    private void reportTransactions(Admin admin, Map<TopicPartition, PartitionLookup.Answer> answers)
            throws InterruptedException {
        if (!transactions.isDue(System.nanoTime())) {
            return;
        }
        ListOffsetsResult ends = admin.listOffsets(answers.keySet().stream()
                .collect(Collectors.toMap(Function.identity(), partition -> OffsetSpec.latest())));
        Map<TopicPartition, Long> stable = new HashMap<>();
        Map<TopicPartition, Long> end = new HashMap<>();
        for (Map.Entry<TopicPartition, PartitionLookup.Answer> known : answers.entrySet()) {
            try {
                end.put(
                        known.getKey(),
                        answer(ends.partitionResult(known.getKey())).offset());
                stable.put(known.getKey(), known.getValue().end());
            } catch (ExecutionException e) {
                // The next look may know it.
            }
        }
        transactions.look(System.nanoTime(), stable, end);
    }

    private static <T> T answer(KafkaFuture<T> future) throws ExecutionException, InterruptedException {
        try {
            return future.get(10, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new ExecutionException(e);
        }
    }
}
