package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Something between the bundle and an S3 server that passes some requests on and answers the others itself, as proxies, load
 * balancers and captive portals do: with any status, media type and body, or with no valid HTTP at all. The answers are
 * random, by a seed that is printed.
 */
public final class StrayAnswers implements AutoCloseable {

    /** How a body ends. */
    public enum Body {
        /** As long as its Content-Length. */
        COMPLETE,
        /** In chunks, the last of them empty. */
        CHUNKED,
        /** Shorter than its Content-Length. */
        TRUNCATED,
        /** Never, neither in chunks nor without, as fast as it is read. */
        ENDLESS,
        ENDLESS_CHUNKED,
        /** Never, a byte at a time. */
        DRIPPING
    }

    /**
     * An answer.
     *
     * @param head its first line and headers, but those of its length
     */
    public record Answer(String head, byte[] content, Body body) {

        public static Answer of(int status, String headers, String content) {
            return new Answer("HTTP/1.1 " + status + " Stray\r\n" + headers, content.getBytes(UTF_8), Body.COMPLETE);
        }

        public Answer with(Body other) {
            return new Answer(head, content, other);
        }

        @Override
        public String toString() {
            return head.substring(0, Math.min(60, head.length())).replace("\r\n", "|") + " " + body + " "
                    + content.length;
        }
    }

    private static final int[] STATUSES = {
        100, 101, 103, 200, 201, 202, 203, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405,
                407,
        408, 409, 411, 412, 413, 414, 417, 418, 421, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 511,
                520,
        522, 599
    };
    private static final List<String> TYPES = List.of(
            "",
            "Content-Type: text/html\r\n",
            "Content-Type: text/html; charset=utf-8\r\nServer: nginx\r\n",
            "Content-Type: application/json\r\nServer: envoy\r\n",
            "Content-Type: application/xml\r\nServer: AmazonS3\r\n",
            "Content-Type: text/plain\r\nServer: " + "long".repeat(2_000) + "\r\n",
            "Content-Type: \u0007\u001b[31mred\u00ff\r\nServer: \u0001\t${env:HOME}{}\r\n");
    private static final List<String> CONTENTS = List.of(
            "",
            "<html><head><title>413 Request Entity Too Large</title></head><body>no</body></html>",
            "{\"error\":{\"message\":\"upstream connect error\"}}",
            "{",
            "null",
            "<?xml version=\"1.0\"?><Fehler><Nummer>17</Nummer></Fehler>",
            "<?xml version=\"1.0\"?><Error><Message>without a code</Message></Error>",
            "<?xml version=\"1.0\"?><Error><Code></Code></Error>",
            "<?xml version=\"1.0\"?><Error><Code>Unhe",
            "<Error><Code>\u00e4\u0001</Code></Error>",
            "<!DOCTYPE e [<!ENTITY a SYSTEM \"file:///etc/hostname\">]><Error><Code>&a;</Code></Error>",
            "\0\1\2\3",
            "x".repeat(1 << 20));
    /** Heads that are no HTTP, or break its rules. */
    private static final List<String> BROKEN = List.of(
            "SSH-2.0-OpenSSH_9.6\r\n",
            "HTTP/1.1 abc Stray\r\n",
            "HTTP/9.9 200 Stray\r\n",
            "HTTP/1.1 99999 Stray\r\n",
            "HTTP/1.1 502 Stray\r\nno colon\r\n",
            "HTTP/1.1 502 Stray\r\nContent-Length: many\r\n",
            "HTTP/1.1 502 Stray\r\nContent-Length: -5\r\n",
            "HTTP/1.1 200 Stray\r\nTransfer-Encoding: unheard-of\r\n",
            "HTTP/1.1 200 Stray\r\nContent-Encoding: gzip\r\n",
            "HTTP/1.1 503 Stray\r\nDate: yesterday\r\nRetry-After: never\r\n",
            "HTTP/1.1 403 Stray\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nx-amz-request-id: " + "i".repeat(5_000)
                    + "\r\n");

    private final URI store;
    private final Random random;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger redirected = new AtomicInteger();
    private final ServerSocket server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    private volatile double share;
    private volatile Answer fixed;

