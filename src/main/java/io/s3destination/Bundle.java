package io.s3destination;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.dsl.support.SourceLoader;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainHelper;
import org.apache.camel.spi.Resource;
import org.apache.camel.util.ObjectHelper;

/**
 * The standalone bundle: Camel Main over the {@code application.properties} and the {@code routes/} of the working
 * directory or, with {@code -Dbundle.files=classpath:}, of the jar. Ends with 0 when stopped by a signal, with 1 when it
 * could not start.
 */
public final class Bundle {

    private static final String WORKING_DIRECTORY = "file:";
    private static final String FILES = System.getProperty("bundle.files", WORKING_DIRECTORY);
    private static final Path HERE = Path.of("").toAbsolutePath();
    private static final Path PROPERTIES = Path.of("application.properties");
    private static final Path ROUTES = Path.of("routes");
    private static final String SUFFIX = ".camel.yaml";

    private Bundle() {}

    public static void main(String[] args) throws Exception {
        // First: Camel 4.17 lower-cases the names of its options by the locale, and does not start in Turkish.
        Locale.setDefault(Locale.ROOT);
        try {
            check(args);
            Main main = configured();
            main.run();
            System.exit(main.getExitCode());
        } catch (Exception e) {
            BadSettingsException bad = ObjectHelper.getException(BadSettingsException.class, e);
            if (bad == null) {
                e.printStackTrace();
                bad = ofCamel(e);
            }
            System.err.println("s3-destination " + bad.getMessage());
            // Nothing is stored yet that an orderly shutdown would have to end, and speak of.
            Runtime.getRuntime().halt(1);
        }
    }

    /** What Camel would pass over, or end with 0 for. */
    private static void check(String[] args) throws IOException {
        List<String> faults = new ArrayList<>();
        if (args.length > 0) {
            // Which are not repeated: they may be a connection URL.
            faults.add("it takes no arguments: settings stand in application.properties and in the environment");
        }
        if (FILES.equals(WORKING_DIRECTORY)) {
            checkFiles(faults);
        }
        Stream.of(System.getProperty("log4j2.configurationFile", "").split(","))
                .filter(file -> !file.isBlank() && !file.contains(":") && !Files.exists(Path.of(file)))
                .filter(file -> Bundle.class.getClassLoader().getResource(file) == null)
                .forEach(file -> faults.add("log4j2.configurationFile names " + file + ", which is neither in " + HERE
                        + " nor in the jar, as log4j2-json.properties is"));
        if (!faults.isEmpty()) {
            throw new BadSettingsException(faults);
        }
    }

    private static void checkFiles(List<String> faults) throws IOException {
        int before = faults.size();
        if (!Files.isRegularFile(PROPERTIES)) {
            faults.add("there is no file application.properties in " + HERE);
        }
        profile()
                .filter(file -> !Files.isRegularFile(Path.of(file)))
                .ifPresent(file ->
                        faults.add("there is no file " + file + " in " + HERE + ", which CAMEL_MAIN_PROFILE asks for"));
        try (Stream<Path> routes = Files.isDirectory(ROUTES) ? Files.list(ROUTES) : Stream.empty()) {
            if (routes.noneMatch(file -> file.toString().endsWith(SUFFIX))) {
                faults.add("there are no routes/*" + SUFFIX + " in " + HERE);
            }
        }
        if (faults.size() > before) {
            faults.add("start it in the directory that holds them");
        }
    }

    /** What Camel ended the start with: the last of its causes says what is wrong where. */
    private static BadSettingsException ofCamel(Exception e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new BadSettingsException(
                List.of(String.valueOf(cause.getMessage()).strip(), "mend it in routes/ or application.properties"));
    }

    /** Camel Main as the bundle runs it, not yet started; to be closed by the caller. */
    public static Main configured() {
        Main main = new Main();
        // Before Camel reads the first route file, which is before it looks for beans.
        SourceLoader routes = Bundle::text;
        main.bind("route-files", routes);
        main.configure()
                .withBasePackageScan("io.s3destination")
                .withRoutesIncludePattern(FILES + ROUTES + "/*" + SUFFIX);
        // As `camel run --profile` does, the file of the profile comes first.
        main.setDefaultPropertyPlaceholderLocation(
                profile().map(file -> FILES + file + ";optional=true,").orElse("") + FILES + PROPERTIES);
        return main;
    }

    /**
     * A route file, as UTF-8. Camel reads it in the charset of the machine, which on Java 17 without a locale is ASCII: a
     * folder that a route names would get another name in the bucket.
     */
    private static String text(Resource routes) throws IOException {
        try (InputStream bytes = routes.getInputStream()) {
            return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Optional<String> profile() {
        return MainHelper.lookupPropertyFromSysOrEnv("camel.main.profile")
                .map(profile -> "application-" + profile + ".properties");
    }
}
