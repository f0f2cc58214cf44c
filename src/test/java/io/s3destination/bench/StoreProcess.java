package io.s3destination.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.s3destination.embedded.EmbeddedKafka;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/** The {@link BenchStore} as a process of its own, and what is asked of it. */
final class StoreProcess implements AutoCloseable {

    /** How long S3 takes: nearly always, and for that share of the requests. */
    record Latency(int millis, double slowShare, int slowMillis) {

        static Latency of(int millis) {
            return new Latency(millis, 0, 0);
        }
    }

    /**
     * An object.
     *
     * @param key without the bucket
     * @param millis since the epoch, when it was stored
     * @param records that its metadata says it holds, or the one of an object without it
     */
    record Stored(String key, byte[] body, long millis, int records) {}

    /**
     * What the store has taken since it was last reset.
     *
     * @param objects that hold records
     * @param requests of all kinds
     * @param cpuNanos what the store itself has used since it started
     */
    record Figures(int records, int objects, int requests, long cpuNanos) {}

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI endpoint;
    private final Process process;

    StoreProcess() throws IOException {
        int port = EmbeddedKafka.freePort();
        endpoint = URI.create("http://127.0.0.1:" + port);
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx2g",
                        "-Dlog4j2.configurationFile=log4j2-local.properties",
                        "-classpath",
                        System.getProperty("java.class.path"),
                        BenchStore.class.getName(),
                        Integer.toString(port))
                .inheritIO()
                .start();
        Awaitility.await().atMost(Duration.ofMinutes(1)).ignoreExceptions().until(() -> figures() != null);
    }

    String connectionUrl() {
        return "s3://AKIABENCH:secret@us-east-1/bench?endpoint=" + endpoint;
    }

    URI endpoint() {
        return endpoint;
    }

    /** Forgets all objects. */
    void reset(Latency latency) throws IOException, InterruptedException {
        ask("/-/reset?latency=%d&slowShare=%s&slowLatency=%d"
                .formatted(latency.millis(), latency.slowShare(), latency.slowMillis()));
    }

    Figures figures() throws IOException, InterruptedException {
        JsonObject figures = ask("/-/figures").toJsonObject();
        return new Figures(
                figures.getInteger("records"),
                figures.getInteger("objects"),
                figures.getInteger("requests"),
                figures.getLong("cpuNanos"));
    }

    /** Waits until objects hold so many records. */
    void await(int records) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(3))
                .pollInterval(Duration.ofMillis(100))
                .until(() -> figures().records() >= records);
    }

    /** Gives all objects with records to that, in the order of their keys. */
    void forEach(Consumer<Stored> reader) throws IOException, InterruptedException {
        for (String last = ""; ; ) {
            Buffer page = ask("/-/objects?after=" + URLEncoder.encode(last, UTF_8));
            if (page.length() == 0) {
                return;
            }
            for (int at = 0; at < page.length(); ) {
                int length = page.getInt(at);
                last = page.getString(at + 4, at + 4 + length);
                at += 4 + length;
                int size = page.getInt(at + 12);
                if (page.getInt(at + 8) > 0) {
                    reader.accept(new Stored(
                            last.substring("/bench/".length()),
                            page.getBytes(at + 16, at + 16 + size),
                            page.getLong(at),
                            page.getInt(at + 8)));
                }
                at += 16 + size;
            }
        }
    }

    private Buffer ask(String path) throws IOException, InterruptedException {
        return Buffer.buffer(
                http.send(HttpRequest.newBuilder(endpoint.resolve(path)).build(), BodyHandlers.ofByteArray())
                        .body());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
