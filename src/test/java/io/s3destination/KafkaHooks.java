package io.s3destination;

import io.s3destination.Hooks.Place;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;

/** A deserializer of bytes and an interceptor of Kafka's consumer, with the {@link Hooks} of the consumer's group. */
public final class KafkaHooks implements Deserializer<byte[]>, ConsumerInterceptor<Object, Object> {

    private static final Map<String, Hooks> BY_GROUP = new ConcurrentHashMap<>();

    private Hooks hooks;

    static void bind(String group, Hooks hooks) {
        BY_GROUP.put(group, hooks);
    }

    @Override
    public void configure(Map<String, ?> consumer, boolean isKey) {
        configure(consumer);
    }

    @Override
    public void configure(Map<String, ?> consumer) {
        hooks = BY_GROUP.get(String.valueOf(consumer.get("group.id")));
    }

    @Override
    public byte[] deserialize(String topic, byte[] bytes) {
        hooks.run(Place.DESERIALIZER, null);
        return bytes;
    }

    @Override
    public ConsumerRecords<Object, Object> onConsume(ConsumerRecords<Object, Object> records) {
        hooks.run(Place.ON_CONSUME, null);
        return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        hooks.run(Place.ON_COMMIT, null);
    }

    @Override
    public void close() {}
}
