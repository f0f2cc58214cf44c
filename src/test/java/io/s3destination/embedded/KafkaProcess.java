package io.s3destination.embedded;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.record.FileLogInputStream.FileChannelRecordBatch;
import org.apache.kafka.common.record.FileRecords;
import org.awaitility.Awaitility;

/** A Kafka broker as a process of its own, that can be stopped, killed and started again on its data. */
public final class KafkaProcess implements KafkaServer {

    private static final Duration START = Duration.ofSeconds(60);

    private final Path directory;
    private final int port;
    private final Admin admin;
    private Process process;

    /** Not yet started; its port stays the same over all its starts. */
    public KafkaProcess(Path directory) throws IOException {
        this.directory = directory;
        this.port = EmbeddedKafka.freePort();
        this.admin = Admin.create(Map.of("bootstrap.servers", brokers()));
    }

    @Override
    public String brokers() {
        return "localhost:" + port;
    }

    /** Returns when it takes connections. */
    public KafkaProcess start() throws IOException {
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-Dlog4j2.configurationFile=log4j2-local.properties",
                        "-classpath",
                        System.getProperty("java.class.path"),
                        EmbeddedKafka.class.getName(),
                        directory.resolve("data").toString(),
                        Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()))
                .start();
        Awaitility.await().atMost(START).until(this::answers);
        return this;
    }

    /** SIGTERM; returns when the process is gone. */
    public void stop() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /**
     * Changes a byte on the disk of the stopped broker, in the middle one of a partition's record batches.
     *
     * @return the offset of the batch's first record
     */
    public long corrupt(String stream, int partition) throws IOException {
        Path log = log(stream, partition);
        FileChannelRecordBatch batch = middleBatch(log);
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
            long last = batch.position() + batch.sizeInBytes() - 1L;
            file.seek(last);
            int b = file.read();
            file.seek(last);
            file.write(~b);
        }
        return batch.baseOffset();
    }

    /**
     * Cuts the log of the stopped broker off in the middle of a partition, as a disk that lost its last writes.
     *
     * @return the offset where the log now ends
     */
    public long truncate(String stream, int partition) throws IOException {
        Path log = log(stream, partition);
        FileChannelRecordBatch batch = middleBatch(log);
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
            file.setLength(batch.position());
        }
        // So that the broker reads the log again.
        Files.deleteIfExists(directory.resolve("data").resolve(".kafka_cleanshutdown"));
        try (Stream<Path> files = Files.list(log.getParent())) {
            for (Path file : files.filter(file -> file.toString().matches(".*\\.(index|timeindex|snapshot)"))
                    .toList()) {
                Files.delete(file);
            }
        }
        return batch.baseOffset();
    }

    private Path log(String stream, int partition) {
        return directory.resolve("data").resolve(stream + "-" + partition).resolve("00000000000000000000.log");
    }

    private static FileChannelRecordBatch middleBatch(Path log) throws IOException {
        List<FileChannelRecordBatch> batches = new ArrayList<>();
        try (FileRecords records = FileRecords.open(log.toFile(), false)) {
            records.batches().forEach(batches::add);
        }
        return batches.get(batches.size() / 2);
    }

    private boolean answers() {
        if (!process.isAlive()) {
            throw new IllegalStateException("the broker has ended, see " + directory.resolve("log"));
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("localhost", port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public Admin admin() {
        return admin;
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }
}
