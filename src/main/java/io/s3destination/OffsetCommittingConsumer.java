package io.s3destination;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's consumer, which itself decides where reading begins, reads on while records are being stored, no further than its
 * {@link OffsetTracker} allows, and commits what is stored. A partition that cannot or must not be read is paused; the
 * others go on.
 *
 * <p>What it reports about itself may be asked by any thread; all else is for the polling thread, as in Kafka.
 */
final class OffsetCommittingConsumer extends KafkaConsumer<Object, Object> {

    private static final Logger LOG = LoggerFactory.getLogger(OffsetCommittingConsumer.class);
    /** How long a poll waits while there may be more to do at any time. */
    private static final Duration SHORT = Duration.ofMillis(10);
    /** How long records in flight are waited for at the end: less than Camel waits for a route to stop. */
    private static final long LAST = Duration.ofSeconds(8).toNanos();

    /** So many bytes are read at once where records take their steps together. */
    private static final long TOGETHER = 256 << 10;

    /** So many are stored again after a crash, at most, where S3 refuses one. */
    private static final long SPAN = 10_000;

    /** Kafka's own. */
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    private final ConsumerGroup group;
    /** What stores runs of records, where an object holds many. */
    private final Optional<RunStorage> runs;

    private final OffsetTracker tracker;
    private final StartCheck starts;
    private final ChainStart chains;
    private final OffsetCommits commits;
    private final Set<TopicPartition> stopped = new HashSet<>();
    private boolean suspended;
    private long suspendedAt;
    private long polled = System.nanoTime();
    private final PollStatus status = new PollStatus(this);
    private volatile UnreadableRecord unreadable;

    OffsetCommittingConsumer(Properties kafka, ConsumerGroup group) {
        super(kafka);
        this.group = group;
        this.runs = group.newRuns();
        this.tracker = new OffsetTracker(group.inFlight(), SPAN, runs);
        this.starts = new StartCheck(group);
        this.chains = new ChainStart(group, this);
        this.commits = new OffsetCommits(this, group, tracker);
        group.opened(this, kafka);
    }

    @Override
    public ConsumerRecords<Object, Object> poll(Duration timeout) {
        polled = System.nanoTime();
        group.turned();
        try {
            return pollOnce(timeout);
        } catch (RuntimeException e) {
            OutOfMemory.endIfOutOfMemory(e);
            throw e;
        } catch (Error e) {
            OutOfMemory.endIfOutOfMemory(e);
            // It ends the polling thread, and Camel reports nothing of it.
            group.failed("reading has ended by " + e.getClass().getName());
            LOG.error("{}: reading from Kafka has ended: restart the process", group.id(), e);
            throw e;
        }
    }

    private ConsumerRecords<Object, Object> pollOnce(Duration timeout) {
        if (unreadable != null && unreadable.isDue(polled)) {
            throw unreadable.fault();
        }
        tracker.fault().filter(fault -> !suspended).ifPresent(fault -> {
            group.failed(fault);
            throw new KafkaException(fault + ": they are read again");
        });
        starts.advance(this::begin);
        chains.advance(this::followChain, this::stop);
        lookAtRuns();
        stopRecreatedTopics();
        commits.commit();
        tracker.reread(polled).ifPresent(record -> super.seek(record.getKey(), record.getValue()));
        pauseAndResume();
        Duration wait = tracker.isFull() || !undecided().isEmpty() ? SHORT : timeout;
        ConsumerRecords<Object, Object> added =
                tracker.takesTogether() ? tracker.addTogether(readMany(wait)) : tracker.add(read(wait));
        tracker.rereading().ifPresent(this::readOn);
        return added;
    }

    /** The partitions that are not read before it is known where they begin. */
    private Set<TopicPartition> undecided() {
        Set<TopicPartition> undecided = new HashSet<>(starts.partitions());
        undecided.addAll(chains.partitions());
        return undecided;
    }

    private void lookAtRuns() {
        tracker.lookAtRuns(polled);
        for (Map.Entry<TopicPartition, PartitionRuns> partition : tracker.runs().toList()) {
            partition.getValue().broken().ifPresent(why -> {
                group.stop(partition.getKey(), why);
                stop(partition.getKey());
            });
            partition.getValue().restart().ifPresent(begin -> {
                tracker.remove(Set.of(partition.getKey()));
                followChain(partition.getKey(), begin);
            });
        }
    }

    /** Reads a partition from where its chain goes on, which is checked to be in its log. */
    private void followChain(TopicPartition partition, Chain.Commit begin) {
        chains.goesOn(partition, begin);
        check(partition, OptionalLong.of(begin.offset()));
    }

    /** Goes on where a partition was read, once a record of it was read again. */
    private void readOn(TopicPartition partition) {
        tracker.reread(partition, position(partition)).ifPresent(next -> super.seek(partition, next));
    }

