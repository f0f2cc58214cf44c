package io.s3destination;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Records of one partition that were read together and take the shipped steps of a record together, as the body of one
 * exchange: an exchange of its own costs a record some 50 µs. For one thread at a time.
 */
final class PolledRecords {

    /** What a record takes beside key, value and headers: its objects. */
    private static final long OVERHEAD = 256;

    private final List<ConsumerRecord<?, ?>> records;
    /** Why values are not JSON, by offset. */
    private final Map<Long, String> faults = new HashMap<>();

    /** @param records in the order of their offsets; not empty */
    PolledRecords(List<? extends ConsumerRecord<?, ?>> records) {
        this.records = List.copyOf(records);
    }

    /** What a record takes in memory, in bytes, beside its exchange. */
    static long bytes(ConsumerRecord<?, ?> record) {
        return RecordInFlight.size(record) + OVERHEAD;
    }

    /** The value of a record as bytes, whatever the deserializer of the route makes of it. */
    static byte[] value(ConsumerRecord<?, ?> record, Exchange exchange) {
        return exchange.getContext().getTypeConverter().convertTo(byte[].class, exchange, record.value());
    }

    /** What all take in memory. */
    long bytes() {
        return records.stream().mapToLong(PolledRecords::bytes).sum();
    }

    List<ConsumerRecord<?, ?>> all() {
        return records;
    }

    ConsumerRecord<?, ?> first() {
        return records.get(0);
    }

    void fault(long offset, String why) {
        faults.put(offset, why);
    }

    Optional<String> fault(long offset) {
        return Optional.ofNullable(faults.get(offset));
    }

    /** As Kafka's consumer gives out one record; its value is this. */
    ConsumerRecord<Object, Object> asOne() {
        return new ConsumerRecord<>(first().topic(), first().partition(), first().offset(), null, this);
    }
}
