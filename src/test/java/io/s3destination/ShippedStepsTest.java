package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Records take their steps together only if no step would see that. */
class ShippedStepsTest {

    private static final String VALIDATE = "              - setVariable:\n                  id: validate-json\n";
    private static final String DISPATCH = "        - aggregate:\n";

    @Test
    void stepsOfTheShippedRouteTakeRecordsTogether() throws Exception {
        assertThat(areShipped(shipped())).isTrue();
    }

    @Test
    void aCommentChangesNoStep() throws Exception {
        assertThat(areShipped(shipped() + "# a comment\n")).isTrue();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void stepsOfAUserTakeEachRecordByItself(String edit, String before, String after) throws Exception {
        assertThat(shipped()).contains(before);
        assertThat(areShipped(shipped().replace(before, after))).isFalse();
    }

    static Stream<Arguments> stepsOfAUserTakeEachRecordByItself() {
        return Stream.of(
                Arguments.of("a step before validate-json", VALIDATE, "              - stop: {}\n" + VALIDATE),
                Arguments.of("a step before each record", DISPATCH, "        - log: {message: read}\n" + DISPATCH),
                Arguments.of(
                        "tombstones are left out",
                        "constant:\n                                expression: \"null\"",
                        "constant:\n                                expression: \"{}\""),
                Arguments.of("dead letters have other names", "${header[kafka.TOPIC]}-", "${header[kafka.TOPIC]}/"),
                Arguments.of("another validation", "method: validate", "method: fault"),
                Arguments.of(
                        "a step before a record is added",
                        "                        - bean:\n                            id: add-to-run",
                        "                        - log: {message: valid}\n                        - bean:\n                            id: add-to-run"),
                Arguments.of(
                        "a step behind a record is added",
                        "                        - stop:\n",
                        "                        - log: {message: added}\n                        - stop:\n"));
    }

    private static String shipped() throws Exception {
        return Files.readString(Path.of("routes", "to-s3.camel.yaml"));
    }

    private static boolean areShipped(String route) throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            PluginHelper.getRoutesLoader(context).loadRoutes(ResourceHelper.fromString("to-s3.camel.yaml", route));
            return ShippedSteps.areShipped(context, "to-s3");
        }
    }
}