    /** Starts it on any free port, before that server; it passes each request on. */
    public StrayAnswers(URI store, long seed) throws IOException {
        System.out.println("StrayAnswers with the seed " + seed);
        this.store = store;
        this.random = new Random(seed);
        threads.execute(this::accept);
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** From now on it answers that share of the requests itself, each with another answer. */
    public void answer(double part) {
        share = part;
    }

    /** From now on it answers each request with this. */
    public void answer(Answer answer) {
        fixed = answer;
        share = 1;
    }

    /** How many requests it has answered itself. */
    public int answered() {
        return answered.get();
    }

    /**
     * How many requests the server has refused: the AWS SDK takes the time of an answer for S3's, and signs the next requests
     * by it.
     */
    public int refused() {
        return refused.get();
    }

    /** How many requests came back to it from where it redirected them. */
    public int redirected() {
        return redirected.get();
    }

    private void accept() {
        Acceptor.accept(server, client -> {
            connections.add(client);
            threads.execute(() -> serve(client));
        });
    }

    private void serve(Socket client) {
        try (client) {
            byte[] request = HttpMessage.read(new BufferedInputStream(client.getInputStream()));
            if (new String(request, ISO_8859_1).split(" ", 3)[1].startsWith("/redirected")) {
                redirected.incrementAndGet();
            }
            Answer answer = next();
            if (answer == null) {
                pass(request, client);
            } else {
                answered.incrementAndGet();
                write(answer, client.getOutputStream());
            }
        } catch (IOException e) {
            // One of the two has closed its connection, and so the other's is closed.
        } finally {
            connections.remove(client);
        }
    }

    private void pass(byte[] request, Socket client) throws IOException {
        try (Socket upstream = new Socket(store.getHost(), store.getPort())) {
            upstream.getOutputStream().write(request);
            String answer =
                    new String(HttpMessage.read(new BufferedInputStream(upstream.getInputStream())), ISO_8859_1);
            if (!answer.startsWith("HTTP/1.1 200 ")) {
                refused.incrementAndGet();
            }
            client.getOutputStream()
                    .write(answer.replaceFirst("\r\n", "\r\nConnection: close\r\n")
                            .getBytes(ISO_8859_1));
        }
    }

    private synchronized Answer next() {
        if (random.nextDouble() >= share) {
            return null;
        }
        if (fixed != null) {
            return fixed;
        }
        byte[] content = any(CONTENTS).getBytes(UTF_8);
        // The slow one is for tests that wait for it.
        Body body = Body.values()[random.nextInt(Body.DRIPPING.ordinal())];
        if (random.nextInt(5) == 0) {
            return finite(new Answer(any(BROKEN), content, body));
        }
        int status = STATUSES[random.nextInt(STATUSES.length)];
        String location = status / 100 == 3 ? "Location: " + endpoint() + "/redirected\r\n" : "";
        return finite(new Answer("HTTP/1.1 " + status + " Stray\r\n" + any(TYPES) + location, content, body));
    }

    /** Behind what is no final answer a body is the next head, of which the HTTP client reads a line without limit. */
    private static Answer finite(Answer answer) {
        boolean head = answer.head().startsWith("HTTP/1.1 1") || !answer.head().startsWith("HTTP");
        boolean endless = answer.body() == Body.ENDLESS || answer.body() == Body.ENDLESS_CHUNKED;
        return head && endless ? answer.with(Body.COMPLETE) : answer;
    }

    private String any(List<String> all) {
        return all.get(random.nextInt(all.size()));
    }

    private static void write(Answer answer, OutputStream out) throws IOException {
        byte[] content = answer.content();
        String close = "Connection: close\r\n";
        String chunked = close + "Transfer-Encoding: chunked\r\n";
        switch (answer.body()) {
            case COMPLETE -> {
                out.write(head(answer, close + "Content-Length: " + content.length));
                out.write(content);
            }
            case CHUNKED -> {
                out.write(head(answer, chunked.strip()));
                if (content.length > 0) {
                    out.write(chunk(content));
                }
                out.write("0\r\n\r\n".getBytes(ISO_8859_1));
            }
            case TRUNCATED -> {
                out.write(head(answer, close + "Content-Length: " + (content.length + 100)));
                out.write(content);
            }
            case ENDLESS, ENDLESS_CHUNKED -> {
                boolean chunks = answer.body() == Body.ENDLESS_CHUNKED;
                byte[] more = Arrays.copyOf(content, 1 << 16);
                out.write(head(answer, (chunks ? chunked : close).strip()));
                while (true) {
                    out.write(chunks ? chunk(more) : more);
                }
            }
            case DRIPPING -> {
                out.write(head(answer, close.strip()));
                while (true) {
                    out.write(' ');
                    pause(Duration.ofMillis(100));
                }
            }
        }
    }

    private static byte[] head(Answer answer, String length) {
        return (answer.head() + length + "\r\n\r\n").getBytes(ISO_8859_1);
    }

    private static byte[] chunk(byte[] content) {
        byte[] size = (Integer.toHexString(content.length) + "\r\n").getBytes(ISO_8859_1);
        byte[] chunk = Arrays.copyOf(size, size.length + content.length + 2);
        System.arraycopy(content, 0, chunk, size.length, content.length);
        chunk[chunk.length - 2] = '\r';
        chunk[chunk.length - 1] = '\n';
        return chunk;
    }

    private static void pause(Duration time) throws IOException {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
