package io.s3destination;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * The limit of the benchmark: nothing but the bundle's own S3 client, which puts bytes that are compressed beforehand. For
 * each line from its input, {@code <threads> <objects>}, it puts so many objects and answers when they are stored.
 */
public final class SdkLoop {

    private SdkLoop() {}

    /** @param args the connection URL, the most threads, and the values that are put, as a file of lines */
    public static void main(String[] args) throws Exception {
        ConnectionUrl url = ConnectionUrl.parse(args[0]);
        List<byte[]> bodies = new ArrayList<>();
        for (String value : Files.readAllLines(Path.of(args[2]))) {
            bodies.add(zipped(value));
        }
        ExecutorService pool = Executors.newCachedThreadPool();
        try (S3Client s3 = S3Clients.create(url, Integer.parseInt(args[1]));
                BufferedReader commands =
                        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("ready");
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] command = line.split(" ");
                put(s3, url.bucket(), bodies, pool, Integer.parseInt(command[0]), Integer.parseInt(command[1]));
                System.out.println("done");
            }
        }
        pool.shutdown();
    }

    private static void put(
            S3Client s3, String bucket, List<byte[]> bodies, ExecutorService pool, int threads, int objects)
            throws Exception {
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> running = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            running.add(pool.submit(() -> {
                for (int n = next.getAndIncrement(); n < objects; n = next.getAndIncrement()) {
                    String key = "loop/orders-%d-%010d.gz".formatted(n % 4, n / 4);
                    s3.putObject(
                            object -> object.bucket(bucket)
                                    .key(key)
                                    .contentType("application/json")
                                    .contentEncoding("gzip"),
                            RequestBody.fromBytes(bodies.get(n % bodies.size())));
                }
            }));
        }
        for (Future<?> thread : running) {
            thread.get();
        }
    }

    private static byte[] zipped(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }
}
