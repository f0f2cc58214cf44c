package io.s3destination;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.regions.Region;

/**
 * Where a resource stores its objects: {@code s3://ACCESS_KEY:ACCESS_SECRET@REGION/BUCKET[?endpoint=http://host:port]}.
 *
 * <p>The secret is taken raw or percent-encoded and never shown: {@link #toString()} leaves it out, and errors quote
 * nothing, since in a URL with a part missing any other part may be a piece of the secret.
 *
 * @param credentials the key pair of the URL, or empty for the AWS default credentials chain
 * @param region the signing region, such as {@code us-east-2}
 * @param bucket the bucket's name, by the
 *     <a href="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html">rules of S3</a>
 * @param endpoint the address of an S3-compatible store, or empty for Amazon S3
 */
record ConnectionUrl(Optional<AwsBasicCredentials> credentials, Region region, String bucket, Optional<URI> endpoint) {

    static final String FORM = "s3://ACCESS_KEY:ACCESS_SECRET@REGION/BUCKET, s3://REGION/BUCKET for the AWS default"
            + " credentials, ?endpoint=http://host:port behind it for an S3-compatible store";

    private static final String SCHEME = "s3://";
    private static final String ENDPOINT = "endpoint=";
    /** What the access keys of AWS sessions begin with. */
    private static final String TEMPORARY = "ASIA";

    private static final Pattern ACCESS_KEY = Pattern.compile("[\\w.+/=-]+");
    private static final Pattern REGION = Pattern.compile("[a-z][a-z0-9-]{0,61}[a-z0-9]");
    private static final Pattern AWS_BUCKET =
            Pattern.compile("(?!.*\\.\\.|\\d+(\\.\\d+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern ANY_BUCKET = Pattern.compile("[A-Za-z0-9][\\w.-]{1,253}[A-Za-z0-9]");

    /**
     * Reads a connection URL as users paste it: the access key ends at the first {@code :}, the secret at the last
     * {@code @}, and a {@code +} is a plus.
     *
     * @throws IllegalArgumentException naming the part that is wrong and its form, never the secret
     */
    static ConnectionUrl parse(String text) {
        String url = text.strip();
        check(url.startsWith(SCHEME), "it does not start with s3://");
        String rest = url.substring(SCHEME.length());
        int at = rest.lastIndexOf('@');
        String place = rest.substring(at + 1);
        int question = place.indexOf('?');
        Optional<AwsBasicCredentials> credentials =
                at < 0 ? Optional.empty() : Optional.of(credentials(rest.substring(0, at), question < 0));

        Optional<URI> endpoint = question < 0 ? Optional.empty() : Optional.of(endpoint(place.substring(question + 1)));
        String path = question < 0 ? place : place.substring(0, question);
        int slash = path.indexOf('/');
        check(slash >= 0, "the bucket is missing: it follows the region and a '/'");
        String region = path.substring(0, slash);
        String bucket = path.substring(slash + 1);

        check(!region.isEmpty(), "the region is missing, such as us-east-2");
        check(REGION.matcher(region).matches(), "the region is none, such as us-east-2");
        check(!bucket.isEmpty(), "the bucket is missing");
        check(
                !bucket.contains("/"),
                "there is a '/' behind the bucket: the folder is the connector's setting 'folder'");
        check(
                (endpoint.isPresent() ? ANY_BUCKET : AWS_BUCKET).matcher(bucket).matches(),
                "the bucket is none: 3 to 63 lower-case letters, digits, '.' and '-', such as data-lake-bucket");
        return new ConnectionUrl(credentials, Region.of(region), bucket, endpoint);
    }

    private static AwsBasicCredentials credentials(String pair, boolean amazon) {
        int colon = pair.indexOf(':');
        String key = decoded(colon < 0 ? pair : pair.substring(0, colon));
        String secret = colon < 0 ? "" : decoded(pair.substring(colon + 1));
        check(
                !(key.isBlank() && secret.isBlank()),
                "the credentials are missing before the '@': ACCESS_KEY:ACCESS_SECRET, or no '@' for the AWS default"
                        + " credentials");
        check(colon >= 0, "the access secret is missing: it follows the access key and a ':'");
        check(!key.isBlank(), "the access key is missing before the ':'");
        check(ACCESS_KEY.matcher(key).matches(), "the access key holds characters that no access key has");
        check(!secret.isBlank(), "the access secret is missing between the ':' and the '@'");
        // The SDK would drop it without a word.
        check(secret.equals(secret.trim()), "the access secret starts or ends with white space");
        check(
                !(amazon && key.startsWith(TEMPORARY)),
                "the access key begins with ASIA: it is temporary, and needs a session token, which the URL cannot hold: set"
                        + " AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and use s3://REGION/BUCKET");
        return AwsBasicCredentials.create(key, secret);
    }

    private static URI endpoint(String query) {
        check(
                query.startsWith(ENDPOINT) && !query.contains("&"),
                "behind the '?' stands something other than endpoint=http://host:port");
        try {
            URI uri = URI.create(decoded(query.substring(ENDPOINT.length())));
            boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            boolean address = uri.getHost() != null && uri.getUserInfo() == null && uri.getPort() <= 65535;
            boolean more = uri.getQuery() != null || uri.getFragment() != null;
            check(web && address && !more, "the endpoint is none: http://host:port or https://host:port");
            return uri;
        } catch (IllegalArgumentException e) {
            // Without its cause, which quotes the text.
            throw new IllegalArgumentException("the endpoint is none: http://host:port or https://host:port");
        }
    }

    /** A text with a '%' that starts no escape was not encoded, and stands for itself. */
    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    private static void check(boolean right, String fault) {
        if (!right) {
            throw new IllegalArgumentException(fault);
        }
    }

    @Override
    public String toString() {
        return SCHEME + region + "/" + bucket
                + endpoint.map(e -> "?endpoint=" + e).orElse("");
    }
}
