package io.s3destination.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A user's copy of the shipped routes, with edits. */
public record EditedRoutes(Path directory) {

    /** Copies the routes into an empty directory. */
    public static EditedRoutes copied(Path directory) throws IOException {
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path route : routes.toList()) {
                Files.copy(route, directory.resolve(route.getFileName()));
            }
        }
        return new EditedRoutes(directory);
    }

    /** Copies the routes into an empty directory, with an edit of the route to-s3, which must change it. */
    public static EditedRoutes of(Path directory, UnaryOperator<String> edit) throws IOException {
        return copied(directory).edit("to-s3", edit);
    }

    /** With a step of the user before the check of each record: the bean of that name, and the step's id. */
    public static EditedRoutes withStep(Path directory, String bean) throws IOException {
        return copied(directory)
                .insert("to-s3", "validate-json", "- process:\n    id: %1$s-step\n    ref: %1$s\n".formatted(bean));
    }

    /** Edits a route, which the edit must change. */
    public EditedRoutes edit(String route, UnaryOperator<String> edit) throws IOException {
        Path file = directory.resolve(route + ".camel.yaml");
        String before = Files.readString(file);
        String after = edit.apply(before);
        if (after.equals(before)) {
            throw new IllegalArgumentException("the edit changes nothing");
        }
        Files.writeString(file, after);
        return this;
    }

    /** Inserts a step into a route, before the step of that id and with its indentation. */
    public EditedRoutes insert(String route, String id, String step) throws IOException {
        return edit(route, yaml -> {
            Matcher before = find(yaml, "(?m)^( *)- [\\w-]+:\\n +id: " + id + "$");
            return yaml.substring(0, before.start())
                    + step.strip().indent(before.group(1).length())
                    + yaml.substring(before.start());
        });
    }

    /** Nests the step of that id and all after it in another one, which ends with {@code steps:}. */
    public EditedRoutes nest(String route, String id, String step) throws IOException {
        return edit(route, yaml -> {
            Matcher first = find(yaml, "(?m)^( *)- [\\w-]+:\\n +id: " + id + "$");
            return yaml.substring(0, first.start())
                    + step.strip().indent(first.group(1).length())
                    + yaml.substring(first.start()).indent(6);
        });
    }

    /** Adds parameters, a line each, to the step of that id. */
    public EditedRoutes addParameters(String route, String id, String lines) throws IOException {
        return edit(route, yaml -> {
            Matcher parameters = find(yaml, "(?m)^ +id: " + id + "\\n +uri: .*\\n( +)parameters:\\n");
            return yaml.substring(0, parameters.end())
                    + lines.strip().indent(parameters.group(1).length() + 2)
                    + yaml.substring(parameters.end());
        });
    }

    private static Matcher find(String yaml, String place) {
        Matcher matcher = Pattern.compile(place).matcher(yaml);
        if (!matcher.find()) {
            throw new IllegalArgumentException("the route has no " + place);
        }
        return matcher;
    }

    /** For {@code camel.main.routes-include-pattern}. */
    public String pattern() {
        return "file:" + directory + "/*.camel.yaml";
    }
}
