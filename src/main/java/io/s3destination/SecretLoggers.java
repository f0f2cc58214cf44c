package io.s3destination;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loggers of others that say secrets at DEBUG and TRACE: values of properties, and requests to AWS with the session
 * token in their headers. They are kept at INFO, whatever the logging is set to.
 */
final class SecretLoggers {

    private static final Logger LOG = LoggerFactory.getLogger(SecretLoggers.class);
    private static final List<String> NAMES = List.of(
            "org.apache.camel.component.properties",
            "org.apache.http.headers",
            "org.apache.http.wire",
            "software.amazon.awssdk.auth.signer",
            "software.amazon.awssdk.http.auth.aws");

    private SecretLoggers() {}

    /** By reflection, since the routes may run beside another logging than Log4j, where nothing is done. */
    static void quieten() {
        try {
            Class<?> log4j = Class.forName("org.apache.logging.log4j.core.config.Configurator");
            for (String name : NAMES) {
                if (LoggerFactory.getLogger(name).isDebugEnabled()) {
                    log4j.getMethod("setLevel", String.class, String.class).invoke(null, name, "INFO");
                }
            }
        } catch (ReflectiveOperationException e) {
            LOG.debug("the logging is not Log4j: at DEBUG it may say secrets", e);
        }
    }
}
