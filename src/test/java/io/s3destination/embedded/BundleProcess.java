package io.s3destination.embedded;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The bundle as users start it: a process of its own, in a directory that holds what it needs and nothing else. Its output
 * is kept in the file {@code log} beside that, over all its starts.
 */
public final class BundleProcess implements AutoCloseable {

    private static final Path HERE = Path.of("");
    private static final Path JAR = Path.of(System.getProperty("bundle.jar", "target/s3-destination.jar"));
    /** The classes of the jar, of which the build makes an archive for the JVM that it runs with itself. */
    private static final String ARCHIVE = System.getProperty("bundle.archive");

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Path JAVA =
            Path.of(System.getProperty("bundle.jdk", System.getProperty("java.home")), "bin", "java");

    private final Path directory;
    private final URI management = URI.create("http://127.0.0.1:" + EmbeddedKafka.freePort());
    private final Map<String, String> environment = new TreeMap<>();
    /** As the README starts it; and, since it runs for seconds, without the compiler that pays off after minutes. */
    private final List<String> options =
            new ArrayList<>(List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1"));

    private List<String> command = List.of(JAVA.toString(), "-jar", "s3-destination.jar");
    private Process process;

    private BundleProcess(Path directory, Path checkout, String... files) throws IOException {
        this.directory = directory;
        for (String tree : files) {
            try (Stream<Path> paths = Files.walk(checkout.resolve(tree))) {
                for (Path path : paths.filter(Files::isRegularFile).toList()) {
                    Path copy = directory.resolve(checkout.relativize(path));
                    Files.createDirectories(copy.getParent());
                    Files.copy(path, copy);
                }
            }
        }
        withOption("-Dcamel.management.port=" + management.getPort());
    }

    /** The runnable jar, application.properties and routes/ in an empty directory; not yet started. */
    public BundleProcess(Path directory) throws IOException {
        this(directory, HERE, "application.properties", "routes");
        copyJar(JAR);
        if (ARCHIVE != null && System.getProperty("bundle.jdk") == null) {
            command = List.of(JAVA.toString(), "-XX:SharedArchiveFile=" + ARCHIVE, "-jar", "s3-destination.jar");
        }
    }

    /** The same of another checkout, which is built; not yet started. */
    public static BundleProcess ofCheckout(Path directory, Path checkout) throws IOException {
        BundleProcess bundle = new BundleProcess(directory, checkout, "application.properties", "routes");
        bundle.copyJar(checkout.resolve("target").resolve("s3-destination.jar"));
        return bundle;
    }

    private void copyJar(Path jar) throws IOException {
        // As old as it is, so that an archive of its classes fits each copy.
        Files.copy(jar, directory.resolve("s3-destination.jar"), StandardCopyOption.COPY_ATTRIBUTES);
    }

    /** The runnable jar alone, as it lies in that file; not yet started. */
    public static BundleProcess ofJar(Path jar) throws IOException {
        BundleProcess bundle = new BundleProcess(jar.getParent(), HERE);
        bundle.command = List.of(JAVA.toString(), "-jar", jar.getFileName().toString());
        return bundle;
    }

    /** That main class, with the class path of the tests, in an empty directory; not yet started. */
    public static BundleProcess ofMain(Class<?> main, Path directory) throws IOException {
        return new BundleProcess(directory, HERE).withMain(main);
    }

    /** That main class, with that class path, in that directory; not yet started. */
    public static BundleProcess ofClasses(String main, String classPath, Path directory) throws IOException {
        BundleProcess bundle = new BundleProcess(directory, HERE);
        bundle.command = List.of(JAVA.toString(), "-cp", classPath, main);
        return bundle;
    }

    /**
     * What {@code camel run} needs of the repository, in an empty directory; not yet started.
     *
     * @param line as users type it, in the directory; {@code camel} is the Camel CLI
     */
    public static BundleProcess ofCamelCli(Path directory, String line) throws IOException {
        BundleProcess bundle = new BundleProcess(directory, HERE, "application.properties", "routes", "src/main/java");
        Path bin = camelCli(Files.createDirectory(directory.resolve("bin"))).getParent();
        bundle.command = List.of("bash", "-c", "exec " + line);
        return bundle.with("PATH", bin.toAbsolutePath() + ":" + System.getenv("PATH"));
    }

    /** Makes the command {@code camel}, in that directory. */
    public static Path camelCli(Path directory) throws IOException {
        Files.writeString(directory.resolve("Camel.java"), """
                class Camel {
                    public static void main(String[] args) {
                        org.apache.camel.dsl.jbang.core.commands.CamelJBangMain.run(args);
                    }
                }
                """);
        Path camel = Files.writeString(directory.resolve("camel"), """
                #!/bin/bash
                exec "%s" -cp "%s" "%s" "$@"
                """.formatted(
                        JAVA,
                        Files.readString(Path.of("target", "camel-cli.classpath")),
                        directory.resolve("Camel.java").toAbsolutePath()));
        Files.setPosixFilePermissions(camel, PosixFilePermissions.fromString("rwx------"));
        return camel;
    }

    /** The files of a container image, unpacked into an empty directory, with its entry point; not yet started. */
    public static BundleProcess ofImage(Path directory, Path tar) throws Exception {
        Path parts = Files.createDirectory(directory.resolve("parts"));
        unpack(tar, parts);
        JsonNode manifest = new ObjectMapper()
                .readTree(parts.resolve("manifest.json").toFile())
                .get(0);
        for (JsonNode layer : manifest.get("Layers")) {
            unpack(parts.resolve(layer.asText()), directory);
        }
        Path app = directory.resolve("app").toAbsolutePath();
        Path classPath = app.resolve("jib-classpath-file");
        Files.writeString(classPath, Files.readString(classPath).replace("/app/", app + "/"));
        BundleProcess bundle = new BundleProcess(app, HERE);
        JsonNode config = new ObjectMapper()
                .readTree(parts.resolve(manifest.get("Config").asText()).toFile());
        bundle.command = new ArrayList<>();
        for (JsonNode word : config.get("config").get("Entrypoint")) {
            bundle.command.add(
                    word.asText().equals("java")
                            ? JAVA.toString()
                            : word.asText().replace("/app/", app + "/"));
        }
        return bundle;
    }

    private static void unpack(Path tar, Path directory) throws Exception {
        int exit = new ProcessBuilder("tar", "-xf", tar.toString(), "-C", directory.toString())
                .inheritIO()
                .start()
                .waitFor();
        if (exit != 0) {
            throw new IOException(tar + " cannot be unpacked");
        }
    }

    /** Sets a variable of the environment of the next start; null takes it away. */
    public BundleProcess with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** Stores that stream, with a group of the same name, which no bundle that was killed is a member of. */
    public BundleProcess storing(String stream, KafkaServer kafka, String connectionUrl) throws IOException {
        return with("DATALAKE_URL", connectionUrl)
                .with("STREAM_NAME", stream)
                .with("KAFKA_BROKERS", kafka.brokers())
                .withRoute("to-s3", "groupId: to-s3", "groupId: " + stream);
    }

    /** Adds a line to application.properties. */
    public BundleProcess withProperty(String key, String value) throws IOException {
        Path properties = directory.resolve("application.properties");
        Files.writeString(properties, Files.readString(properties) + "\n" + key + " = " + value + "\n");
        return this;
    }

    /** Edits a route, which must hold the text that is replaced. */
    public BundleProcess withRoute(String route, String text, String replacement) throws IOException {
        Path file = directory.resolve("routes").resolve(route + ".camel.yaml");
        String yaml = Files.readString(file);
        if (!yaml.contains(text)) {
            throw new IllegalArgumentException(file + " does not hold " + text);
        }
        Files.writeString(file, yaml.replace(text, replacement));
        return this;
    }

    /** Adds an option of the JVM. */
    public BundleProcess withOption(String option) {
        options.add(option);
        return this;
    }

    /** Takes an option of the JVM away. */
    public BundleProcess withoutOption(String option) {
        if (!options.remove(option)) {
            throw new IllegalArgumentException(options + " does not hold " + option);
        }
        return this;
    }

    /** Adds an argument to the command. */
    public BundleProcess withArgument(String argument) {
        command = Stream.concat(command.stream(), Stream.of(argument)).toList();
        return this;
    }

    /** Runs another main class, with the class path of the tests, in place of the jar. */
    public BundleProcess withMain(Class<?> main) {
        command = List.of(JAVA.toString(), "-cp", System.getProperty("java.class.path"), main.getName());
        return this;
    }

    public Path directory() {
        return directory;
    }

    public BundleProcess start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()));
        builder.environment().put("JAVA_TOOL_OPTIONS", String.join(" ", options));
        environment.forEach((name, value) -> {
            if (value == null) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        process = builder.start();
        return this;
    }

    /** Writes to its input. */
    public void enter(String text) throws IOException {
        process.outputWriter().append(text).flush();
    }

    /** What it answers at a path under /observe, once it runs. */
    public HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(management.resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Pauses the process, as a laptop that sleeps does: SIGSTOP. */
    public void pause() throws Exception {
        signal("STOP");
    }

    /** Wakes it up: SIGCONT. */
    public void wake() throws Exception {
        signal("CONT");
    }

    private void signal(String signal) throws Exception {
        int exit = new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
        if (exit != 0) {
            throw new IOException("kill -" + signal + " failed: exit code " + exit);
        }
    }

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Whether the process ends by itself within that time. */
    public boolean ends(Duration within) throws InterruptedException {
        return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What the process has used so far. */
    public Duration cpu() {
        return process.toHandle().info().totalCpuDuration().orElseThrow();
    }

    /** The most memory that the process has had so far, in bytes, as Linux counts it. */
    public long peakMemory() throws IOException {
        return Files.readAllLines(Path.of("/proc", String.valueOf(process.pid()), "status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    public int exitCode() {
        return process.exitValue();
    }

    /** All that it has said so far. */
    public String log() throws IOException {
        return Files.readString(directory.resolve("log"));
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly();
        }
    }
}
