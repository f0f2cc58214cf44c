package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.slf4j.event.Level.ERROR;
import static org.slf4j.event.Level.WARN;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.NoSuchFileException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.security.auth.login.LoginException;
import org.apache.http.NoHttpResponseException;
import org.apache.http.ProtocolException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Cause, remedy and level of each failure, and what no explanation shows. */
class ErrorRemediesTest {

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
        assertThat(ErrorRemedies.ofUpload(s3(403, "InvalidAccessKeyId"), Optional.empty(), true)
                        .text())
                .contains(
                        "ASIA",
                        "AWS_ACCESS_KEY_ID",
                        "AWS_SECRET_ACCESS_KEY",
                        "AWS_SESSION_TOKEN",
                        "s3://REGION/BUCKET");
        assertThat(ErrorRemedies.ofUpload(s3(403, "AccessDenied"), Optional.empty(), true)
                        .text())
                .doesNotContain("ASIA");
    }

    static Stream<Throwable> ofThisMachine() {
        return Stream.of(
                new IOException("No space left on device"),
                sdk(new SocketException("Too many open files")),
                new UnsatisfiedLinkError("/tmp/libzstd-jni.so: failed to map segment from shared object"),
                new NoClassDefFoundError("Could not initialize class org.xerial.snappy.Snappy"),
                new ExceptionInInitializerError(new UnsatisfiedLinkError("Operation not permitted")),
                new ExceptionInInitializerError("Cannot unpack libzstd-jni-1.5.6: Permission denied"),
                new OutOfMemoryError("Java heap space"));
    }

    @ParameterizedTest
    @MethodSource("ofThisMachine")
    void aFaultOfThisMachineHasItsOwnRemedyAndIsNoReasonToSkipARecord(Throwable fault) {
        KafkaException reading = new KafkaException(
                "Received exception when fetching the next record from a-0. If needed, please seek past the record",
                fault);
        for (Explanation explanation : new Explanation[] {
            upload(new RuntimeException(fault)), ErrorRemedies.ofKafka(reading), ErrorRemedies.ofKafka(fault)
        }) {
            assertThat(explanation.level()).isEqualTo(ERROR);
            assertThat(explanation.text())
                    .containsPattern("java.io.tmpdir|ulimit|-Xmx")
                    .doesNotContain("reset-offsets", "correct the route");
        }
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
    void aConnectionThatBreaksInTheHandshakePassesByItself() {
        assertThat(upload(sdk(caused(new SSLHandshakeException("Remote host terminated"), new EOFException())))
                        .level())
                .isEqualTo(WARN);
        assertThat(upload(sdk(caused(new SSLException("readHandshakeRecord"), new SocketException("Broken pipe"))))
                        .level())
                .isEqualTo(WARN);
    }

    @Test
    void aConnectionThatIsRefusedPassesByItself() {
        assertThat(upload(sdk(new SocketException("Connection refused"))))
                .isEqualTo(new Explanation(WARN, "Unable to execute HTTP request"));
        assertThat(upload(sdk(new NoHttpResponseException("no answer"))).level())
                .isEqualTo(WARN);
    }

    @Test
    void aCertificateThatHasExpiredIsNotToBeImported() {
        assertThat(upload(sdk(caused(new SSLHandshakeException("validity"), new CertificateExpiredException())))
                        .text())
                .contains("renew")
                .doesNotContain("import");
    }

    @Test
    void whatDoesNotAnswerWithHttpIsNotQuoted() {
        Explanation explanation = upload(sdk(new IOException(new ProtocolException(PRIVATE))));

        assertThat(explanation.level()).isEqualTo(ERROR);
        assertThat(explanation.text()).contains("not answered with HTTP").doesNotContain("Ada");
    }

    @Test
    void aFailingStepIsNamedWithoutTheMessageWhichMayQuoteTheRecord() {
        assertThat(ErrorRemedies.ofUpload(
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

    @Test
    void causesInACircleAreExplained() {
        Exception one = new Exception();
        Exception other = new Exception(one);
        one.initCause(other);

        assertThat(upload(one).text()).startsWith("Exception;");
        assertThat(ErrorRemedies.ofKafka(one).text()).isEqualTo("Exception");
    }

    static Stream<Arguments> ofKafka() {
        return Stream.of(
                kafka(
                        tls(new CertificateException(new CertPathBuilderException("PKIX path building failed"))),
                        "the brokers' certificate is not trusted: .*camel.component.kafka.ssl-truststore-location.*"),
                kafka(
                        tls(new CertificateException("No subject alternative DNS name matching kafka found.")),
                        "the brokers' certificate names another host: .*KAFKA_BROKERS.*"),
                kafka(
                        tls(new CertificateException("No name matching kafka found")),
                        "the brokers' certificate names another.*"),
                kafka(tls(new CertificateExpiredException()), "the brokers' certificate is not valid now: renew it.*"),
                kafka(
                        new SslAuthenticationException(
                                "x", new SSLHandshakeException("Received fatal alert: bad_certificate")),
                        ".*ssl-keystore-location.*"),
                kafka(
                        new SslAuthenticationException(
                                "x", new SSLException("Unsupported or unrecognized SSL message")),
                        "the brokers' port does not use TLS.*security-protocol.*"),
                kafka(
                        made(new IllegalArgumentException("JAAS config entry not terminated by semi-colon")),
                        "sasl.jaas.config is malformed: JAAS config entry not terminated by semi-colon; .*"),
                kafka(
                        made(new IllegalArgumentException(
                                "Invalid login module control flag '" + PRIVATE + "' in JAAS config")),
                        "sasl.jaas.config is malformed: Invalid login module control flag; .*"),
                kafka(
                        made(new IllegalArgumentException("a JAAS config with " + PRIVATE)),
                        "sasl.jaas.config is malformed; .*"),
                kafka(
                        made(new LoginException("unable to find " + PRIVATE)),
                        "the login module of sasl.jaas.config fails; .*"),
                kafka(
                        made(new KafkaException(
                                "Failed to load SSL keystore " + PRIVATE, new NoSuchFileException(PRIVATE))),
                        ".*cannot be loaded: the file does not exist; .*ssl-truststore-location.*"),
                kafka(
                        made(new ConfigException("sasl.mechanism", PRIVATE, "bad")),
                        "a setting of the Kafka client is invalid: sasl.mechanism; .*"),
                kafka(
                        made(new ConfigException("No resolvable bootstrap urls given in bootstrap.servers")),
                        ".*KAFKA_BROKERS"),
                kafka(new SaslAuthenticationException(PRIVATE), "Kafka refused the login: .*sasl-jaas-config.*"),
                kafka(new UnsupportedSaslMechanismException(PRIVATE), ".*sasl-mechanism"),
                kafka(
                        new TopicAuthorizationException(Set.of("orders", "customers")),
                        "Kafka denies access to the topic customers, orders; .*Read.*"),
                kafka(
                        GroupAuthorizationException.forGroupId("to-s3"),
                        "Kafka denies access to the group to-s3; .*Read.*"),
                kafka(
                        new RecordDeserializationException(
                                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                                new TopicPartition("a", 0),
                                5,
                                0,
                                null,
                                null,
                                null,
                                null,
                                PRIVATE,
                                new SerializationException(PRIVATE)),
                        "its deserializer refuses it: .*SerializationException; .*--reset-offsets.*"),
                kafka(
                        new KafkaException(
                                "Received exception when fetching the next record from a-0. If needed, please seek"
                                        + " past the record",
                                new CorruptRecordException("Record is corrupt (stored crc = 1)")),
                        "it is corrupt: Record is corrupt \\(stored crc = 1\\); restore the partition.*--reset-offsets.*"));
    }

    @ParameterizedTest
    @MethodSource
    void ofKafka(Throwable failure, String text) {
        Explanation explanation = ErrorRemedies.ofKafka(failure);

        assertThat(explanation.level()).isEqualTo(ERROR);
        assertThat(explanation.text())
                .matches(text)
                .doesNotContain("Ada", "sesame")
                .matches("[ -~]+");
    }

    @Test
    void aFailureOfKafkaThatIsNotKnownIsNamedAndQuotedOnlyIfItMayBe() {
        assertThat(ErrorRemedies.ofKafka(new TimeoutException("Timeout of 60000ms expired")))
                .isEqualTo(new Explanation(WARN, "TimeoutException: Timeout of 60000ms expired"));
        assertThat(ErrorRemedies.ofKafka(new SerializationException(PRIVATE)).text())
                .isEqualTo("SerializationException");
    }

    private static Arguments kafka(Throwable failure, String text) {
        return Arguments.of(failure, text);
    }

    private static Throwable tls(CertificateException fault) {
        return new SslAuthenticationException(
                "SSL handshake failed", caused(new SSLHandshakeException(fault.getMessage()), fault));
    }

    private static Throwable made(Throwable fault) {
        return new KafkaException("Failed to construct kafka consumer", fault);
    }

    private static Explanation upload(Throwable failure) {
        return ErrorRemedies.ofUpload(failure, Optional.empty(), false);
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

    private static <T extends Throwable> T caused(T fault, Throwable cause) {
        fault.initCause(cause);
        return fault;
    }
}
