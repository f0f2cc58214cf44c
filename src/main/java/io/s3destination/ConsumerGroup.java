package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.ObjLongConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the consumers of one group in this process share, those that follow one another among them: the limit of records in
 * flight, the topics they have read, by ID, and the partitions that must not be read. Safe for all threads.
 */
final class ConsumerGroup {

    private static final Logger LOG = LoggerFactory.getLogger(ConsumerGroup.class);
    /** More than the uploads of a connector get through between two polls. */
    private static final int EXCHANGES = 2_000;
    /** Beside Camel and the AWS SDK this fits into a heap of 256 MB. */
    private static final long BYTES = 8 << 20;

    private static final int TIMEOUT_MS = 5_000;

    private final String id;
    private final Supplier<String> place;
    private final ObjLongConsumer<String> lost;
    private final Function<ConsumerGroup, Optional<RunStorage>> makeRuns;
    private final InFlightLimit inFlight =
            new InFlightLimit(EXCHANGES, BYTES, Runtime.getRuntime().maxMemory() / 4);
    private final Map<String, Uuid> topicIds = new ConcurrentHashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> commits = new ConcurrentHashMap<>();
    private final Map<String, String> recreated = new ConcurrentHashMap<>();
    private final Map<TopicPartition, CommitMark> marks = new ConcurrentHashMap<>();
    private final Map<TopicPartition, String> stopped = new ConcurrentHashMap<>();
    private final Set<OffsetCommittingConsumer> consumers = ConcurrentHashMap.newKeySet();
    /** Of the open consumers, once it is asked for. */
    private volatile Optional<String> knownPlace = Optional.empty();

    private volatile boolean marksRefused;
    private volatile Failure failure;
    private volatile boolean joined;
    private volatile boolean isSilent;
    private volatile Optional<String> notJoined = Optional.empty();
    private volatile long turned = System.nanoTime();
    private volatile Standstill standstill = new Standstill(0, Duration.ZERO);
    private volatile Thread poller = Thread.currentThread();
    private Admin admin;
    private volatile Optional<RunStorage> runs = Optional.empty();

    /**
     * @param place where its records are stored, as {@link CommitMark#place} has it
     * @param makeRuns makes what stores runs of records, where an object holds many
     * @param lost takes how many records of a stream were lost
     */
    ConsumerGroup(
            String id,
            Supplier<String> place,
            Function<ConsumerGroup, Optional<RunStorage>> makeRuns,
            ObjLongConsumer<String> lost) {
        this.makeRuns = makeRuns;
        this.id = id;
        this.place = place;
        this.lost = lost;
    }

    String id() {
        return id;
    }

    InFlightLimit inFlight() {
        return inFlight;
    }

    /** The open consumers. */
    Stream<OffsetCommittingConsumer> consumers() {
        return consumers.stream();
    }

    /** @param settings of the consumer: where Kafka is, and how to log in */
    synchronized void opened(OffsetCommittingConsumer consumer, Properties settings) {
        consumers.add(consumer);
        if (admin == null) {
            Map<String, Object> mine = new HashMap<>();
            AdminClientConfig.configNames().stream()
                    .filter(settings::containsKey)
                    .forEach(name -> mine.put(name, settings.get(name)));
            mine.put(AdminClientConfig.CLIENT_ID_CONFIG, id + "-offsets");
            mine.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
            mine.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
            admin = Admin.create(mine);
        }
    }

    synchronized void closed(OffsetCommittingConsumer consumer) {
        consumers.remove(consumer);
        if (consumers.isEmpty() && admin != null) {
            admin.close(Duration.ZERO);
            admin = null;
        }
    }

    /** Notes that the loop of a consumer turns: that it polls, or is made. */
    void turned() {
        turned = System.nanoTime();
        poller = Thread.currentThread();
    }

    /** The thread that last turned it. */
    Thread poller() {
        return poller;
    }

    /** Changes with each turn of the loop. */
    long turn() {
        return turned;
    }

    /** Notes for how long the loop has stood still since that turn. */
    void stands(long turn, Duration time) {
        standstill = new Standstill(turn, time);
    }

    /** How long the loop of its consumers has not turned. */
    Duration sinceTurned() {
        Standstill last = standstill;
        return last.turn() == turned ? last.time() : Duration.ZERO;
    }

    private record Standstill(long turn, Duration time) {}

    /** Notes that a consumer is a member of the group, be it without a partition. */
    void joined() {
        joined = true;
    }

    /** Notes what kept the last look at the group from an answer, or else what it showed: why a consumer is no member. */
    void looked(Optional<String> failure, Optional<String> notMember) {
        notJoined = failure.or(() -> notMember);
    }

    /** Notes whether the brokers are silent. */
    void silent(boolean nowSilent) {
        isSilent = nowSilent;
    }

    boolean isSilent() {
        return isSilent;
    }

    /** Why nothing can be read yet: no consumer has become a member of the group. */
    Optional<String> starting() {
        return joined
                ? Optional.empty()
                : Optional.of("starting: it is no member of its group yet"
                        + notJoined.map(cause -> ": " + cause).orElse(""));
    }

    /** Notes what made a consumer fail, which another one follows, or a login that is refused. */
    void failed(String text) {
        failure = new Failure(System.nanoTime(), text);
    }

