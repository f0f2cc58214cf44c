package io.s3destination;

import java.util.Optional;
import org.slf4j.event.Level;

/**
 * What a failure means to whoever runs the bundle.
 *
 * @param level WARN where waiting helps, ERROR where somebody must act
 * @param text cause and remedy, in printable ASCII, without a secret and without content of a record
 */
record Explanation(Level level, String text) {

    /** Of a failure that passes by itself. */
    static Explanation passing(String cause) {
        return new Explanation(Level.WARN, cause);
    }

    /** Of a failure that somebody must fix. */
    static Explanation lasting(String cause, String remedy) {
        return new Explanation(Level.ERROR, cause + "; " + remedy);
    }

    /** The same, or empty where that is not the cause. */
    static Optional<Explanation> lastingIf(boolean isCause, String cause, String remedy) {
        return isCause ? Optional.of(lasting(cause, remedy)) : Optional.empty();
    }
}
