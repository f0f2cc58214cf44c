package io.s3destination;

import static io.s3destination.FailureCauses.printable;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.http.HttpException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Explains why a record is not stored. A message of somebody else is shown only where it holds neither a secret nor content
 * of a record or of an answer's body.
 */
final class S3ErrorRemedies {

    /** What S3 answers to a temporary access key without its session token. */
    private static final Set<String> OF_KEYS =
            Set.of("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "ExpiredToken");

    private static final String ADD_TOKEN =
            "an access key that begins with ASIA is temporary and needs its session token, which a connection URL cannot"
                    + " hold: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and make the connection"
                    + " URL s3://REGION/BUCKET";

    private static final Pattern CODE = Pattern.compile("[A-Za-z][\\w.-]{0,63}");
    private static final int MAX_HEADER = 40;

    private static final Pattern PROVIDERS = Pattern.compile("]\\) : \\[(.*)]", Pattern.DOTALL);
    private static final Pattern NEXT_PROVIDER = Pattern.compile(", (?=\\w+CredentialsProvider\\()");
    /** What the providers report that nobody has set up; the others report what keeps them from answering. */
    private static final Pattern NOT_SET_UP = Pattern.compile("Access key must be|AWS_WEB_IDENTITY_TOKEN_FILE or"
            + "|for profile 'default'|neither AWS_CONTAINER|have been disabled");

    private S3ErrorRemedies() {}

    /**
     * @param step the step of the route that failed, where it is known
     * @param temporaryKey whether the access key of the connection URL is one of a session
     */
    static Explanation ofUpload(Throwable failure, Optional<String> step, boolean temporaryKey) {
        FailureCauses causes = FailureCauses.of(failure);
        return causes.ofThisMachine().orElseGet(() -> {
            if (failure instanceof S3Exception s3) {
                return ofAnswer(s3, temporaryKey);
            }
            if (failure instanceof SdkException sdk) {
                return ofRequest(sdk, causes);
            }
            if (failure instanceof RejectedExecutionException) {
                return Explanation.passing("a route that it calls is being stopped, as for an edit");
            }
            // Without its message, which may quote the record.
            return ofStep(step, causes, "correct the route");
        });
    }

    /** What is left where explaining a failure has failed. */
    static Explanation ofUnexplained(Throwable failure, Optional<String> step) {
        return ofStep(step, new FailureCauses(Stream.ofNullable(failure).toList()), "it could not be explained");
    }

    private static Explanation ofStep(Optional<String> step, FailureCauses causes, String remedy) {
        return Explanation.lasting(step.map(id -> "the step " + id + ": ").orElse("") + causes.names(), remedy);
    }

    private static Explanation ofAnswer(S3Exception s3, boolean temporaryKey) {
        Optional<AwsErrorDetails> details = Optional.ofNullable(s3.awsErrorDetails());
        String answered = "PUT answered HTTP " + s3.statusCode();
        // Not its message, which is of the answer's body.
        Optional<String> code = details.map(AwsErrorDetails::errorCode).filter(CODE.asMatchPredicate());
        if (code.isEmpty()) {
            return ofSomethingElse(answered, s3.statusCode(), details.map(AwsErrorDetails::sdkHttpResponse));
        }
        String cause = answered + " " + code.get();
        String remedy = temporaryKey && OF_KEYS.contains(code.get()) ? ADD_TOKEN : remedy(code.get());
        return remedy.isEmpty() ? Explanation.passing(cause) : Explanation.lasting(cause, remedy);
    }

    /** What to do about an error of that code; empty where it passes by itself. */
    private static String remedy(String code) {
        return switch (code) {
            case "AccessDenied" ->
                "let the access key put objects: s3:PutObject on the bucket, and its KMS key if it has one";
            case "NoSuchBucket" -> "create the bucket, or correct its name in the connection URL";
            case "InvalidAccessKeyId" -> "correct the access key, in the connection URL or the AWS default credentials";
            case "SignatureDoesNotMatch" ->
                "correct the access secret, in the connection URL or the AWS default credentials";
            case "PermanentRedirect", "AuthorizationHeaderMalformed" ->
                "correct the region in the connection URL: the bucket is in another one";
            case "RequestTimeTooSkewed" -> "set this machine's clock";
            case "ExpiredToken", "InvalidToken" -> "renew the AWS session credentials";
            case "EntityTooLarge" -> "let the store take objects of this size";
            case "MetadataTooLarge" -> "shorten the metadata in the route";
            case "InvalidTag" -> "correct the tags in the route";
            case "InvalidStorageClass" -> "correct the storage class in the route";
            case "KMS.NotFoundException" -> "correct the KMS key in the route";
            case "NotImplemented" ->
                "the store does not know what the request asks for: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required,"
                        + " or take out what the route sets for its objects";
            default -> "";
        };
    }

    private static Explanation ofSomethingElse(String answered, int status, Optional<SdkHttpResponse> answer) {
        String type = answer.flatMap(http -> http.firstMatchingHeader("Content-Type"))
                .map(text -> ", " + printable(text.split(";", 2)[0], MAX_HEADER))
                .orElse("");
        String server = answer.flatMap(http -> http.firstMatchingHeader("Server"))
                .map(text -> ", Server: " + printable(text, MAX_HEADER))
                .orElse("");
        String cause = answered + (status / 100 == 2 ? " without an ETag" : "") + type + server
                + ", which is not an answer of S3: something between here and S3 answered";
        String remedy = "check the proxy, load balancer or endpoint"
                + switch (status) {
                    case 407 -> ", which asks for a login";
                    case 413 -> ", which limits the size of requests";
                    default -> status / 100 == 3 ? ", which redirects: redirects are not followed" : "";
                };
        return status >= 500 ? Explanation.passing(cause + "; " + remedy) : Explanation.lasting(cause, remedy);
    }

    private static Explanation ofRequest(SdkException sdk, FailureCauses causes) {
        String message = printable(sdk.getMessage());
        if (sdk instanceof AwsServiceException sts && sts.statusCode() < 500) {
            return Explanation.lasting(message, "let the role trust this identity, or renew it");
        }
        if (String.valueOf(sdk.getMessage()).startsWith("Unable to load credentials from any of the providers")) {
            return Explanation.lasting(
                    "no AWS credentials were found" + printable(providers(sdk.getMessage())),
                    "put ACCESS_KEY:ACCESS_SECRET@ into the connection URL, set AWS_ACCESS_KEY_ID and"
                            + " AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this pod or machine a role");
        }
        if (causes.any(HttpException.class)) {
            return Explanation.lasting(
                    "PUT was not answered with HTTP", "correct the scheme, host or port of the endpoint");
        }
        return TlsErrorRemedies.ofStore(causes, message).orElseGet(() -> Explanation.passing(message));
    }

    private static String providers(String message) {
        return PROVIDERS
                .matcher(message)
                .results()
                .flatMap(list -> Arrays.stream(NEXT_PROVIDER.split(list.group(1))))
                .filter(reason -> !NOT_SET_UP.matcher(reason).find())
                .map(reason -> ", " + reason)
                .collect(Collectors.joining());
    }
}
