package io.s3destination;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Tells JSON texts from other bytes, by <a href="https://www.rfc-editor.org/rfc/rfc8259">RFC 8259</a>, without changing
 * them: the text is stored as it came, with all its digits, white space and duplicate members. Safe for all threads.
 */
@BindToRegistry("json")
public final class Json {

    /** RFC 8259 lets a parser limit the depth; this one keeps 64 hostile records at once within a small heap. */
    static final int MAX_DEPTH = 20_000;

    /** So many bytes are decoded at once: more would take twice their memory. */
    private static final int MAX_AT_ONCE = 16 << 10;

    private static final JsonFactory JSON = JsonFactory.builder()
            // Names are not kept, or records could fill the table of names with their own.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            // The buffers of a thread would be looked up for each value, and are not needed for most.
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /**
     * Why the body is not JSON, or null if it is. Of records that take their steps together each is checked, and what is wrong
     * is noted with them.
     */
    public String validate(Exchange exchange) throws IOException {
        if (exchange.getMessage().getBody() instanceof PolledRecords polled) {
            for (ConsumerRecord<?, ?> record : polled.all()) {
                String fault = fault(PolledRecords.value(record, exchange));
                if (fault != null) {
                    polled.fault(record.offset(), fault);
                }
            }
            return null;
        }
        return fault(exchange.getMessage().getBody(byte[].class));
    }

    /**
     * Why a value is not JSON, or null if it is.
     *
     * @param value the value of a data record; null, a tombstone, counts as JSON since it is stored as {@code null}
     * @return what is wrong and where, in ASCII and without any of the value's content
     */
    public String fault(@Body byte[] value) throws IOException {
        String fault = value == null ? null : malformed(value);
        return fault == null ? null : lookalike(value).map("not JSON: "::concat).orElse(fault);
    }

    /** What bytes look like that are not JSON, where their beginning shows it. */
    private static Optional<String> lookalike(byte[] value) {
        int first = value.length > 0 ? value[0] & 0xff : -1;
        int second = value.length > 1 ? value[1] & 0xff : -1;
        boolean pairs = value.length % 2 == 0;
        boolean utf32 = value.length > 3 && value[2] == 0 && value[3] == 0;
        if (first == 0xef && second == 0xbb && value.length > 2 && (value[2] & 0xff) == 0xbf) {
            return Optional.of("begins with a byte order mark of UTF-8, which JSON has not");
        }
        if (pairs && (first == 0xfe && second == 0xff || first == 0xff && second == 0xfe && !utf32)) {
            return Optional.of("looks like UTF-16 with a byte order mark, not UTF-8");
        }
        if (pairs && (first == 0 && isAscii(second) || isAscii(first) && second == 0 && !utf32)) {
            return Optional.of("looks like UTF-16, not UTF-8");
        }
        return first == 0
                ? Optional.of("begins with a zero byte, as values framed for a schema registry do")
                : Optional.empty();
    }

    /** Whether a JSON text can begin with that: in the frame of a schema registry it is not the second byte. */
    private static boolean isAscii(int character) {
        return character >= '\t' && character <= '~';
    }

    private static JsonParser parser(byte[] value) throws IOException {
        // A fresh decoder replaces nothing: bytes that are not UTF-8 are reported, and UTF-16 is not guessed.
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        if (value.length > MAX_AT_ONCE) {
            return JSON.createParser(new InputStreamReader(new ByteArrayInputStream(value), decoder));
        }
        CharBuffer text = decoder.decode(ByteBuffer.wrap(value));
        return JSON.createParser(text.array(), text.arrayOffset(), text.length());
    }

    private static String malformed(byte[] value) throws IOException {
        try (JsonParser parser = parser(value)) {
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
