package io.s3destination.bench;

import io.s3destination.embedded.EmbeddedKafka;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.awaitility.Awaitility;

/** The {@link BenchStore} as a process of its own, and what is asked of it. */
final class StoreProcess implements AutoCloseable {

    /** How long S3 takes: nearly always, and for that share of the requests. */
    record Latency(int millis, double slowShare, int slowMillis) {

        static Latency of(int millis) {
            return new Latency(millis, 0, 0);
        }
    }

    /** @param puts how often it was put */
    record Stored(byte[] body, long millis, int puts) {}

    /** @param cpuNanos what the store itself has used since it started */
    record Figures(int objects, long cpuNanos) {}

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI endpoint;
    private final Process process;

    StoreProcess() throws IOException {
        int port = EmbeddedKafka.freePort();
        endpoint = URI.create("http://127.0.0.1:" + port);
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
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
        return new Figures(figures.getInteger("objects"), figures.getLong("cpuNanos"));
    }

    /** Waits for so many objects. */
    void await(int objects) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(3))
                .pollInterval(Duration.ofMillis(100))
                .until(() -> figures().objects() >= objects);
    }

    /** All objects by their keys, without the bucket. */
    Map<String, Stored> objects() throws IOException, InterruptedException {
        Buffer all = ask("/-/objects");
        Map<String, Stored> objects = new HashMap<>();
        for (int at = 0; at < all.length(); ) {
            int length = all.getInt(at);
            String path = all.getString(at + 4, at + 4 + length);
            at += 4 + length;
            int size = all.getInt(at + 12);
            objects.put(
                    path.substring("/bench/".length()),
                    new Stored(all.getBytes(at + 16, at + 16 + size), all.getLong(at), all.getInt(at + 8)));
            at += 16 + size;
        }
        return objects;
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
