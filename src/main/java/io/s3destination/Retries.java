package io.s3destination;

import static java.util.Map.entry;

import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Says that a step fails and is tried again: at once when it starts, then every 30 seconds for each connector, however
 * many records fail. A fault that passes by itself is a WARN; one that somebody must mend is an ERROR with its cure.
 * Knows which records fail, until they are done or given back to Kafka, so that health can tell.
 */
@BindToRegistry("retries")
public final class Retries implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(Retries.class);
    private static final long INTERVAL = Duration.ofSeconds(30).toNanos();

    /** What to do about the errors that waiting does not mend, by the code S3 gives them. */
    private static final Map<String, String> CURES = Map.ofEntries(
            entry(
                    "AccessDenied",
                    "let the access key put objects: s3:PutObject on the bucket, and its KMS key if it has one"),
            entry("NoSuchBucket", "create the bucket, or correct its name in the connection URL"),
            entry("InvalidAccessKeyId", "correct the access key, in the connection URL or the AWS default credentials"),
            entry(
                    "SignatureDoesNotMatch",
                    "correct the access secret, in the connection URL or the AWS default credentials"),
            entry("PermanentRedirect", "correct the region in the connection URL: the bucket is in another one"),
            entry(
                    "AuthorizationHeaderMalformed",
                    "correct the region in the connection URL: the bucket is in another one"),
            entry("RequestTimeTooSkewed", "set this machine's clock"),
            entry("ExpiredToken", "renew the AWS session credentials"),
            entry("InvalidToken", "renew the AWS session credentials"),
            entry("EntityTooLarge", "let the store take objects of this size"),
            entry("KMS.NotFoundException", "correct the KMS key in the route"),
            entry(
                    "NotImplemented",
                    "the store does not know what the request asks for: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required,"
                            + " or take out what the route tells S3 of its objects"));

    private final Map<String, Long> said = new ConcurrentHashMap<>();
    private final Map<String, Failure> failures = new ConcurrentHashMap<>();

    @Override
    public void process(Exchange exchange) {
        OutOfMemory.endIfOutOfMemory(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
        String connector = exchange.getFromRouteId();
        long now = System.nanoTime();
        Fault fault = Fault.of(exchange);
        Failure failure = note(exchange, connector, now, fault);
        exchange.getContext()
                .getRegistry()
                .lookupByNameAndType("metrics", Metrics.class)
                .retried(exchange);
        Long due = said.compute(
                connector, (name, last) -> last == null || now - last >= INTERVAL ? Long.valueOf(now) : last);
        if (due == now) {
            Object key = exchange.getMessage().getHeader(AWS2S3Constants.KEY);
            LOG.atLevel(fault.level())
                    .log(
                            "{}: cannot store s3://{}/{}: {}{}",
                            connector,
                            failure.bucket(),
                            key == null ? "" : key,
                            fault.text(),
                            fault.level() == Level.ERROR ? ". It is tried again until then" : "; it is tried again");
        }
    }

    /** What keeps a record of the connector from being stored for longer than that, and since when; never its content. */
    Optional<String> failing(String connector, Duration patience) {
        long now = System.nanoTime();
        return failures.values().stream()
                .filter(failure -> failure.connector().equals(connector))
                .min(Comparator.comparingLong(failure -> failure.since() - now))
                .filter(failure -> now - failure.since() >= patience.toNanos())
                .map(failure -> "bucket " + failure.bucket() + ": a record is not stored since "
                        + Duration.ofNanos(now - failure.since()).toSeconds() + " s: "
                        + failure.fault().text());
    }

    private Failure note(Exchange exchange, String connector, long now, Fault fault) {
        String id = exchange.getExchangeId();
        return failures.compute(id, (unused, earlier) -> {
            if (earlier != null) {
                return new Failure(connector, earlier.since(), earlier.bucket(), fault);
            }
            exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
                @Override
                public void onDone(Exchange done) {
                    failures.remove(id);
                }
            });
            return new Failure(connector, now, bucket(exchange), fault);
        });
    }

    private static String bucket(Exchange exchange) {
        return exchange.getContext()
                .resolvePropertyPlaceholders("{{bucket:{{connector." + exchange.getFromRouteId() + ".to}}}}");
    }

    private record Failure(String connector, long since, String bucket, Fault fault) {}

    private record Fault(Level level, String text) {

        static Fault of(Exchange exchange) {
            Throwable fault = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
            if (fault instanceof S3Exception s3) {
                String code =
                        s3.awsErrorDetails() == null ? "" : s3.awsErrorDetails().errorCode();
                String answer = "PUT answered HTTP " + s3.statusCode() + " " + code;
                String cure = CURES.get(code);
                return cure == null ? new Fault(Level.WARN, answer) : new Fault(Level.ERROR, answer + "; " + cure);
            }
            if (fault instanceof SdkException sdk) {
                return CredentialsCures.of(sdk)
                        .or(() -> TlsCures.of(sdk).map(cure -> sdk.getMessage() + "; " + cure))
                        .map(text -> new Fault(Level.ERROR, text))
                        .orElseGet(() -> new Fault(Level.WARN, sdk.getMessage()));
            }
            if (fault instanceof RejectedExecutionException) {
                return new Fault(Level.WARN, "a route that it calls is being stopped, as for an edit");
            }
            // Without its message, which may quote the record.
            String names = Stream.iterate(fault, Objects::nonNull, Throwable::getCause)
                    .map(cause -> cause.getClass().getSimpleName())
                    .distinct()
                    .collect(Collectors.joining(", caused by "));
            String step = exchange.getExchangeExtension().getHistoryNodeId();
            return new Fault(
                    Level.ERROR, (step == null ? "" : "the step " + step + ": ") + names + "; correct the route");
        }
    }
}
