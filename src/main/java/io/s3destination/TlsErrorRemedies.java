package io.s3destination;

import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.event.Level;

/** What is wrong with TLS that does not pass by itself, the first that fits, and what to do for S3 and for Kafka. */
enum TlsErrorRemedies {
    EXPIRED(
            causes -> causes.any(CertificateExpiredException.class, CertificateNotYetValidException.class),
            "renew the store's certificate, or set this machine's clock",
            "the brokers' certificate is not valid now: renew it, or set this machine's clock"),
    OTHER_HOST(
            causes -> causes.any(SSLPeerUnverifiedException.class)
                    || causes.any("(?i)no (subject alternative|name matching)", CertificateException.class),
            "correct the host of the endpoint in the connection URL, or have the store's certificate name it",
            "the brokers' certificate names another host: correct KAFKA_BROKERS or the brokers' advertised.listeners,"
                    + " or have the certificate name them"),
    NOT_TRUSTED(
            causes -> causes.any(
                    CertificateException.class, CertPathBuilderException.class, CertPathValidatorException.class),
            "import the store's certificate, or that of its CA, into the JVM's trust store (-Djavax.net.ssl.trustStore)",
            "the brokers' certificate is not trusted: put it, or that of its CA, into a trust store, which"
                    + " camel.component.kafka.ssl-truststore-location, ssl-truststore-type and ssl-truststore-password name"),
    CLIENT_CERTIFICATE(
            causes -> causes.any(
                    "fatal alert: (bad_certificate|certificate_required|certificate_unknown)", SSLException.class),
            "the endpoint asks for a client certificate, which cannot be set: use another endpoint",
            "the brokers ask for a client certificate that they trust: set camel.component.kafka.ssl-keystore-location,"
                    + " ssl-keystore-password and ssl-key-password"),
    /** Not where only the connection broke. */
    NOT_TLS(
            causes -> causes.any(SSLException.class)
                    && causes.ofType(IOException.class).allMatch(SSLException.class::isInstance),
            "the endpoint does not use TLS as asked: correct its scheme or port in the connection URL",
            "the brokers' port does not use TLS as asked: correct camel.component.kafka.security-protocol, or the port"
                    + " in KAFKA_BROKERS");

    private final Predicate<FailureCauses> isCause;
    private final String remedyOfStore;
    private final String explanationOfBrokers;

    TlsErrorRemedies(Predicate<FailureCauses> isCause, String remedyOfStore, String explanationOfBrokers) {
        this.isCause = isCause;
        this.remedyOfStore = remedyOfStore;
        this.explanationOfBrokers = explanationOfBrokers;
    }

    static Optional<Explanation> ofStore(FailureCauses causes, String message) {
        return of(causes).map(tls -> Explanation.lasting(message, tls.remedyOfStore));
    }

    static Optional<Explanation> ofBrokers(FailureCauses causes) {
        return of(causes).map(tls -> new Explanation(Level.ERROR, tls.explanationOfBrokers));
    }

    private static Optional<TlsErrorRemedies> of(FailureCauses causes) {
        return Arrays.stream(values()).filter(tls -> tls.isCause.test(causes)).findFirst();
    }
}
