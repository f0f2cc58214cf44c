package io.s3destination;

import static io.s3destination.Explanation.lastingIf;
import static io.s3destination.FailureCauses.printable;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.login.LoginException;
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

/** Explains what Kafka's client throws; a message of it is shown only where it holds no secret and no record's content. */
final class KafkaErrorRemedies {

    /** Kafka's messages about a JAAS configuration that quote nothing of it. */
    private static final Pattern JAAS = Pattern.compile("Value not specified for key|Invalid login module control flag"
            + "|JAAS config (entry not terminated by semi-colon|property (does not contain any|contains \\d+) login modules)"
            + "|Login module ((control flag )?not specified in|control flag is not available in the) JAAS config"
            + "|Could not find a '\\w+' entry in the JAAS configuration");

    private static final Pattern CONFIGURATION = Pattern.compile("configuration \"?([a-z][a-z.]{2,80})");
    private static final String GIVE_UP =
            "or give the record up by setting the group's offset behind it (kafka-consumer-groups --reset-offsets)";
    private static final String RESTORE = "restore the partition on its brokers, " + GIVE_UP;

    private KafkaErrorRemedies() {}

    /**
     * Explains what a Kafka consumer, or an attempt to make one, has thrown, and why a record cannot be read. What is on
     * this machine, such as the native library of a compression, is never a reason to give a record up.
     */
    static Explanation of(Throwable failure) {
        FailureCauses causes = FailureCauses.of(failure);
        return causes.ofThisMachine()
                .or(() -> ofPermissions(causes))
                .or(() -> ofJaas(causes))
                .or(() -> ofStores(causes))
                .or(() -> TlsErrorRemedies.ofBrokers(causes))
                .or(() -> ofLogin(causes))
                .or(() -> ofRecord(causes))
                .or(() -> ofSettings(causes))
                .orElseGet(() -> ofAnyOther(failure, causes));
    }

    private static Optional<Explanation> ofPermissions(FailureCauses causes) {
        return causes.ofType(AuthorizationException.class).findFirst().map(denied -> {
            if (denied instanceof TopicAuthorizationException topics) {
                return Explanation.lasting(
                        "Kafka denies access to the topic "
                                + printable(String.join(", ", new TreeSet<>(topics.unauthorizedTopics()))),
                        "grant its user the permissions Describe and Read on the topic");
            }
            if (denied instanceof GroupAuthorizationException group) {
                return Explanation.lasting(
                        "Kafka denies access to the group " + printable(group.groupId()),
                        "grant its user the permission Read on the group");
            }
            return Explanation.lasting("Kafka denies access: " + causes.names(), "grant its user the permission");
        });
    }

    private static Optional<Explanation> ofJaas(FailureCauses causes) {
        String remedy =
                "correct camel.component.kafka.sasl-jaas-config: a login module, 'required', its options, a semicolon";
        for (Throwable cause : causes.all()) {
            String message = String.valueOf(cause.getMessage());
            Matcher known = JAAS.matcher(message);
            boolean isKnown = known.find();
            if (isKnown || message.contains("JAAS config")) {
                String detail = isKnown ? ": " + known.group() : "";
                return Optional.of(Explanation.lasting("sasl.jaas.config is malformed" + detail, remedy));
            }
            if (cause instanceof LoginException) {
                return Optional.of(Explanation.lasting("the login module of sasl.jaas.config fails", remedy));
            }
        }
        return Optional.empty();
    }

    private static Optional<Explanation> ofStores(FailureCauses causes) {
        String why = causes.any(NoSuchFileException.class, FileNotFoundException.class)
                ? ": the file does not exist"
                : causes.any("password was incorrect", IOException.class) ? ": its password is wrong" : "";
        return lastingIf(
                causes.any("Failed to load SSL keystore", Exception.class),
                "a key store or trust store for Kafka cannot be loaded" + why,
                "correct camel.component.kafka.ssl-truststore-location, ssl-keystore-location, their types and passwords");
    }

    private static Optional<Explanation> ofLogin(FailureCauses causes) {
        return lastingIf(
                        causes.any(UnsupportedSaslMechanismException.class),
                        "the brokers do not know the SASL mechanism",
                        "correct camel.component.kafka.sasl-mechanism")
                .or(() -> lastingIf(
                        causes.any(InvalidReceiveException.class),
                        "the brokers' port does not use the protocol that is set",
                        "correct camel.component.kafka.security-protocol, or the port in KAFKA_BROKERS"))
                // An SSL handshake that broke off, by a broker that is being stopped, passes.
                .or(() -> lastingIf(
                        causes.ofType(AuthenticationException.class)
                                .limit(1)
                                .anyMatch(refused -> !(refused instanceof SslAuthenticationException)),
                        "Kafka refused the login: " + causes.names(),
                        "correct the user and password in camel.component.kafka.sasl-jaas-config, and"
                                + " camel.component.kafka.sasl-mechanism"));
    }

    private static Optional<Explanation> ofRecord(FailureCauses causes) {
        return causes.ofType(CorruptRecordException.class, InvalidRecordException.class)
                .reduce((outer, inner) -> inner)
                .map(corrupt -> Explanation.lasting("it is corrupt: " + printable(corrupt.getMessage()), RESTORE))
                // Without a message: a deserializer's may quote the record.
                .or(() -> lastingIf(
                        causes.any(RecordDeserializationException.class),
                        "its deserializer refuses it: " + causes.names(),
                        "correct the deserializer in the route, " + GIVE_UP))
                .or(() -> lastingIf(
                        causes.any("please seek past the record", Exception.class),
                        "it cannot be read: " + causes.names(),
                        RESTORE));
    }

    private static Optional<Explanation> ofSettings(FailureCauses causes) {
        if (causes.any(UnknownHostException.class)
                || causes.any("No resolvable bootstrap urls", ConfigException.class)) {
            return Optional.of(
                    Explanation.lasting("no name of a Kafka broker resolves to an address", "correct KAFKA_BROKERS"));
        }
        // Without its message, which quotes the value.
        return causes.ofType(ConfigException.class).findFirst().map(wrong -> {
            Matcher setting = CONFIGURATION.matcher(String.valueOf(wrong.getMessage()));
            return Explanation.lasting(
                    "a setting of the Kafka client is invalid" + (setting.find() ? ": " + setting.group(1) : ""),
                    "correct it among camel.component.kafka.*");
        });
    }

    private static Explanation ofAnyOther(Throwable failure, FailureCauses causes) {
        String quote = failure instanceof RetriableException ? ": " + printable(failure.getMessage()) : "";
        return Explanation.passing(causes.names() + quote);
    }
}
