package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * An HTTP proxy before an S3 server that passes requests and answers on byte for byte, or does what networks and stores
 * do on bad days: to each request, to those of some objects, or to a random share of them.
 */
public final class FaultyProxy implements AutoCloseable {

    /** What becomes of a request. */
    public enum Fault {
        SLOW_DOWN(503, "SlowDown"),
        INTERNAL_ERROR(500, "InternalError"),
        ACCESS_DENIED(403, "AccessDenied"),
        NO_SUCH_BUCKET(404, "NoSuchBucket"),
        SIGNATURE_DOES_NOT_MATCH(403, "SignatureDoesNotMatch"),
        /** To a conditional creation: another one of the same object is under way. */
        CONFLICT(409, "ConditionalRequestConflict"),
        /** By a store that does not know conditional creations. */
        NOT_IMPLEMENTED(501, "NotImplemented"),
        /** By a store that takes a conditional creation for a conditional read. */
        NOT_MODIFIED(false, "HTTP/1.1 304 Not Modified\r\n\r\n"),
        /** The connection is reset. */
        RESET(false, ""),
        /** There is never an answer, nor an end of the connection. */
        HANG(false, ""),
        /** No connection is accepted, and those that are open are reset. */
        REFUSE(false, ""),
        /** The object is stored, and the connection is reset in place of an answer. */
        ANSWER_LOST(true, ""),
        /** The object is stored, and the connection ends in the middle of the answer. */
        ANSWER_CUT(true, ""),
        /** The object is not stored, and the answer is a success without anything that S3 adds to it. */
        EMPTY_SUCCESS(false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        /** The same, and the connection ends behind the headers. */
        HEAD_ONLY(false, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        /** The request is passed on when it is released, even if its client is gone, which gets no answer. */
        HOLD(true, ""),
        /** A byte of the body is read each second until requests pass again. */
        READ_SLOWLY(true, "");

        private final boolean isPassedOn;
        private final String answer;

        /** An answer of S3, which does not store the object. */
        Fault(int status, String code) {
            String body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code
                    + "</Code><Message>As the test wants it</Message></Error>";
            isPassedOn = false;
            answer = "HTTP/1.1 " + status + " " + code + "\r\nContent-Type: application/xml\r\nContent-Length: "
                    + body.length() + "\r\n\r\n" + body;
        }

        Fault(boolean isPassedOn, String answer) {
            this.isPassedOn = isPassedOn;
            this.answer = answer;
        }

        /** To a request HEAD without the body. */
        private byte[] answer(String method) {
            String whole = method.equals("HEAD") && !answer.isEmpty()
                    ? answer.substring(0, answer.indexOf("\r\n\r\n") + 4)
                    : answer;
            return whole.getBytes(ISO_8859_1);
        }
    }

    private record Rule(Predicate<String> path, double share, List<Fault> faults) {}

    private record Request(String path, long at) {}

    private record Held(String path, CountDownLatch release) {}

    private static final Rule NONE = new Rule(path -> false, 0, List.of());
    private static final int SLOW_LINK_BUFFER = 1 << 16;

    private final InetSocketAddress store;
    private final Random random;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger accepted = new AtomicInteger();
    private final Queue<Request> requests = new ConcurrentLinkedQueue<>();
    private final AtomicInteger stored = new AtomicInteger();
    private final Queue<Held> held = new ConcurrentLinkedQueue<>();
    private final int port;
    private volatile ServerSocket server;
    private volatile Rule rule = NONE;
    private volatile Duration delay = Duration.ZERO;
    private volatile int bytesPerSecond;

    /** Starts a proxy on any free port; the seed decides which requests fail where only a share of them does. */
    public FaultyProxy(URI store, long seed) throws IOException {
        this.store = new InetSocketAddress(store.getHost(), store.getPort());
        this.random = new Random(seed);
        this.port = EmbeddedKafka.freePort();
        accept();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** From now on this happens to every request. */
    public void fail(Fault fault) {
        if (fault == Fault.REFUSE) {
            refuse();
        } else {
            fail("", 1, fault);
        }
    }

    /** From now on one of these faults, each as often, happens to a share of the requests whose path has that part. */
    public void fail(String path, double share, Fault... faults) {
        rule = new Rule(requested -> requested.contains(path), share, List.of(faults));
    }

    /** From now on this fault happens to all requests whose path holds a match of that pattern. */
    public void fail(Pattern path, Fault fault) {
        rule = new Rule(path.asPredicate(), 1, List.of(fault));
    }

    /** From now on requests pass again; what hangs goes on hanging. */
    public void fix() {
        rule = NONE;
        if (server.isClosed()) {
            try {
                accept();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** From now on each request takes so much longer. */
    public void delay(Duration longer) {
        delay = longer;
    }

    /** From now on, on connections that are made then, each request is read at so many bytes per second. */
    public void throttle(int bytes) {
        bytesPerSecond = bytes;
    }

    /** How many requests are held whose path has that part. */
    public long held(String path) {
        return held.stream().filter(request -> request.path().contains(path)).count();
    }

    /** Passes the requests on that are held and whose path has that part; they are held no more once the store has answered. */
    public void release(String path) {
        held.stream().filter(request -> request.path().contains(path)).forEach(request -> request.release()
                .countDown());
    }

    /** Resets the connections that are open, those that hang among them. */
    public void resetConnections() {
        connections.forEach(FaultyProxy::reset);
    }

    /** How many connections are open. */
    public int openConnections() {
        return connections.size();
    }

    /** When each request came whose path has that part, by {@link System#nanoTime()}, in order. */
    public long[] requestTimes(String path) {
        return requests.stream()
                .filter(request -> request.path().contains(path))
                .mapToLong(Request::at)
                .toArray();
    }

    /** How many connections were made to it. */
    public int connections() {
        return accepted.get();
    }

    /** How many requests have come. */
    public int requests() {
        return requests.size();
    }

    /** How many requests the store has answered with success. */
    public int stored() {
        return stored.get();
    }

    private void accept() throws IOException {
        ServerSocket accepting = new ServerSocket();
        accepting.setReuseAddress(true);
        accepting.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1024);
        server = accepting;
        threads.execute(() -> Acceptor.accept(accepting, client -> {
            connections.add(client);
            accepted.incrementAndGet();
            threads.execute(() -> serve(client));
        }));
    }

    private void refuse() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        resetConnections();
    }

    private void serve(Socket client) {
        Upstream upstream = new Upstream();
        try (client;
                upstream) {
            InputStream in = new BufferedInputStream(
                    bytesPerSecond == 0 ? client.getInputStream() : slowLink(client, bytesPerSecond));
            while (true) {
                byte[] head = HttpMessage.head(in);
                String[] line = new String(head, ISO_8859_1).split(" ", 3);
                // As in "HEAD /bucket/key".
                String path = line[0] + " " + line[1];
                byte[] request = HttpMessage.read(head, new SlowBody(in, path));
                requests.add(new Request(path, System.nanoTime()));
                Thread.sleep(delay.toMillis());
                Fault fault = fault(path);
                if (fault == Fault.HANG) {
                    in.transferTo(ByteArrayOutputStream.nullOutputStream());
                    return;
                }
                if (fault == Fault.HOLD) {
                    hold(path, request, upstream);
                    return;
                }
                byte[] answer = fault == null || fault.isPassedOn ? upstream.answer(request) : fault.answer(line[0]);
                if (fault == Fault.RESET || fault == Fault.ANSWER_LOST) {
                    reset(client);
                    return;
                }
                client.getOutputStream()
                        .write(answer, 0, fault == Fault.ANSWER_CUT ? answer.length / 2 : answer.length);
                if (fault == Fault.ANSWER_CUT || fault == Fault.HEAD_ONLY) {
                    return;
                }
            }
        } catch (IOException e) {
            // One of the two has closed its connection, and so the other's is closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            connections.remove(client);
        }
    }

    private void hold(String path, byte[] request, Upstream upstream) throws IOException, InterruptedException {
        Held waiting = new Held(path, new CountDownLatch(1));
        held.add(waiting);
        try {
            waiting.release().await();
            upstream.answer(request);
        } finally {
            held.remove(waiting);
        }
    }

    private static InputStream slowLink(Socket client, int bytesPerSecond) throws IOException {
        client.setReceiveBufferSize(SLOW_LINK_BUFFER);
        return new FilterInputStream(client.getInputStream()) {
            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int read = in.read(bytes, offset, Math.min(length, SLOW_LINK_BUFFER));
                try {
                    TimeUnit.MICROSECONDS.sleep(1_000_000L * Math.max(0, read) / bytesPerSecond);
                } catch (InterruptedException e) {
                    throw new InterruptedIOException();
                }
                return read;
            }
        };
    }

    /** A connection to the store, opened anew before the store closes it for having been idle while requests failed. */
    private final class Upstream implements AutoCloseable {

        private static final long IDLE = 5_000_000_000L;

        private Socket socket;
        private InputStream answers;
        private long used;

        byte[] answer(byte[] request) throws IOException {
            if (socket == null || System.nanoTime() - used > IDLE) {
                close();
                socket = new Socket();
                socket.connect(store);
                answers = new BufferedInputStream(socket.getInputStream());
            }
            socket.getOutputStream().write(request);
            byte[] answer = HttpMessage.answer(answers, new String(request, 0, 5, ISO_8859_1).equals("HEAD "));
            used = System.nanoTime();
            if (new String(answer, 0, 12, ISO_8859_1).endsWith(" 200")) {
                stored.incrementAndGet();
            }
            return answer;
        }

        @Override
        public void close() throws IOException {
            if (socket != null) {
                socket.close();
            }
        }
    }

    private Fault fault(String path) {
        Rule now = rule;
        synchronized (random) {
            return now.path.test(path) && random.nextDouble() < now.share
                    ? now.faults.get(random.nextInt(now.faults.size()))
                    : null;
        }
    }

    /** A body that is read a byte at a time while that is the fault. */
    private final class SlowBody extends FilterInputStream {

        private final String path;

        SlowBody(InputStream in, String path) {
            super(in);
            this.path = path;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            Rule now = rule;
            if (!now.faults.contains(Fault.READ_SLOWLY) || !now.path.test(path)) {
                return super.read(buffer, offset, length);
            }
            try {
                Thread.sleep(1_000);
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            }
            return super.read(buffer, offset, 1);
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        refuse();
        threads.shutdownNow();
    }
}
