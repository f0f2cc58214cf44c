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

    /** Asks a store for the metadata of an object; fails with {@link S3Exception} where that answers 403 or 404. */
    interface Head {
        Map<String, String> of(String key);
    }

    /** Fails with {@link SdkClientException} where S3 gives no other answer: that has no body, and no code that explains it. */
    static Head head(S3Client client, String bucket) {
        return key -> {
            try {
                return client.headObject(request -> request.bucket(bucket).key(key))
                        .metadata();
            } catch (S3Exception e) {
                if (e.statusCode() == 404 || e.statusCode() == 403) {
                    throw e;
                }
                throw SdkClientException.create("HEAD answered HTTP " + e.statusCode(), e);
            }
        };
    }

    private final Head head;
    private final String folder;
    private final RunCodec codec;

    ChainObjects(S3Client client, String bucket, String folder, RunCodec codec) {
        this(head(client, bucket), folder, codec);
    }

    ChainObjects(Head head, String folder, RunCodec codec) {
        this.head = head;
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
        confirm(head, key, metadata.get());
        return OptionalLong.of(last(key, start, partition.topic(), metadata.get(), topicId));
    }

    /** As {@link #last}, by one answer: where that was cut off, it may show an offset before the last one. */
    OptionalLong lastOrBefore(TopicPartition partition, long start, Optional<Uuid> topicId) throws BrokenChain {
        String key = key(partition, start);
        Optional<Map<String, String>> metadata = metadata(key, partition.topic());
        if (metadata.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(last(key, start, partition.topic(), metadata.get(), topicId));
        } catch (BrokenChain e) {
            confirm(head, key, metadata.get());
            throw e;
        }
    }

    private static long last(
            String key, long start, String stream, Map<String, String> metadata, Optional<Uuid> topicId)
            throws BrokenChain {
        if (isOfOther(topicId, metadata)) {
            throw new BrokenChain("the object " + key + " holds records of another topic " + stream + " (topic ID "
                    + metadata.get(TOPIC_ID) + "): the topic was created again, or another cluster's"
                    + " topic of that name is stored here. Set another folder");
        }
        String text = metadata.getOrDefault(LAST_OFFSET, "");
        if (!text.matches("0|[1-9][0-9]{0,18}")) {
            throw new BrokenChain("the metadata " + LAST_OFFSET + " of the object " + key + " is "
                    + (text.isEmpty() ? "missing" : "no offset") + ": it was changed, or copied without it. " + REMEDY);
        }
        long last = Long.parseLong(text);
        if (last < start || last / Chain.CELL != start / Chain.CELL) {
            throw new BrokenChain("the metadata " + LAST_OFFSET + " of the object " + key + " is " + last
                    + ", which no object that begins there can have: it was changed. " + REMEDY);
        }
        return last;
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
            return Optional.of(head.of(key));
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
            head.of(known);
        } catch (S3Exception e) {
            if (e.statusCode() == 403 || e.statusCode() == 404) {
                throw new BrokenChain("S3 refuses to show the object " + key + ", and also " + known
                        + ", which is there: records_per_object above 1 needs s3:GetObject beside s3:PutObject, for the"
                        + " credentials of the connection URL. Allow it and restart");
            }
            throw e;
        }
    }

    /**
     * Asks for metadata again, since HTTP has no mark for the end of headers that were cut off with their connection: half a
     * number is a number, and half a suffix is another one.
     */
    static void confirm(Head head, String key, Map<String, String> metadata) {
        if (!metadata.equals(head.of(key))) {
            throw SdkClientException.create("S3 shows two different metadata of " + key);
        }
    }
}
