package io.s3destination;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * How far a consumer group is behind, as the brokers see it: the consumer itself hears of no new records while it waits for
 * S3. For one thread; whoever made it closes it.
 */
final class Lag implements AutoCloseable {

    private static final int PATIENCE_MS = 5_000;

    private final String group;
    private final Admin admin;

    /** @param consumer the settings of a consumer of the group: where Kafka is, and how to log in */
    Lag(String group, Properties consumer) {
        this.group = group;
        Map<String, Object> settings = new HashMap<>();
        AdminClientConfig.configNames().stream()
                .filter(consumer::containsKey)
                .forEach(name -> settings.put(name, consumer.get(name)));
        settings.put(AdminClientConfig.CLIENT_ID_CONFIG, group + "-lag");
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MS);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MS);
        admin = Admin.create(settings);
    }

    String group() {
        return group;
    }

    /** The records between what is committed and the end of each partition; empty if Kafka does not answer in time. */
    Optional<Map<TopicPartition, Long>> behind(Set<TopicPartition> partitions) {
        try {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get();
            Map<TopicPartition, Long> from = offsets(partitions, OffsetSpec.earliest());
            from.replaceAll((partition, earliest) -> Optional.ofNullable(committed.get(partition))
                    .map(offset -> Math.max(earliest, offset.offset()))
                    .orElse(earliest));
            Map<TopicPartition, Long> to = offsets(partitions, OffsetSpec.latest());
            return Optional.of(partitions.stream()
                    .collect(Collectors.toMap(
                            Function.identity(), partition -> Math.max(0, to.get(partition) - from.get(partition)))));
        } catch (ExecutionException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private Map<TopicPartition, Long> offsets(Set<TopicPartition> partitions, OffsetSpec spec)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        admin.listOffsets(
                        partitions.stream().collect(Collectors.toMap(Function.identity(), partition -> spec)),
                        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all()
                .get()
                .forEach((partition, result) -> offsets.put(partition, result.offset()));
        return offsets;
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
