package io.s3destination;

import static java.util.Map.entry;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.NoSuchFileException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.security.auth.login.LoginException;
import org.apache.http.HttpException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.apache.kafka.common.network.InvalidReceiveException;
import org.slf4j.event.Level;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Explains failures: of what S3 or something in its place answers, of TLS, credentials, this machine, and Kafka. A message
 * of somebody else is shown only where it holds neither a secret nor content of a record or of an answer's body.
 */
final class ErrorRemedies {

    private static final String WRONG_REGION = "correct the region in the connection URL: the bucket is in another one";
    private static final String RENEW_SESSION = "renew the AWS session credentials";

    /** What to do about the errors that do not pass by themselves, by the code that S3 gives them. */
    private static final Map<String, String> OF_S3 = Map.ofEntries(
            entry(
                    "AccessDenied",
                    "let the access key put objects: s3:PutObject on the bucket, and its KMS key if it has one"),
            entry("NoSuchBucket", "create the bucket, or correct its name in the connection URL"),
            entry("InvalidAccessKeyId", "correct the access key, in the connection URL or the AWS default credentials"),
            entry(
                    "SignatureDoesNotMatch",
                    "correct the access secret, in the connection URL or the AWS default credentials"),
            entry("PermanentRedirect", WRONG_REGION),
            entry("AuthorizationHeaderMalformed", WRONG_REGION),
            entry("RequestTimeTooSkewed", "set this machine's clock"),
            entry("ExpiredToken", RENEW_SESSION),
            entry("InvalidToken", RENEW_SESSION),
            entry("EntityTooLarge", "let the store take objects of this size"),
            entry("MetadataTooLarge", "shorten the metadata in the route"),
            entry("InvalidTag", "correct the tags in the route"),
            entry("InvalidStorageClass", "correct the storage class in the route"),
            entry("KMS.NotFoundException", "correct the KMS key in the route"),
            entry(
                    "NotImplemented",
                    "the store does not know what the request asks for: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required,"
                            + " or take out what the route sets for its objects"));

