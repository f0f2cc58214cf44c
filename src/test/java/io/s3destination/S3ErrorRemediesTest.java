package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.slf4j.event.Level.ERROR;
import static org.slf4j.event.Level.WARN;

import java.io.IOException;
import java.net.SocketException;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.apache.http.NoHttpResponseException;
import org.apache.http.ProtocolException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Cause, remedy and level of each failure of an upload, and what no explanation shows. */
class S3ErrorRemediesTest {

    private static final String PRIVATE = "Ada Lovelace, password=sesame";

    @ParameterizedTest
    @CsvSource({
        "403, AccessDenied, ERROR, let the access key put objects",
        "404, NoSuchBucket, ERROR, create the bucket",
        "403, InvalidAccessKeyId, ERROR, correct the access key",
        "403, SignatureDoesNotMatch, ERROR, correct the access secret",
        "301, PermanentRedirect, ERROR, correct the region",
        "501, NotImplemented, ERROR, AWS_REQUEST_CHECKSUM_CALCULATION=when_required",
        "503, SlowDown, WARN, ''",
        "500, InternalError, WARN, ''"
    })
    void anErrorOfS3IsShownByItsCodeWithItsRemedy(int status, String code, Level level, String remedy) {
        Explanation explanation = upload(s3(status, code, "Content-Type", "application/xml"));

        assertThat(explanation.level()).isEqualTo(level);
        assertThat(explanation.text())
                .startsWith("PUT answered HTTP " + status + " " + code)
                .contains(remedy)
                .doesNotContain(PRIVATE);
    }

    @Test
    void anAnswerThatIsNotOfS3IsShownByStatusMediaTypeAndServer() {
        assertThat(upload(s3(413, null, "Content-Type", "text/html; charset=utf-8", "Server", "nginx")))
                .isEqualTo(new Explanation(
                        ERROR,
                        "PUT answered HTTP 413, text/html, Server: nginx, which is not an answer of S3: something between"
                                + " here and S3 answered; check the proxy, load balancer or endpoint, which limits the size"
                                + " of requests"));
        assertThat(upload(s3(502, null)))
                .isEqualTo(new Explanation(
                        WARN,
                        "PUT answered HTTP 502, which is not an answer of S3: something between here and S3 answered;"
                                + " check the proxy, load balancer or endpoint"));
        assertThat(upload(s3(200, null)).text()).startsWith("PUT answered HTTP 200 without an ETag, which is not");
    }

    @ParameterizedTest
    @CsvSource({
        "200, ERROR",
        "204, ERROR",
        "302, ERROR",
        "400, ERROR",
        "403, ERROR",
        "407, ERROR",
        "500, WARN",
        "599, WARN"
    })
    void waitingHelpsWhereAServerFailsThatIsNotS3(int status, Level level) {
        assertThat(upload(s3(status, null)).level()).isEqualTo(level);
    }

    @Test
    void anExceptionOfS3WithoutDetailsIsExplained() {
        assertThat(upload(S3Exception.builder().statusCode(400).build()).text())
                .startsWith("PUT answered HTTP 400, which");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Unhe ard", "\u00e4", "a\nb", "<Code>", "password=sesame"})
    void aCodeThatIsNoneOfS3IsNotShown(String code) {
        assertThat(upload(s3(400, code)).text()).doesNotContain(code).contains("which is not an answer of S3");
    }

    @Test
    void aHeaderIsShownInShortAndInPrintableAscii() {
        String text = upload(s3(502, null, "Server", "\u001b[31m\u00e9\n\t" + "x".repeat(10_000)))
                .text();

        assertThat(text).matches("[ -~]+").hasSizeLessThan(300);
    }

    @Test
    void aTemporaryKeyNeedsItsToken() {
        assertThat(S3ErrorRemedies.ofUpload(s3(403, "InvalidAccessKeyId"), Optional.empty(), true)
                        .text())
                .contains(
                        "ASIA",
                        "AWS_ACCESS_KEY_ID",
                        "AWS_SECRET_ACCESS_KEY",
                        "AWS_SESSION_TOKEN",
                        "s3://REGION/BUCKET");
        assertThat(S3ErrorRemedies.ofUpload(s3(403, "AccessDenied"), Optional.empty(), true)
                        .text())
                .doesNotContain("ASIA");
    }

    @Test
    void aDiskThatIsFullInTheStoreIsNoneOfThisMachine() {
        S3Exception full = (S3Exception) S3Exception.builder()
                .statusCode(507)
                .message("no space left on device")
                .build();

        assertThat(upload(full).text()).startsWith("PUT answered HTTP 507").doesNotContain("this machine");
    }

    @Test
    void aConnectionThatIsRefusedPassesByItself() {
        assertThat(upload(sdk(new SocketException("Connection refused"))))
                .isEqualTo(new Explanation(WARN, "Unable to execute HTTP request"));
        assertThat(upload(sdk(new NoHttpResponseException("no answer"))).level())
                .isEqualTo(WARN);
    }

    @Test
    void whatDoesNotAnswerWithHttpIsNotQuoted() {
        Explanation explanation = upload(sdk(new IOException(new ProtocolException(PRIVATE))));

        assertThat(explanation.level()).isEqualTo(ERROR);
        assertThat(explanation.text()).contains("not answered with HTTP").doesNotContain("Ada");
    }

    @Test
    void aFailingStepIsNamedWithoutTheMessageWhichMayQuoteTheRecord() {
        assertThat(S3ErrorRemedies.ofUpload(
                        new IllegalStateException(PRIVATE, new NumberFormatException(PRIVATE)),
                        Optional.of("name-object"),
                        false))
                .isEqualTo(
                        new Explanation(
                                ERROR,
                                "the step name-object: IllegalStateException, caused by NumberFormatException; correct the route"));
        assertThat(upload(new RejectedExecutionException()).level()).isEqualTo(WARN);
        assertThat(upload(null).text()).startsWith("a failure without an exception");
    }

    private static Explanation upload(Throwable failure) {
        return S3ErrorRemedies.ofUpload(failure, Optional.empty(), false);
    }

    private static S3Exception s3(int status, String code, String... headers) {
        SdkHttpFullResponse.Builder answer = SdkHttpFullResponse.builder().statusCode(status);
        for (int n = 0; n < headers.length; n += 2) {
            answer.putHeader(headers[n], headers[n + 1]);
        }
        return (S3Exception) S3Exception.builder()
                .statusCode(status)
                .message(PRIVATE)
                .awsErrorDetails(AwsErrorDetails.builder()
                        .errorCode(code)
                        .errorMessage(PRIVATE)
                        .sdkHttpResponse(answer.build())
                        .build())
                .build();
    }

    private static SdkClientException sdk(Exception fault) {
        return SdkClientException.create("Unable to execute HTTP request", fault);
    }
}
