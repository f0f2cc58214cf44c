package io.s3destination.embedded;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A certificate that nobody else has signed, made by the JDK's own keytool.
 *
 * @param keyStore holds its key pair, for the server
 * @param trustStore holds the certificate alone, for whoever is to trust it
 */
public record SelfSigned(Path keyStore, Path trustStore) {

    /** Of both stores. */
    public static final String PASSWORD = "changeit";

    /** Makes one in an empty directory for such names as {@code ip:127.0.0.1} or {@code dns:localhost}. */
    public static SelfSigned of(Path directory, String... names) throws IOException, InterruptedException {
        SelfSigned made = new SelfSigned(directory.resolve("key.p12"), directory.resolve("trust.p12"));
        Path certificate = directory.resolve("certificate.pem");
        keytool(
                "-genkeypair",
                made.keyStore,
                "-keyalg",
                "EC",
                "-dname",
                "CN=s3",
                "-ext",
                "SAN=" + String.join(",", names));
        keytool("-exportcert", made.keyStore, "-rfc", "-file", certificate.toString());
        keytool("-importcert", made.trustStore, "-noprompt", "-file", certificate.toString());
        return made;
    }

    private static void keytool(String command, Path store, String... more) throws IOException, InterruptedException {
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        List<String> all = Stream.concat(
                        Stream.of(
                                keytool,
                                command,
                                "-alias",
                                "s3",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                PASSWORD),
                        Stream.of(more))
                .toList();
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IOException(said);
        }
    }
}
