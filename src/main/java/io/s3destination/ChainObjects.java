package io.s3destination;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The objects of chains in a folder of a bucket, as HEAD shows them. Waits for S3. Safe for all threads. */
final class ChainObjects {

    static final String LAST_OFFSET = "last-offset";
    static final String TOPIC_ID = "topic-id";
    static final String RECORDS = "records";

    private static final String REMEDY = "Set another folder, or stop all instances and restore the object";

    private final S3Client client;
    private final String bucket;
    private final String folder;
    private final RunCodec codec;

    ChainObjects(S3Client client, String bucket, String folder, RunCodec codec) {
        this.client = client;
        this.bucket = bucket;
        this.folder = folder;
        this.codec = codec;
    }

    /** The name of an object of a partition, without folder and suffix. */
    static String name(TopicPartition partition, long start) {
        return partition + "-" + Offset.text(start);
    }

    String key(TopicPartition partition, long start) {
        return folder + "/" + name(partition, start) + codec.suffix();
    }

    /**
     * The last offset of the object that begins there, or empty if no object does.
     *
     * @param topicId of the topic that is read, where the brokers know it
     * @throws BrokenChain if the object is not what it must be
     * @throws software.amazon.awssdk.core.exception.SdkException if S3 does not answer
     */
    OptionalLong last(TopicPartition partition, long start, Optional<Uuid> topicId) throws BrokenChain {
        String key = key(partition, start);
        Optional<Map<String, String>> metadata = metadata(key, partition.topic());
        if (metadata.isEmpty()) {
            return OptionalLong.empty();
        }
        if (isOfOther(topicId, metadata.get())) {
            throw new BrokenChain("the object " + key + " holds records of another topic " + partition.topic()
                    + " (topic ID " + metadata.get().get(TOPIC_ID)
                    + "): the topic was created again, or another cluster's"
                    + " topic of that name is stored here. Set another folder");
        }
        String text = metadata.get().getOrDefault(LAST_OFFSET, "");
        if (!text.matches("0|[1-9][0-9]{0,18}")) {
            throw new BrokenChain("the metadata " + LAST_OFFSET + " of the object " + key + " is "
                    + (text.isEmpty() ? "missing" : "no offset") + ": it was changed, or copied without it. " + REMEDY);
        }
        long last = Long.parseLong(text);
        if (last < start || last / Chain.CELL != start / Chain.CELL) {
            throw new BrokenChain("the metadata " + LAST_OFFSET + " of the object " + key + " is " + last
                    + ", which no object that begins there can have: it was changed. " + REMEDY);
        }
        return OptionalLong.of(last);
    }

    /** Whether metadata names another topic than that, where both are known. */
    static boolean isOfOther(Optional<Uuid> topicId, Map<String, String> metadata) {
        return topicId.map(Uuid::toString)
                .filter(id -> !id.equals(metadata.getOrDefault(TOPIC_ID, id)))
                .isPresent();
    }

    /** Whether the single object of a record is there, of the names of one record per object. */
    Optional<String> single(TopicPartition partition, long offset) throws BrokenChain {
        for (String suffix : new String[] {".gz", "", ".zst"}) {
            String key = folder + "/" + name(partition, offset) + suffix;
            if (metadata(key, partition.topic()).isPresent()) {
                return Optional.of(key);
            }
        }
        return Optional.empty();
    }

    /** The metadata of an object, or empty if it is not there. */
    private Optional<Map<String, String>> metadata(String key, String stream) throws BrokenChain {
        try {
            return Optional.of(head(key));
        } catch (S3Exception e) {
            if (e.statusCode() == 404) {
                return Optional.empty();
            }
            // S3's answer for a missing key without s3:ListBucket; also for a key that was withdrawn.
            if (e.statusCode() == 403) {
                checkRight(key, ChainClaim.key(folder, stream));
                return Optional.empty();
            }
            throw e;
        }
    }

    private void checkRight(String key, String known) throws BrokenChain {
        try {
            head(known);
        } catch (S3Exception e) {
            if (e.statusCode() == 403 || e.statusCode() == 404) {
                throw new BrokenChain("S3 refuses to show the object " + key + ", and also " + known
                        + ", which is there: records_per_object above 1 needs s3:GetObject beside s3:PutObject, for the"
                        + " credentials of the connection URL. Allow it and restart");
            }
            throw e;
        }
    }

    private Map<String, String> head(String key) {
        return head(client, bucket, key);
    }

    /**
     * The metadata of an object. It is asked for twice, since HTTP has no mark for the end of headers that were cut off with their
     * connection: half a number is a number.
     *
     * @throws S3Exception if it answers 403 or 404
     * @throws SdkClientException if it answers anything else, or nothing
     */
    static Map<String, String> head(S3Client client, String bucket, String key) {
        try {
            Map<String, String> metadata = client.headObject(
                            request -> request.bucket(bucket).key(key))
                    .metadata();
            if (metadata.equals(
                    client.headObject(request -> request.bucket(bucket).key(key))
                            .metadata())) {
                return metadata;
            }
        } catch (S3Exception e) {
            if (e.statusCode() == 404 || e.statusCode() == 403) {
                throw e;
            }
            // Without a body the answer has no code of S3 that explains it.
            throw SdkClientException.create("HEAD answered HTTP " + e.statusCode(), e);
        }
        throw SdkClientException.create("S3 shows two different metadata of " + key);
    }
}
