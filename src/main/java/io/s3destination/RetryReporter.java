package io.s3destination;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;
import org.apache.camel.spi.Synchronization;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Reports that a step fails and is retried: counts each failure, notes it for health, and then logs it, as one {@link
 * Outage} for each connector. Whatever goes wrong while a failure is explained costs the explanation only.
 */
@BindToRegistry("retries")
public final class RetryReporter implements Processor {

    private static final Logger LOG = LoggerFactory.getLogger(RetryReporter.class);

    private final LongSupplier clock;
    private final Consumer<Throwable> outOfMemory;
    private final Map<String, Outage> outages = new ConcurrentHashMap<>();
    private volatile Metrics metrics;

    public RetryReporter() {
        this(System::nanoTime, OutOfMemory::endProcess);
    }

    /** @param outOfMemory ends the process */
    RetryReporter(LongSupplier clock, Consumer<Throwable> outOfMemory) {
        this.clock = clock;
        this.outOfMemory = outOfMemory;
    }

    @Override
    public void process(Exchange exchange) {
        Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        endIfOutOfMemory(failure);
        if (RunToStore.isOccupied(exchange, failure)) {
            return;
        }
        String connector = String.valueOf(exchange.getFromRouteId());
        Optional<RecordInFlight> record = RecordCompletion.of(exchange);
        record.ifPresentOrElse(RecordInFlight::failed, RecordInFlight::otherFailed);
        attempt(() -> count(exchange), null);
        Optional<String> step = attempt(
                () -> Optional.ofNullable(exchange.getExchangeExtension().getHistoryNodeId()), Optional.empty());
        Explanation explanation =
                attempt(() -> explain(exchange, failure, step), S3ErrorRemedies.ofUnexplained(failure, step));
        String bucket = attempt(() -> resolve(exchange, "{{bucket:{{connector." + connector + ".to}}}}"), "?");
        String key = attempt(() -> exchange.getMessage().getHeader(AWS2S3Constants.KEY, "", String.class), "");
        Outage outage = outages.computeIfAbsent(connector, unused -> Outage.none());
        Object failing = record.<Object>map(known -> known).orElseGet(exchange::getExchangeId);
        if (!outage.isFailing(failing)) {
            record.ifPresentOrElse(
                    known -> known.onEnd(() -> outage.ended(known)),
                    () -> attempt(() -> endWith(exchange, new Ending(outage, failing)), null));
        }
        outage.failed(
                        failing,
                        new Outage.Failure(bucket, "s3://" + bucket + "/" + key, explanation),
                        clock.getAsLong(),
                        stored(connector))
                .ifPresent(text -> LOG.atLevel(explanation.level()).log("{}: {}", connector, text));
    }

    /** Looks whether an outage of the connector is over; to be called each few seconds. */
    void tick(String connector, OptionalLong pending) {
        Optional.ofNullable(outages.get(connector))
                .flatMap(outage -> outage.tick(clock.getAsLong(), stored(connector), pending))
                .ifPresent(text -> LOG.info("{}: {}", connector, text));
    }

    /** What keeps a record of the connector from being stored for longer than that, and for how long; never its content. */
    Optional<String> failing(String connector, Duration patience) {
        return Optional.ofNullable(outages.get(connector))
                .flatMap(outage -> outage.failing(clock.getAsLong(), patience));
    }

    private Void count(Exchange exchange) {
        metrics = exchange.getContext().getRegistry().lookupByNameAndType("metrics", Metrics.class);
        metrics.retried(exchange);
        return null;
    }

    private long stored(String connector) {
        return attempt(
                () -> metrics.of(connector).mapToLong(StreamMetrics::objects).sum(), 0L);
    }

    private Explanation explain(Exchange exchange, Throwable failure, Optional<String> step) {
        boolean temporaryKey = failure instanceof S3Exception && attempt(() -> hasTemporaryKey(exchange), false);
        return S3ErrorRemedies.ofUpload(failure, step, temporaryKey);
    }

    private static boolean hasTemporaryKey(Exchange exchange) {
        String resource = resolve(exchange, "{{connector." + exchange.getFromRouteId() + ".to}}");
        S3Client client = exchange.getContext().getRegistry().lookupByNameAndType("s3-" + resource, S3Client.class);
        return client != null
                && client.serviceClientConfiguration().credentialsProvider() instanceof StaticCredentialsProvider keys
                && keys.resolveCredentials().accessKeyId().startsWith("ASIA");
    }

    private static String resolve(Exchange exchange, String text) {
        return exchange.getContext().resolvePropertyPlaceholders(text);
    }

    private static Void endWith(Exchange exchange, Ending ending) {
        exchange.getExchangeExtension().addOnCompletion(ending);
        return null;
    }

    private <T> T attempt(Supplier<T> of, T otherwise) {
        try {
            return of.get();
        } catch (Throwable e) {
            endIfOutOfMemory(e);
            return otherwise;
        }
    }

    private void endIfOutOfMemory(Throwable failure) {
        if (isOutOfMemory(failure)) {
            outOfMemory.accept(failure);
        }
    }

    private static boolean isOutOfMemory(Throwable failure) {
        try {
            return FailureCauses.of(failure).any(OutOfMemoryError.class);
        } catch (Throwable e) {
            return e instanceof OutOfMemoryError;
        }
    }

    /** What fails and is no record is noted until its exchange ends. */
    private record Ending(Outage outage, Object record) implements Synchronization {

        @Override
        public void onComplete(Exchange exchange) {
            outage.ended(record);
        }

        @Override
        public void onFailure(Exchange exchange) {
            outage.ended(record);
        }
    }
}
