package io.s3destination;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the bundle can be told, in the routes, the Java and the properties, is what the README tells. */
class SettingsDocumentedTest {

    /** In routes/ as in <code>{{connector.to-s3.input}}</code>. */
    private static final Pattern IN_ROUTES = Pattern.compile("\\{\\{connector\\.[^.{}]+\\.([\\w.-]+)");
    /** In Java as in {@code prefix + "input"} and {@code "connector." + connector + ".output_compression"}. */
    private static final Pattern IN_JAVA =
            Pattern.compile("(?:prefix \\+ \"|\"connector\\.\" \\+ connector \\+ \"\\.)(\\w[\\w.-]*)\"");

    private static final Pattern IN_PROPERTIES = Pattern.compile("(?m)^\\s*connector\\.[^.=\\s]+\\.([\\w.-]+)");
    private static final Pattern VARIABLE = Pattern.compile("\\{\\{env:(\\w+)");
    private static final Pattern TABLE = Pattern.compile("(?ms)^## Settings$(.*?)(?=^## |\\z)");
    private static final Pattern ROW = Pattern.compile("(?m)^\\|\\s*`([^`]+)`\\s*\\|");
    private static final Pattern CODE = Pattern.compile("`(\\w+)`");

    @Test
    void eachSettingThatIsReadIsInTheTableOfSettingsAndNoOther() throws IOException {
        Set<String> read = read();
        assertThat(found(ROW, String.join("", found(TABLE, readme()))))
                .as("settings in README.md, section Settings")
                .containsExactlyInAnyOrderElementsOf(read);
    }

    @Test
    void eachSettingOfTheShippedConnectorIsRead() throws IOException {
        assertThat(found(IN_PROPERTIES, properties()))
                .as("settings in application.properties")
                .isNotEmpty()
                .isSubsetOf(read());
    }

    @Test
    void eachEnvironmentVariableIsNamedInTheReadme() throws IOException {
        assertThat(found(VARIABLE, properties()))
                .as("variables in application.properties")
                .isNotEmpty()
                .isSubsetOf(found(CODE, readme()));
    }

    private static Set<String> read() throws IOException {
        Set<String> settings =
                found(IN_JAVA, Files.readString(Path.of("src/main/java/io/s3destination/Connector.java")));
        assertThat(settings).as("settings in Connector.java").isNotEmpty();
        settings.addAll(found(IN_JAVA, Files.readString(Path.of("src/main/java/io/s3destination/ObjectSize.java"))));
        for (RouteFile file : RouteFile.all()) {
            settings.addAll(found(IN_ROUTES, Files.readString(file.path())));
        }
        return settings;
    }

    private static String readme() throws IOException {
        return Files.readString(Path.of("README.md"));
    }

    private static String properties() throws IOException {
        return Files.readString(Path.of("application.properties"));
    }

    private static Set<String> found(Pattern pattern, String text) {
        Stream<String> groups = pattern.matcher(text).results().map(match -> match.group(1));
        return groups.collect(toCollection(TreeSet::new));
    }
}