    /** Reads on, without waiting for more, until what was read is worth an exchange. */
    private ConsumerRecords<Object, Object> readMany(Duration timeout) {
        Map<TopicPartition, List<ConsumerRecord<Object, Object>>> all = new HashMap<>();
        ConsumerRecords<Object, Object> records = read(timeout);
        for (long bytes = 0; !records.isEmpty(); ) {
            for (ConsumerRecord<Object, Object> record : records) {
                all.computeIfAbsent(new TopicPartition(record.topic(), record.partition()), unused -> new ArrayList<>())
                        .add(record);
                bytes += PolledRecords.bytes(record);
            }
            records = bytes < TOGETHER ? read(Duration.ZERO) : ConsumerRecords.empty();
        }
        return new ConsumerRecords<>(all);
    }

    private ConsumerRecords<Object, Object> read(Duration timeout) {
        try {
            ConsumerRecords<Object, Object> records = super.poll(timeout);
            status.tookTurn(records.partitions());
            return records;
        } catch (LogTruncationException e) {
            for (TopicPartition partition : e.partitions()) {
                OptionalLong diverged = e.divergentOffsets().containsKey(partition)
                        ? OptionalLong.of(e.divergentOffsets().get(partition).offset())
                        : OptionalLong.empty();
                long offset = e.offsetOutOfRangePartitions().get(partition);
                // Without an epoch, or Kafka would throw at each poll, for all partitions.
                super.seek(partition, offset);
                group.stop(partition, StartPosition.truncated(partition, offset, diverged));
                stop(partition);
            }
        } catch (NoOffsetForPartitionException e) {
            // With the consumer protocol, Kafka may look for an offset before it reports the assignment.
            e.partitions().stream()
                    .filter(partition ->
                            assignment().contains(partition) && !undecided().contains(partition))
                    .forEach(partition -> check(partition, OptionalLong.empty()));
        } catch (OffsetOutOfRangeException e) {
            e.offsetOutOfRangePartitions().forEach(this::outOfRange);
        } catch (KafkaException e) {
            TopicPartition partition =
                    UnreadableRecord.partition(e, assignment()).orElseThrow(() -> failed(e));
            unreadable = new UnreadableRecord(partition, position(partition), polled, e);
            LOG.error(
                    "{}: {}. It is tried again every {} s", group.id(), unreadable, UnreadableRecord.RETRY.toSeconds());
        } finally {
            polled = System.nanoTime();
            ConsumerGroupMetadata member = groupMetadata();
            status.polled(member);
            if (member.generationId() > 0) {
                group.joined();
            }
        }
        return ConsumerRecords.empty();
    }

    private void outOfRange(TopicPartition partition, long offset) {
        if (runs.isPresent()) {
            // What an open run holds is dropped; what is committed says where its chain goes on.
            tracker.remove(Set.of(partition));
            check(partition, OptionalLong.empty());
        } else {
            check(partition, OptionalLong.of(offset));
        }
    }

    private KafkaException failed(KafkaException e) {
        if (!(e instanceof WakeupException)) {
            group.failed(KafkaErrorRemedies.of(e).text());
        }
        return e;
    }

    /** Looks up where reading begins; until then nothing is read. */
    private void check(TopicPartition partition, OptionalLong position) {
        // Any position, so that Kafka looks for none itself, and none with an epoch, which it would check.
        super.seek(partition, position.orElse(0));
        super.pause(Set.of(partition));
        starts.add(partition, position);
    }

    private void begin(TopicPartition partition, StartPosition start) {
        if (runs.isEmpty()
                && group.mark(partition)
                        .filter(mark -> mark.mode().equals(CommitMark.MANY))
                        .isPresent()) {
            group.stop(
                    partition,
                    "partition " + partition
                            + " was stored with records_per_object above 1 in this folder, which objects of"
                            + " one record cannot share: set another folder");
        }
        if (start.stop().isPresent() || group.stopped(partition).isPresent()) {
            // Also one that was stopped before and has come back: what was wrong may not show any more.
            stop(partition);
            return;
        }
        if (start.isBeginning()) {
            LOG.info(
                    "{}: partition {} has no committed offset: it is read from offset {}",
                    group.id(),
                    partition,
                    start.offset());
        }
        Optional<ChainStart.Begin> chain = chains.goesOn(partition);
        if (runs.isPresent() && chain.isEmpty()) {
            chains.find(partition, start, runs.get());
            return;
        }
        chains.remove(Set.of(partition));
        long lost = chain.map(ChainStart.Begin::lost).orElse(start.lost());
        long before = chain.map(ChainStart.Begin::committed).orElse(start.offset() - lost);
        super.seek(partition, new OffsetAndMetadata(start.offset(), start.epoch(), ""));
        tracker.start(
                partition,
                before,
                start.offset(),
                start.epoch(),
                chain.map(begin -> new PartitionRuns(
                        partition, group.topicId(partition.topic()), begin.at(start.offset()), runs.orElseThrow())));
        if (lost > 0) {
            group.lost(partition, before, lost);
            commits.atOnce();
        }
    }

