package io.s3destination;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/** What to do where TLS with the store fails in a way that waiting does not mend. */
final class TlsCures {

    private TlsCures() {}

    /** The cure, or empty where TLS is not the cause, or only the connection broke, which passes by itself. */
    static Optional<String> of(Throwable fault) {
        List<Throwable> causes = Stream.iterate(fault, Objects::nonNull, Throwable::getCause)
                .limit(20)
                .toList();
        if (any(causes, CertificateExpiredException.class::isInstance)) {
            return Optional.of("renew the store's certificate, or set this machine's clock");
        }
        if (any(causes, CertificateException.class::isInstance)) {
            return Optional.of("import the store's certificate, or that of its CA, into the JVM's trust store"
                    + " (-Djavax.net.ssl.trustStore)");
        }
        if (any(causes, SSLPeerUnverifiedException.class::isInstance)) {
            return Optional.of("correct the host of the endpoint in the connection URL, or have the store's certificate"
                    + " name it");
        }
        boolean broken = any(causes, cause -> cause instanceof IOException && !(cause instanceof SSLException));
        return any(causes, SSLException.class::isInstance) && !broken
                ? Optional.of("does the endpoint speak https? Correct its scheme or port in the connection URL")
                : Optional.empty();
    }

    private static boolean any(List<Throwable> causes, Predicate<Throwable> kind) {
        return causes.stream().anyMatch(kind);
    }
}