    /** What made a consumer fail, if it was within that time. */
    Optional<String> failure(Duration within) {
        return Optional.ofNullable(failure)
                .filter(failed -> System.nanoTime() - failed.at() < within.toNanos())
                .map(Failure::text);
    }

    private record Failure(long at, String text) {}

    /** Asks for the log as it is, with what open transactions have written, while a consumer is open. */
    PartitionLookup lookUp(Set<TopicPartition> partitions) {
        return admin().map(open -> new PartitionLookup(open, id, Set.of(), partitions, IsolationLevel.READ_UNCOMMITTED))
                .orElseThrow(() -> new IllegalStateException("no consumer of the group " + id + " is open"));
    }

    /** What asks the brokers; empty if no consumer is open. */
    synchronized Optional<Admin> admin() {
        return Optional.ofNullable(admin);
    }

    /** The ID that a topic had when it was first read. */
    Optional<Uuid> topicId(String topic) {
        return Optional.ofNullable(topicIds.get(topic));
    }

    /** Takes in what was asked and decided of a partition. */
    void looked(TopicPartition partition, PartitionLookup.Answer answer, StartPosition decided) {
        answer.committed()
                .ifPresent(commit -> commits.merge(
                        partition, commit, (old, now) -> decided.stop().isPresent() ? old : now));
        Optional<CommitMark> mark = answer.committed().flatMap(CommitMark::of);
        mark.ifPresentOrElse(known -> marks.put(partition, known), () -> marks.remove(partition));
        mark.flatMap(CommitMark::topic)
                .or(answer::topicId)
                .ifPresent(topicId -> topicIds.putIfAbsent(partition.topic(), topicId));
        compare(partition.topic(), answer.topicId());
        decided.stop().filter(why -> !isRecreated(partition.topic())).ifPresent(why -> stop(partition, why));
    }

    /** Stops a topic that has another ID than the one that was first read. */
    void compare(String topic, Optional<Uuid> current) {
        StartPosition.recreated(topic, topicId(topic), current).ifPresent(why -> {
            if (recreated.putIfAbsent(topic, why) == null) {
                LOG.error("{}: {}", id, why);
            }
        });
    }

    boolean hasRecreated() {
        return !recreated.isEmpty();
    }

    boolean isRecreated(String topic) {
        return recreated.containsKey(topic);
    }

    /** Stops a partition, until this process ends. */
    void stop(TopicPartition partition, String why) {
        if (stopped.putIfAbsent(partition, why) == null) {
            LOG.error("{}: {}", id, why);
        }
    }

    /** Why a partition must not be read. */
    Optional<String> stopped(TopicPartition partition) {
        return Optional.ofNullable(recreated.get(partition.topic()))
                .or(() -> Optional.ofNullable(stopped.get(partition)));
    }

    /** Remembers what was committed. */
    void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
        commits.putAll(offsets);
    }

    /**
     * The metadata of a commit.
     *
     * @param link the start of the next object, where an object holds many records
     */
    String mark(TopicPartition partition, long offset, OptionalLong link) {
        return marksRefused ? "" : new CommitMark(topicId(partition.topic()), place(), mode(), offset, link).toString();
    }

    private String mode() {
        return runs.isPresent() ? CommitMark.MANY : CommitMark.ONE_RECORD;
    }

    /** What stores runs of records, where an object holds many; for a consumer that is made, maybe after an edit. */
    synchronized Optional<RunStorage> newRuns() {
        knownPlace = Optional.empty();
        runs = makeRuns.apply(this);
        return runs;
    }

    /** The mark of the commit with which a partition was last looked up, if it is of this place. */
    Optional<CommitMark> mark(TopicPartition partition) {
        return Optional.ofNullable(marks.get(partition))
                .filter(mark -> mark.place().equals(place()));
    }

    /** Kept, since each partition of each commit asks for it, on the polling thread. */
    private String place() {
        String now = knownPlace.orElseGet(place);
        knownPlace = Optional.of(now);
        return now;
    }

    /** Commits have no mark from now on: the brokers take no metadata of that size. */
    void refuseMarks() {
        marksRefused = true;
        LOG.warn(
                "{}: the brokers refuse the metadata of commits (offset.metadata.max.bytes): a stream that is created"
                        + " again while no process runs is not recognised",
                id);
    }

    /**
     * The commit of a partition whose topic was created again, which Kafka has deleted with the old topic: with it a restart
     * recognises the new one, too.
     */
    OffsetAndMetadata lastCommit(TopicPartition partition) {
        return commits.computeIfAbsent(
                partition, unused -> new OffsetAndMetadata(0, mark(partition, 0, OptionalLong.empty())));
    }

    /** Reports that Kafka deleted records before they were stored. */
    void lost(TopicPartition partition, long first, long number) {
        lost.accept(partition.topic(), number);
        LOG.error(
                "{}: LOST: Kafka deleted records of stream {}, partition {}, before they were stored: offsets {} to {}, at most"
                        + " {} records. Reading goes on at offset {}. Keep records longer (retention.ms, retention.bytes)"
                        + " than an outage may last",
                id,
                partition.topic(),
                partition.partition(),
                first,
                first + number - 1,
                number,
                first + number);
    }
}
