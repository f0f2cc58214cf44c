package io.s3destination.embedded;

import com.github.luben.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;

/** An S3 server that the tests run on, seen from both sides. */
public interface S3Server extends AutoCloseable {

    /** The connection URL that the bundle is given, of a user with as few rights as the server can grant. */
    String connectionUrl(String bucket);

    /** A plain client with all rights, to create buckets and read objects back. */
    S3Client client();

    default void createBucket(String bucket) {
        client().createBucket(b -> b.bucket(bucket));
    }

    default List<String> keys(String bucket) {
        return client().listObjectsV2Paginator(b -> b.bucket(bucket)).contents().stream()
                .map(S3Object::key)
                .toList();
    }

    /** The keys of the objects that bundles have put into a bucket, as far as it is known also those that were put again. */
    default Collection<String> puts(String bucket) {
        return keys(bucket);
    }

    /** The objects of a bucket by key, in the order of their keys. */
    default Map<String, ResponseBytes<GetObjectResponse>> objects(String bucket) {
        return keys(bucket).stream()
                .collect(Collectors.toMap(
                        key -> key,
                        key -> client().getObjectAsBytes(b -> b.bucket(bucket).key(key)),
                        (one, other) -> one,
                        TreeMap::new));
    }

    /** What was gzipped. */
    static byte[] unzipped(byte[] gzipped) {
        try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            return gzip.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What was compressed with Zstandard. */
    static byte[] unzstd(byte[] compressed) {
        try (ZstdInputStream content = new ZstdInputStream(new ByteArrayInputStream(compressed))) {
            return content.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    void close();
}
