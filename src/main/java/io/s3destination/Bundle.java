package io.s3destination;

import org.apache.camel.main.Main;
import org.apache.camel.util.ObjectHelper;

/**
 * The standalone bundle: Camel Main over the {@code application.properties} and the {@code routes/} of the working
 * directory. Ends with 0 when stopped by a signal, with 1 when it could not start.
 */
public final class Bundle {

    private Bundle() {}

    public static void main(String[] args) throws Exception {
        Main main = configured();
        try {
            main.run(args);
        } catch (Exception e) {
            BadSettingsException bad = ObjectHelper.getException(BadSettingsException.class, e);
            if (bad == null) {
                throw e;
            }
            System.err.println("s3-destination " + bad.getMessage());
            System.exit(1);
        }
        System.exit(main.getExitCode());
    }

    /** Camel Main as the bundle runs it, not yet started; to be closed by the caller. */
    public static Main configured() {
        Main main = new Main();
        main.configure().withBasePackageScan("io.s3destination").withRoutesIncludePattern("file:routes/*.camel.yaml");
        main.setDefaultPropertyPlaceholderLocation("file:application.properties");
        return main;
    }
}
