package io.s3destination.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.s3destination.bench.StoreProcess.Stored;
import io.s3destination.embedded.KafkaServer;
import io.s3destination.embedded.S3Server;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A stream of four partitions, whose records are known by partition and offset, so that each object can be checked. */
final class Backlog {

    static final int PARTITIONS = 4;

    private static final Pattern KEY = Pattern.compile(".*-(\\d)-(\\d+)(?:\\.gz)?");

    private final KafkaServer kafka;
    private final String stream;
    private final int size;
    private long next;

    /** @param size of each record, in bytes */
    Backlog(KafkaServer kafka, String stream, int size) throws Exception {
        this.kafka = kafka;
        this.stream = stream;
        this.size = size;
        kafka.createStream(stream, PARTITIONS);
    }

    String stream() {
        return stream;
    }

    /** The number of the record that is produced next. */
    long next() {
        return next;
    }

    /**
     * Adds so many records, which consumers see when Kafka has them all: what it takes to produce them is not measured.
     *
     * @param records a multiple of the partitions
     */
    void produce(int records) {
        try (KafkaProducer<byte[], byte[]> producer = kafka.transactionalProducer(stream)) {
            producer.initTransactions();
            producer.beginTransaction();
            for (int n = 0; n < records; n++) {
                produce(producer);
            }
            producer.commitTransaction();
        }
        // Its end takes an offset in each partition.
        next += PARTITIONS;
    }

    /** Adds one record by that producer. */
    void produce(KafkaProducer<byte[], byte[]> producer) {
        producer.send(new ProducerRecord<>(stream, (int) (next % PARTITIONS), null, value(next, size)));
        next++;
    }

    /** The place of an object's record among all that were produced. */
    static long number(String key) {
        Matcher name = KEY.matcher(key);
        if (!name.matches()) {
            throw new IllegalStateException("an object that nobody should store: " + key);
        }
        return Long.parseLong(name.group(2)) * PARTITIONS + Integer.parseInt(name.group(1));
    }

    /** Objects = records: exactly the last so many, each with its content. */
    void check(Map<String, Stored> objects, int records) {
        if (objects.size() != records) {
            throw new IllegalStateException(objects.size() + " objects of " + records + " records of " + stream);
        }
        objects.forEach((key, stored) -> {
            long number = number(key);
            // Behind the last one may be the end of a transaction.
            boolean right = number >= next - records - PARTITIONS
                    && number < next
                    && Arrays.equals(S3Server.unzipped(stored.body()), value(number, size));
            if (!right) {
                throw new IllegalStateException("the object " + key + " is not its record");
            }
        });
    }

    /** A change event with text that compresses to about a half, as words do. */
    static byte[] value(long number, int size) {
        StringBuilder value =
                new StringBuilder("{\"schema\":null,\"payload\":{\"op\":\"c\",\"n\":" + number + ",\"text\":\"");
        Random random = new Random(number);
        while (value.length() < size - 3) {
            value.append(Integer.toString(random.nextInt(1 << 20), 36))
                    .append(random.nextInt(4) == 0 ? ". " : " order ");
        }
        value.setLength(size - 3);
        return value.append("\"}}").toString().getBytes(UTF_8);
    }
}
