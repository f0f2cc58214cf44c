package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.net.SocketException;
import java.security.cert.CertificateExpiredException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.exception.SdkClientException;

/** The causes that {@link TlsIT} does not bring about. */
class TlsCuresTest {

    @Test
    void aConnectionThatBreaksInTheHandshakePassesByItself() {
        assertThat(TlsCures.of(sdk(new SSLHandshakeException("Remote host terminated"), new EOFException())))
                .isEmpty();
        assertThat(TlsCures.of(sdk(new SSLException("readHandshakeRecord"), new SocketException("Broken pipe"))))
                .isEmpty();
    }

    @Test
    void whatIsNotTlsHasNoCure() {
        assertThat(TlsCures.of(sdk(new SocketException("Connection refused"), null)))
                .isEmpty();
    }

    @Test
    void aCertificateThatHasExpiredIsNotToBeImported() {
        assertThat(TlsCures.of(sdk(new SSLHandshakeException("validity"), new CertificateExpiredException())))
                .hasValueSatisfying(cure -> assertThat(cure).contains("renew").doesNotContain("import"));
    }

    private static SdkClientException sdk(Exception fault, Throwable cause) {
        if (cause != null) {
            fault.initCause(cause);
        }
        return SdkClientException.create("Unable to execute HTTP request", fault);
    }
}
