package io.s3destination.bench;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.lang.management.ManagementFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.CRC32;

/**
 * An S3 of PUT alone, as cheap as it can be and no cheaper: it answers {@code Expect: 100-continue}, checks the CRC32 that it
 * is sent, answers with the ETag, keeps the object, and takes as long as it is told. It checks no signatures. Under
 * {@code /-/} it is told what to do, and tells what it has.
 */
public final class BenchStore {

    private final Vertx vertx = Vertx.vertx();
    private final Map<String, Stored> objects = new ConcurrentHashMap<>();
    private volatile long latency;
    private volatile double slowShare;
    private volatile long slowLatency;

    /** @param millis since the epoch, when the answer was sent */
    private record Stored(byte[] body, long millis, int puts) {}

    public static void main(String[] port) {
        new BenchStore().listen(Integer.parseInt(port[0]));
    }

    private void listen(int port) {
        vertx.createHttpServer(new HttpServerOptions()
                        .setHandle100ContinueAutomatically(true)
                        .setTcpNoDelay(true))
                .requestHandler(request -> request.bodyHandler(body -> {
                    if (request.path().startsWith("/-/")) {
                        request.response().end(command(request));
                    } else {
                        put(request, body);
                    }
                }))
                .listen(port)
                .onFailure(fault -> {
                    fault.printStackTrace();
                    System.exit(1);
                });
    }

    private void put(HttpServerRequest request, Buffer body) {
        boolean chunked = request.getHeader("x-amz-decoded-content-length") != null;
        byte[] bytes = chunked ? unchunked(body) : body.getBytes();
        String checksum = chunked ? trailer(body) : request.getHeader("x-amz-checksum-crc32");
        if (request.method() == HttpMethod.HEAD) {
            request.response().end();
            return;
        }
        if (request.method() != HttpMethod.PUT || checksum != null && !checksum.equals(crc32(bytes))) {
            request.response().setStatusCode(400).end("<Error><Code>BadDigest</Code></Error>");
            return;
        }
        boolean slow = slowShare > 0 && ThreadLocalRandom.current().nextDouble() < slowShare;
        long delay = slow ? slowLatency : latency;
        if (delay == 0) {
            answer(request, bytes);
        } else {
            vertx.setTimer(delay, timer -> answer(request, bytes));
        }
    }

    private void answer(HttpServerRequest request, byte[] bytes) {
        objects.compute(
                request.path(),
                (key, before) -> new Stored(bytes, System.currentTimeMillis(), before == null ? 1 : before.puts() + 1));
        request.response().putHeader("ETag", "\"" + md5(bytes) + "\"").end();
    }

    /** What {@link StoreClient} asks. */
    private Buffer command(HttpServerRequest request) {
        switch (request.path()) {
            case "/-/reset" -> {
                objects.clear();
                latency = Long.parseLong(request.getParam("latency"));
                slowShare = Double.parseDouble(request.getParam("slowShare"));
                slowLatency = Long.parseLong(request.getParam("slowLatency"));
            }
            case "/-/objects" -> {
                Buffer all = Buffer.buffer();
                objects.forEach((key, stored) -> all.appendInt(key.length())
                        .appendString(key)
                        .appendLong(stored.millis())
                        .appendInt(stored.puts())
                        .appendInt(stored.body().length)
                        .appendBytes(stored.body()));
                return all;
            }
            default -> {
                // Only the figures.
            }
        }
        return JsonObject.of("objects", objects.size(), "cpuNanos", cpuNanos()).toBuffer();
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /** The body within <a href="https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html">aws-chunked</a>. */
    private static byte[] unchunked(Buffer body) {
        Buffer all = Buffer.buffer();
        int at = 0;
        for (; ; ) {
            int end = endOfLine(body, at);
            int size = Integer.parseInt(body.getString(at, end).replaceFirst(";.*", ""), 16);
            if (size == 0) {
                return all.getBytes();
            }
            all.appendBuffer(body, end + 2, size);
            at = end + 2 + size + 2;
        }
    }

    /** The checksum behind the last chunk. */
    private static String trailer(Buffer body) {
        String end = body.getString(Math.max(0, body.length() - 200), body.length(), "ISO-8859-1");
        return end.contains("x-amz-checksum-crc32:")
                ? end.replaceFirst("(?s).*x-amz-checksum-crc32:(\\S+).*", "$1")
                : null;
    }

    private static int endOfLine(Buffer body, int from) {
        int at = from;
        while (body.getByte(at) != '\r') {
            at++;
        }
        return at;
    }

    private static String crc32(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return Base64.getEncoder()
                .encodeToString(
                        Buffer.buffer().appendUnsignedInt(crc.getValue()).getBytes());
    }

    private static String md5(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
