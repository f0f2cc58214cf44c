package io.s3destination;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions of one consumer whose {@link Chain} is being looked for in the bucket: they are not read before S3 has
 * answered. For the polling thread, which it never keeps waiting; {@link #fault} is for all threads.
 */
final class ChainStart {

    private static final Logger LOG = LoggerFactory.getLogger(ChainStart.class);
    private static final long AGAIN = Duration.ofSeconds(2).toNanos();
    /** How often links are committed that a walk has found. */
    private static final long COMMIT_INTERVAL = Duration.ofSeconds(1).toNanos();

    /** Behind the mark of such a commit: the chain is to be followed from its link on. */
    private static final String ON_THE_WAY = " walk";

    /**
     * Where a chain goes on.
     *
     * @param commit the offset to read from, and the link
     * @param committed the offset that is committed, or one before the offset to read from
     * @param lost how many offsets behind the committed one Kafka deleted before they were stored
     */
    record Begin(Chain.Commit commit, long committed, long lost) {

        /** With the offset that is read first, which may be later: Kafka has deleted what is before it. */
        Chain.Commit at(long offset) {
            return new Chain.Commit(Math.max(offset, commit.offset()), commit.link());
        }
    }

    private final ConsumerGroup group;
    private final KafkaConsumer<?, ?> consumer;
    private final Map<TopicPartition, Search> searches = new HashMap<>();
    private final Map<TopicPartition, Begin> found = new HashMap<>();
    /** Where reading was to begin by the commits of those that are looked for or found. */
    private final Map<TopicPartition, StartPosition> begun = new HashMap<>();

    private long lastCommit = System.nanoTime();
    private volatile Optional<Fault> fault = Optional.empty();

    /** @param consumer commits the links that are found */
    ChainStart(ConsumerGroup group, KafkaConsumer<?, ?> consumer) {
        this.group = group;
        this.consumer = consumer;
    }

    /** Looks for the chain of a partition whose records are to be read from an offset on. */
    void find(TopicPartition partition, StartPosition start, RunStorage runs) {
        Optional<CommitMark> mark = group.mark(partition);
        if (mark.filter(known -> known.mode().equals(CommitMark.ONE_RECORD)).isPresent()) {
            Search refused = new Search(() -> CompletableFuture.failedFuture(
                    new BrokenChain("partition " + partition + " was stored with records_per_object = 1 in this"
                            + " folder, which objects of many records cannot share: set another folder")));
            searches.put(partition, refused);
            return;
        }
        boolean isUnmarked = mark.isEmpty() && !start.isBeginning();
        ChainWalk walk = walk(partition, start, mark.map(CommitMark::link).orElse(OptionalLong.empty()), runs.size());
        Search search =
                new Search(() -> runs.find(partition, start, isUnmarked, group.topicId(partition.topic()), walk));
        // The commit shows what was lost until that is reported. An object beyond the log's end is not of this log.
        search.stored = () -> start.lost() > 0 ? OptionalLong.empty() : within(walk.stored(), start.end());
        searches.put(partition, search);
        begun.put(partition, start);
    }

    private ChainWalk walk(TopicPartition partition, StartPosition start, OptionalLong link, ObjectSize size) {
        if (link.isEmpty()) {
            return new ChainWalk(size.records(), start.offset());
        }
        Chain.Commit begin = new Chain.Commit(Math.max(start.offset(), link.getAsLong()), link.getAsLong());
        return new ChainWalk(begin, group.lastCommit(partition).metadata().endsWith(ON_THE_WAY));
    }

    private static OptionalLong within(OptionalLong link, long end) {
        return link.isPresent() && link.getAsLong() <= end ? link : OptionalLong.empty();
    }

    /** Those that are being looked for. */
    Set<TopicPartition> partitions() {
        return Set.copyOf(searches.keySet());
    }

    /** Notes where the chain of a partition goes on. */
    void goesOn(TopicPartition partition, Chain.Commit begin) {
        Optional<StartPosition> start = Optional.ofNullable(begun.get(partition));
        found.put(
                partition,
                new Begin(
                        begin,
                        start.map(known -> known.offset() - known.lost()).orElse(begin.offset() - 1),
                        start.map(StartPosition::lost).orElse(0L)));
    }

    /** Where the chain of a partition goes on, if it was found. */
    Optional<Begin> goesOn(TopicPartition partition) {
        return Optional.ofNullable(found.get(partition));
    }

    void remove(Collection<TopicPartition> revoked) {
        revoked.forEach(partition -> Optional.ofNullable(searches.remove(partition))
                .flatMap(search -> Optional.ofNullable(search.answer))
                .ifPresent(answer -> answer.cancel(false)));
        found.keySet().removeAll(revoked);
        begun.keySet().removeAll(revoked);
    }

    /**
     * Passes on what is found, and which partitions must not be read; asks again where S3 has not answered. Commits how far walks
     * have come, so that another process goes on there.
     */
    void advance(BiConsumer<TopicPartition, Chain.Commit> goOn, Consumer<TopicPartition> stop) {
        if (searches.isEmpty()) {
            fault = Optional.empty();
            return;
        }
        long now = System.nanoTime();
        for (TopicPartition partition : partitions()) {
            Search search = searches.get(partition);
            if (search.answer != null && search.answer.isDone()) {
                end(partition, search, goOn, stop);
            } else if (search.answer == null && search.due - now <= 0) {
                search.answer = search.look.get();
            }
        }
        if (now - lastCommit >= COMMIT_INTERVAL) {
            lastCommit = now;
            commit();
        }
    }

    private void commit() {
        Map<TopicPartition, OffsetAndMetadata> links = new HashMap<>();
        searches.forEach((partition, search) -> search.stored.get().ifPresent(link -> {
            if (link > search.committed) {
                search.committed = link;
                links.put(partition, new OffsetAndMetadata(link, mark(partition, link)));
            }
        }));
        if (links.isEmpty()) {
            return;
        }
        // One that fails is made up for by the next; what keeps all from being made is reported when the partition is
        // read.
        consumer.commitAsync(links, (offsets, fault) -> {
            if (fault == null) {
                group.committed(offsets);
            }
        });
    }

    private void end(
            TopicPartition partition,
            Search search,
            BiConsumer<TopicPartition, Chain.Commit> goOn,
            Consumer<TopicPartition> stop) {
        try {
            Chain.Commit begin = search.answer.join();
            searches.remove(partition);
            fault = Optional.empty();
            goOn.accept(partition, begin);
        } catch (CompletionException e) {
            if (e.getCause() instanceof BrokenChain broken) {
                searches.remove(partition);
                group.stop(partition, broken.getMessage());
                stop.accept(partition);
                return;
            }
            Explanation why = S3ErrorRemedies.ofUpload(e.getCause(), Optional.empty(), false);
            if (fault.isEmpty()) {
                fault = Optional.of(new Fault(partition, System.nanoTime(), why.text()));
                LOG.atLevel(why.level())
                        .log(
                                "{}: partition {} is not read yet: its objects cannot be looked at: {}",
                                group.id(),
                                partition,
                                why.text());
            }
            search.answer = null;
            search.due = System.nanoTime() + AGAIN;
        }
    }

    private String mark(TopicPartition partition, long link) {
        String mark = group.mark(partition, link, OptionalLong.of(link));
        return mark.isEmpty() ? mark : mark + ON_THE_WAY;
    }

    /** What keeps a partition from being read for longer than that, because its objects cannot be looked at. */
    Optional<String> fault(Duration patience) {
        return fault.filter(failed -> System.nanoTime() - failed.since() >= patience.toNanos())
                .map(failed -> "partition " + failed.partition() + " is not read: its objects cannot be looked at for "
                        + Duration.ofNanos(System.nanoTime() - failed.since()).toSeconds() + " s: " + failed.text());
    }

    private record Fault(TopicPartition partition, long since, String text) {}

    private static final class Search {

        private final Supplier<CompletableFuture<Chain.Commit>> look;
        /** A link that may be committed. */
        private Supplier<OptionalLong> stored = OptionalLong::empty;

        private long committed;
        private long due = System.nanoTime();
        private CompletableFuture<Chain.Commit> answer;

        Search(Supplier<CompletableFuture<Chain.Commit>> look) {
            this.look = look;
        }
    }
}
