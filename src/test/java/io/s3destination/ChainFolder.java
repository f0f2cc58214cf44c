package io.s3destination;

import io.s3destination.ChainWorld.Rule;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** A folder of the bucket in a {@link ChainWorld}: its claim, its objects of one and of many records, and the dead letters. */
final class ChainFolder {

    static final String NAME = "lake";
    static final TopicPartition PARTITION = new TopicPartition("orders", 0);
    static final RunCodec CODEC = RunCodec.GZIP;
    static final String CLAIM = ChainClaim.key(NAME, PARTITION.topic());

    private static final S3Exception NOT_FOUND = answer(404);
    private static final S3Exception FORBIDDEN = answer(403);

    record StoredRun(Uuid topic, long start, long last, List<Long> lines) {}

    private record Record(Uuid topic, long offset) {}

    private final ChainWorld world;
    /** Of what HEAD shows, by key. */
    private final Map<String, Map<String, String>> metadata = new HashMap<>();

    private final NavigableMap<Long, StoredRun> objects = new TreeMap<>();
    private final Set<Record> lines = new HashSet<>();
    private final Set<Record> letters = new HashSet<>();
    private boolean hasSingles;

    ChainFolder(ChainWorld world) {
        this.world = world;
    }

    private static S3Exception answer(int status) {
        return (S3Exception) S3Exception.builder().statusCode(status).build();
    }

    /** Stores an object of one record. */
    void createSingle(Uuid topic, long offset) {
        metadata.put(NAME + "/" + ChainObjects.name(PARTITION, offset) + ".gz", Map.of());
        lines.add(new Record(topic, offset));
        hasSingles = true;
    }

    boolean isSingle(Uuid topic, long offset) {
        return hasSingles && lines.contains(new Record(topic, offset));
    }

    boolean hasSingles() {
        return hasSingles;
    }

    void createClaim(Uuid topic) {
        metadata.putIfAbsent(CLAIM, Map.of("suffix", CODEC.suffix(), ChainObjects.TOPIC_ID, topic.toString()));
    }

    /** Whether a writer of that topic must not store here. */
    boolean isRefused(Uuid topic) {
        return hasSingles || ChainObjects.isOfOther(Optional.of(topic), metadata.getOrDefault(CLAIM, Map.of()));
    }

    /** @return whether it was not there */
    boolean create(StoredRun object) {
        if (objects.containsKey(object.start())) {
            if (!world.breaks(Rule.CONDITIONAL)) {
                return false;
            }
            world.require(objects.get(object.start()).equals(object), "replaced: the object at " + object.start());
        }
        objects.put(object.start(), object);
        metadata.put(
                NAME + "/" + ChainObjects.name(PARTITION, object.start()) + CODEC.suffix(),
                Map.of(
                        ChainObjects.LAST_OFFSET, String.valueOf(object.last()),
                        ChainObjects.TOPIC_ID, object.topic().toString()));
        object.lines().forEach(line -> {
            boolean isNew = lines.add(new Record(object.topic(), line));
            world.require(isNew || world.breaks(Rule.CONDITIONAL), "twice: " + line + " is in two objects");
        });
        Optional.ofNullable(objects.lowerEntry(object.start()))
                .ifPresent(before -> requireApart(before.getValue(), object));
        Optional.ofNullable(objects.higherEntry(object.start()))
                .ifPresent(after -> requireApart(object, after.getValue()));
        world.require(
                object.lines().stream().allMatch(line -> line >= object.start() && line <= object.last()),
                "outside: a line of the object of " + object.start() + " to " + object.last());
        world.require(
                objects.firstEntry().getValue().topic().equals(object.topic()),
                "mixed: the object at " + object.start() + " is of another topic than others");
        return true;
    }

    private void requireApart(StoredRun before, StoredRun after) {
        world.require(
                before.last() < after.start(),
                "overlap: the object at " + after.start() + " begins in one that ends at " + before.last());
    }

    void createLetter(Uuid topic, long offset) {
        letters.add(new Record(topic, offset));
    }

    boolean isStored(ChainLog log, long offset) {
        return (log.isLine(offset) ? lines : letters).contains(new Record(log.topic(), offset));
    }

    /** What S3 answers to HEAD. */
    Map<String, String> head(String key) {
        boolean isClaim = key.equals(CLAIM);
        if (world.isDenied() && !(isClaim && world.breaks(Rule.DENIED))) {
            throw FORBIDDEN;
        }
        Map<String, String> shown = metadata.get(key);
        if (shown == null) {
            throw world.mayList() ? NOT_FOUND : FORBIDDEN;
        }
        if (world.breaks(Rule.TOPIC) || isClaim && world.breaks(Rule.CLAIM)) {
            Map<String, String> without = new HashMap<>(shown);
            without.remove(ChainObjects.TOPIC_ID);
            return without;
        }
        return shown;
    }
}
