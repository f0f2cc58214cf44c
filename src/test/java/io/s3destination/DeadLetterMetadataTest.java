package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeadLetterMetadataTest {

    private static final String TEXT = "not JSON: malformed at line 2, column 6";
    /** What "x-amz-meta-note" and "x-amz-meta-reason" leave. */
    private static final int ROOM = 2_048 - 15 - 17;

    private final DeadLetterMetadata metadata = new DeadLetterMetadata();

    @Test
    void theReasonIsAddedToWhatIsThere() {
        assertThat(metadata.withReason(Map.of("stream", "orders", "x-amz-tagging", "team=a"), TEXT))
                .isEqualTo(Map.of("stream", "orders", "x-amz-tagging", "team=a", "reason", TEXT));
        assertThat(metadata.withReason(null, TEXT)).isEqualTo(Map.of("reason", TEXT));
        assertThat(metadata.withReason(Map.of(), TEXT)).isEqualTo(Map.of("reason", TEXT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"reason", "Reason", "REASON"})
    void theReasonReplacesOneThatIsThereInAnyLetterCase(String name) {
        assertThat(metadata.withReason(Map.of(name, "because"), TEXT)).isEqualTo(Map.of("reason", TEXT));
    }

    @Test
    void theReasonIsShortenedToWhatS3TakesAndLeftOutWhereNothingFits() {
        assertThat(reasonBeside(ROOM - TEXT.length())).isEqualTo(TEXT);
        assertThat(reasonBeside(ROOM - 8)).isEqualTo("not JSON");
        assertThat(reasonBeside(ROOM - 1)).isEqualTo("n");
        assertThat(reasonBeside(ROOM)).isNull();
        assertThat(reasonBeside(ROOM + 1_000)).isNull();
    }

    @Test
    void whatIsSentAsAHeaderDoesNotCount() {
        assertThat(metadata.withReason(
                        Map.of("x-amz-tagging", "t".repeat(5_000), "X-Amz-Acl", "a".repeat(5_000)), TEXT))
                .containsEntry("reason", TEXT);
    }

    @Test
    void theReasonIsPrintableAscii() {
        assertThat(metadata.withReason(null, "\u00e4\n\u0000 \ud83d\ude00 a")).containsEntry("reason", "??? ? a");
    }

    @Property
    void theReasonNeverExceedsWhatS3Takes(
            @ForAll @Size(max = 8) Map<String, @StringLength(max = 600) String> there, @ForAll String reason) {
        Map<String, String> without = new HashMap<>(there);
        without.keySet().removeIf(name -> name.equalsIgnoreCase("reason"));

        Map<String, String> with = metadata.withReason(there, reason);

        assertThat(with).containsAllEntriesOf(without);
        if (with.size() > without.size()) {
            assertThat(with.get("reason")).matches("[ -~]+");
            assertThat(size(with)).isLessThanOrEqualTo(2_048);
        }
    }

    private String reasonBeside(int bytes) {
        // Each letter is two bytes long.
        String value = "\u00e4".repeat(bytes / 2) + "a".repeat(bytes % 2);
        return metadata.withReason(Map.of("note", value), TEXT).get("reason");
    }

    private static int size(Map<String, String> metadata) {
        return metadata.entrySet().stream()
                .filter(entry -> !entry.getKey().toLowerCase(Locale.ROOT).startsWith("x-amz-"))
                .mapToInt(entry -> ("x-amz-meta-" + entry.getKey() + entry.getValue()).getBytes(UTF_8).length)
                .sum();
    }
}
