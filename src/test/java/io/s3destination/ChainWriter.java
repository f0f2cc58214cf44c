package io.s3destination;

import io.s3destination.ChainFolder.StoredRun;
import io.s3destination.ChainWorld.Committed;
import io.s3destination.ChainWorld.Mark;
import io.s3destination.ChainWorld.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * One assignment of the partition to one process, which stores as {@link Chain} and {@link ChainWalk} decide. A step is one
 * request to S3, one record that is read, or one commit; reading goes on while a run is being stored.
 */
final class ChainWriter {

    /** Does one thing and returns what comes next. */
    private interface Step {
        Step take() throws BrokenChain;
    }

    private final ChainWorld world;
    private final ChainFolder folder;
    private final ChainLog log;
    private final ChainObjects objects = new ChainObjects(this::head, ChainFolder.NAME, ChainFolder.CODEC);
    /** What an answer that was cut off has shown: the next answer for that object is complete. */
    private final Set<String> cut = new HashSet<>();

    private final long recordsPerObject;
    /** The offsets of each run, in the order of the runs. */
    private final Map<Chain.Run, List<Long>> read = new LinkedHashMap<>();

    private Step next = this::claim;
    private Step storing = this::store;
    private Chain chain;
    private ChainWalk walk;
    private long target;
    private boolean follows;
    private long position;
    /** From here on all that is committed must be stored. */
    private long firstRead;

    private long committed;
    private boolean idle;
    private boolean stopped;

    ChainWriter(ChainWorld world, long recordsPerObject) {
        this.world = world;
        this.folder = world.folder();
        this.log = world.log();
        this.recordsPerObject = recordsPerObject;
    }

    void step() {
        try {
            next = next.take();
        } catch (BrokenChain e) {
            stopped = true;
        } catch (SdkClientException unlike) {
            // One of two answers was cut off: it is asked again.
            return;
        }
    }

    /** Whether it must not go on. */
    boolean isStopped() {
        return stopped;
    }

    private Optional<Uuid> topic() {
        return Optional.of(log.topic());
    }

    /** HEAD, whose answer may be cut off. */
    private Map<String, String> head(String key) {
        Map<String, String> metadata = folder.head(key);
        String last = metadata.getOrDefault(ChainObjects.LAST_OFFSET, "");
        if (last.length() < 2 || cut.remove(key) || !world.happens(0.1)) {
            return metadata;
        }
        cut.add(key);
        Map<String, String> partly = world.happens(0.5) ? new HashMap<>() : new HashMap<>(metadata);
        partly.put(ChainObjects.LAST_OFFSET, last.substring(0, last.length() - 1));
        return partly;
    }

    /** Whether all records are read, stored and committed. */
    boolean isIdle() {
        return idle;
    }

    private Step claim() throws BrokenChain {
        folder.createClaim(log.topic());
        try {
            ChainClaim.check(ChainFolder.CLAIM, folder.head(ChainFolder.CLAIM), ChainFolder.CODEC, topic());
        } catch (S3Exception e) {
            throw new BrokenChain("HEAD does not show the claim");
        }
        return this::start;
    }

    private Step start() throws BrokenChain {
        Optional<Committed> committed = world.committed();
        long offset = committed.map(Committed::offset).orElse(log.start());
        Optional<Mark> mark = committed.flatMap(Committed::mark).filter(known -> isOfCommit(known, offset));
        if (StartPosition.recreated(ChainFolder.PARTITION.topic(), mark.map(Mark::topic), topic())
                        .isPresent()
                || offset > log.end()) {
            throw new BrokenChain("the topic was created again");
        }
        Optional<Mark> trusted = mark.filter(known -> known.folder() == folder || world.breaks(Rule.PLACE));
        if (trusted.isPresent()) {
            long link = trusted.get().link();
            Chain.Commit begin = new Chain.Commit(Math.max(offset, link), link);
            walk = new ChainWalk(begin, trusted.get().isOnTheWay());
            target = begin.offset();
            return walk.isDone() ? begin(walk.end()) : this::search;
        }
        if (world.breaks(Rule.MARK) && committed.isPresent()) {
            return begin(new Chain.Commit(offset, offset));
        }
        target = Math.max(offset, log.start());
        walk = new ChainWalk(recordsPerObject, ChainWorld.CELL, target);
        boolean isUnmarked = committed.isPresent() && offset > 0 && !world.breaks(Rule.MODE);
        return isUnmarked ? () -> checkMode(offset - 1) : this::search;
    }

    private boolean isOfCommit(Mark mark, long offset) {
        return mark.offset() == offset || world.breaks(Rule.MOVED);
    }

    private Step checkMode(long stored) throws BrokenChain {
        if (objects.single(ChainFolder.PARTITION, stored).isPresent()) {
            throw new BrokenChain("the folder holds objects of one record");
        }
        return this::search;
    }

    private Step search() throws BrokenChain {
        long asked = walk.start();
        OptionalLong last = objects.lastOrBefore(ChainFolder.PARTITION, asked, topic());
        if (last.isEmpty() && follows && world.breaks(Rule.CUT)) {
            return begin(new Chain.Commit(asked, asked));
        }
        follows |= last.isPresent();
        last.ifPresentOrElse(walk::found, walk::notFound);
        if (walk.isDone()) {
            return begin(walk.end());
        }
        if (world.happens(0.5)) {
            commitWalk();
        }
        return this::search;
    }

