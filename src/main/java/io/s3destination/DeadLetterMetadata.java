package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Header;
import org.apache.camel.Variable;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;

/** The metadata of a dead letter: what a step before has set, and the reason. Safe for all threads. */
@BindToRegistry("dead-letter-metadata")
public final class DeadLetterMetadata {

    /** S3's limit for the names and values of an object's metadata together, in bytes of UTF-8. */
    static final int MAX_BYTES = 2_048;

    private static final String REASON = "reason";
    /** Of names that are sent as a header of their own, such as x-amz-tagging. */
    private static final String HEADER = "x-amz-";

    private static final String PREFIX = "x-amz-meta-";

    /**
     * Adds the reason, as much of it as S3's limit leaves room for; without it where that is nothing.
     *
     * @param metadata may be null
     */
    public Map<String, String> withReason(
            @Header(AWS2S3Constants.METADATA) Map<?, ?> metadata, @Variable("fault") String reason) {
        Map<String, String> all = new LinkedHashMap<>();
        int room = MAX_BYTES - bytes(PREFIX + REASON);
        for (Map.Entry<?, ?> entry : metadata == null ? Map.<String, String>of().entrySet() : metadata.entrySet()) {
            String name = String.valueOf(entry.getKey());
            String value = entry.getValue() == null ? "" : String.valueOf(entry.getValue());
            if (!name.equalsIgnoreCase(REASON)) {
                all.put(name, value);
                room -= name.regionMatches(true, 0, HEADER, 0, HEADER.length()) ? 0 : bytes(PREFIX + name + value);
            }
        }
        String ascii = String.valueOf(reason).replaceAll("[^ -~]", "?");
        if (room > 0 && !ascii.isEmpty()) {
            all.put(REASON, ascii.substring(0, Math.min(room, ascii.length())));
        }
        return all;
    }

    private static int bytes(String text) {
        return text.getBytes(UTF_8).length;
    }
}
