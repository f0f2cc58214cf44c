package io.s3destination;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;

/**
 * The streams that a connector is to read.
 *
 * @param names of streams; none where there is a pattern
 * @param pattern for their names
 */
record ConnectorInput(Set<String> names, Optional<Pattern> pattern) {

    static ConnectorInput of(CamelContext context, String connector) {
        String prefix = "{{connector." + connector;
        String input = context.resolvePropertyPlaceholders(prefix + ".input}}");
        return Boolean.parseBoolean(context.resolvePropertyPlaceholders(prefix + ".input_is_pattern:false}}"))
                ? new ConnectorInput(Set.of(), Optional.of(Pattern.compile(input)))
                : new ConnectorInput(Set.of(input.split(",")), Optional.empty());
    }

    /** What is wrong if these streams are all that there are. */
    Optional<String> noMatch(Collection<String> streams) {
        return pattern.filter(names -> streams.stream().noneMatch(names.asMatchPredicate()))
                .map(names ->
                        "no stream matches the pattern " + names + ": create one, or correct the connector's input");
    }

    /** What is wrong if these streams do not exist. */
    Optional<String> missing(Collection<String> streams) {
        return streams.stream()
                .filter(names::contains)
                .findFirst()
                .map(stream -> "stream " + stream + " does not exist: create it, or correct the connector's input");
    }
}
