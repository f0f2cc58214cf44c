package io.s3destination;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's consumer, which reads on while records are being stored, no further than its {@link Window} allows, and commits
 * what is stored.
 */
final class WindowedConsumer extends SteadyConsumer {

    private static final Logger LOG = LoggerFactory.getLogger(WindowedConsumer.class);
    private static final long INTERVAL = Duration.ofMillis(200).toNanos();
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** How long a poll waits while the window is full, which may have room again at any time. */
    private static final Duration FULL = Duration.ofMillis(10);
    /** How long what is on its way is waited for at the end: less than Camel waits for a route to stop. */
    private static final long LAST = Duration.ofSeconds(8).toNanos();

    /** So many are stored again after a crash, at most, where S3 refuses one. */
    private static final long SPAN = 10_000;

    private final Window window;
    private Map<TopicPartition, OffsetAndMetadata> committed = Map.of();
    private long lastCommit = System.nanoTime();
    private volatile Uncommitted uncommitted;
    private boolean suspended;
    private final Consumer<WindowedConsumer> closed;

    /**
     * @param load of all consumers of the group
     * @param closed is told when this is closed
     */
    WindowedConsumer(Properties kafka, String group, Window.Load load, Consumer<WindowedConsumer> closed) {
        super(kafka, group);
        this.window = new Window(load, SPAN);
        this.closed = closed;
    }

    @Override
    public ConsumerRecords<Object, Object> poll(Duration timeout) {
        try {
            window.fault().filter(fault -> !suspended).ifPresent(fault -> {
                throw new KafkaException(fault + ": they are read again");
            });
            commit();
            hold();
            ConsumerRecords<Object, Object> records = super.poll(window.isFull() ? FULL : timeout);
            window.add(records);
            return records;
        } catch (RuntimeException | Error e) {
            // Camel makes another consumer after an exception, and loses an error in the future of its task.
            OutOfMemory.endIfOutOfMemory(e);
            throw e;
        }
    }

    /** Pauses what the window has no room for and what cannot be read, and nothing else. */
    private void hold() {
        Set<TopicPartition> held = window.full(assignment());
        unreadablePartition().filter(assignment()::contains).ifPresent(held::add);
        super.pause(held);
        if (!suspended) {
            Set<TopicPartition> free = new HashSet<>(paused());
            free.removeAll(held);
            super.resume(free);
        }
    }

    /** By Camel, while the route is suspended. */
    @Override
    public void pause(Collection<TopicPartition> partitions) {
        suspended = true;
        super.pause(partitions);
    }

    @Override
    public void resume(Collection<TopicPartition> partitions) {
        suspended = false;
        super.resume(partitions);
    }

    private void commit() {
        long now = System.nanoTime();
        if (now - lastCommit < INTERVAL) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> stored = window.stored(assigned());
        if (stored.isEmpty() || stored.equals(committed)) {
            return;
        }
        lastCommit = now;
        commitAsync(stored, (offsets, fault) -> {
            if (fault == null) {
                committed = offsets;
                uncommitted = null;
            } else if (!isOfRebalance(fault) && uncommitted == null) {
                uncommitted = new Uncommitted(System.nanoTime(), fault.getMessage());
                LOG.warn("{}: cannot commit what is stored: {}; it is tried again", group(), fault.getMessage());
            }
        });
    }

    /** The group has given the partitions to others: they read the records again, and store them under the same names. */
    private static boolean isOfRebalance(Exception fault) {
        return fault instanceof CommitFailedException || fault instanceof RebalanceInProgressException;
    }

    @Override
    public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
        super.subscribe(topics, new Rebalance(listener));
    }

    @Override
    public void subscribe(Pattern topics, ConsumerRebalanceListener listener) {
        super.subscribe(topics, new Rebalance(listener));
    }

    /** Lets what has begun its way be stored, and commits it, before others read those partitions, or the route stops. */
    private final class Rebalance implements ConsumerRebalanceListener {

        private final ConsumerRebalanceListener camel;

        Rebalance(ConsumerRebalanceListener camel) {
            this.camel = camel;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            camel.onPartitionsAssigned(partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            window.leave(partitions);
            for (long start = System.nanoTime();
                    window.inFlight(partitions) > 0 && System.nanoTime() - start < LAST; ) {
                LockSupport.parkNanos(INTERVAL / 20);
            }
            try {
                commitSync(window.stored(Set.copyOf(partitions)), TIMEOUT);
            } catch (KafkaException e) {
                LOG.warn(
                        "{}: not all that is stored of {} is committed, and may be read and stored once more: {}",
                        group(),
                        partitions,
                        e.getMessage());
            }
            window.remove(partitions);
            camel.onPartitionsRevoked(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            window.remove(partitions);
            camel.onPartitionsLost(partitions);
        }
    }

    /** What keeps offsets from being committed, for longer than that. */
    Optional<String> uncommitted(Duration patience) {
        return Optional.ofNullable(uncommitted)
                .filter(fault -> System.nanoTime() - fault.since() >= patience.toNanos())
                .map(fault -> "what is stored is not committed since "
                        + Duration.ofNanos(System.nanoTime() - fault.since()).toSeconds() + " s: " + fault.text());
    }

    @Override
    public void close() {
        closed.accept(this);
        super.close();
    }

    @Override
    public void close(Duration timeout) {
        closed.accept(this);
        super.close(timeout);
    }

    private record Uncommitted(long since, String text) {}
}
