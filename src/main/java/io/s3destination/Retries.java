package io.s3destination;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Says that a step fails and is tried again: at once when it starts, then every 30 seconds for each connector, however
 * many records fail. A fault that passes by itself is a WARN; one that somebody must mend is an ERROR with its cure.
 */
@BindToRegistry("retries")
public final class Retries implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(Retries.class);
    private static final long INTERVAL = Duration.ofSeconds(30).toNanos();

    /** What to do about the errors that waiting does not mend, by the code S3 gives them. */
    private static final Map<String, String> CURES = Map.of(
            "AccessDenied", "let the access key put objects: s3:PutObject on the bucket, and its KMS key if it has one",
            "NoSuchBucket", "create the bucket, or correct its name in the connection URL",
            "InvalidAccessKeyId", "correct the access key in the connection URL",
            "SignatureDoesNotMatch", "correct the access secret in the connection URL",
            "PermanentRedirect", "correct the region in the connection URL: the bucket is in another one",
            "AuthorizationHeaderMalformed", "correct the region in the connection URL: the bucket is in another one",
            "RequestTimeTooSkewed", "set this machine's clock",
            "ExpiredToken", "renew the AWS session credentials",
            "InvalidToken", "renew the AWS session credentials",
            "EntityTooLarge", "let the store take objects of this size");

    private final Map<String, Long> said = new ConcurrentHashMap<>();

    @Override
    public void process(Exchange exchange) {
        String connector = exchange.getFromRouteId();
        long now = System.nanoTime();
        Long due = said.compute(
                connector, (name, last) -> last == null || now - last >= INTERVAL ? Long.valueOf(now) : last);
        if (due != now) {
            return;
        }
        Throwable fault = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        String what = "%s: cannot store s3://%s/%s: "
                .formatted(connector, bucket(exchange), exchange.getMessage().getHeader(AWS2S3Constants.KEY));
        if (fault instanceof S3Exception s3) {
            String code =
                    s3.awsErrorDetails() == null ? "" : s3.awsErrorDetails().errorCode();
            String answer = "PUT answered HTTP " + s3.statusCode() + " " + code;
            String cure = CURES.get(code);
            if (cure != null) {
                LOG.error("{}{}; {}. It is tried again until then", what, answer, cure);
            } else {
                LOG.warn("{}{}; it is tried again", what, answer);
            }
        } else if (fault instanceof SdkClientException) {
            LOG.warn("{}{}; it is tried again", what, fault.getMessage());
        } else {
            LOG.error("{}{}; correct the route. It is tried again until then", what, fault.toString());
        }
    }

    private static String bucket(Exchange exchange) {
        return exchange.getContext()
                .resolvePropertyPlaceholders("{{bucket:{{connector." + exchange.getFromRouteId() + ".to}}}}");
    }
}
