package io.s3destination;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** What to do where the AWS default chain finds no credentials, or finds no longer those it had. */
final class CredentialsCures {

    private static final String NONE = "Unable to load credentials from any of the providers";
    private static final Pattern REASONS = Pattern.compile("]\\) : \\[(.*)]", Pattern.DOTALL);
    private static final Pattern NEXT = Pattern.compile(", (?=\\w+CredentialsProvider\\()");
    /** What the places say that nobody has set up; the others tell what keeps them from answering. */
    private static final Pattern NOT_SET_UP = Pattern.compile("Access key must be|AWS_WEB_IDENTITY_TOKEN_FILE or"
            + "|for profile 'default'|neither AWS_CONTAINER|have been disabled");

    private CredentialsCures() {}

    /** Cause and cure, or empty where the AWS SDK has failed for another reason than that. */
    static Optional<String> of(SdkException fault) {
        String message = String.valueOf(fault.getMessage());
        if (fault instanceof AwsServiceException sts && sts.statusCode() < 500) {
            return Optional.of(message + "; let the role trust this identity, or renew it");
        }
        return Optional.of(message)
                .filter(text -> text.startsWith(NONE))
                .map(text -> "no AWS credentials were found" + reasons(text)
                        + "; put ACCESS_KEY:ACCESS_SECRET@ into the connection URL, set AWS_ACCESS_KEY_ID and"
                        + " AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this pod or machine a role");
    }

    private static String reasons(String text) {
        return REASONS.matcher(text)
                .results()
                .flatMap(list -> Arrays.stream(NEXT.split(list.group(1))))
                .filter(reason -> !NOT_SET_UP.matcher(reason).find())
                .map(reason -> ", " + reason)
                .collect(Collectors.joining());
    }
}
