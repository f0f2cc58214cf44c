package io.s3destination;

import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.camel.AsyncProducer;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores the runs of a connector's partitions: each goes through the route {@code objects-<connector>}, on the threads of the
 * connector's uploads. Finds where the chain of a partition goes on, too, on threads of its own. Safe for all threads.
 */
final class RunStorage {

    /** What completes a run. */
    enum End {
        RECORDS,
        BYTES,
        AGE,
        MEMORY
    }

    private static final Logger LOG = LoggerFactory.getLogger(RunStorage.class);
    /** What all runs take in memory, in bytes, before the largest open ones are completed: the SDK copies what it sends. */
    private static final long MAX_MEMORY = Runtime.getRuntime().maxMemory() / 16;

    private final String connector;
    private final ObjectSize size;
    private final RunCodec codec;
    private final String folder;
    private final ChainObjects objects;
    private final RecordPool pool;
    private final AsyncProducer route;
    private final InFlightLimit limit;
    private final Executor lookups;
    private final boolean takesTogether;
    private final Claims claims;
    private final Function<String, StreamMetrics> metrics;
    private volatile boolean memoryLogged;
    private volatile boolean hasCompleted;
    private final AtomicLong memory = new AtomicLong();
    private final Set<String> claimed = new HashSet<>();

    /** Makes the claim of a stream. */
    interface Claims {
        ChainClaim of(String stream, Optional<Uuid> topicId);
    }

    /**
     * @param route to {@code objects-<connector>}, which is started
     * @param metrics of each stream
     * @param lookups runs what looks at the bucket before a partition is read
     * @param takesTogether whether records that were read together take their steps together
     */
    RunStorage(
            String connector,
            ObjectSize size,
            RunCodec codec,
            String folder,
            ChainObjects objects,
            Claims claims,
            RecordPool pool,
            AsyncProducer route,
            InFlightLimit limit,
            Function<String, StreamMetrics> metrics,
            Executor lookups,
            boolean takesTogether) {
        this.takesTogether = takesTogether;
        this.metrics = metrics;
        this.connector = connector;
        this.size = size;
        this.codec = codec;
        this.folder = folder;
        this.objects = objects;
        this.claims = claims;
        this.pool = pool;
        this.route = route;
        this.limit = limit;
        this.lookups = lookups;
    }

    ObjectSize size() {
        return size;
    }

    /** Whether records that were read together take their steps together. */
    boolean takesTogether() {
        return takesTogether;
    }

    RunCodec codec() {
        return codec;
    }

    RunContent open(long readAt) {
        return new RunContent(codec, readAt, memory::addAndGet);
    }

    /** Whether runs take more memory than they may. */
    boolean isMemoryReached() {
        return memory.get() >= MAX_MEMORY;
    }

    /** Takes in what has completed a run of a stream. */
    void completed(String stream, End by) {
        hasCompleted = true;
        metrics.apply(stream).completed(by);
        if (by == End.MEMORY && !memoryLogged) {
            memoryLogged = true;
            LOG.info(
                    "{}: open runs take more than {} MB: the largest are stored before they are complete, here and later"
                            + " (s3_destination_runs_completed_total)",
                    connector,
                    MAX_MEMORY >> 20);
        }
    }

    /** Takes in that records were dropped in an open run, since their partition is left. */
    void dropped(TopicPartition partition, int lines) {
        if (!hasCompleted) {
            LOG.warn(
                    "{}: {} records of partition {} were read, and their object was not complete: a process that restarts before"
                            + " records_per_object, bytes_per_object or seconds_per_object is reached never stores",
                    connector,
                    lines,
                    partition);
        }
    }

    /** Takes in that an object of a stream was there when it was to be created. */
    void found(String stream) {
        metrics.apply(stream).found();
    }

