package io.s3destination.embedded;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.gaul.s3proxy.AuthenticationType;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobApiMetadata;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStore;
import org.jclouds.blobstore.BlobStoreContext;
import org.jclouds.blobstore.domain.Blob;
import org.jclouds.blobstore.domain.PageSet;
import org.jclouds.blobstore.domain.StorageMetadata;
import org.jclouds.blobstore.options.ListContainerOptions;
import org.jclouds.blobstore.options.PutOptions;
import org.jclouds.blobstore.util.ForwardingBlobStore;
import org.jclouds.rest.AuthorizationException;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * An S3 server in this JVM that checks signatures and keeps its objects as files. The user of the connection URL may
 * put objects and nothing else; the secret holds the characters that users stumble over.
 */
public final class EmbeddedS3 implements S3Server {

    public static final String REGION = "us-east-2";
    public static final String ACCESS_KEY = "AKIAWRITER";
    public static final String ACCESS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLEKEY";
    public static final String OWNER_KEY = "AKIAOWNER";
    public static final String OWNER_SECRET = "owner-secret";

    private final Map<String, Queue<String>> puts = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> attempts = new ConcurrentHashMap<>();
    private final Set<String> denied = ConcurrentHashMap.newKeySet();
    private final BlobStoreContext context;
    private final S3Proxy server;
    private final S3Client client;

    private EmbeddedS3(BlobStoreContext context, int port, UnaryOperator<S3Proxy.Builder> more) throws Exception {
        this.context = context;
        BlobStore store = context.getBlobStore();
        BlobStore writeOnly = new WriteOnly(store);
        server = more.apply(S3Proxy.builder()
                        .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY, ACCESS_SECRET)
                        .endpoint(URI.create("http://127.0.0.1:" + port))
                        .ignoreUnknownHeaders(true)
                        .jettyMaxThreads(300)
                        .blobStore(store))
                .build();
        server.setBlobStoreLocator((identity, container, blob) -> switch (identity) {
            case ACCESS_KEY -> Map.entry(ACCESS_SECRET, writeOnly);
            case OWNER_KEY -> Map.entry(OWNER_SECRET, store);
            default -> null;
        });
        server.start();
        client = S3Client.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(endpoint())
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(OWNER_KEY, OWNER_SECRET)))
                .build();
    }

    /** Starts a server, on any free port if it is 0; ready when this returns. */
    public static EmbeddedS3 start(Path directory, int port) throws Exception {
        return start(directory, port, builder -> builder);
    }

    /** Starts a server that refuses, as some stores do, the headers that came to S3 in later years: checksums among them. */
    public static EmbeddedS3 startOfOldKind(Path directory) throws Exception {
        return start(directory, 0, builder -> builder.ignoreUnknownHeaders(false));
    }

    /** Starts a server that speaks TLS, too, on another free port, with the key pair of that key store. */
    public static EmbeddedS3 startWithTls(Path directory, Path keyStore, String password) throws Exception {
        return start(directory, 0, builder -> builder.secureEndpoint(URI.create("https://127.0.0.1:0"))
                .keyStore(keyStore.toAbsolutePath().toString(), password));
    }

    private static EmbeddedS3 start(Path directory, int port, UnaryOperator<S3Proxy.Builder> more) throws Exception {
        Files.createDirectories(directory);
        Properties settings = new Properties();
        settings.setProperty(
                "jclouds.filesystem.basedir", directory.toAbsolutePath().toString());
        BlobStoreContext context = ContextBuilder.newBuilder(new FilesystemNio2BlobApiMetadata())
                .credentials("", "")
                .overrides(settings)
                .build(BlobStoreContext.class);
        return new EmbeddedS3(context, port, more);
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getPort());
    }

    /** Where it speaks TLS, if it was started so. */
    public URI secureEndpoint() {
        return URI.create("https://127.0.0.1:" + server.getSecurePort());
    }

    @Override
    public String connectionUrl(String bucket) {
        return connectionUrl(bucket, endpoint());
    }

    /** As {@link #connectionUrl(String)}, by way of another endpoint. */
    public String connectionUrl(String bucket, URI endpoint) {
        return "s3://" + ACCESS_KEY + ":" + ACCESS_SECRET + "@" + REGION + "/" + bucket + "?endpoint=" + endpoint;
    }

    @Override
    public S3Client client() {
        return client;
    }

    /** The keys of all objects that bundles have put into a bucket, in their order, each as often as it was put. */
    @Override
    public Collection<String> puts(String bucket) {
        return puts.computeIfAbsent(bucket, b -> new ConcurrentLinkedQueue<>());
    }

    /** How often bundles have tried to put an object into a bucket. */
    public int attempts(String bucket) {
        return count(bucket).get();
    }

    private AtomicInteger count(String bucket) {
        return attempts.computeIfAbsent(bucket, b -> new AtomicInteger());
    }

    /** Takes the right to put objects into the bucket away from the user of the connection URL. */
    public void deny(String bucket) {
        denied.add(bucket);
    }

    /** Gives back what {@link #deny} took. */
    public void allow(String bucket) {
        denied.remove(bucket);
    }

    @Override
    public void close() {
        client.close();
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("S3Proxy did not stop", e);
        }
        context.close();
    }

    /** What a user with the right s3:PutObject sees: no list, no look at the bucket, no read. */
    private final class WriteOnly extends ForwardingBlobStore {

        WriteOnly(BlobStore store) {
            super(store);
        }

        @Override
        public String putBlob(String container, Blob blob, PutOptions options) {
            count(container).incrementAndGet();
            if (denied.contains(container)) {
                throw new AuthorizationException();
            }
            String etag = super.putBlob(container, blob, options);
            puts(container).add(blob.getMetadata().getName());
            return etag;
        }

        @Override
        public boolean containerExists(String container) {
            throw new AuthorizationException();
        }

        @Override
        public PageSet<? extends StorageMetadata> list(String container, ListContainerOptions options) {
            throw new AuthorizationException();
        }

        @Override
        public PageSet<? extends StorageMetadata> list(String container) {
            throw new AuthorizationException();
        }

        @Override
        public Blob getBlob(String container, String name) {
            throw new AuthorizationException();
        }
    }
}
