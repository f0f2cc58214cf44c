package io.s3destination.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/** A Kafka broker of one node in this JVM, on its own files. */
public final class EmbeddedKafka implements AutoCloseable {

    private final String brokers;
    private final KafkaRaftServer server;
    private final Admin admin;

    private EmbeddedKafka(String brokers, KafkaRaftServer server) {
        this.brokers = brokers;
        this.server = server;
        this.admin = Admin.create(Map.of("bootstrap.servers", brokers));
    }

    /** Starts a broker, on any free port if it is 0; ready when this returns. */
    public static EmbeddedKafka start(Path directory, int port) throws Exception {
        String broker = "localhost:" + (port == 0 ? freePort() : port);
        String controller = "localhost:" + freePort();
        Map<String, String> settings = new HashMap<>(Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "controller.quorum.voters", "1@" + controller,
                "controller.listener.names", "CONTROLLER",
                "listeners", "PLAINTEXT://" + broker + ",CONTROLLER://" + controller,
                "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "log.dirs", directory.toAbsolutePath().toString(),
                "auto.create.topics.enable", "false"));
        settings.putAll(Map.of(
                "offsets.topic.num.partitions", "1",
                "offsets.topic.replication.factor", "1",
                "transaction.state.log.num.partitions", "1",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "group.initial.rebalance.delay.ms", "0",
                "message.max.bytes", "33554432"));
        new Formatter()
                .setNodeId(1)
                .setClusterId(Uuid.randomUuid().toString())
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setControllerListenerName("CONTROLLER")
                .setMetadataLogDirectory(settings.get("log.dirs"))
                .setDirectories(List.of(settings.get("log.dirs")))
                .setIgnoreFormatted(true)
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
                .run();
        Properties properties = new Properties();
        properties.putAll(settings);
        KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
        return new EmbeddedKafka(broker, server);
    }

    public String brokers() {
        return brokers;
    }

    public void createStream(String stream, int partitions) throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(
                        new NewTopic(stream, partitions, (short) 1).configs(Map.of("max.message.bytes", "33554432"))))
                .all()
                .get();
    }

    /** A producer of bytes, to be closed by the caller. */
    public KafkaProducer<byte[], byte[]> producer() {
        return producer(Map.of());
    }

    /** As {@link #producer()}, for transactions. */
    public KafkaProducer<byte[], byte[]> transactionalProducer(String id) {
        return producer(Map.of("transactional.id", id));
    }

    private KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "bootstrap.servers", brokers,
                "linger.ms", "5",
                "max.request.size", "33554432",
                "buffer.memory", "67108864"));
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** The committed offset of each partition of a group that has one. */
    public Map<TopicPartition, Long> committed(String group) throws ExecutionException, InterruptedException {
        Map<TopicPartition, Long> committed = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        offsets.forEach((partition, offset) -> committed.put(partition, offset.offset()));
        return committed;
    }

    /** A port that was free a moment ago. */
    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        admin.close();
        server.shutdown();
        server.awaitShutdown();
    }
}
