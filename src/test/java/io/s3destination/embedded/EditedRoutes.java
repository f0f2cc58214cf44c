package io.s3destination.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A user's copy of the shipped routes, with an edit. */
public record EditedRoutes(Path directory) {

    /** Copies the routes into an empty directory, with an edit of the route to-s3, which must change it. */
    public static EditedRoutes of(Path directory, UnaryOperator<String> edit) throws IOException {
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path route : routes.toList()) {
                Files.copy(route, directory.resolve(route.getFileName()));
            }
        }
        Path file = directory.resolve("to-s3.camel.yaml");
        String shipped = Files.readString(file);
        if (edit.apply(shipped).equals(shipped)) {
            throw new IllegalArgumentException("the edit changes nothing");
        }
        Files.writeString(file, edit.apply(shipped));
        return new EditedRoutes(directory);
    }

    /** With a step of the user before the check of each record: the bean of that name, and the step's id. */
    public static EditedRoutes withStep(Path directory, String bean) throws IOException {
        String check = "              - setVariable:\n                  id: validate-json";
        String step = "              - process:\n                  id: %1$s-step\n                  ref: %1$s\n"
                .formatted(bean);
        return of(directory, route -> route.replace(check, step + check));
    }

    /** For {@code camel.main.routes-include-pattern}. */
    public String pattern() {
        return "file:" + directory + "/*.camel.yaml";
    }
}
