package io.s3destination.embedded;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;

/** A Kafka broker as a process of its own, that can be stopped, killed and started again on its data. */
public final class KafkaProcess implements KafkaServer {

    private static final Duration START = Duration.ofSeconds(60);

    private final Path directory;
    private final int port;
    private Process process;

    /** Not yet started; its port stays the same over all its starts. */
    public KafkaProcess(Path directory) throws IOException {
        this.directory = directory;
        this.port = EmbeddedKafka.freePort();
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
    public void close() {
        if (process != null) {
            process.destroyForcibly();
        }
    }
}
