package io.s3destination;

import io.s3destination.Hooks.Place;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Configurable;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;

/** What users may put into Kafka's consumer, a deserializer, an interceptor and an assignor, with the {@link Hooks} of its group. */
public final class KafkaHooks extends RangeAssignor
        implements Deserializer<byte[]>, ConsumerInterceptor<Object, Object>, Configurable {

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
    public GroupAssignment assign(Cluster cluster, GroupSubscription members) {
        hooks.run(Place.ASSIGNMENT, null);
        return super.assign(cluster, members);
    }

    @Override
    public void close() {}
}
