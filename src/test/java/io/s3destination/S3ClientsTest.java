package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.StrayAnswers;
import io.s3destination.embedded.StrayAnswers.Answer;
import io.s3destination.embedded.StrayAnswers.Body;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the client of a resource makes of answers that are not S3's. */
@ExtendWith(EmbeddedServices.class)
@Timeout(60)
class S3ClientsTest {

    private StrayAnswers answers;
    private S3Client client;

    @BeforeEach
    void startTheAnswers() throws IOException {
        answers = new StrayAnswers(URI.create("http://127.0.0.1:1"), 1);
        client = S3Clients.create(
                ConnectionUrl.parse("s3://key:secret@us-east-2/lake?endpoint=" + answers.endpoint()),
                1,
                Duration.ofSeconds(3));
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        answers.close();
    }

    @ParameterizedTest
    @CsvSource({"200, ''", "200, 'ETag: \"\"'", "201, ''", "204, ''", "206, ''"})
    void aSuccessWithoutAnETagIsAFailure(int status, String header) {
        answers.answer(
                Answer.of(status, header.isEmpty() ? "" : header + "\r\n", "<html>Log in to the network</html>"));

        assertThat(failure().statusCode()).isEqualTo(status);
    }

    @Test
    void aSuccessWithAnETagIsNone() {
        answers.answer(Answer.of(200, "ETag: \"5f1d\"\r\n", ""));

        assertThat(put(client, "lake", "key")).isEqualTo("\"5f1d\"");
    }

    @ParameterizedTest
    @CsvSource({"500, ENDLESS", "500, ENDLESS_CHUNKED", "200, ENDLESS", "200, ENDLESS_CHUNKED", "403, ENDLESS"})
    void aBodyWithoutEndIsNotReadToItsEnd(int status, Body body) {
        answers.answer(Answer.of(status, "", "<html>").with(body));

        assertThat(failure().statusCode()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 403, 500})
    void aBodyThatBreaksOffEndsThere(int status) {
        answers.answer(Answer.of(status, "", "<html>").with(Body.TRUNCATED));

        assertThat(failure().statusCode()).isEqualTo(status);
    }

    @Test
    void aBodyThatComesSlowlyWithoutEndIsReadUntilTheAttemptEnds() {
        answers.answer(Answer.of(500, "", "").with(Body.DRIPPING));

        assertThatThrownBy(() -> put(client, "lake", "key")).isInstanceOf(SdkException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void aRedirectIsNotFollowed(int status) {
        answers.answer(Answer.of(status, "Location: " + answers.endpoint() + "/redirected\r\n", ""));

        assertThat(failure().statusCode()).isEqualTo(status);
        assertThat(answers.redirected()).isZero();
    }

    @Test
    void aConnectionIsUsedAgainAfterAnAnswerOfS3(EmbeddedS3 s3) throws IOException {
        s3.createBucket("s3-clients");
        try (FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1);
                S3Client one =
                        S3Clients.create(ConnectionUrl.parse(s3.connectionUrl("s3-clients", proxy.endpoint())), 1)) {
            for (int n = 0; n < 5; n++) {
                put(one, "s3-clients", "lake/key-" + n);
                assertThatThrownBy(() -> put(one, "s3-clients-missing", "key")).isInstanceOf(S3Exception.class);
            }

            assertThat(proxy.requests()).isEqualTo(10);
            assertThat(proxy.connections()).isEqualTo(1);
        }
    }

    private S3Exception failure() {
        return catchThrowableOfType(S3Exception.class, () -> put(client, "lake", "key"));
    }

    private static String put(S3Client client, String bucket, String key) {
        return client.putObject(b -> b.bucket(bucket).key(key), RequestBody.fromBytes(new byte[] {1}))
                .eTag();
    }
}
