package io.s3destination;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.S3Client;

/** What is made of answers to HEAD whose connection ends in the middle of the headers, which HTTP does not show. */
@Timeout(60)
class ChainObjectsTest {

    private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
    private static final String OK = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    private static final String CUT_BEFORE = OK + "x-amz-meta-records: 1";
    private static final String CUT_WITHIN = OK + "x-amz-meta-last-offset: 4";
    private static final String WHOLE = OK + "x-amz-meta-last-offset: 41\r\n\r\n";

    private final Queue<String> answers = new ConcurrentLinkedQueue<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private ServerSocket server;
    private S3Client client;
    private ChainObjects objects;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        thread.execute(this::serve);
        client = S3Clients.create(
                ConnectionUrl.parse(
                        "s3://key:secret@us-east-2/lake?endpoint=http://127.0.0.1:" + server.getLocalPort()),
                1);
        objects = new ChainObjects(client, "lake", "datalake", RunCodec.GZIP);
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        server.close();
        thread.shutdownNow();
    }

    @Test
    void halfANumberIsANumberToTheHttpClient() throws Exception {
        answers.addAll(List.of(CUT_WITHIN));

        assertThat(objects.lastOrBefore(PARTITION, 2, Optional.empty())).isEqualTo(OptionalLong.of(4));
    }

    @Test
    void theLastOffsetIsAskedForTwice() throws Exception {
        answers.addAll(List.of(CUT_WITHIN, WHOLE));
        assertThatThrownBy(() -> objects.last(PARTITION, 2, Optional.empty()))
                .isInstanceOf(SdkClientException.class)
                .hasMessageContaining("two different metadata");

        answers.addAll(List.of(WHOLE, WHOLE));
        assertThat(objects.last(PARTITION, 2, Optional.empty())).isEqualTo(OptionalLong.of(41));
    }

    @Test
    void oneAnswerBreaksNoChain() {
        answers.addAll(List.of(CUT_BEFORE, WHOLE));
        assertThatThrownBy(() -> objects.lastOrBefore(PARTITION, 2, Optional.empty()))
                .isInstanceOf(SdkClientException.class)
                .hasMessageContaining("two different metadata");

        answers.addAll(List.of(CUT_WITHIN, WHOLE));
        assertThatThrownBy(() -> objects.lastOrBefore(PARTITION, 20, Optional.empty()))
                .isInstanceOf(SdkClientException.class)
                .hasMessageContaining("two different metadata");

        answers.addAll(List.of(WHOLE, WHOLE));
        assertThatThrownBy(() -> objects.lastOrBefore(PARTITION, 50, Optional.empty()))
                .isInstanceOf(BrokenChain.class);
    }

    private void serve() {
        while (!server.isClosed()) {
            try (Socket connection = server.accept()) {
                BufferedReader request =
                        new BufferedReader(new InputStreamReader(connection.getInputStream(), ISO_8859_1));
                while (!request.readLine().isEmpty()) {}
                connection.getOutputStream().write(answers.remove().getBytes(ISO_8859_1));
            } catch (IOException e) {
                // The test has ended.
            }
        }
    }
}
