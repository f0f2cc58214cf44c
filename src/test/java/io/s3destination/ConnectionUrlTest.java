package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.regions.Region;

class ConnectionUrlTest {

    /** In the README's table of stores: region and endpoint. */
    private static final Pattern STORE =
            Pattern.compile("(?m)^\\| [^|]+ \\| `([^`]+)`[^|]* \\| `(https?://[^`]+)` \\|");

    private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY:EXAMPLE@KEY";

    @Test
    void eachPartOfTheUrlIsRead() {
        ConnectionUrl url = ConnectionUrl.parse("s3://AKIAEXAMPLE:" + SECRET + "@us-east-2/data-lake.bucket");

        assertThat(url.credentials().orElseThrow().accessKeyId()).isEqualTo("AKIAEXAMPLE");
        assertThat(url.credentials().orElseThrow().secretAccessKey()).isEqualTo(SECRET);
        assertThat(url.region()).isEqualTo(Region.US_EAST_2);
        assertThat(url.bucket()).isEqualTo("data-lake.bucket");
        assertThat(url.endpoint()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "a/b+c, a/b+c", // raw: a '+' is no space
        "a%2Fb%2Bc, a/b+c",
        "a%2fb+c/d, a/b+c/d",
        "%40%3A%25%3D, @:%=",
        "a:b@c@d:e, a:b@c@d:e", // from the first ':' to the last '@'
        "a?b#c&d=e, a?b#c&d=e",
        "100%sure, 100%sure", // no escape, hence not encoded
        "a%2, a%2",
    })
    void secretIsTakenRawOrPercentEncoded(String written, String secret) {
        assertThat(secretOf("s3://KEY:" + written + "@us-east-2/bucket")).isEqualTo(secret);
    }

