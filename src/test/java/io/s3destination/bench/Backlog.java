package io.s3destination.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.s3destination.bench.StoreProcess.Stored;
import io.s3destination.embedded.KafkaServer;
import io.s3destination.embedded.S3Server;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A stream whose records are known by partition and offset, so that each object can be checked. */
final class Backlog {

    static final int PARTITIONS = 4;

    private static final Pattern KEY = Pattern.compile(".*-(\\d+)-(\\d+)(\\.ndjson)?(\\.gz|\\.zst)?");
    private static final byte[] TEXT = text(16 << 20);

    private final KafkaServer kafka;
    private final String stream;
    private final int partitions;
    private final int size;
    private final int recordsPerObject;
    /** The numbers of the first record of the last production, of the one behind its last, and of the next to come. */
    private long first;

    private long end;
    private long next;

    /**
     * @param size of each record, in bytes
     * @param recordsPerObject with which it is stored
     */
    Backlog(KafkaServer kafka, String stream, int partitions, int size, int recordsPerObject) throws Exception {
        this.kafka = kafka;
        this.stream = stream;
        this.partitions = partitions;
        this.size = size;
        this.recordsPerObject = recordsPerObject;
        kafka.createStream(stream, partitions);
    }

    String stream() {
        return stream;
    }

    int recordsPerObject() {
        return recordsPerObject;
    }

    /** The number of records of the last production. */
    int records() {
        return (int) (end - first);
    }

    /** The first offset of each partition in the last production, if it was one of {@link #produce(int)}. */
    long from() {
        return first / partitions;
    }

    /** The offset behind its last one. */
    long to() {
        return end / partitions;
    }

    /**
     * Adds at least so many records, up to where objects are complete in all partitions. Consumers see them when Kafka has them
     * all: what it takes to produce them is not measured.
     */
    void produce(int records) {
        begin();
        long all = (long) recordsPerObject * partitions;
        try (KafkaProducer<byte[], byte[]> producer = kafka.transactionalProducer(stream)) {
            producer.initTransactions();
            producer.beginTransaction();
            for (long to = (first + records + all - 1) / all * all; next < to; ) {
                produce(producer);
            }
            producer.commitTransaction();
        }
        // Its end takes an offset in each partition.
        next += partitions;
    }

    /** Begins a production of single records. */
    void begin() {
        first = next;
    }

    /** Adds one record by that producer. */
    void produce(KafkaProducer<byte[], byte[]> producer) {
        producer.send(new ProducerRecord<>(stream, (int) (next % partitions), null, value(next, size)));
        end = ++next;
    }

    /**
     * When each record of the last production was stored, in milliseconds since the epoch. Fails unless the objects hold these
     * records alone, each once, those of many in the order of their partition, byte for byte.
     */
    long[] stored(StoreProcess store) throws Exception {
        long[] millis = new long[records()];
        Map<Integer, Long> chains = new HashMap<>();
        store.forEach(object -> check(object, chains, millis));
        for (int n = 0; n < millis.length; n++) {
            if (millis[n] == 0) {
                throw new IllegalStateException("record %d of %d is not stored".formatted(n, millis.length));
            }
        }
        return millis;
    }

    /** @param chains where the objects of many records of a partition end */
    private void check(Stored object, Map<Integer, Long> chains, long[] millis) {
        Matcher name = KEY.matcher(object.key());
        if (!name.matches()) {
            throw new IllegalStateException("an object that nobody should store: " + object.key());
        }
        int partition = Integer.parseInt(name.group(1));
        long offset = Long.parseLong(name.group(2));
        boolean many = name.group(3) != null;
        byte[] content = unpacked(object.body(), name.group(4));
        int length = size + (many ? 1 : 0);
        boolean right = content.length == object.records() * length;
        if (many) {
            right &= offset == chains.getOrDefault(partition, offset);
            if (number(partition, offset) < first) {
                // The first object begins at the end of the transaction before, which is no record.
                offset++;
            }
            chains.put(partition, offset + object.records());
        }
        for (int at = 0; right && at < content.length; at += length) {
            long number = number(partition, offset++);
            right = number >= first
                    && number < end
                    && Arrays.equals(content, at, at + size, value(number, size), 0, size)
                    && (!many || content[at + size] == '\n');
            if (right) {
                millis[(int) (number - first)] = object.millis();
            }
        }
        if (!right) {
            throw new IllegalStateException("the object %s does not hold its records".formatted(object.key()));
        }
    }

    private static byte[] unpacked(byte[] body, String suffix) {
        if (suffix == null) {
            return body;
        }
        return suffix.equals(".gz") ? S3Server.unzipped(body) : S3Server.unzstd(body);
    }

    private long number(int partition, long offset) {
        return offset * partitions + partition;
    }

    /** A change event with text that compresses to about a half, as words do. */
    static byte[] value(long number, int size) {
        byte[] begin =
                ("{\"schema\":null,\"payload\":{\"op\":\"c\",\"n\":" + number + ",\"text\":\"").getBytes(US_ASCII);
        byte[] end = "\"}}".getBytes(US_ASCII);
        // The same text comes back further on than compressors look.
        int from = (int) (number * size % (TEXT.length - size));
        return ByteBuffer.allocate(size)
                .put(begin)
                .put(TEXT, from, size - begin.length - end.length)
                .put(end)
                .array();
    }

    private static byte[] text(int size) {
        StringBuilder text = new StringBuilder(size + 16);
        Random random = new Random(0);
        while (text.length() < size) {
            text.append(Integer.toString(random.nextInt(1 << 20), 36))
                    .append(random.nextInt(4) == 0 ? ". " : " order ");
        }
        return text.toString().getBytes(US_ASCII);
    }
}
