package io.s3destination;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The settings of a connector, {@code connector.<name>.…}, and what they must look like. No message repeats a value that
 * could be a connection URL in the wrong place.
 *
 * @param resource the name of the resource it stores to, or empty if the setting is missing or wrong
 * @param uploads how many records it stores at once
 */
record Connector(String name, Optional<String> resource, int uploads) {

    /** Finds the connectors that are set up, by the settings that each must have. */
    static final Pattern SETTING = Pattern.compile("connector\\.([^.]+)\\.(?:to|input)");

    private static final int DEFAULT_UPLOADS = 64;
    private static final Pattern RESOURCE = Pattern.compile("[\\w.-]+");
    /** Kafka's own rule, of org.apache.kafka.common.internals.Topic. */
    private static final Pattern STREAM = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}");

    /** Of regular expressions, what stays as it is in the path of an endpoint's URI. */
    private static final Pattern PATTERN = Pattern.compile("[\\w.*()|^$\\[\\]-]+");

    private static final Pattern BROKER = Pattern.compile("(\\w+://)?([\\w.-]+|\\[[0-9a-fA-F:.]+]):\\d{1,5}");
    /** What a key of 1,024 bytes leaves beside "-dead-letter/", stream, partition, offset and suffix. */
    private static final int MAX_FOLDER_BYTES = 700;

    /** Reads the settings of a connector; what is wrong with them is noted in {@code settings}. */
    static Connector read(String name, Settings settings) {
        String prefix = "connector." + name + ".";
        boolean pattern = settings.optional(prefix + "input_is_pattern", "true or false", false, Connector::trueOrFalse)
                .orElse(false);
        if (pattern) {
            settings.required(prefix + "input", "a regular expression such as public[.].*", Connector::pattern);
        } else {
            settings.required(prefix + "input", "a Kafka topic, or several as in orders,customers", Connector::streams);
        }
        Optional<String> resource = settings.required(
                prefix + "to", "the name of a resource, as in resource.<name>.url", Connector::resource);
        settings.optional(prefix + "folder", "a path such as orders/2026", "", Connector::folder);
        Optional<Integer> uploads =
                settings.optional(prefix + "uploads", "a number from 1 to 1024", DEFAULT_UPLOADS, Connector::uploads);
        ObjectSize.read(name, settings);
        return new Connector(name, resource, uploads.orElse(DEFAULT_UPLOADS));
    }

    /** Checks the compression of a connector, once it is known which there are. */
    static void checkCompression(String name, List<String> known, Settings settings) {
        String prefix = "connector." + name + ".";
        settings.required(prefix + "output_compression", "one of " + String.join(", ", known), compression -> {
            String lower = compression.toLowerCase(Locale.ROOT);
            check(known.contains(lower), quoted(compression) + " is no compression");
            check(
                    !ObjectSize.read(name, settings).isMany()
                            || RunCodec.of(lower).isPresent(),
                    quoted(compression) + " cannot hold many records that query engines can read (records_per_object)");
            return compression;
        });
    }

    /** Checks where Kafka is, which Camel would end the start with, or wait for in vain. */
    static void checkBrokers(Settings settings) {
        settings.optional("camel.component.kafka.brokers", "host:port, or several as in a:9092,b:9092", "", brokers -> {
            for (String broker : brokers.split(",", -1)) {
                check(BROKER.matcher(broker.strip()).matches(), quoted(broker) + " is no host and port");
            }
            return brokers;
        });
    }

    private static String resource(String resource) {
        check(RESOURCE.matcher(resource).matches(), quoted(resource) + " is no name (letters, digits, '.', '_', '-')");
        return resource;
    }

    private static String streams(String input) {
        for (String stream : input.split(",", -1)) {
            check(
                    STREAM.matcher(stream).matches(),
                    quoted(stream) + " is no name of a topic (letters, digits, '.', '_', '-'; no spaces)");
        }
        return input;
    }

    private static String pattern(String input) {
        check(PATTERN.matcher(input).matches(), quoted(input) + " holds what the address of an endpoint cannot hold");
        try {
            Pattern.compile(input);
        } catch (PatternSyntaxException e) {
            check(false, quoted(input) + " is none: " + e.getDescription());
        }
        return input;
    }

    private static boolean trueOrFalse(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        check(lower.equals("true") || lower.equals("false"), quoted(text) + " is neither");
        return lower.equals("true");
    }

    private static int uploads(String text) {
        String uploads = text.strip();
        check(uploads.matches("[0-9]{1,9}"), quoted(uploads) + " is no number");
        int number = Integer.parseInt(uploads);
        check(number >= 1 && number <= 1024, uploads + " is out of range");
        return number;
    }

    private static String folder(String folder) {
        // The component evaluates expressions in keys.
        check(!folder.contains("${"), quoted(folder) + " holds a ${");
        check(!folder.startsWith("/") && !folder.endsWith("/"), quoted(folder) + " starts or ends with a '/'");
        check(folder.getBytes(StandardCharsets.UTF_8).length <= MAX_FOLDER_BYTES, "it is longer than 700 bytes");
        return folder;
    }

    private static String quoted(String text) {
        return text.contains(":") ? "the value" : "'" + text + "'";
    }

    private static void check(boolean right, String fault) {
        if (!right) {
            throw new IllegalArgumentException(fault);
        }
    }
}
