package io.s3destination;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;

/**
 * Reads settings out of Camel's properties and collects what is wrong with them, so that one start tells all. A fault
 * names the setting, the environment variable that it stands for if there is one, and the form it must have.
 */
final class Settings {

    private static final Pattern ENVIRONMENT = Pattern.compile("\\{\\{env:(\\w+)");
    private static final Pattern VARIABLE = Pattern.compile("\\{\\{env:(\\w+)}}");

    private final CamelContext context;
    private final List<String> faults = new ArrayList<>();

    Settings(CamelContext context) {
        this.context = context;
    }

    /** The distinct first groups of the pattern in the names of all properties, sorted. */
    List<String> names(Pattern key) {
        return context.getPropertiesComponent().loadProperties().stringPropertyNames().stream()
                .map(key::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .distinct()
                .sorted()
                .toList();
    }

    /**
     * A setting in the form it must have, or empty where it has not, which is noted.
     *
     * @param form what a right value looks like, for the message
     * @param reader makes the value, or throws IllegalArgumentException with what is wrong, without any secret
     */
    <T> Optional<T> required(String key, String form, Function<String, T> reader) {
        return value(key).map(text -> read(key, form, reader, text)).orElseGet(() -> {
            faults.add(named(key) + " is not set: it must be " + form);
            return Optional.empty();
        });
    }

    /** As {@link #required}, for a setting that may be left out. */
    <T> Optional<T> optional(String key, String form, T otherwise, Function<String, T> reader) {
        return value(key).map(text -> read(key, form, reader, text)).orElse(Optional.of(otherwise));
    }

    /** Notes what is wrong beside the value of a setting. */
    void fault(String fault) {
        faults.add(fault);
    }

    /** @throws BadSettingsException if anything was noted */
    void check() {
        if (!faults.isEmpty() && !isExport()) {
            throw new BadSettingsException(faults);
        }
    }

    /** {@code camel export} loads everything with values of its own, and starts nothing. */
    boolean isExport() {
        return context.getPropertiesComponent()
                .resolveProperty("camel.jbang.export")
                .filter("true"::equals)
                .isPresent();
    }

    private <T> Optional<T> read(String key, String form, Function<String, T> reader, String text) {
        try {
            return Optional.of(reader.apply(text));
        } catch (IllegalArgumentException e) {
            faults.add(named(key) + ": " + e.getMessage() + ". It must be " + form);
            return Optional.empty();
        }
    }

    private Optional<String> value(String key) {
        Matcher variable = VARIABLE.matcher(raw(key));
        if (variable.matches()) {
            // Not through Camel, which says it at DEBUG, and reads a '{{' in a secret as a placeholder.
            return Optional.ofNullable(System.getenv(variable.group(1))).filter(text -> !text.isBlank());
        }
        try {
            return context.getPropertiesComponent().resolveProperty(key).filter(text -> !text.isBlank());
        } catch (IllegalArgumentException e) {
            // A placeholder in the value has no value, which the message of Camel says, quoting a secret if need be.
            return Optional.empty();
        }
    }

    private String named(String key) {
        Matcher environment = ENVIRONMENT.matcher(raw(key));
        return environment.find() ? environment.group(1) + " (" + key + ")" : key;
    }

    /** With its placeholders; a property of the JVM comes first, as in Camel. */
    private String raw(String key) {
        String otherwise = context.getPropertiesComponent().loadProperties().getProperty(key, "");
        return System.getProperty(key, otherwise);
    }
}
