package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.Ledger;
import io.s3destination.embedded.Scrape;
import io.s3destination.embedded.StrayAnswers;
import io.s3destination.embedded.StrayAnswers.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The runnable jar where something in place of S3 answers its requests, at random: each time with another seed, too. */
@ExtendWith(EmbeddedServices.class)
@Execution(ExecutionMode.CONCURRENT)
class StrayAnswersIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final int RECORDS = 300;

    static LongStream seeds() {
        return LongStream.of(20261127, Long.getLong("faults.seed", System.nanoTime()));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noRecordIsLostAndEachFailureIsReported(
            long seed, EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        String name = "stray-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(RECORDS);

        try (StrayAnswers answers = new StrayAnswers(s3.endpoint(), seed);
                BundleProcess bundle =
                        new BundleProcess(directory).storing(name, kafka, s3.connectionUrl(name, answers.endpoint()))) {
            answers.answer(1);
            bundle.start();
            await(() -> {
                assertThat(ready(bundle)).contains("DOWN").contains("bucket " + name + ": a record is not stored for");
                assertThat(answers.answered()).isGreaterThan(RECORDS);
            });
            assertThat(bundle.log()).contains("to-s3: cannot store s3://" + name + "/");

            answers.answer(0.3);
            ledger.produce(RECORDS);
            ledger.isComplete(PATIENCE);

            await(() -> {
                assertThat(ready(bundle)).contains("UP").doesNotContain("DOWN");
                assertThat(bundle.log()).contains("to-s3: recovered after ");
                assertThat(Scrape.of(bundle.get("/observe/metrics").body()).sum("s3_destination_retries_total"))
                        .isEqualTo(answers.answered() + answers.refused());
            });
            assertThat(answers.redirected()).isZero();
            assertThat(bundle.log())
                    .doesNotContain(
                            "</body>",
                            "upstream connect",
                            "Nummer",
                            "without a code",
                            "\u001b",
                            "longlonglonglong".repeat(20));
        }
    }

    @ParameterizedTest
    @CsvSource({"413, HTTP 413", "200, HTTP 200 without an ETag"})
    void theSameAnswerToEachRequestIsReported(
            int status,
            String text,
            EmbeddedKafka kafka,
            EmbeddedS3 s3,
            @TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        String name = "stray-" + UUID.randomUUID();
        Ledger ledger = new Ledger(kafka, s3, name, name, name);
        ledger.produce(4);

        try (StrayAnswers answers = new StrayAnswers(s3.endpoint(), 1);
                BundleProcess bundle =
                        new BundleProcess(directory).storing(name, kafka, s3.connectionUrl(name, answers.endpoint()))) {
            answers.answer(Answer.of(status, "Content-Type: text/html\r\nServer: nginx\r\n", "<html>no</html>"));
            bundle.start();
            await(() -> {
                assertThat(ready(bundle)).contains("DOWN").contains(text + ", text/html, Server: nginx, which is not");
                assertThat(Scrape.of(bundle.get("/observe/metrics").body()).sum("s3_destination_retries_total"))
                        .isPositive();
            });
            assertThat(bundle.log().lines().filter(line -> line.contains(" ERROR ")))
                    .isNotEmpty()
                    .allMatch(
                            line -> line.contains(text) && line.contains("check the proxy, load balancer or endpoint"));
            ledger.committedIsStored();

            answers.answer(0);
            ledger.isComplete(PATIENCE);
        }
    }

    private static String ready(BundleProcess bundle) throws Exception {
        return bundle.get("/observe/health/ready").body().replace("\\", "");
    }

    private static void await(ThrowingRunnable condition) {
        Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(condition);
    }
}
