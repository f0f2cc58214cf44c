package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Camel K finds no annotated beans: the manifests name each of them. */
class CamelKBeansTest {

    private static final Pattern BEAN =
            Pattern.compile("@BindToRegistry\\(\"([^\"]+)\"\\)\\s+public final class (\\w+)");

    @Test
    void eachBeanOfTheBundleIsNamed() throws IOException {
        Map<String, String> beans = new TreeMap<>();
        try (Stream<Path> classes = Files.list(Path.of("src/main/java/io/s3destination"))) {
            for (Path file : classes.toList()) {
                for (MatchResult bean :
                        BEAN.matcher(Files.readString(file)).results().toList()) {
                    beans.put("camel.beans." + bean.group(1), "#class:io.s3destination." + bean.group(2));
                }
            }
        }
        Properties named = new Properties();
        try (InputStream file = Files.newInputStream(Path.of("deploy/camel-k/beans.properties"))) {
            named.load(file);
        }

        assertThat(named).isNotEmpty().containsExactlyInAnyOrderEntriesOf(beans);
    }
}
