package io.s3destination.embedded;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A Kafka broker that the tests run on, in this JVM or in another, as its clients see it. */
public interface KafkaServer extends AutoCloseable {

    String brokers();

    default void createStream(String stream, int partitions) throws ExecutionException, InterruptedException {
        admin().createTopics(List.of(
                        new NewTopic(stream, partitions, (short) 1).configs(Map.of("max.message.bytes", "33554432"))))
                .all()
                .get();
    }

    /** A producer of bytes, to be closed by the caller. */
    default KafkaProducer<byte[], byte[]> producer() {
        return producer(Map.of());
    }

    /** As {@link #producer()}, for transactions. */
    default KafkaProducer<byte[], byte[]> transactionalProducer(String id) {
        return producer(Map.of("transactional.id", id));
    }

    /** As {@link #producer()}, with settings of Kafka's producer over its own. */
    default KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "bootstrap.servers", brokers(),
                "linger.ms", "5",
                // A stream that was created a moment ago may not have its leader yet: what is sent again stays in
                // order.
                "max.in.flight.requests.per.connection", "1",
                "max.request.size", "33554432",
                "buffer.memory", "67108864"));
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** The committed offset of each partition of a group that has one. */
    default Map<TopicPartition, Long> committed(String group) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> offsets = admin().listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        Map<TopicPartition, Long> committed = new HashMap<>();
        offsets.forEach((partition, offset) -> {
            if (offset != null) {
                committed.put(partition, offset.offset());
            }
        });
        return committed;
    }

    /** The commits of a group for one stream, by partition. */
    default Map<Integer, OffsetAndMetadata> commits(String group, String stream)
            throws ExecutionException, InterruptedException {
        Map<Integer, OffsetAndMetadata> commits = new HashMap<>();
        admin().listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get()
                .forEach((partition, commit) -> {
                    if (commit != null && partition.topic().equals(stream)) {
                        commits.put(partition.partition(), commit);
                    }
                });
        return commits;
    }

    /** Commits an offset in place of a group that has no members. */
    default void reset(String group, TopicPartition partition, OffsetAndMetadata commit)
            throws ExecutionException, InterruptedException {
        admin().alterConsumerGroupOffsets(group, Map.of(partition, commit))
                .all()
                .get();
    }

    /** Deletes the records of a partition before an offset, as retention does. */
    default void deleteRecords(TopicPartition partition, long before) throws ExecutionException, InterruptedException {
        admin().deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(before)))
                .all()
                .get();
    }

    /** The offset behind the last record of a partition. */
    default long end(TopicPartition partition) throws ExecutionException, InterruptedException {
        return admin().listOffsets(Map.of(partition, OffsetSpec.latest()))
                .partitionResult(partition)
                .get()
                .offset();
    }

    /** The ID of a stream. */
    default Uuid topicId(String stream) throws ExecutionException, InterruptedException {
        return admin().describeTopics(List.of(stream))
                .topicNameValues()
                .get(stream)
                .get()
                .topicId();
    }

    /** How many members of a group have partitions to read. */
    default long readers(String group) throws ExecutionException, InterruptedException {
        return describe(group).members().stream()
                .filter(member -> !member.assignment().topicPartitions().isEmpty())
                .count();
    }

    /** The name of the way by which a group shares its partitions out. */
    default String assignor(String group) throws ExecutionException, InterruptedException {
        return describe(group).partitionAssignor();
    }

    private ConsumerGroupDescription describe(String group) throws ExecutionException, InterruptedException {
        return admin().describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    /** The one client of all these questions, closed with the server. */
    Admin admin();

    @Override
    void close();
}
