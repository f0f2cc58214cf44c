package io.s3destination;

import java.time.Duration;
import java.util.Optional;

/**
 * When an object of many records is complete: the settings {@code records_per_object}, {@code bytes_per_object} and {@code
 * seconds_per_object} of a connector.
 *
 * @param records how many offsets it covers from its first record on; with 1, each record is an object of its own
 * @param bytes of its lines before compression
 * @param age of its first record, since that was read
 */
record ObjectSize(int records, long bytes, Duration age) {

    private static final int MAX_RECORDS = 1_000_000;
    private static final long DEFAULT_BYTES = 8 << 20;
    private static final int MIN_BYTES = 1 << 10;
    private static final int MAX_BYTES = 256 << 20;
    private static final int DEFAULT_SECONDS = 60;
    private static final int MAX_SECONDS = 3_600;

    /** Reads the settings of a connector; what is wrong with them is noted in {@code settings}. */
    static ObjectSize read(String connector, Settings settings) {
        String prefix = "connector." + connector + ".";
        long records = number(settings, prefix + "records_per_object", 1, MAX_RECORDS, 1);
        long bytes = number(settings, prefix + "bytes_per_object", MIN_BYTES, MAX_BYTES, DEFAULT_BYTES);
        long seconds = number(settings, prefix + "seconds_per_object", 1, MAX_SECONDS, DEFAULT_SECONDS);
        return new ObjectSize((int) records, bytes, Duration.ofSeconds(seconds));
    }

    private static long number(Settings settings, String key, int min, int max, long otherwise) {
        Optional<Long> number =
                settings.optional(key, "a number from " + min + " to " + max, otherwise, text -> parse(text, min, max));
        return number.orElse(otherwise);
    }

    private static long parse(String text, int min, int max) {
        String number = text.strip();
        if (!number.matches("[0-9]{1,9}")) {
            throw new IllegalArgumentException(
                    (number.contains(":") ? "the value" : "'" + number + "'") + " is no number");
        }
        long value = Long.parseLong(number);
        if (value < min || value > max) {
            throw new IllegalArgumentException(number + " is out of range");
        }
        return value;
    }

    /** The route that stores the objects of many records of a connector, and its input {@code direct:}. */
    static String route(String connector) {
        return "objects-" + connector;
    }

    /** Whether an object holds many records. */
    boolean isMany() {
        return records > 1;
    }
}
