package io.s3destination;

import java.util.List;

/** The start is refused: its message names each setting that is missing or wrong, and never holds a secret. */
public final class BadSettingsException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    BadSettingsException(List<String> faults) {
        super("cannot start:\n  " + String.join("\n  ", faults));
    }
}
