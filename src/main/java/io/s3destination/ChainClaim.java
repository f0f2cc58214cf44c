package io.s3destination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * The claim of a stream in a folder: an empty object that fixes the compression and the topic of the stream's objects there.
 * Creating it proves that the store creates objects conditionally, keeps their metadata and shows them. Waits for S3.
 */
final class ChainClaim {

    private static final Logger LOG = LoggerFactory.getLogger(ChainClaim.class);
    private static final String SUFFIX = "suffix";
    /** So many creations at once show a store that checks before it writes. */
    private static final int RACE = 8;

    private static final String ONE = "; with records_per_object = 1 it is not needed";

    private final S3Client client;
    private final String bucket;
    private final String key;
    private final RunCodec codec;
    private final Optional<Uuid> topicId;

    /** @param topicId of the topic, where the brokers know it */
    ChainClaim(S3Client client, String bucket, String folder, String stream, RunCodec codec, Optional<Uuid> topicId) {
        this.client = client;
        this.bucket = bucket;
        this.key = key(folder, stream);
        this.codec = codec;
        this.topicId = topicId;
    }

    static String key(String folder, String stream) {
        return folder + "/_chain/" + stream;
    }

    /**
     * Claims the folder for the stream, unless that was done before.
     *
     * @throws BrokenChain if the folder is another's, or the store cannot keep the promise
     * @throws SdkException if S3 does not answer
     */
    void make() throws BrokenChain {
        Optional<Map<String, String>> known = look();
        if (known.isEmpty()) {
            race();
        }
        if (create()) {
            throw new BrokenChain("the store replaces an object that is created with If-None-Match: * (" + key
                    + "): records_per_object above 1 needs a store that creates conditionally" + ONE);
        }
        Map<String, String> metadata = look().orElseThrow(() -> new BrokenChain("the object " + key
                + " was created, but HEAD does not show it: records_per_object above 1 needs s3:GetObject beside"
                + " s3:PutObject" + ONE));
        check(key, metadata, codec, topicId);
    }

    /** Whether a claim is of that compression and topic. */
    static void check(String key, Map<String, String> metadata, RunCodec codec, Optional<Uuid> topicId)
            throws BrokenChain {
        String suffix = metadata.get(SUFFIX);
        if (suffix == null) {
            throw new BrokenChain("the object " + key + " has no metadata " + SUFFIX
                    + ": records_per_object above 1 needs a store that keeps metadata" + ONE);
        }
        if (!suffix.equals(codec.suffix())) {
            throw new BrokenChain("the objects of this stream in this folder end in " + suffix + " (" + key
                    + "), so output_compression cannot change there: set another folder");
        }
        if (ChainObjects.isOfOther(topicId, metadata)) {
            throw new BrokenChain("the folder holds another topic of this name (" + key + ": topic ID "
                    + metadata.get(ChainObjects.TOPIC_ID) + ", this is " + topicId.orElseThrow()
                    + "): the topic was created again, or another cluster's topic of that name is stored here. Set another"
                    + " folder");
        }
    }

    private Optional<Map<String, String>> look() {
        try {
            ChainObjects.Head head = ChainObjects.head(client, bucket);
            Map<String, String> metadata = head.of(key);
            ChainObjects.confirm(head, key, metadata);
            return Optional.of(metadata);
        } catch (SdkException e) {
            // Whatever is refused is to be explained by the answer to the creation, which has a body.
            if (FailureCauses.of(e)
                    .ofType(S3Exception.class)
                    .anyMatch(answer -> ((S3Exception) answer).statusCode() < 500)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private void race() throws BrokenChain {
        ExecutorService threads = Executors.newFixedThreadPool(RACE);
        try {
            race(threads);
        } finally {
            threads.shutdownNow();
        }
    }

    private void race(Executor threads) throws BrokenChain {
        List<CompletableFuture<Boolean>> creations = new ArrayList<>();
        for (int n = 0; n < RACE; n++) {
            creations.add(CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return create();
                        } catch (BrokenChain e) {
                            throw new CompletionException(e);
                        }
                    },
                    threads));
        }
        int created = 0;
        for (CompletableFuture<Boolean> creation : creations) {
            try {
                created += creation.join() ? 1 : 0;
            } catch (CompletionException e) {
                if (e.getCause() instanceof BrokenChain broken) {
                    throw broken;
                }
                if (e.getCause() instanceof SdkException failure) {
                    throw failure;
                }
                throw e;
            }
        }
        if (created > 1) {
            LOG.warn(
                    "{}: the store let {} of {} creations of one object through, since it checks before it writes:"
                            + " exactly once needs one writer per partition at a time there",
                    key,
                    created,
                    RACE);
        }
    }

    /** @return whether it was not there */
    private boolean create() throws BrokenChain {
        Map<String, String> metadata = new HashMap<>(Map.of(SUFFIX, codec.suffix()));
        topicId.ifPresent(id -> metadata.put(ChainObjects.TOPIC_ID, id.toString()));
        try {
            client.putObject(
                    request -> request.bucket(bucket).key(key).ifNoneMatch("*").metadata(metadata),
                    RequestBody.empty());
            return true;
        } catch (S3Exception e) {
            if (e.statusCode() == 412) {
                return false;
            }
            if (e.statusCode() == 304 || e.statusCode() == 501) {
                throw new BrokenChain("the store answers " + e.statusCode()
                        + " to the creation of an object with If-None-Match: * (" + key
                        + "): records_per_object above 1 needs a store that creates conditionally" + ONE);
            }
            throw e;
        }
    }
}
