package io.s3destination;

import java.time.Duration;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.services.s3.DelegatingS3Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.HeadBucketRequest;
import software.amazon.awssdk.services.s3.model.HeadBucketResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Builds the S3 client of a resource, since the aws2-s3 component has no options for what matters here. */
final class S3Clients {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    /** How long a connection may be silent; a slow upload that makes progress is not cut off. */
    private static final Duration SILENCE_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration ATTEMPT_TIMEOUT = Duration.ofMinutes(2);

    private S3Clients() {}

    /**
     * A client for all threads; whoever asked for it closes it.
     *
     * @param uploads how many requests may be on their way at once, each on a connection of its own
     */
    static S3Client create(ConnectionUrl url, int uploads) {
        return create(url, uploads, ATTEMPT_TIMEOUT);
    }

    /** @param attempt how long one PUT may take, up to the end of its answer */
    static S3Client create(ConnectionUrl url, int uploads, Duration attempt) {
        SdkHttpClient.Builder<?> http = ApacheHttpClient.builder()
                .maxConnections(uploads)
                .connectionTimeout(CONNECT_TIMEOUT)
                .connectionAcquisitionTimeout(SILENCE_TIMEOUT)
                .socketTimeout(SILENCE_TIMEOUT)
                .expectContinueEnabled(false);
        var builder = S3Client.builder()
                .region(url.region())
                .credentialsProvider(url.credentials()
                        .<AwsCredentialsProvider>map(StaticCredentialsProvider::create)
                        .orElseGet(() -> DefaultCredentialsProvider.builder()
                                .profileFile(new LateProfiles())
                                .build()))
                .httpClientBuilder(defaults -> new BoundedAnswers(http.buildWithDefaults(defaults)))
                // A plain PUT with its checksum in a header: nearly every S3-compatible store takes it.
                .serviceConfiguration(s3 -> s3.chunkedEncodingEnabled(false))
                .overrideConfiguration(client -> client
                        // The route retries, so that each failure is seen and counted once.
                        .retryStrategy(AwsRetryStrategy.doNotRetry())
                        .apiCallAttemptTimeout(attempt)
                        .addExecutionInterceptor(new PutHeaders()));
        url.endpoint().ifPresent(endpoint -> builder.endpointOverride(endpoint).forcePathStyle(true));
        return new PutOnlyClient(builder.build());
    }

    /**
     * The endpoint asks for the bucket when it starts, which needs a permission that the connector does without, and keeps
     * the route from starting while S3 is down. A bucket that is missing is reported by the first PUT.
     *
     * <p>S3 answers a PUT with the ETag of the object. Whatever answers with success and without it, such as a proxy or a
     * captive portal, has not stored the object.
     */
    private static final class PutOnlyClient extends DelegatingS3Client {

        PutOnlyClient(S3Client client) {
            super(client);
        }

        @Override
        public HeadBucketResponse headBucket(HeadBucketRequest request) {
            return HeadBucketResponse.builder().build();
        }

        @Override
        public PutObjectResponse putObject(PutObjectRequest request, RequestBody body) {
            PutObjectResponse response = super.putObject(request, body);
            if (response.eTag() == null || response.eTag().replace("\"", "").isBlank()) {
                SdkHttpResponse answer = response.sdkHttpResponse();
                throw S3Exception.builder()
                        .message("The answer has no ETag")
                        .statusCode(answer.statusCode())
                        .awsErrorDetails(AwsErrorDetails.builder()
                                .sdkHttpResponse(answer)
                                .build())
                        .build();
            }
            return response;
        }
    }

    /**
     * The SDK asks for permission before each PUT, which costs a round trip for bodies this small. The component has
     * options for a few of S3's headers only: metadata by the name of one, such as {@code x-amz-tagging}, is sent as
     * that header.
     */
    private static final class PutHeaders implements ExecutionInterceptor {

        private static final String METADATA = "x-amz-meta-";
        private static final String HEADER = METADATA + "x-amz-";

        @Override
        public SdkHttpRequest modifyHttpRequest(Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
            SdkHttpRequest.Builder request = context.httpRequest().toBuilder().removeHeader("Expect");
            context.httpRequest().forEachHeader((name, values) -> {
                if (name.regionMatches(true, 0, HEADER, 0, HEADER.length())) {
                    request.removeHeader(name).putHeader(name.substring(METADATA.length()), values);
                }
            });
            return request.build();
        }
    }

    /** The AWS credentials and configuration files, also those that come late: the SDK looks for them once. */
    private static final class LateProfiles implements Supplier<ProfileFile> {

        private static final long AGE = Duration.ofSeconds(5).toNanos();

        private ProfileFile files;
        private long read;

        @Override
        public synchronized ProfileFile get() {
            long now = System.nanoTime();
            if (files == null || now - read > AGE) {
                files = ProfileFile.defaultProfileFile();
                read = now;
            }
            return files;
        }
    }
}
