package io.s3destination;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

/**
 * An HTTP client that reads no more of an answer's body than S3 ever sends to a PUT: what is between here and S3 may answer
 * with a body without end, of which the AWS SDK would keep all. What it sends is noted as progress of its record.
 */
final class BoundedAnswers implements SdkHttpClient {

    static final int MAX_BYTES = 64 << 10;

    private final SdkHttpClient client;

    BoundedAnswers(SdkHttpClient client) {
        this.client = client;
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        ExecutableHttpRequest executable = client.prepareRequest(counted(request));
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                HttpExecuteResponse response = executable.call();
                return HttpExecuteResponse.builder()
                        // A body that is compressed is not S3's, and could be far larger than it is sent.
                        .response(response.httpResponse().toBuilder()
                                .removeHeader("Content-Encoding")
                                .build())
                        .responseBody(response.responseBody()
                                .map(BoundedAnswers::bounded)
                                .orElse(null))
                        .build();
            }

            @Override
            public void abort() {
                executable.abort();
            }
        };
    }

    /** Sent bytes are progress: a large object may take long on a slow line. */
    private static HttpExecuteRequest counted(HttpExecuteRequest request) {
        return HttpExecuteRequest.builder()
                .request(request.httpRequest())
                .metricCollector(request.metricCollector().orElse(null))
                .contentStreamProvider(request.contentStreamProvider()
                        .<ContentStreamProvider>map(body -> () -> new Counted(body.newStream()))
                        .orElse(null))
                .build();
    }

    private static AbortableInputStream bounded(AbortableInputStream body) {
        return AbortableInputStream.create(new Bounded(body), body);
    }

    @Override
    public String clientName() {
        return client.clientName();
    }

    @Override
    public void close() {
        client.close();
    }

    /** Notes what the HTTP client takes from the body of a request. */
    private static final class Counted extends FilterInputStream {

        Counted(InputStream body) {
            super(body);
        }

        @Override
        public int read() throws IOException {
            return counted(super.read(), 1);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int read = super.read(buffer, offset, length);
            return counted(read, read);
        }

        private static int counted(int read, int bytes) {
            if (read >= 0) {
                RecordInFlight.begunByThread().ifPresent(record -> record.sent(bytes));
            }
            return read;
        }
    }

    /** Ends at its limit, and with the connection, since the HTTP client would read a body to its end to keep that. */
    private static final class Bounded extends FilterInputStream {

        private final AbortableInputStream body;
        private int left = MAX_BYTES;
        private boolean ended;

        Bounded(AbortableInputStream body) {
            super(body);
            this.body = body;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (ended) {
                return -1;
            }
            int read = next(buffer, offset, Math.min(length, left + 1));
            ended = read < 0 || read > left;
            if (read > left) {
                body.abort();
                read = left;
            }
            left -= Math.max(0, read);
            return read == 0 && length > 0 ? -1 : read;
        }

        /** A body that breaks off ends there: what counts is the head. */
        private int next(byte[] buffer, int offset, int length) {
            try {
                return in.read(buffer, offset, length);
            } catch (IOException e) {
                body.abort();
                return -1;
            }
        }

        @Override
        public long skip(long bytes) throws IOException {
            return Math.max(0, read(new byte[(int) Math.min(bytes, MAX_BYTES)]));
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        @Override
        public void close() throws IOException {
            try {
                // To its end, or the connection is not used again.
                transferTo(OutputStream.nullOutputStream());
            } finally {
                super.close();
            }
        }
    }
}
