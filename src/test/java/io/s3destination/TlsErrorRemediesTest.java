package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.slf4j.event.Level.ERROR;
import static org.slf4j.event.Level.WARN;

import java.io.EOFException;
import java.net.SocketException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.core.exception.SdkClientException;

/** What is wrong with TLS, of the store and of the brokers. */
class TlsErrorRemediesTest {

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
    void aCertificateThatHasExpiredIsNotToBeImported() {
        assertThat(upload(sdk(caused(new SSLHandshakeException("validity"), new CertificateExpiredException())))
                        .text())
                .contains("renew")
                .doesNotContain("import");
    }

    static Stream<Arguments> ofBrokers() {
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
                        "the brokers' port does not use TLS.*security-protocol.*"));
    }

    @ParameterizedTest
    @MethodSource
    void ofBrokers(Throwable failure, String text) {
        Explanation explanation = KafkaErrorRemedies.of(failure);

        assertThat(explanation.level()).isEqualTo(ERROR);
        assertThat(explanation.text()).matches(text).matches("[ -~]+");
    }

    private static Arguments kafka(Throwable failure, String text) {
        return Arguments.of(failure, text);
    }

    private static Throwable tls(CertificateException fault) {
        return new SslAuthenticationException(
                "SSL handshake failed", caused(new SSLHandshakeException(fault.getMessage()), fault));
    }

    private static Explanation upload(Throwable failure) {
        return S3ErrorRemedies.ofUpload(failure, Optional.empty(), false);
    }

    private static SdkClientException sdk(Exception fault) {
        return SdkClientException.create("Unable to execute HTTP request", fault);
    }

    private static <T extends Throwable> T caused(T fault, Throwable cause) {
        fault.initCause(cause);
        return fault;
    }
}
