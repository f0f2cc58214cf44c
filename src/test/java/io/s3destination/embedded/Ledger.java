package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;

/**
 * What was produced to a stream, and what of it stands in a bucket: one record in a hundred is not JSON, another one has
 * no value. The bucket is read back with a plain client.
 */
public final class Ledger {

    private static final int PARTITIONS = 4;
    private static final String FOLDER = "datalake";

    private final KafkaServer kafka;
    private final S3Server s3;
    private final boolean many;
    private final String stream;
    private final String bucket;
    private final String group;
    private final Pattern names;
    /** The content of each object that there must be, by its key. */
    private final Map<String, byte[]> objects = new TreeMap<>();

    private final BitSet[] deadLetters =
            IntStream.range(0, PARTITIONS).mapToObj(p -> new BitSet()).toArray(BitSet[]::new);
    private final long[] ends = new long[PARTITIONS];
    /** The last offset of objects of many records, by their keys. */
    private final Map<String, Integer> lasts = new HashMap<>();

    /** A ledger of a new stream and a new bucket, which it creates. */
    public Ledger(KafkaServer kafka, S3Server s3, String stream, String bucket, String group) throws Exception {
        this(kafka, s3, false, stream, bucket, group);
    }

    /** As {@link #Ledger(KafkaServer, S3Server, String, String, String)}, where the objects hold many records. */
    public static Ledger ofManyRecords(KafkaServer kafka, S3Server s3, String stream, String bucket, String group)
            throws Exception {
        return new Ledger(kafka, s3, true, stream, bucket, group);
    }

    private Ledger(KafkaServer kafka, S3Server s3, boolean many, String stream, String bucket, String group)
            throws Exception {
        this.kafka = kafka;
        this.s3 = s3;
        this.many = many;
        this.stream = stream;
        this.bucket = bucket;
        this.group = group;
        this.names = Pattern.compile(".*/" + Pattern.quote(stream) + "-(\\d)-(\\d{10})(\\.ndjson)?(\\.gz)?");
        kafka.createStream(stream, PARTITIONS);
        s3.createBucket(bucket);
    }

