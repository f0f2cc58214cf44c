package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * A proxy before a Kafka broker, which must advertise it: it passes the requests of clients on, or lets some requests of some
 * clients hang or break off. A client is known by its ID, which stands in each of its requests.
 */
public final class KafkaProxy implements AutoCloseable {

    /** What becomes of a request. */
    public enum Fault {
        /** It is accepted and never answered; the connection ends with the fault. */
        HANG,
        /** The connection ends. */
        CUT
    }

    private record Rule(String client, Set<ApiKeys> requests, Fault fault, AtomicInteger hits, CountDownLatch ended) {

        boolean matches(ApiKeys request, String clientId) {
            return (requests.isEmpty() || requests.contains(request)) && clientId.contains(client);
        }
    }

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final List<Rule> rules = new CopyOnWriteArrayList<>();
    private final ServerSocket server;
    private final int broker;

    /**
     * Starts it.
     *
     * @param port on which it listens
     * @param broker the port of the broker, which may start later
     */
    public KafkaProxy(int port, int broker) throws IOException {
        this.broker = broker;
        server = new ServerSocket(port, 1024, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    public String address() {
        return "localhost:" + server.getLocalPort();
    }

    /**
     * From now on this happens to those requests, or to all if none is named, of the clients whose IDs have that part.
     *
     * @param hits counts how often it happens
     */
    public void fail(String client, Fault fault, AtomicInteger hits, ApiKeys... requests) {
        rules.add(new Rule(client, Set.of(requests), fault, hits, new CountDownLatch(1)));
    }

    /** From now on the requests of those clients pass again. */
    public void fix(String client) {
        List<Rule> ended =
                rules.stream().filter(rule -> rule.client.equals(client)).toList();
        rules.removeAll(ended);
        ended.forEach(rule -> rule.ended.countDown());
    }

    private void accept() {
        Acceptor.accept(server, client -> {
            connections.add(client);
            threads.execute(() -> serve(client));
        });
    }

    private void serve(Socket client) {
        try (client;
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), broker)) {
            threads.execute(() -> answer(upstream, client));
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(upstream.getOutputStream());
            while (true) {
                byte[] request = in.readNBytes(in.readInt());
                Optional<Rule> rule = rule(ByteBuffer.wrap(request));
                if (rule.isPresent()) {
                    rule.get().hits.incrementAndGet();
                    if (rule.get().fault == Fault.HANG) {
                        rule.get().ended.await();
                    }
                    return;
                }
                out.write(ByteBuffer.allocate(4 + request.length)
                        .putInt(request.length)
                        .put(request)
                        .array());
            }
        } catch (IOException e) {
            // One of the two has closed its connection, and so the other's is closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            connections.remove(client);
        }
    }

    private static void answer(Socket upstream, Socket client) {
        try (client) {
            upstream.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException e) {
            // One of the two has closed its connection, and so the other's is closed.
        }
    }

    /** A request starts with its kind, its version, its number and the ID of the client. */
    private Optional<Rule> rule(ByteBuffer request) {
        ApiKeys kind = ApiKeys.forId(request.getShort());
        request.getShort();
        request.getInt();
        int length = request.getShort();
        byte[] client = new byte[Math.max(0, length)];
        request.get(client);
        String id = new String(client, UTF_8);
        return rules.stream().filter(rule -> rule.matches(kind, id)).findFirst();
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket connection : connections) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.shutdownNow();
    }
}
