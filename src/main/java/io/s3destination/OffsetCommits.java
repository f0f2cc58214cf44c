package io.s3destination;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commits of one consumer: of those partitions alone whose offset changed, each with its {@link CommitMark}. For the
 * polling thread; {@link #fault} is for all threads.
 */
final class OffsetCommits {

    private static final Logger LOG = LoggerFactory.getLogger(OffsetCommits.class);
    private static final long INTERVAL = Duration.ofMillis(200).toNanos();
    private static final long RESTORE_INTERVAL = Duration.ofSeconds(10).toNanos();
    /** After which a commit without an answer is given up, and made again. */
    private static final long ANSWER_TIMEOUT = Duration.ofMinutes(1).toNanos();

    private static final Duration LAST_TIMEOUT = Duration.ofSeconds(5);

    private final Consumer<?, ?> consumer;
    private final ConsumerGroup group;
    private final OffsetTracker tracker;
    private long lastCommit = System.nanoTime();
    private long lastRestore = System.nanoTime() - RESTORE_INTERVAL;
    private boolean unanswered;
    private volatile Failure failure;

    OffsetCommits(Consumer<?, ?> consumer, ConsumerGroup group, OffsetTracker tracker) {
        this.consumer = consumer;
        this.group = group;
        this.tracker = tracker;
    }

    /** Commits what changed, if it is time to. */
    void commit() {
        long now = System.nanoTime();
        if (now - lastCommit < (unanswered ? ANSWER_TIMEOUT : INTERVAL)) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> changed = changed(tracker.partitions());
        if (changed.isEmpty()) {
            failure = null;
            return;
        }
        lastCommit = now;
        unanswered = true;
        send(changed);
    }

    /** Has the next commit be made without waiting. */
    void atOnce() {
        lastCommit = System.nanoTime() - INTERVAL;
    }

    private void send(Map<TopicPartition, OffsetAndMetadata> changed) {
        try {
            consumer.commitAsync(changed, (offsets, fault) -> {
                unanswered = false;
                if (fault == null) {
                    committed(offsets);
                    failure = null;
                } else {
                    failed(fault);
                }
            });
        } catch (KafkaException e) {
            unanswered = false;
            failed(e);
        }
    }

    /** Commits what is stored of partitions that are being revoked, and waits for the answer. */
    void last(Collection<TopicPartition> revoked) {
        Map<TopicPartition, OffsetAndMetadata> changed = changed(Set.copyOf(revoked));
        if (changed.isEmpty()) {
            return;
        }
        try {
            commitSync(changed);
        } catch (WakeupException e) {
            // Camel wakes a consumer to stop it, wherever it is by then; it does so once.
            last(revoked);
        } catch (KafkaException e) {
            LOG.warn(
                    "{}: not all that is stored of {} is committed, and may be read and stored once more: {}",
                    group.id(),
                    revoked,
                    e.getMessage());
        }
    }

    private void commitSync(Map<TopicPartition, OffsetAndMetadata> changed) {
        try {
            consumer.commitSync(changed, LAST_TIMEOUT);
            committed(changed);
        } catch (OffsetMetadataTooLarge e) {
            group.refuseMarks();
            consumer.commitSync(marked(changed), LAST_TIMEOUT);
            committed(changed);
        }
    }

    /** Commits the offsets of topics again that were created again: Kafka deleted them with the old topics. */
    void restore(Set<TopicPartition> recreated) {
        long now = System.nanoTime();
        if (recreated.isEmpty() || now - lastRestore < RESTORE_INTERVAL) {
            return;
        }
        lastRestore = now;
        Map<TopicPartition, OffsetAndMetadata> old =
                recreated.stream().collect(Collectors.toMap(partition -> partition, group::lastCommit));
        consumer.commitAsync(old, (offsets, fault) -> {
            if (fault != null) {
                failed(fault);
            }
        });
    }

    private Map<TopicPartition, OffsetAndMetadata> changed(Set<TopicPartition> of) {
        return marked(tracker.uncommitted(of, this::position));
    }

    private Map<TopicPartition, OffsetAndMetadata> marked(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<TopicPartition, OffsetAndMetadata> marked = new HashMap<>();
        offsets.forEach((partition, offset) -> marked.put(
                partition,
                new OffsetAndMetadata(
                        offset.offset(), offset.leaderEpoch(), group.mark(partition, offset.offset(), link(offset)))));
        return marked;
    }

    private static OptionalLong link(OffsetAndMetadata uncommitted) {
        return uncommitted.metadata().startsWith(CommitMark.LINK)
                ? OptionalLong.of(Long.parseLong(uncommitted.metadata().substring(CommitMark.LINK.length())))
                : OptionalLong.empty();
    }

    /** Where the consumer reads next, if that is known without asking Kafka. */
    private OptionalLong position(TopicPartition partition) {
        try {
            return OptionalLong.of(consumer.position(partition, Duration.ZERO));
        } catch (TimeoutException | InvalidOffsetException e) {
            // The next poll knows it, or throws what is wrong with it.
            return OptionalLong.empty();
        }
    }

    private void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
        tracker.committed(offsets);
        group.committed(offsets);
    }

    private void failed(Exception fault) {
        if (fault instanceof OffsetMetadataTooLarge) {
            group.refuseMarks();
        } else if (!isOfRebalance(fault) && failure == null) {
            failure = new Failure(System.nanoTime(), fault.getMessage());
            LOG.warn("{}: cannot commit offsets: {}; it is tried again", group.id(), fault.getMessage());
        }
    }

    /** The partitions are revoked: others read the records again, and store them under the same names. */
    private static boolean isOfRebalance(Exception fault) {
        return fault instanceof CommitFailedException || fault instanceof RebalanceInProgressException;
    }

    /** What keeps offsets from being committed, for longer than that. */
    Optional<String> fault(Duration patience) {
        return Optional.ofNullable(failure)
                .filter(failed -> System.nanoTime() - failed.since() >= patience.toNanos())
                .map(failed -> "offsets of stored records are not committed for "
                        + Duration.ofNanos(System.nanoTime() - failed.since()).toSeconds() + " s: " + failed.text());
    }

    private record Failure(long since, String text) {}
}