    private void commitWalk() {
        OptionalLong link = world.breaks(Rule.WALK) && follows ? OptionalLong.of(walk.start()) : walk.stored();
        link.ifPresent(found -> {
            long offset = Math.max(found, target);
            world.requireStored(folder, log, target, offset);
            world.commitLater(new Committed(offset, Optional.of(new Mark(log.topic(), folder, found, offset, true))));
        });
    }

    private Step begin(Chain.Commit found) throws BrokenChain {
        if (found.offset() > log.end()) {
            throw new BrokenChain("an object reaches beyond the end of the log");
        }
        boolean lost = found.offset() < log.start();
        long offset = lost ? log.start() : found.offset();
        long link = lost && world.breaks(Rule.START) ? offset : found.link();
        long cell = world.breaks(Rule.CELL) ? Chain.CELL : ChainWorld.CELL;
        chain = new Chain(recordsPerObject, cell, new Chain.Commit(offset, link));
        position = offset;
        firstRead = offset;
        committed = offset;
        if (lost) {
            commit();
        }
        return this::work;
    }

    private Step work() throws BrokenChain {
        if (chain.next().isEmpty() || world.happens(0.3)) {
            read();
        } else {
            storing = storing.take();
        }
        return this::work;
    }

    private void read() {
        Optional<Long> record = log.recordFrom(position);
        long upcoming = record.orElse(Math.max(position, log.end()));
        if (record.isEmpty() && chain.open().isPresent()) {
            chain.complete();
        } else if (record.isEmpty() || upcoming > position && world.happens(0.2)) {
            position = upcoming;
            chain.passed(position);
            commit();
            idle = record.isEmpty() && chain.commit().offset() == position;
        } else {
            position = upcoming + 1;
            Chain.Run run = take(upcoming);
            if (run.isFull() || world.happens(0.15)) {
                chain.complete();
            }
        }
    }

    private Chain.Run take(long offset) {
        Chain.Run run = chain.take(offset);
        world.require(offset < run.limit(), "limit: " + offset + " in a run that ends before " + run.limit());
        read.computeIfAbsent(run, any -> new ArrayList<>()).add(offset);
        if (log.isLine(offset)) {
            run.line();
        }
        return run;
    }

    private Chain.Run run() {
        return chain.next().orElseThrow();
    }

    private Step store() throws BrokenChain {
        Step object = run().hasLine() ? this::put : this::stored;
        return (world.breaks(Rule.LETTERS) ? object : letters(object)).take();
    }

    /** Creates the dead letters of the run, one by one. */
    private Step letters(Step then) {
        return letters(
                read.get(run()).stream().filter(offset -> !log.isLine(offset)).iterator(), then);
    }

    private Step letters(Iterator<Long> left, Step then) {
        if (!left.hasNext()) {
            return then;
        }
        return () -> {
            folder.createLetter(log.topic(), left.next());
            return letters(left, then);
        };
    }

    /** Without an answer it may arrive later, or never; where the answer is lost it has arrived. */
    private Step put() {
        List<Long> offsets = read.get(run());
        StoredRun object = new StoredRun(
                log.topic(),
                name(),
                run().last(),
                offsets.stream().filter(log::isLine).toList());
        world.require(
                offsets.get(0) / recordsPerObject == run().last() / recordsPerObject,
                "size: " + offsets + " in one object of " + recordsPerObject);
        if (world.happens(0.15)) {
            world.putLater(() -> folder.create(object));
            return this::put;
        }
        boolean created = folder.create(object);
        if (world.happens(0.18)) {
            return this::put;
        }
        return created ? this::stored : this::compare;
    }

    private long name() {
        return world.breaks(Rule.LINK) ? read.get(run()).get(0) : run().start();
    }

    private Step stored() throws BrokenChain {
        return world.breaks(Rule.LETTERS) ? letters(this::end).take() : end();
    }

    private Step end() {
        if (world.breaks(Rule.EMPTY)) {
            run().line();
        }
        read.remove(run());
        chain.stored();
        commit();
        return this::store;
    }

    private Step compare() throws BrokenChain {
        long last = objects.last(ChainFolder.PARTITION, name(), topic())
                .orElseThrow(() -> new BrokenChain("HEAD does not show what is there"));
        return () -> occupied(last);
    }

    private Step occupied(long last) throws BrokenChain {
        if (last == run().last() && world.breaks(Rule.LETTERS)) {
            return stored();
        }
        read.remove(run());
        if (!chain.occupied(last)) {
            commit();
            return this::store;
        }
        world.foundForeign(last);
        List<Long> ahead = read.values().stream().flatMap(List::stream).toList();
        read.clear();
        if (world.breaks(Rule.FOREIGN) && !ahead.isEmpty()) {
            firstRead = Math.min(firstRead, last + 1);
            ahead.forEach(this::take);
        } else {
            position = chain.commit().offset();
        }
        return this::store;
    }

    private void commit() {
        Chain.Commit commit = chain.commit();
        world.require(commit.link() <= commit.offset(), "order: the link " + commit.link() + " of " + commit.offset());
        world.require(commit.offset() >= committed, "order: " + commit.offset() + " after " + committed);
        committed = commit.offset();
        world.requireStored(folder, log, firstRead, commit.offset());
        if (world.happens(0.8)) {
            long link = world.breaks(Rule.POSITION) ? commit.offset() : commit.link();
            Mark mark = new Mark(log.topic(), folder, link, commit.offset(), false);
            world.commitLater(new Committed(commit.offset(), Optional.of(mark)));
        }
    }
}
