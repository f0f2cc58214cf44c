package io.s3destination.embedded;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.URI;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * An S3 server in this JVM, and in its memory, that creates objects conditionally in one step: S3 does so, S3Proxy and S3Mock
 * check before they write. It has all buckets and checks no signatures. The user of the connection URL may put and get objects
 * and nothing else, and so gets 403 for an object that is missing, as from S3.
 */
public final class AtomicS3 implements S3Server {

    /** What a store does that cannot keep the promise of many records per object. */
    public enum Weakness {
        IGNORES_IF_NONE_MATCH,
        FORGETS_METADATA
    }

    private static final String OWNER = "AKIAOWNER";

    private record Stored(byte[] body, Map<String, String> headers) {}

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    /** By path, which is the bucket and the key. */
    private final ConcurrentMap<String, Stored> objects = new ConcurrentSkipListMap<>();

    private final Queue<String> replaced = new ConcurrentLinkedQueue<>();
    private final Set<Weakness> weaknesses = ConcurrentHashMap.newKeySet();
    private final URI endpoint;
    private final S3Client client;

    /** Starts it on any free port; ready when this returns. */
    public AtomicS3() {
        int port = vertx.createHttpServer()
                .requestHandler(request -> request.bodyHandler(body -> answer(request, body)))
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .join()
                .actualPort();
        endpoint = URI.create("http://127.0.0.1:" + port);
        client = S3Client.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(endpoint)
                .forcePathStyle(true)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create(OWNER, "any")))
                .build();
    }

    public URI endpoint() {
        return endpoint;
    }

    @Override
    public String connectionUrl(String bucket) {
        return connectionUrl(bucket, endpoint);
    }

    /** As {@link #connectionUrl(String)}, by way of another endpoint. */
    public static String connectionUrl(String bucket, URI endpoint) {
        return "s3://AKIAWRITER:any@us-east-1/" + bucket + "?endpoint=" + endpoint;
    }

    @Override
    public S3Client client() {
        return client;
    }

    /** From now on it is weaker than S3. */
    public void weaken(Weakness weakness) {
        weaknesses.add(weakness);
    }

    /** The paths of objects that took the place of another one. */
    public Collection<String> replaced() {
        return replaced;
    }

    private void answer(HttpServerRequest request, Buffer body) {
        boolean owner = request.getHeader("Authorization").contains("=" + OWNER + "/");
        boolean bucket = request.path().indexOf('/', 1) < 0;
        switch (request.method().name()) {
            case "PUT" -> put(request, body.getBytes());
            case "GET", "HEAD" -> {
                Stored stored = objects.get(request.path());
                if (bucket && owner) {
                    request.response().end(list(request.path() + "/"));
                } else if (stored == null) {
                    fail(request.response(), owner ? 404 : 403, owner ? "NoSuchKey" : "AccessDenied");
                } else {
                    stored.headers().forEach(request.response()::putHeader);
                    request.response().end(Buffer.buffer(stored.body()));
                }
            }
            default -> fail(request.response(), 403, "AccessDenied");
        }
    }

    private void put(HttpServerRequest request, byte[] body) {
        Map<String, String> headers = new TreeMap<>();
        request.headers().forEach((name, value) -> {
            String header = name.toLowerCase(Locale.ROOT);
            if (header.startsWith("content-") && !header.equals("content-length")
                    || header.startsWith("x-amz-meta-") && !weaknesses.contains(Weakness.FORGETS_METADATA)) {
                headers.put(header, value);
            }
        });
        headers.put("etag", "\"" + Integer.toHexString(Arrays.hashCode(body)) + "\"");
        Stored stored = new Stored(body, headers);
        boolean conditional =
                request.headers().contains("If-None-Match") && !weaknesses.contains(Weakness.IGNORES_IF_NONE_MATCH);
        Stored before = conditional ? objects.putIfAbsent(request.path(), stored) : objects.put(request.path(), stored);
        if (before != null && conditional) {
            fail(request.response(), 412, "PreconditionFailed");
            return;
        }
        if (before != null) {
            replaced.add(request.path());
        }
        request.response().putHeader("etag", headers.get("etag")).end();
    }

    private String list(String bucket) {
        StringBuilder list = new StringBuilder("<ListBucketResult><IsTruncated>false</IsTruncated>");
        objects.keySet().stream().filter(path -> path.startsWith(bucket)).forEach(path -> list.append("<Contents><Key>")
                .append(path.substring(bucket.length()))
                .append("</Key></Contents>"));
        return list.append("</ListBucketResult>").toString();
    }

    private static void fail(HttpServerResponse response, int status, String code) {
        response.setStatusCode(status).end("<Error><Code>" + code + "</Code></Error>");
    }

    @Override
    public void close() {
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
