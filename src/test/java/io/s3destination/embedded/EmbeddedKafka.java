package io.s3destination.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/** A Kafka broker of one node in this JVM, on its own files; started again on the same files, it still has its data. */
public final class EmbeddedKafka implements KafkaServer {

    /** Always the same, so that files which were formatted before are the same cluster's. */
    private static final String CLUSTER = new Uuid(1, 1).toString();

    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(22_000));

    private final String brokers;
    private final String controller;
    private final KafkaRaftServer server;
    private final Admin admin;

    private EmbeddedKafka(String brokers, String controller, KafkaRaftServer server, Map<String, String> client) {
        this.brokers = brokers;
        this.controller = controller;
        this.server = server;
        Map<String, Object> settings = new HashMap<>(client);
        settings.put("bootstrap.servers", brokers);
        this.admin = Admin.create(settings);
    }

    /** A broker that is a process of its own, until it is stopped by a signal. */
    public static void main(String[] directoryAndPort) throws Exception {
        EmbeddedKafka kafka = start(Path.of(directoryAndPort[0]), Integer.parseInt(directoryAndPort[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(kafka::close));
    }

    /** Starts a broker, on any free port if it is 0; ready when this returns. */
    public static EmbeddedKafka start(Path directory, int port) throws Exception {
        return start(directory, port, Map.of());
    }

    /** As {@link #start(Path, int)}, with more of Kafka's broker settings. */
    public static EmbeddedKafka start(Path directory, int port, Map<String, String> more) throws Exception {
        return start(directory, port, "PLAINTEXT", more, Map.of());
    }

    /** Starts a second broker, with the ID 2, in the cluster of this one. */
    public EmbeddedKafka startSecond(Path directory) throws Exception {
        return start(directory, 2, "localhost:" + freePort(), controller, "PLAINTEXT", Map.of(), Map.of());
    }

    /** Starts a broker that speaks TLS alone, with a key pair that its own clients trust. */
    public static EmbeddedKafka startWithTls(Path directory, SelfSigned certificate) throws Exception {
        Map<String, String> trust = Map.of(
                "ssl.truststore.location",
                certificate.trustStore().toAbsolutePath().toString(),
                "ssl.truststore.password",
                SelfSigned.PASSWORD);
        Map<String, String> broker = new HashMap<>(trust);
        broker.put(
                "ssl.keystore.location", certificate.keyStore().toAbsolutePath().toString());
        broker.put("ssl.keystore.password", SelfSigned.PASSWORD);
        broker.put("ssl.key.password", SelfSigned.PASSWORD);
        Map<String, String> client = new HashMap<>(trust);
        client.put("security.protocol", "SSL");
        return start(directory, 0, "SSL", broker, client);
    }

    private static EmbeddedKafka start(
            Path directory, int port, String protocol, Map<String, String> more, Map<String, String> client)
            throws Exception {
        String broker = "localhost:" + (port == 0 ? freePort() : port);
        return start(directory, 1, broker, "localhost:" + freePort(), protocol, more, client);
    }

    /** The node 1 is the controller, too. */
    private static EmbeddedKafka start(
            Path directory,
            int node,
            String broker,
            String controller,
            String protocol,
            Map<String, String> more,
            Map<String, String> client)
            throws Exception {
        String listener = protocol + "://" + broker;
        Map<String, String> settings = new HashMap<>(Map.of(
                "process.roles",
                node == 1 ? "broker,controller" : "broker",
                "node.id",
                String.valueOf(node),
                "controller.quorum.voters",
                "1@" + controller,
                "controller.listener.names",
                "CONTROLLER",
                "listeners",
                node == 1 ? listener + ",CONTROLLER://" + controller : listener,
                "listener.security.protocol.map",
                protocol + ":" + protocol + ",CONTROLLER:PLAINTEXT",
                "security.inter.broker.protocol",
                protocol,
                "log.dirs",
                directory.toAbsolutePath().toString(),
                "auto.create.topics.enable",
                "false"));
        settings.putAll(Map.of(
                "offsets.topic.num.partitions", "1",
                "offsets.topic.replication.factor", "1",
                "transaction.state.log.num.partitions", "1",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "group.initial.rebalance.delay.ms", "0",
                "group.coordinator.rebalance.protocols", "classic,consumer",
                "message.max.bytes", "33554432"));
        settings.putAll(more);
        new Formatter()
                .setNodeId(node)
                .setClusterId(CLUSTER)
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
        return new EmbeddedKafka(broker, controller, server, client);
    }

    @Override
    public String brokers() {
        return brokers;
    }

    /** A port that was free a moment ago, and is given to no one else of this JVM, nor to an outgoing connection. */
    public static int freePort() throws IOException {
        while (true) {
            // Linux gives those from 32768 on to outgoing connections.
            int port = 10_000 + Math.floorMod(NEXT_PORT.getAndIncrement(), 22_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException e) {
                // The next one may be free.
            }
        }
    }

    @Override
    public Admin admin() {
        return admin;
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
        server.shutdown();
        server.awaitShutdown();
    }
}