    /** Produces so many records more, over all partitions; returns when Kafka has them. */
    public void produce(int records) throws Exception {
        List<byte[]> values = new ArrayList<>();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (int n = 0; n < records; n++) {
                byte[] value = value(n);
                values.add(value);
                sent.add(producer.send(new ProducerRecord<>(stream, (n + n / 100) % PARTITIONS, null, value)));
            }
        }
        for (int n = 0; n < records; n++) {
            RecordMetadata record = sent.get(n).get();
            String name = "%s-%d-%010d".formatted(stream, record.partition(), record.offset());
            ends[record.partition()] = record.offset() + 1;
            if (isJson(n)) {
                byte[] value = values.get(n);
                objects.put(FOLDER + "/" + name + ".gz", value == null ? "null".getBytes(UTF_8) : value);
            } else {
                objects.put(FOLDER + "-dead-letter/" + name, values.get(n));
                deadLetters[record.partition()].set((int) record.offset());
            }
        }
    }

    /** Produces one record more, with a key; returns its offset. */
    public long produce(int partition, byte[] key) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            byte[] value = value(0);
            long offset = producer.send(new ProducerRecord<>(stream, partition, key, value))
                    .get()
                    .offset();
            objects.put(key(partition, offset), value);
            ends[partition] = offset + 1;
            return offset;
        }
    }

    private static boolean isJson(int n) {
        return n % 100 != 17;
    }

    private static byte[] value(int n) {
        if (!isJson(n)) {
            return n % 400 == 17 ? new byte[0] : ("{\"record\": " + n + ", \u00e4 and so on").getBytes(UTF_8);
        }
        return n % 100 == 53
                ? null
                : ("{\"record\": %d, \"price\": %d.10, \"text\": \"%s\"}".formatted(n, n, "\u00e4bc ".repeat(n % 97)))
                        .getBytes(UTF_8);
    }

    /** How many of the records produced are not JSON. */
    public int deadLetters() {
        return Arrays.stream(deadLetters).mapToInt(BitSet::cardinality).sum();
    }

    /**
     * Waits until all that was produced is committed, then: every offset has its object or dead letter, with its
     * content, under no other name, and there is nothing else. An object of many records is that of each of them.
     */
    public void isComplete(Duration patience) {
        if (many) {
            isCompleteInChains(patience);
        } else {
            isCompleteBut(0, ends[0], patience);
        }
    }

    /**
     * As {@link #isComplete} with many records per object: each record is a line of exactly one of them, in the order of the
     * offsets, each value that is not JSON a dead letter, and there is nothing else but the claim of the stream.
     */
    public void isCompleteInChains(Duration patience) {
        isCommittedBut(0, ends[0], patience);
        Map<Integer, List<Chains.Link>> chains = Chains.read(s3, bucket, FOLDER, stream);
        List<String> others = new ArrayList<>(s3.keys(bucket));
        for (int partition = 0; partition < PARTITIONS; partition++) {
            long next = 0;
            for (Chains.Link link : chains.getOrDefault(partition, List.of())) {
                assertThat(link.start()).as(link.key()).isEqualTo(next);
                next = link.last() + 1;
                assertThat(link.lines()).as(link.key()).isEqualTo(values(partition, link.start(), next));
                others.remove(link.key());
            }
            assertThat((long) deadLetters[partition].nextClearBit((int) next))
                    .as("end of partition " + partition)
                    .isEqualTo(ends[partition]);
        }
        List<String> letters =
                objects.keySet().stream().filter(key -> !key.endsWith(".gz")).toList();
        assertThat(others)
                .as("keys of other objects")
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(letters.stream(), Stream.of(FOLDER + "/_chain/" + stream))
                                .toList());
        assertThat(letters).allSatisfy(key -> assertThat(content(key)).as(key).isEqualTo(objects.get(key)));
    }

    /** The JSON values of those offsets. */
    private List<String> values(int partition, long from, long to) {
        return LongStream.range(from, to)
                .filter(offset -> !deadLetters[partition].get((int) offset))
                .mapToObj(offset -> new String(objects.get(key(partition, offset)), UTF_8))
                .toList();
    }

    private String key(int partition, long offset) {
        return FOLDER + "/%s-%d-%010d.gz".formatted(stream, partition, offset);
    }

    /** As {@link #isComplete}, but for one partition, of which all before that offset is committed and stored. */
    public void isCompleteBut(int partition, long offset, Duration patience) {
        isCommittedBut(partition, offset, patience);
        Map<String, byte[]> objects = new TreeMap<>(this.objects);
        objects.keySet().removeIf(key -> {
            Matcher name = names.matcher(key);
            return name.matches()
                    && Integer.parseInt(name.group(1)) == partition
                    && Long.parseLong(name.group(2)) >= offset;
        });
        assertThat(s3.keys(bucket)).as("keys in " + bucket).containsExactlyInAnyOrderElementsOf(objects.keySet());
        assertThat(objects.keySet().stream()
                        .filter(key -> !Arrays.equals(content(key), objects.get(key)))
                        .toList())
                .as("objects whose content is not their record's")
                .isEmpty();
    }

    /** Waits until all that was produced is committed, but of one partition just what is before that offset. */
    public void isCommittedBut(int partition, long offset, Duration patience) {
        Map<TopicPartition, Long> all = new TreeMap<>((a, b) -> a.partition() - b.partition());
        IntStream.range(0, PARTITIONS).forEach(p -> all.put(new TopicPartition(stream, p), ends[p]));
        all.put(new TopicPartition(stream, partition), offset);
        Awaitility.await()
                .atMost(patience)
                .pollInterval(Duration.ofMillis(250))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(kafka.committed(group))
                        .as("committed offsets")
                        .containsExactlyInAnyOrderEntriesOf(all));
    }

    /** Every committed offset is covered: all records before it are stored. */
    public void committedIsStored() throws Exception {
        Map<TopicPartition, Long> committed = kafka.committed(group);
        BitSet[] stored = stored();
        committed.forEach((partition, offset) -> assertThat(offset)
                .as("committed offset of " + partition)
                .isLessThanOrEqualTo(stored[partition.partition()].nextClearBit(0)));
    }

    /** All records are stored but dead letters, none of which is; and nothing is committed that is not stored. */
    public void onlyDeadLettersAreMissing() throws Exception {
        committedIsStored();
        BitSet[] stored = stored();
        for (int p = 0; p < PARTITIONS; p++) {
            BitSet missing = new BitSet();
            missing.set(0, (int) ends[p]);
            missing.andNot(stored[p]);
            assertThat(missing)
                    .as("records of partition " + p + " that are not stored")
                    .isEqualTo(deadLetters[p]);
        }
    }

    /** The offsets that have an object, by partition; a list of the server's is not complete while objects come. */
    private BitSet[] stored() {
        BitSet[] stored =
                IntStream.range(0, PARTITIONS).mapToObj(p -> new BitSet()).toArray(BitSet[]::new);
        for (String key : s3.puts(bucket)) {
            Matcher name = names.matcher(key);
            if (name.matches()) {
                int partition = Integer.parseInt(name.group(1));
                int start = Integer.parseInt(name.group(2));
                if (name.group(3) == null) {
                    stored[partition].set(start);
                } else {
                    BitSet records = new BitSet();
                    records.set(start, lasts.computeIfAbsent(key, this::last) + 1);
                    records.andNot(deadLetters[partition]);
                    stored[partition].or(records);
                }
            }
        }
        return stored;
    }

    private int last(String key) {
        return Integer.parseInt(s3.client()
                .headObject(object -> object.bucket(bucket).key(key))
                .metadata()
                .get("last-offset"));
    }

    private byte[] content(String key) {
        byte[] body = s3.client()
                .getObjectAsBytes(object -> object.bucket(bucket).key(key))
                .asByteArray();
        return key.endsWith(".gz") ? S3Server.unzipped(body) : body;
    }
}
