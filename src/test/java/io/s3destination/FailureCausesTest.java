package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.slf4j.event.Level.ERROR;

import java.io.IOException;
import java.net.SocketException;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.core.exception.SdkClientException;

/** Faults of this machine, and causes in a circle. */
class FailureCausesTest {

    static Stream<Throwable> ofThisMachine() {
        return Stream.of(
                new IOException("No space left on device"),
                sdk(new SocketException("Too many open files")),
                new UnsatisfiedLinkError("/tmp/libzstd-jni.so: failed to map segment from shared object"),
                new NoClassDefFoundError("Could not initialize class org.xerial.snappy.Snappy"),
                new ExceptionInInitializerError(new UnsatisfiedLinkError("Operation not permitted")),
                new ExceptionInInitializerError("Cannot unpack libzstd-jni-1.5.6: Permission denied"),
                new OutOfMemoryError("Java heap space"));
    }

    @ParameterizedTest
    @MethodSource("ofThisMachine")
    void aFaultOfThisMachineHasItsOwnRemedyAndIsNoReasonToSkipARecord(Throwable fault) {
        KafkaException reading = new KafkaException(
                "Received exception when fetching the next record from a-0. If needed, please seek past the record",
                fault);
        for (Explanation explanation : new Explanation[] {
            upload(new RuntimeException(fault)), KafkaErrorRemedies.of(reading), KafkaErrorRemedies.of(fault)
        }) {
            assertThat(explanation.level()).isEqualTo(ERROR);
            assertThat(explanation.text())
                    .containsPattern("java.io.tmpdir|ulimit|-Xmx")
                    .doesNotContain("reset-offsets", "correct the route");
        }
    }

    @Test
    void causesInACircleAreExplained() {
        Exception one = new Exception();
        Exception other = new Exception(one);
        one.initCause(other);

        assertThat(upload(one).text()).startsWith("Exception;");
        assertThat(KafkaErrorRemedies.of(one).text()).isEqualTo("Exception");
    }

    private static Explanation upload(Throwable failure) {
        return S3ErrorRemedies.ofUpload(failure, Optional.empty(), false);
    }

    private static SdkClientException sdk(Exception fault) {
        return SdkClientException.create("Unable to execute HTTP request", fault);
    }
}
