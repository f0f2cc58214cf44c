package io.s3destination;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Body;

/**
 * Tells JSON texts from other bytes, by <a href="https://www.rfc-editor.org/rfc/rfc8259">RFC 8259</a>, without changing
 * them: the text is stored as it came, with all its digits, white space and duplicate members. Safe for all threads.
 */
@BindToRegistry("json")
public final class Json {

    /** RFC 8259 lets a parser limit the depth; this one keeps 64 hostile records at once within a small heap. */
    static final int MAX_DEPTH = 20_000;

    private static final JsonFactory JSON = JsonFactory.builder()
            // Names are not kept, or records could fill the table of names with their own.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /**
     * Why a value is not JSON, or null if it is.
     *
     * @param value the value of a data record; null, a tombstone, counts as JSON since it is stored as {@code null}
     * @return what is wrong and where, in ASCII and without any of the value's content
     */
    public String fault(@Body byte[] value) throws IOException {
        if (value == null) {
            return null;
        }
        // A fresh decoder replaces nothing: bytes that are no UTF-8 are told, and there is no guessing of UTF-16.
        Reader text = new InputStreamReader(new ByteArrayInputStream(value), StandardCharsets.UTF_8.newDecoder());
        try (JsonParser parser = JSON.createParser(text)) {
            if (parser.nextToken() == null) {
                return "not JSON: the value is empty";
            }
            parser.skipChildren();
            return parser.nextToken() == null ? null : "not JSON: more text after the value";
        } catch (CharacterCodingException e) {
            return "not JSON: not UTF-8";
        } catch (StreamConstraintsException e) {
            return "not stored as JSON: nested deeper than " + MAX_DEPTH + " levels";
        } catch (JsonProcessingException e) {
            return "not JSON: malformed at line " + e.getLocation().getLineNr() + ", column "
                    + e.getLocation().getColumnNr();
        }
    }
}
