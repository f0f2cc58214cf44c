package io.s3destination.bench;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import java.lang.management.ManagementFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/**
 * An S3 of PUT and HEAD alone, as cheap as it can be and no cheaper: it answers {@code Expect: 100-continue}, checks the CRC32
 * that it is sent, creates with {@code If-None-Match: *} in one step, answers with the ETag, keeps the object with its metadata,
 * and answers after the latency that is set. It checks no signatures. {@link StoreProcess} sets it and reads what it has under
 * {@code /-/}.
 */
public final class BenchStore {

    private static final String METADATA = "x-amz-meta-";
    /** So many bytes of objects are sent at once, and the last object of them whole. */
    private static final int PAGE = 16 << 20;

    private final Vertx vertx = Vertx.vertx();
    private final NavigableMap<String, Stored> objects = new ConcurrentSkipListMap<>();
    private final AtomicLong records = new AtomicLong();
    /** That hold records. */
    private final AtomicLong filled = new AtomicLong();

    private final AtomicLong requests = new AtomicLong();
    private volatile long latency;
    private volatile double slowShare;
    private volatile long slowLatency;

    /** @param millis since the epoch, when the answer was sent */
    private record Stored(byte[] body, Map<String, String> metadata, long millis) {

        /** What the metadata says, or the one of an object without it; the claim of a stream is empty. */
        int records() {
            String many = metadata.get(METADATA + "records");
            return many != null ? Integer.parseInt(many) : body.length == 0 ? 0 : 1;
        }
    }

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
                        take(request, body);
                    }
                }))
                .listen(port)
                .onFailure(fault -> {
                    fault.printStackTrace();
                    System.exit(1);
                });
    }

    private void take(HttpServerRequest request, Buffer body) {
        requests.incrementAndGet();
        boolean slow = slowShare > 0 && ThreadLocalRandom.current().nextDouble() < slowShare;
        long delay = slow ? slowLatency : latency;
        if (delay == 0) {
            answer(request, body);
        } else {
            vertx.setTimer(delay, timer -> answer(request, body));
        }
    }

    private void answer(HttpServerRequest request, Buffer body) {
        if (request.method() == HttpMethod.HEAD) {
            head(request);
        } else {
            put(request, body);
        }
    }

    private void head(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        Stored stored = objects.get(request.path());
        if (stored != null) {
            stored.metadata().forEach(response::putHeader);
        } else if (request.path().lastIndexOf('/') > 0) {
            // Not the bucket, which is there.
            response.setStatusCode(404);
        }
        response.end();
    }

    private void put(HttpServerRequest request, Buffer body) {
        boolean chunked = request.getHeader("x-amz-decoded-content-length") != null;
        byte[] bytes = chunked ? unchunked(body) : body.getBytes();
        String checksum = chunked ? trailer(body) : request.getHeader("x-amz-checksum-crc32");
        if (request.method() != HttpMethod.PUT || checksum != null && !checksum.equals(crc32(bytes))) {
            request.response().setStatusCode(400).end("<Error><Code>BadDigest</Code></Error>");
            return;
        }
        Map<String, String> metadata = request.headers().entries().stream()
                .filter(header -> header.getKey().toLowerCase(Locale.ROOT).startsWith(METADATA))
                .collect(Collectors.toMap(header -> header.getKey().toLowerCase(Locale.ROOT), Map.Entry::getValue));
        Stored stored = new Stored(bytes, metadata, System.currentTimeMillis());
        boolean create = "*".equals(request.getHeader("If-None-Match"));
        Stored before = create ? objects.putIfAbsent(request.path(), stored) : objects.put(request.path(), stored);
        if (create && before != null) {
            request.response().setStatusCode(412).end("<Error><Code>PreconditionFailed</Code></Error>");
            return;
        }
        if (before == null && stored.records() > 0) {
            filled.incrementAndGet();
        }
        records.addAndGet(stored.records() - (before == null ? 0 : before.records()));
        request.response().putHeader("ETag", "\"" + md5(bytes) + "\"").end();
    }

    /** What {@link StoreProcess} asks. */
    private Buffer command(HttpServerRequest request) {
        switch (request.path()) {
            case "/-/reset" -> {
                objects.clear();
                records.set(0);
                filled.set(0);
                requests.set(0);
                latency = Long.parseLong(request.getParam("latency"));
                slowShare = Double.parseDouble(request.getParam("slowShare"));
                slowLatency = Long.parseLong(request.getParam("slowLatency"));
            }
            case "/-/objects" -> {
                return objects(request.getParam("after"));
            }
            default -> {
                // Only the figures.
            }
        }
        return JsonObject.of("records", records.get(), "objects", filled.get())
                .put("requests", requests.get())
                .put("cpuNanos", cpuNanos())
                .toBuffer();
    }

    /** The next objects behind that path, in the order of their paths. */
    private Buffer objects(String after) {
        Buffer page = Buffer.buffer();
        for (Map.Entry<String, Stored> object : objects.tailMap(after, false).entrySet()) {
            Stored stored = object.getValue();
            page.appendInt(object.getKey().length())
                    .appendString(object.getKey())
                    .appendLong(stored.millis())
                    .appendInt(stored.records())
                    .appendInt(stored.body().length)
                    .appendBytes(stored.body());
            if (page.length() >= PAGE) {
                break;
            }
        }
        return page;
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
