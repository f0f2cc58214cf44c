package io.s3destination;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainHelper;
import org.apache.camel.util.ObjectHelper;

/**
 * The standalone bundle: Camel Main over the {@code application.properties} and the {@code routes/} of the working
 * directory or, with {@code -Dbundle.files=classpath:}, of the jar. Ends with 0 when stopped by a signal, with 1 when it
 * could not start.
 */
public final class Bundle {

    private static final String WORKING_DIRECTORY = "file:";
    private static final String FILES = System.getProperty("bundle.files", WORKING_DIRECTORY);
    private static final Path PROPERTIES = Path.of("application.properties");
    private static final Path ROUTES = Path.of("routes");
    private static final String SUFFIX = ".camel.yaml";

    private Bundle() {}

    public static void main(String[] args) throws Exception {
        try {
            if (FILES.equals(WORKING_DIRECTORY)) {
                checkFiles();
            }
            Main main = configured();
            main.run(args);
            System.exit(main.getExitCode());
        } catch (Exception e) {
            BadSettingsException bad = ObjectHelper.getException(BadSettingsException.class, e);
            if (bad == null) {
                throw e;
            }
            System.err.println("s3-destination " + bad.getMessage());
            // Nothing runs yet that an orderly shutdown would have to end, and speak of.
            Runtime.getRuntime().halt(1);
        }
    }

    private static void checkFiles() throws IOException {
        List<String> faults = new ArrayList<>();
        Path here = Path.of("").toAbsolutePath();
        if (!Files.isRegularFile(PROPERTIES)) {
            faults.add("there is no file application.properties in " + here);
        }
        try (Stream<Path> routes = Files.isDirectory(ROUTES) ? Files.list(ROUTES) : Stream.empty()) {
            if (routes.noneMatch(file -> file.toString().endsWith(SUFFIX))) {
                faults.add("there are no routes/*" + SUFFIX + " in " + here);
            }
        }
        if (!faults.isEmpty()) {
            faults.add("start it in the directory that holds them");
            throw new BadSettingsException(faults);
        }
    }

    /** Camel Main as the bundle runs it, not yet started; to be closed by the caller. */
    public static Main configured() {
        Main main = new Main();
        main.configure()
                .withBasePackageScan("io.s3destination")
                .withRoutesIncludePattern(FILES + ROUTES + "/*" + SUFFIX);
        main.setDefaultPropertyPlaceholderLocation(ofTheProfile() + FILES + PROPERTIES);
        return main;
    }

    /** As {@code camel run --profile} does: {@code application-<profile>.properties}, if there is one, comes first. */
    private static String ofTheProfile() {
        return MainHelper.lookupPropertyFromSysOrEnv("camel.main.profile")
                .map(profile -> FILES + "application-" + profile + ".properties;optional=true,")
                .orElse("");
    }
}
