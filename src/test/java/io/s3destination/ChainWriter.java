package io.s3destination;

import io.s3destination.ChainWorld.Committed;
import io.s3destination.ChainWorld.Folder;
import io.s3destination.ChainWorld.Mark;
import io.s3destination.ChainWorld.Rule;
import io.s3destination.ChainWorld.StoredRun;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One assignment of the partition to one process, which stores as {@link Chain} and {@link ChainWalk} decide. A step is one
 * request to S3, one record that is read, or one commit; reading goes on while a run is being stored.
 */
final class ChainWriter {

    /** Does one thing and returns what comes next. */
    private interface Step {
        Step take();
    }

    private final ChainWorld world;
    private final Folder folder;
    private final long recordsPerObject;
    /** The offsets of each run, in the order of the runs. */
    private final Map<Chain.Run, List<Long>> read = new LinkedHashMap<>();

    private Step next = this::start;
    private Step storing = this::store;
    private Chain chain;
    private ChainWalk walk;
    private long position;
    /** From here on all that is committed must be stored. */
    private long firstRead;

    private long committed;
    private boolean idle;

    ChainWriter(ChainWorld world, long recordsPerObject) {
        this.world = world;
        this.folder = world.folder();
        this.recordsPerObject = recordsPerObject;
    }

    void step() {
        next = next.take();
    }

    /** Whether all records are read, stored and committed. */
    boolean isIdle() {
        return idle;
    }

    private Step start() {
        Optional<Committed> committed = world.committed();
        long offset = committed.map(Committed::offset).orElse(world.start());
        Optional<Mark> trusted = committed.flatMap(Committed::mark).filter(mark -> isTrusted(mark, offset));
        if (trusted.isPresent()) {
            long link = trusted.get().link();
            return begin(new Chain.Commit(Math.max(offset, link), link));
        }
        if (world.breaks(Rule.MARK) && committed.isPresent()) {
            return begin(new Chain.Commit(offset, offset));
        }
        walk = new ChainWalk(recordsPerObject, ChainWorld.CELL, Math.max(offset, world.start()));
        return this::search;
    }

    private boolean isTrusted(Mark mark, long offset) {
        return (mark.folder() == folder || world.breaks(Rule.PLACE))
                && (mark.offset() == offset || world.breaks(Rule.MOVED));
    }

    private Step search() {
        OptionalLong last = folder.head(walk.start());
        last.ifPresentOrElse(walk::found, walk::notFound);
        return walk.isDone() ? () -> begin(new Chain.Commit(walk.start(), walk.start())) : this::search;
    }

    private Step begin(Chain.Commit found) {
        boolean lost = found.offset() < world.start();
        long offset = lost ? world.start() : found.offset();
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

    private Step work() {
        if (chain.next().isEmpty() || world.happens(0.3)) {
            read();
        } else {
            storing = storing.take();
        }
        return this::work;
    }

    private void read() {
        Optional<Long> record = world.recordFrom(position);
        long upcoming = record.orElse(Math.max(position, world.end()));
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
        if (world.isLine(offset)) {
            run.line();
        }
        return run;
    }

    private Chain.Run run() {
        return chain.next().orElseThrow();
    }

    private Step store() {
        Step object = run().hasLine() ? this::put : this::stored;
        return (world.breaks(Rule.LETTERS) ? object : letters(object)).take();
    }

    /** Creates the dead letters of the run, one by one. */
    private Step letters(Step then) {
        return letters(
                read.get(run()).stream().filter(offset -> !world.isLine(offset)).iterator(), then);
    }

    private Step letters(Iterator<Long> left, Step then) {
        if (!left.hasNext()) {
            return then;
        }
        return () -> {
            folder.createLetter(left.next());
            return letters(left, then);
        };
    }

    /** Without an answer it may arrive later, or never; where the answer is lost it has arrived. */
    private Step put() {
        List<Long> offsets = read.get(run());
        StoredRun object = new StoredRun(
                name(), run().last(), offsets.stream().filter(world::isLine).toList());
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
        return created ? this::stored : this::head;
    }

    private long name() {
        return world.breaks(Rule.LINK) ? read.get(run()).get(0) : run().start();
    }

    private Step stored() {
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

    private Step head() {
        long last = folder.head(name()).orElseThrow();
        return () -> occupied(last);
    }

    private Step occupied(long last) {
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
        world.requireStored(folder, firstRead, commit.offset());
        if (world.happens(0.8)) {
            long link = world.breaks(Rule.POSITION) ? commit.offset() : commit.link();
            Mark mark = new Mark(folder, link, commit.offset());
            world.commitLater(new Committed(commit.offset(), Optional.of(mark)));
        }
    }
}