    /** Has a run stored. */
    void store(
            PartitionRuns runs, TopicPartition partition, Chain.Run run, RunContent content, Optional<Uuid> topicId) {
        Exchange exchange = route.getEndpoint().createExchange();
        RecordInFlight inFlight = new RecordInFlight(runs, limit, partition, run.start(), 0, 1);
        inFlight.dispatch();
        exchange.getExchangeExtension().setFromRouteId(connector);
        exchange.getMessage().setHeader(KafkaConstants.TOPIC, partition.topic());
        exchange.getMessage().setHeader(KafkaConstants.PARTITION, partition.partition());
        exchange.getMessage().setHeader(KafkaConstants.OFFSET, run.start());
        exchange.setVariable("folder", folder);
        exchange.setVariable("object", ChainObjects.name(partition, run.start()));
        exchange.setVariable("suffix", codec.suffix());
        new RunToStore(this, runs, partition, run, content, topicId).attach(exchange);
        RecordCompletion.follow(exchange, inFlight);
        pool.submit(
                inFlight,
                () -> route.process(exchange, unused -> {
                    inFlight.done(Optional.ofNullable(exchange.getException()).map(Exception::toString));
                    exchange.getMessage().setBody(null);
                }));
    }

    /** The last offset of the object that is there in place of a run's. */
    long last(TopicPartition partition, long start, Optional<Uuid> topicId) throws BrokenChain {
        return objects.last(partition, start, topicId)
                .orElseThrow(() -> new BrokenChain("the object " + objects.key(partition, start)
                        + " cannot be created since it is there, and HEAD does not show it: allow s3:GetObject on all objects"
                        + " of the folder, for the credentials of the connection URL, and restart"));
    }

    /**
     * Finds where the chain of a partition goes on; ends when the answer is cancelled.
     *
     * @param start by the commit, or the beginning of the log
     * @param isUnmarked whether there is a commit without a mark: it may be one of records that are objects of their own
     * @param walk to the end of the chain; one that has failed goes on where it was
     * @return fails with {@link BrokenChain} if it cannot go on, and otherwise if S3 does not answer
     */
    CompletableFuture<Chain.Commit> find(
            TopicPartition partition, StartPosition start, boolean isUnmarked, Optional<Uuid> topicId, ChainWalk walk) {
        CompletableFuture<Chain.Commit> found = new CompletableFuture<>();
        lookups.execute(() -> {
            try {
                claim(partition.topic(), topicId);
                long committed = start.offset() - start.lost();
                if (isUnmarked && committed > 0) {
                    checkMode(partition, committed - 1);
                }
                while (!walk.isDone() && !found.isDone()) {
                    advance(walk, partition, topicId);
                }
                if (found.complete(walk.end()) && walk.end().offset() != start.offset()) {
                    LOG.info(
                            "{}: partition {} is read from offset {}, where its chain of objects goes on, not from offset {}",
                            connector,
                            partition,
                            walk.end().offset(),
                            start.offset());
                }
            } catch (BrokenChain | RuntimeException e) {
                found.completeExceptionally(e);
            }
        });
        return found;
    }

    private void checkMode(TopicPartition partition, long stored) throws BrokenChain {
        Optional<String> single = objects.single(partition, stored);
        if (single.isPresent()) {
            throw new BrokenChain("the folder holds objects of one record (" + single.get()
                    + "), which objects of many records cannot share: set another folder");
        }
    }

    private void claim(String stream, Optional<Uuid> topicId) throws BrokenChain {
        synchronized (claimed) {
            if (!claimed.contains(stream)) {
                claims.of(stream, topicId).make();
                claimed.add(stream);
            }
        }
    }

    private void advance(ChainWalk walk, TopicPartition partition, Optional<Uuid> topicId) throws BrokenChain {
        OptionalLong last = objects.lastOrBefore(partition, walk.start(), topicId);
        if (last.isPresent()) {
            walk.found(last.getAsLong());
            limit.progressed(1);
        } else {
            walk.notFound();
        }
    }
}