    /** What S3 answers to a temporary access key without its session token. */
    private static final Set<String> OF_KEYS =
            Set.of("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "ExpiredToken");

    private static final Pattern CODE = Pattern.compile("[A-Za-z][\\w.-]{0,63}");
    private static final int MAX_HEADER = 40;
    private static final int MAX_MESSAGE = 1_000;

    private static final String NO_CREDENTIALS = "Unable to load credentials from any of the providers";
    private static final Pattern PROVIDERS = Pattern.compile("]\\) : \\[(.*)]", Pattern.DOTALL);
    private static final Pattern NEXT_PROVIDER = Pattern.compile(", (?=\\w+CredentialsProvider\\()");
    /** What the providers report that nobody has set up; the others report what keeps them from answering. */
    private static final Pattern NOT_SET_UP = Pattern.compile("Access key must be|AWS_WEB_IDENTITY_TOKEN_FILE or"
            + "|for profile 'default'|neither AWS_CONTAINER|have been disabled");

    private static final Pattern DISK_FULL =
            Pattern.compile("(?i)no space left on device|disk quota exceeded|not enough space");
    private static final Pattern OPEN_FILES = Pattern.compile("(?i)too many open files");
    private static final Pattern NATIVE = Pattern.compile("(?i)snappy|zstd|lz4|native|Cannot unpack");
    private static final Pattern OTHER_HOST = Pattern.compile("(?i)no (subject alternative|name matching)");
    private static final Pattern CLIENT_CERTIFICATE =
            Pattern.compile("fatal alert: (bad_certificate|certificate_required|certificate_unknown)");

    /** Kafka's messages about a JAAS configuration that quote nothing of it. */
    private static final Pattern JAAS = Pattern.compile("JAAS config entry not terminated by semi-colon"
            + "|Login module (control flag )?not specified in JAAS config"
            + "|Login module control flag is not available in the JAAS config"
            + "|Invalid login module control flag|Value not specified for key"
            + "|JAAS config property does not contain any login modules"
            + "|JAAS config property contains \\d+ login modules"
            + "|Could not find a '\\w+' entry in the JAAS configuration");

    private static final Pattern CONFIGURATION = Pattern.compile("configuration \"?([a-z][a-z.]{2,80})");
    private static final String GIVE_UP =
            "or give the record up by setting the group's offset behind it (kafka-consumer-groups --reset-offsets)";

    private ErrorRemedies() {}

    /**
     * Explains why a record is not stored.
     *
     * @param step the step of the route that failed, where it is known
     * @param temporaryKey whether the access key of the connection URL is one of a session
     */
    static Explanation ofUpload(Throwable failure, Optional<String> step, boolean temporaryKey) {
        List<Throwable> causes = causes(failure);
        return ofThisMachine(causes).orElseGet(() -> {
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
            return Explanation.lasting(of(step) + names(causes), "correct the route");
        });
    }

    /** What is left where explaining a failure has failed. */
    static Explanation ofUnexplained(Throwable failure, Optional<String> step) {
        return Explanation.lasting(of(step) + names(Stream.ofNullable(failure).toList()), "it could not be explained");
    }

    private static String of(Optional<String> step) {
        return step.map(id -> "the step " + id + ": ").orElse("");
    }

    private static Explanation ofAnswer(S3Exception s3, boolean temporaryKey) {
        Optional<AwsErrorDetails> details = Optional.ofNullable(s3.awsErrorDetails());
        String answered = "PUT answered HTTP " + s3.statusCode();
        // Not its message, which is of the answer's body.
        Optional<String> code = details.map(AwsErrorDetails::errorCode)
                .filter(text -> CODE.matcher(text).matches());
        if (code.isEmpty()) {
            return ofSomethingElse(answered, s3.statusCode(), details.map(AwsErrorDetails::sdkHttpResponse));
        }
        String cause = answered + " " + code.get();
        if (temporaryKey && OF_KEYS.contains(code.get())) {
            return Explanation.lasting(
                    cause,
                    "an access key that begins with ASIA is temporary and needs its session token, which a connection URL"
                            + " cannot hold: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and make"
                            + " the connection URL s3://REGION/BUCKET");
        }
        return Optional.ofNullable(OF_S3.get(code.get()))
                .map(remedy -> Explanation.lasting(cause, remedy))
                .orElseGet(() -> Explanation.passing(cause));
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

    private static Explanation ofRequest(SdkException sdk, List<Throwable> causes) {
        String message = printable(String.valueOf(sdk.getMessage()), MAX_MESSAGE);
        if (sdk instanceof AwsServiceException sts && sts.statusCode() < 500) {
            return Explanation.lasting(message, "let the role trust this identity, or renew it");
        }
        if (String.valueOf(sdk.getMessage()).startsWith(NO_CREDENTIALS)) {
            return Explanation.lasting(
                    "no AWS credentials were found" + printable(providers(sdk.getMessage()), MAX_MESSAGE),
                    "put ACCESS_KEY:ACCESS_SECRET@ into the connection URL, set AWS_ACCESS_KEY_ID and"
                            + " AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this pod or machine a role");
        }
        if (any(causes, HttpException.class::isInstance)) {
            return Explanation.lasting(
                    "PUT was not answered with HTTP", "correct the scheme, host or port of the endpoint");
        }
        return tls(causes)
                .map(tls -> Explanation.lasting(message, tls.ofStore))
                .orElseGet(() -> Explanation.passing(message));
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

    /** Of what no record is to blame for. */
    private static Optional<Explanation> ofThisMachine(List<Throwable> causes) {
        if (any(causes, OutOfMemoryError.class::isInstance)) {
            return Optional.of(Explanation.lasting("memory ran out", "raise -Xmx, or the memory of the container"));
        }
        if (any(causes, DISK_FULL)) {
            return Optional.of(Explanation.lasting(
                    "no space is left on a disk of this machine",
                    "free some, or name another directory for temporary files with -Djava.io.tmpdir"));
        }
        if (any(causes, OPEN_FILES)) {
            return Optional.of(Explanation.lasting(
                    "this process has too many open files and connections", "raise its limit (ulimit -n)"));
        }
        if (any(causes, UnsatisfiedLinkError.class::isInstance) || any(causes, Error.class, NATIVE)) {
            return Optional.of(Explanation.lasting(
                    "a native library, such as that of a compression, cannot be loaded: " + names(causes),
                    "mount the directory for temporary files (/tmp) writable and with exec, or name another one with"
                            + " -Djava.io.tmpdir, and restart"));
        }
        return Optional.empty();
    }

    /**
     * Explains what a Kafka consumer, or an attempt to make one, has thrown, and why a record cannot be read. What is on
     * this machine, such as the native library of a compression, is never a reason to give a record up.
     */
    static Explanation ofKafka(Throwable failure) {
        List<Throwable> causes = causes(failure);
        return ofThisMachine(causes)
                .or(() -> ofPermissions(causes))
                .or(() -> ofJaas(causes))
                .or(() -> ofStores(causes))
                .or(() -> tls(causes).map(tls -> new Explanation(Level.ERROR, tls.ofBrokers)))
                .or(() -> ofLogin(causes))
                .or(() -> ofRecord(causes))
                .or(() -> ofSettings(causes))
                .orElseGet(() -> ofAnyKafka(failure, causes));
    }

    private static Optional<Explanation> ofPermissions(List<Throwable> causes) {
        return first(causes, AuthorizationException.class).map(denied -> {
            if (denied instanceof TopicAuthorizationException topics) {
                String names = String.join(", ", new TreeSet<>(topics.unauthorizedTopics()));
                return Explanation.lasting(
                        "Kafka denies access to the topic " + printable(names, MAX_MESSAGE),
                        "grant its user the permissions Describe and Read on the topic");
            }
            if (denied instanceof GroupAuthorizationException group) {
                return Explanation.lasting(
                        "Kafka denies access to the group " + printable(String.valueOf(group.groupId()), MAX_MESSAGE),
                        "grant its user the permission Read on the group");
            }
            return Explanation.lasting("Kafka denies access: " + names(causes), "grant its user the permission");
        });
    }

    private static Optional<Explanation> ofJaas(List<Throwable> causes) {
        String malformed = "sasl.jaas.config is malformed";
        String remedy = "correct camel.component.kafka.sasl-jaas-config: a login module, 'required', its options, a"
                + " semicolon";
        for (Throwable cause : causes) {
            String message = String.valueOf(cause.getMessage());
            Matcher known = JAAS.matcher(message);
            if (known.find()) {
                return Optional.of(Explanation.lasting(malformed + ": " + known.group(), remedy));
            }
            if (message.contains("JAAS config")) {
                return Optional.of(Explanation.lasting(malformed, remedy));
            }
            if (cause instanceof LoginException) {
                return Optional.of(Explanation.lasting("the login module of sasl.jaas.config fails", remedy));
            }
        }
        return Optional.empty();
    }

    private static Optional<Explanation> ofStores(List<Throwable> causes) {
        if (!any(causes, Exception.class, Pattern.compile("Failed to load SSL keystore"))) {
            return Optional.empty();
        }
        String why = any(causes, NoSuchFileException.class::isInstance)
                        || any(causes, FileNotFoundException.class::isInstance)
                ? ": the file does not exist"
                : any(causes, IOException.class, Pattern.compile("password was incorrect"))
                        ? ": its password is wrong"
                        : "";
        return Optional.of(
                Explanation.lasting(
                        "a key store or trust store for Kafka cannot be loaded" + why,
                        "correct camel.component.kafka.ssl-truststore-location, ssl-keystore-location, their types and passwords"));
    }

    private static Optional<Explanation> ofLogin(List<Throwable> causes) {
        if (any(causes, UnsupportedSaslMechanismException.class::isInstance)) {
            return Optional.of(Explanation.lasting(
                    "the brokers do not know the SASL mechanism", "correct camel.component.kafka.sasl-mechanism"));
        }
        if (any(causes, InvalidReceiveException.class::isInstance)) {
            return Optional.of(Explanation.lasting(
                    "the brokers' port does not use the protocol that is set",
                    "correct camel.component.kafka.security-protocol, or the port in KAFKA_BROKERS"));
        }
        // An SSL handshake that broke off, by a broker that is being stopped, passes.
        return first(causes, AuthenticationException.class)
                .filter(refused -> !(refused instanceof SslAuthenticationException))
                .map(refused -> Explanation.lasting(
                        "Kafka refused the login: " + names(causes),
                        "correct the user and password in camel.component.kafka.sasl-jaas-config, and"
                                + " camel.component.kafka.sasl-mechanism"));
    }

    private static Optional<Explanation> ofRecord(List<Throwable> causes) {
        Optional<Throwable> corrupt = causes.stream()
                .filter(cause -> cause instanceof CorruptRecordException || cause instanceof InvalidRecordException)
                .reduce((outer, inner) -> inner);
        if (corrupt.isPresent()) {
            return Optional.of(Explanation.lasting(
                    "it is corrupt: " + printable(String.valueOf(corrupt.get().getMessage()), MAX_MESSAGE),
                    "restore the partition on its brokers, " + GIVE_UP));
        }
        if (any(causes, RecordDeserializationException.class::isInstance)) {
            // Without a message: a deserializer's may quote the record.
            return Optional.of(Explanation.lasting(
                    "its deserializer refuses it: " + names(causes),
                    "correct the deserializer in the route, " + GIVE_UP));
        }
        return any(causes, Exception.class, Pattern.compile("please seek past the record"))
                ? Optional.of(Explanation.lasting(
                        "it cannot be read: " + names(causes), "restore the partition on its brokers, " + GIVE_UP))
                : Optional.empty();
    }

    private static Optional<Explanation> ofSettings(List<Throwable> causes) {
        if (any(causes, ConfigException.class, Pattern.compile("No resolvable bootstrap urls"))
                || any(causes, UnknownHostException.class::isInstance)) {
            return Optional.of(
                    Explanation.lasting("no name of a Kafka broker resolves to an address", "correct KAFKA_BROKERS"));
        }
        // Without its message, which quotes the value.
        return first(causes, ConfigException.class).map(wrong -> {
            Matcher setting = CONFIGURATION.matcher(String.valueOf(wrong.getMessage()));
            return Explanation.lasting(
                    "a setting of the Kafka client is invalid" + (setting.find() ? ": " + setting.group(1) : ""),
                    "correct it among camel.component.kafka.*");
        });
    }

    private static Explanation ofAnyKafka(Throwable failure, List<Throwable> causes) {
        return failure instanceof RetriableException
                ? Explanation.passing(
                        names(causes) + ": " + printable(String.valueOf(failure.getMessage()), MAX_MESSAGE))
                : Explanation.passing(names(causes));
    }

    /** What is wrong with TLS that does not pass by itself, and what to do in the case of the store and of Kafka. */
    private enum Tls {
        EXPIRED(
                "renew the store's certificate, or set this machine's clock",
                "the brokers' certificate is not valid now: renew it, or set this machine's clock"),
        OTHER_HOST(
                "correct the host of the endpoint in the connection URL, or have the store's certificate name it",
                "the brokers' certificate names another host: correct KAFKA_BROKERS or the brokers' advertised.listeners,"
                        + " or have the certificate name them"),
        NOT_TRUSTED(
                "import the store's certificate, or that of its CA, into the JVM's trust store (-Djavax.net.ssl.trustStore)",
                "the brokers' certificate is not trusted: put it, or that of its CA, into a trust store, which"
                        + " camel.component.kafka.ssl-truststore-location, ssl-truststore-type and"
                        + " ssl-truststore-password name"),
        CLIENT_CERTIFICATE(
                "the endpoint asks for a client certificate, which cannot be set: use another endpoint",
                "the brokers ask for a client certificate that they trust: set camel.component.kafka.ssl-keystore-location,"
                        + " ssl-keystore-password and ssl-key-password"),
        NOT_TLS(
                "the endpoint does not use TLS as asked: correct its scheme or port in the connection URL",
                "the brokers' port does not use TLS as asked: correct camel.component.kafka.security-protocol, or the port"
                        + " in KAFKA_BROKERS");

        private final String ofStore;
        private final String ofBrokers;

        Tls(String ofStore, String ofBrokers) {
            this.ofStore = ofStore;
            this.ofBrokers = ofBrokers;
        }
    }

    /** Empty where TLS is not the cause, or only the connection broke. */
    private static Optional<Tls> tls(List<Throwable> causes) {
        if (any(causes, CertificateExpiredException.class::isInstance)
                || any(causes, CertificateNotYetValidException.class::isInstance)) {
            return Optional.of(Tls.EXPIRED);
        }
        if (any(causes, SSLPeerUnverifiedException.class::isInstance)
                || any(causes, CertificateException.class, OTHER_HOST)) {
            return Optional.of(Tls.OTHER_HOST);
        }
        if (any(causes, CertificateException.class::isInstance)
                || any(causes, CertPathBuilderException.class::isInstance)
                || any(causes, CertPathValidatorException.class::isInstance)) {
            return Optional.of(Tls.NOT_TRUSTED);
        }
        if (any(causes, SSLException.class, CLIENT_CERTIFICATE)) {
            return Optional.of(Tls.CLIENT_CERTIFICATE);
        }
        boolean broken = any(causes, cause -> cause instanceof IOException && !(cause instanceof SSLException));
        return any(causes, SSLException.class::isInstance) && !broken ? Optional.of(Tls.NOT_TLS) : Optional.empty();
    }

    /** A failure and what it was caused by, the innermost last. */
    static List<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .limit(20)
                .toList();
    }

    private static boolean any(List<Throwable> causes, Predicate<Throwable> kind) {
        return causes.stream().anyMatch(kind);
    }

    /** Whether the operating system has reported that: not S3, whose messages are exceptions of the AWS SDK. */
    private static boolean any(List<Throwable> causes, Pattern message) {
        return any(causes, IOException.class, message) || any(causes, Error.class, message);
    }

    private static boolean any(List<Throwable> causes, Class<? extends Throwable> type, Pattern message) {
        return any(
                causes,
                cause -> type.isInstance(cause)
                        && message.matcher(String.valueOf(cause.getMessage())).find());
    }

    private static <T> Optional<T> first(List<Throwable> causes, Class<T> type) {
        return causes.stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    private static String names(List<Throwable> causes) {
        return causes.isEmpty()
                ? "a failure without an exception"
                : causes.stream()
                        .map(cause -> cause.getClass().getSimpleName())
                        .distinct()
                        .collect(Collectors.joining(", caused by "));
    }

    /** In ASCII, and no longer than that. */
    private static String printable(String text, int length) {
        String ascii = text.strip().replaceAll("[^ -~]", "?");
        return ascii.length() <= length ? ascii : ascii.substring(0, length) + "...";
    }
}
