package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/INVARIANTS.md says is enforced by a test that there is. */
class InvariantsTest {

    private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT|Suite))(?:\\.(\\w+))?`");

    @Test
    void eachInvariantNamesTestsThatExist() throws Exception {
        String text = Files.readString(Path.of("docs", "INVARIANTS.md"));
        for (String invariant : text.substring(text.indexOf("\n- ")).split("\n- ")) {
            if (!invariant.isBlank()) {
                assertThat(invariant).contains("Enforced by:").containsPattern(TEST);
            }
        }
        for (Matcher test = TEST.matcher(text); test.find(); ) {
            List<String> methods = Arrays.stream(
                            Class.forName("io.s3destination." + test.group(1)).getDeclaredMethods())
                    .map(Method::getName)
                    .toList();
            if (test.group(2) != null) {
                assertThat(methods).as(test.group(1)).contains(test.group(2));
            }
        }
    }
}
