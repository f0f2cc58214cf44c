package io.s3destination.local;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Data records as a change data capture source writes them: orders that are inserted, updated and deleted, each
 * deletion followed by a tombstone.
 */
final class ChangeEvents {

    private static final String ROW =
            "{\"type\":\"struct\",\"optional\":true,\"field\":\"%s\",\"fields\":[{\"type\":\"int64\",\"optional\":false,"
                    + "\"field\":\"id\"},{\"type\":\"string\",\"optional\":true,\"field\":\"customer\"},"
                    + "{\"type\":\"double\",\"optional\":true,\"field\":\"total\"}]}";
    private static final String SCHEMA =
            "{\"type\":\"struct\",\"optional\":false,\"name\":\"orders.Envelope\",\"fields\":["
                    + ROW.formatted("before") + "," + ROW.formatted("after")
                    + ",{\"type\":\"string\",\"optional\":false,\"field\":\"op\"},"
                    + "{\"type\":\"int64\",\"optional\":true,\"field\":\"ts_ms\"}]}";

    private final String stream;
    private final int partitions;

    ChangeEvents(String stream, int partitions) {
        this.stream = stream;
        this.partitions = partitions;
    }

    /** The n-th event: of every ten, six inserts, two updates, a deletion and its tombstone. */
    ProducerRecord<byte[], byte[]> event(long n) {
        int step = (int) (n % 10);
        long id = step < 6 ? n : n - 6;
        String value =
                switch (step) {
                    case 6, 7 -> envelope(row(id, "19.90"), row(id, "24.50"), "u");
                    case 8 -> envelope(row(n - 8, "19.90"), "null", "d");
                    case 9 -> null;
                    default -> envelope("null", row(id, "19.90"), "c");
                };
        long key = step < 8 ? id : n - step;
        return new ProducerRecord<>(
                stream,
                (int) (key % partitions),
                ("{\"id\":" + key + "}").getBytes(StandardCharsets.UTF_8),
                value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    private static String row(long id, String total) {
        return "{\"id\":%d,\"customer\":\"Zoë Müller\",\"total\":%s}".formatted(id, total);
    }

    private static String envelope(String before, String after, String op) {
        long now = System.currentTimeMillis();
        return ("{\"schema\":%s,\"payload\":{\"before\":%s,\"after\":%s,\"source\":{\"connector\":\"postgresql\","
                        + "\"db\":\"shop\",\"schema\":\"public\",\"table\":\"orders\",\"ts_ms\":%d},\"op\":\"%s\","
                        + "\"ts_ms\":%d}}")
                .formatted(SCHEMA, before, after, now, op, now);
    }
}
