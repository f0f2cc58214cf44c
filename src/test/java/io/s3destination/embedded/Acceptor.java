package io.s3destination.embedded;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.function.Consumer;

/** Accepts the connections of a server that the tests have written. */
final class Acceptor {

    private Acceptor() {}

    /** Passes on each connection, on this thread, until the server is closed. */
    static void accept(ServerSocket server, Consumer<Socket> connection) {
        try {
            while (true) {
                connection.accept(server.accept());
            }
        } catch (IOException e) {
            // Closed: it refuses.
        }
    }
}