    @Test
    void urlWithoutCredentialsMeansTheDefaultChain() {
        assertThat(ConnectionUrl.parse("s3://us-east-2/bucket").credentials()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost:9000", "https://minio.example.com", "http%3A%2F%2F127.0.0.1%3A9000"})
    void endpointOfAnS3CompatibleStoreIsRead(String endpoint) {
        ConnectionUrl url = ConnectionUrl.parse("s3://KEY:" + SECRET + "@us-east-2/My_Bucket?endpoint=" + endpoint);

        assertThat(url.endpoint())
                .contains(URI.create(endpoint.replace("%3A", ":").replace("%2F", "/")));
        assertThat(url.bucket()).isEqualTo("My_Bucket");
    }

    @Test
    void eachStoreOfTheReadmeHasAConnectionUrl() throws IOException {
        Matcher row = STORE.matcher(Files.readString(Path.of("README.md")));
        List<String> regions = new ArrayList<>();
        while (row.find()) {
            ConnectionUrl url = ConnectionUrl.parse(
                    "s3://KEY:" + SECRET + "@" + row.group(1) + "/data-lake-bucket?endpoint=" + row.group(2));
            assertThat(url.endpoint()).contains(URI.create(row.group(2)));
            regions.add(url.region().id());
        }
        assertThat(regions).hasSize(5).contains("us-east-1", "auto");
    }

    @Test
    void surroundingWhiteSpaceIsIgnored() {
        ConnectionUrl url = ConnectionUrl.parse(" \ts3://KEY:" + SECRET + "@us-east-2/bucket\r\n");

        assertThat(url).isEqualTo(ConnectionUrl.parse("s3://KEY:" + SECRET + "@us-east-2/bucket"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                                                 | does not start with s3://
            KEY:SECRET@us-east-2/bucket                        | does not start with s3://
            https://KEY:SECRET@us-east-2/bucket                | does not start with s3://
            S3://KEY:SECRET@us-east-2/bucket                   | does not start with s3://
            s3:/KEY:SECRET@us-east-2/bucket                    | does not start with s3://
            s3://                                              | the bucket is missing
            s3://KEY:ENCODED                                   | the bucket is missing
            s3://KEY:ENCODED/us-east-2/bucket                  | the region is none, such as us-east-2
            s3://KEY:SECRET@                                   | the bucket is missing
            s3://KEY:SECRET@us-east-2                          | the bucket is missing
            s3://KEY:SECRET@us-east-2/                         | the bucket is missing
            s3://KEY:SECRET@us-east-2/?endpoint=http://host    | the bucket is missing
            s3://KEY:SECRET@/bucket                            | the region is missing, such as us-east-2
            s3://KEY:SECRET@US-EAST-2/bucket                   | the region is none, such as us-east-2
            s3://KEY:SECRET@us-east-2-/bucket                  | the region is none, such as us-east-2
            s3://KEY:SECRET@us east/bucket                     | the region is none, such as us-east-2
            s3://KEY:SECRET@us-east-2/bucket/orders            | the folder is the connector's setting 'folder'
            s3://KEY:SECRET@us-east-2/bucket/                  | the folder is the connector's setting 'folder'
            s3://KEY:SECRET@us-east-2/Bucket                   | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/my_bucket                | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/my..bucket               | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/192.168.0.1              | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/ab                       | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/-bucket                  | the bucket is none: 3 to 63 lower-case letters
            s3://KEY:SECRET@us-east-2/b${x}?endpoint=http://h  | the bucket is none: 3 to 63 lower-case letters
            s3://KEY@us-east-2/bucket                          | the access secret is missing
            s3://KEY:@us-east-2/bucket                         | the access secret is missing
            s3://KEY:%20@us-east-2/bucket                      | the access secret is missing
            s3://KEY:%00ENCODED@us-east-2/bucket               | the access secret starts or ends with white space
            s3://KEY:ENCODED%20@us-east-2/bucket               | the access secret starts or ends with white space
            s3://KEY:%20%09@us-east-2/bucket                   | the access secret is missing
            s3://:SECRET@us-east-2/bucket                      | the access key is missing
            s3://%20:SECRET@us-east-2/bucket                   | the access key is missing
            s3://@us-east-2/bucket                             | the credentials are missing before the '@'
            s3:// @us-east-2/bucket                            | the credentials are missing before the '@'
            s3://%20@us-east-2/bucket                          | the credentials are missing before the '@'
            s3://:@us-east-2/bucket                            | the credentials are missing before the '@'
            s3://%20: @us-east-2/bucket                        | the credentials are missing before the '@'
            s3://@/bucket                                      | the credentials are missing before the '@'
            s3://@us-east-2/bucket?endpoint=http://host        | the credentials are missing before the '@'
            s3://ASIAKEY:SECRET@us-east-2/bucket               | needs a session token, which the URL cannot hold
            s3://ASIA%4BEY:SECRET@us-east-2/bucket             | AWS_SESSION_TOKEN, and use s3://REGION/BUCKET
            s3://K Y:SECRET@us-east-2/bucket                   | the access key holds characters
            s3://KEY:SECRET@us-east-2/bucket?region=us-east-1  | other than endpoint=http://host:port
            s3://KEY:SECRET@us-east-2/bucket?                  | other than endpoint=http://host:port
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://h&acl=x         | other than endpoint=http://host:port
            s3://KEY:SECRET@us-east-2/bucket?endpoint=                       | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=localhost:9000         | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=ftp://host             | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://                | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://host:port       | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://host:65536      | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://host?a=b        | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://host#a          | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://a b             | the endpoint is none
            s3://KEY:SECRET@us-east-2/bucket?endpoint=http://me:ENCODED%40host | the endpoint is none
            """)
    void wrongPartIsNamedAndTheSecretIsNot(String url, String fault) {
        for (String written : new String[] {SECRET, encoded(SECRET)}) {
            String pasted = url.replace("SECRET", written).replace("ENCODED", encoded(SECRET));

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ConnectionUrl.parse(pasted))
                    .withMessageContaining(fault)
                    .satisfies(e -> assertHides(SECRET, e.getMessage()))
                    .satisfies(e -> assertHides(encoded(SECRET), e.getMessage()))
                    .withNoCause();
        }
    }

    @Test
    void anAccessKeyOfAnS3CompatibleStoreMayBeginLikeATemporaryOne() {
        ConnectionUrl url = ConnectionUrl.parse("s3://ASIAKEY:" + SECRET + "@us-east-2/bucket?endpoint=http://host");

        assertThat(url.credentials().orElseThrow().accessKeyId()).isEqualTo("ASIAKEY");
    }

    @Test
    void textOfAUrlShowsThePlaceWithoutTheCredentials() {
        ConnectionUrl url = ConnectionUrl.parse("s3://KEY:" + SECRET + "@us-east-2/bucket?endpoint=http://host:9000");

        assertThat(url).hasToString("s3://us-east-2/bucket?endpoint=http://host:9000");
    }

    static String secretOf(String url) {
        return ConnectionUrl.parse(url).credentials().orElseThrow().secretAccessKey();
    }

    static String encoded(String secret) {
        return URLEncoder.encode(secret, StandardCharsets.UTF_8);
    }

    /** Not even a piece of it. */
    static void assertHides(String secret, String text) {
        assertThat(IntStream.rangeClosed(0, secret.length() - 6).mapToObj(i -> secret.substring(i, i + 6)))
                .noneMatch(text::contains);
    }
}