    private void stopRecreatedTopics() {
        if (group.hasRecreated()) {
            Set<TopicPartition> recreated = assignment().stream()
                    .filter(partition -> group.isRecreated(partition.topic()))
                    .collect(Collectors.toSet());
            recreated.forEach(this::stop);
            commits.restore(recreated);
        }
    }

    private void stop(TopicPartition partition) {
        if (stopped.add(partition)) {
            starts.remove(Set.of(partition));
            chains.remove(Set.of(partition));
            tracker.remove(Set.of(partition));
        }
    }

    /** Pauses what must not or cannot be read and what there is no room for, and nothing else. */
    private void pauseAndResume() {
        Set<TopicPartition> held = tracker.full(assignment());
        tracker.rereading().ifPresent(held::remove);
        held.addAll(undecided());
        held.addAll(stopped);
        Optional.ofNullable(unreadable).map(UnreadableRecord::partition).ifPresent(held::add);
        held.retainAll(assignment());
        super.pause(held);
        if (!suspended) {
            Set<TopicPartition> free = new HashSet<>(paused());
            free.removeAll(held);
            super.resume(free);
        }
    }

    /** By Camel, while the route is suspended. */
    @Override
    public void pause(Collection<TopicPartition> partitions) {
        if (!suspended) {
            suspended = true;
            suspendedAt = System.nanoTime();
            tracker.suspend(true, suspendedAt);
        }
        super.pause(partitions);
    }

    @Override
    public void resume(Collection<TopicPartition> partitions) {
        suspended = false;
        tracker.suspend(false, System.nanoTime());
        super.resume(partitions);
    }

    /** By Camel, when the route is resumed, to what is committed: records in flight would be read a second time. */
    @Override
    public void seek(TopicPartition partition, long offset) {
        LOG.debug("{}: reading of {} goes on where it was", group.id(), partition);
    }

    @Override
    public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
        super.subscribe(topics, new Rebalance(listener));
    }

    @Override
    public void subscribe(Pattern topics, ConsumerRebalanceListener listener) {
        super.subscribe(topics, new Rebalance(listener));
    }

    /** Lets records that are being stored be stored, and commits them, before others read their partitions. */
    private final class Rebalance implements ConsumerRebalanceListener {

        private final ConsumerRebalanceListener camel;

        Rebalance(ConsumerRebalanceListener camel) {
            this.camel = camel;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            partitions.forEach(partition -> check(partition, OptionalLong.empty()));
            camel.onPartitionsAssigned(partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            tracker.revoke(partitions);
            // When the route stops, Camel has suspended it first, and has waited, too.
            for (long start = suspended ? suspendedAt : System.nanoTime();
                    tracker.inFlight(partitions) > 0 && System.nanoTime() - start < LAST; ) {
                LockSupport.parkNanos(SHORT.toNanos());
            }
            commits.last(partitions);
            forget(partitions);
            camel.onPartitionsRevoked(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            forget(partitions);
            camel.onPartitionsLost(partitions);
        }

        private void forget(Collection<TopicPartition> partitions) {
            starts.remove(partitions);
            chains.remove(partitions);
            tracker.remove(partitions);
            stopped.removeAll(partitions);
        }
    }

    /** The partitions that the group had assigned to it when it last polled. */
    Set<TopicPartition> assigned() {
        return status.assigned();
    }

    /** What its polls show. */
    PollStatus status() {
        return status;
    }

    /** How many records of a partition are in flight. */
    int inFlight(TopicPartition partition) {
        return tracker.inFlight(Set.of(partition));
    }

    /** How many offsets of a partition are read and wait in an open run alone. */
    long waiting(TopicPartition partition) {
        return tracker.waiting(partition);
    }

    /** What keeps it from reading or committing, with what to do, for longer than that. */
    Optional<String> fault(Duration patience) {
        return assigned().stream()
                .flatMap(partition -> group.stopped(partition).stream())
                .findFirst()
                .or(() -> Optional.ofNullable(unreadable).map(UnreadableRecord::toString))
                .or(() -> starts.fault(patience))
                .or(() -> chains.fault(patience))
                .or(() -> commits.fault(patience));
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    @Override
    public void close(Duration timeout) {
        group.closed(this);
        try {
            super.close(timeout);
        } finally {
            // Also where it could not leave its group.
            tracker.remove(tracker.partitions());
        }
    }
}
