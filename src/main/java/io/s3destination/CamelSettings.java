package io.s3destination;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.apache.camel.CamelContext;

/** Settings of Camel's own that it takes without a word when they are wrong, and then does not do what they are for. */
final class CamelSettings {

    /** Which mean something to Camel without a file, too. */
    private static final Set<String> PROFILES = Set.of("dev", "test", "prod");

    private CamelSettings() {}

    /** Checks them, before Camel makes use of them; what is wrong is noted in {@code settings}. */
    static void check(CamelContext context, Settings settings) {
        String profile = context.getCamelContextExtension().getProfile();
        String file = "application-" + profile + ".properties";
        if (profile != null && !PROFILES.contains(profile) && !Files.exists(Path.of(file))) {
            settings.fault("there is no file " + file + ", which the profile '" + profile + "' asks for");
        }
        // Its runtime elsewhere, such as Camel K's, has a server of its own.
        settings.optional("camel.management.enabled", "true or false", false, Boolean::valueOf)
                .filter(enabled -> enabled)
                .ifPresent(enabled -> settings.optional(
                        "camel.management.port", "the number of a free port, such as 9876", 0, CamelSettings::port));
        settings.optional("camel.main.routes-reload-directory", "a directory, such as routes", "", directory -> {
            if (!Files.isDirectory(Path.of(directory.strip()))) {
                throw new IllegalArgumentException("there is no directory '" + directory + "'");
            }
            return directory;
        });
    }

    private static int port(String text) {
        try (ServerSocket socket = new ServerSocket(Integer.parseInt(text.strip()))) {
            return socket.getLocalPort();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is no number");
        } catch (IOException e) {
            throw new IllegalArgumentException("port " + text + " cannot be had: " + e.getMessage());
        }
    }
}
