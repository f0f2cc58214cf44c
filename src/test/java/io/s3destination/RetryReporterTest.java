package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * A failure is noted for health whatever goes wrong while it is explained; here most of what the reporter
 * asks for is missing: metrics, client, bucket.
 */
class RetryReporterTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final List<Throwable> ended = new ArrayList<>();
    private long now;
    private final RetryReporter reporter = new RetryReporter(() -> now, ended::add);

    @AfterEach
    void close() throws Exception {
        context.close();
    }

    @Test
    void anAnswerWithoutAnErrorCodeIsNoted() {
        fail(S3Exception.builder()
                .statusCode(413)
                .awsErrorDetails(AwsErrorDetails.builder().build())
                .build());

        assertThat(health()).contains("not stored for 12 s").contains("HTTP 413");
    }

    @ParameterizedTest
    @ValueSource(strings = {"message", "cause", "neither"})
    void anExceptionThatCannotBeExplainedIsNoted(String broken) {
        fail(new Broken(broken));

        assertThat(health()).contains("Broken");
    }

    @Test
    void aFailureWithoutAnExceptionIsNoted() {
        fail(null);

        assertThat(health()).contains("a failure without an exception");
    }

    @Test
    void aRecordFailsNoMoreWhenItsExchangeEnds() {
        Exchange exchange = fail(new Broken("message"));
        reporter.process(exchange);

        exchange.getExchangeExtension().handoverCompletions().forEach(completion -> completion.onComplete(exchange));

        assertThat(reporter.failing("null", Duration.ZERO)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ASIAWRITER, true", "AKIAWRITER, false"})
    void aTemporaryKeyInTheConnectionUrlIsRecognised(String key, boolean temporary) {
        context.getPropertiesComponent().addInitialProperty("connector.null.to", "lake");
        try (S3Client client = S3Clients.create(
                ConnectionUrl.parse("s3://" + key + ":secret@us-east-2/lake?endpoint=http://localhost:9000"), 1)) {
            context.getRegistry().bind("s3-lake", S3Client.class, client);

            fail(S3Exception.builder()
                    .statusCode(403)
                    .awsErrorDetails(AwsErrorDetails.builder()
                            .errorCode("InvalidAccessKeyId")
                            .build())
                    .build());
        }

        assertThat(health().contains("AWS_SESSION_TOKEN")).isEqualTo(temporary);
    }

    @Test
    void memoryThatRanOutEndsTheProcess() {
        Throwable failure = new IllegalStateException(new RuntimeException(new OutOfMemoryError()));

        fail(failure);

        assertThat(ended).containsExactly(failure);
    }

    @Test
    void memoryThatRunsOutWhileAFailureIsExplainedEndsTheProcess() {
        fail(new Broken("memory"));

        assertThat(ended).isNotEmpty();
    }

    private Exchange fail(Throwable failure) {
        Exchange exchange = new DefaultExchange(context);
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
        reporter.process(exchange);
        return exchange;
    }

    private String health() {
        now += Duration.ofSeconds(12).toNanos();
        return reporter.failing("null", Duration.ofSeconds(10)).orElseThrow();
    }

    private static final class Broken extends RuntimeException {

        private static final long serialVersionUID = 1;
        private final String what;

        Broken(String what) {
            this.what = what;
        }

        @Override
        public String getMessage() {
            if (what.equals("message")) {
                throw new IllegalStateException("as the test wants it");
            }
            return what;
        }

        @Override
        public synchronized Throwable getCause() {
            if (what.equals("cause")) {
                throw new IllegalStateException("as the test wants it");
            }
            if (what.equals("memory")) {
                throw new OutOfMemoryError();
            }
            return null;
        }
    }
}
