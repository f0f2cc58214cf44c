package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.Charset;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is JSON and what is not, by example; JsonPropertyTest makes texts up. */
class JsonTest {

    private final Json json = new Json();

    @ParameterizedTest
    @MethodSource
    void textOfAnyKindIsJson(String text) throws IOException {
        assertThat(json.fault(text.getBytes(UTF_8))).isNull();
    }

    static Stream<String> textOfAnyKindIsJson() {
        return split("""
                null   true   false   ""   []   {}   {"":""}   {"a":1,"a":2}   [[],[{}]]
                0   -0   -0.0   1.10   1E+2   1e400   -1e-400   123456789012345678901234567890
                "\\"\\\\\\/\\b\\f\\n\\r\\t"   "\\u0000\\u00e9"   "\\ud800"   "\\udc00\\ud800"
                """);
    }

    @ParameterizedTest
    @ValueSource(strings = {" \t\r\n[ 1 , {\"a\" : null} ] \n", "\"\u007f\u2028\u00e9\ud83d\ude00\""})
    void whiteSpaceAndRareCharactersAreJson(String text) throws IOException {
        assertThat(json.fault(text.getBytes(UTF_8))).isNull();
    }

    @Test
    void tombstoneCountsAsJson() throws IOException {
        assertThat(json.fault(null)).isNull();
    }

    @Test
    void numberOfAnyLengthIsJson() throws IOException {
        String digits = "9".repeat(5_000);

        assertThat(json.fault((digits + "." + digits + "e" + digits).getBytes(UTF_8)))
                .isNull();
    }

    @ParameterizedTest
    @MethodSource
    void malformedTextIsNot(String text) throws IOException {
        assertFaulty(text.getBytes(UTF_8));
    }

    static Stream<String> malformedTextIsNot() {
        return split("""
                sesame   {sesame}   {sesame:1}   'sesame'   {'sesame':1}   `sesame`
                "sesame   ["sesame"   {"sesame"   {"sesame":   {"sesame":1   [   {   [[]   [1}   {"sesame":1]
                [1,]   {"sesame":1,}   [,1]   [1,,2]   [1 2]   {"a" 1}   {1:2}   {null:1}   {"a":1 "b":2}
                1 2   {}sesame   {}{}   {"sesame":1}}   []]   null,   nullx   nul   True   undefined
                NaN   -NaN   Infinity   -Infinity   +1   01   -01   00   0x1F   .5   5.   1e   1e+   -   1_000
                1//sesame   1/*sesame*/   /**/1   1#sesame   "\\x41"   "\\u12g4"   "\\u12"   "\\'"   "\\"
                """);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " \n", "\"ses\name\"", "{\"ses\tame\":1}", "\"\0\"", "1\0", "1\f", "\u00a01", "\ufeff{}"})
    void emptyTextAndStrayControlCharactersAreNot(String text) throws IOException {
        assertFaulty(text.getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"22ff22", "22c328", "22e28222", "22e282", "22c0af22", "22e080af22", "22eda08022", "22f490808022"
            })
    void textThatIsNotUtf8IsNot(String hex) throws IOException {
        assertThat(json.fault(HexFormat.of().parseHex(hex))).isEqualTo("not JSON: not UTF-8");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UTF-16LE",
                "UTF-16BE",
                "UTF-16",
                "x-UTF-16LE-BOM",
                "UTF-32LE",
                "UTF-32BE",
                "X-UTF-32BE-BOM",
                "X-UTF-32LE-BOM"
            })
    void textInAnotherUnicodeEncodingIsNot(String charset) throws IOException {
        for (String text : new String[] {"{\"sesame\":1}", "[]", "1", "\"\u00e9\""}) {
            assertFaulty(text.getBytes(Charset.forName(charset)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"000000000f02680a", "00000000017b7d", "0000000001", "00", "000000005b0000005d"})
    void aZeroByteAtTheBeginningIsThatOfASchemaRegistry(String hex) throws IOException {
        assertThat(json.fault(HexFormat.of().parseHex(hex)))
                .isEqualTo("not JSON: begins with a zero byte, as values framed for a schema registry do");
    }

    @ParameterizedTest
    @CsvSource({
        "UTF-16LE, 'looks like UTF-16, not UTF-8'",
        "UTF-16BE, 'looks like UTF-16, not UTF-8'",
        "UTF-16, 'looks like UTF-16 with a byte order mark, not UTF-8'",
        "x-UTF-16LE-BOM, 'looks like UTF-16 with a byte order mark, not UTF-8'"
    })
    void utf16IsNamed(String charset, String fault) throws IOException {
        for (String text : new String[] {"{\"sesame\":1}", "[]", "1", "\"\u20ac\"", " \n{}"}) {
            assertThat(json.fault(text.getBytes(Charset.forName(charset)))).isEqualTo("not JSON: " + fault);
        }
    }

    @Test
    void aByteOrderMarkOfUtf8IsNamed() throws IOException {
        assertThat(json.fault("\ufeff{}".getBytes(UTF_8)))
                .isEqualTo("not JSON: begins with a byte order mark of UTF-8, which JSON has not");
    }

    @Test
    void deepNestingIsJsonUpToTheLimit() throws IOException {
        assertThat(json.fault(nested("[", 1_001, "]"))).isNull();
        assertThat(json.fault(nested("[", Json.MAX_DEPTH, "]"))).isNull();
        assertThat(json.fault(nested("{\"a\":", Json.MAX_DEPTH, "}"))).isNull();
        assertThat(json.fault(nested("[", Json.MAX_DEPTH + 1, "]")))
                .endsWith("nested deeper than " + Json.MAX_DEPTH + " levels");
        assertThat(json.fault(nested("{\"a\":", 1_000_000, "")))
                .endsWith("nested deeper than " + Json.MAX_DEPTH + " levels");
    }

    @Test
    void faultTellsWhereItIs() throws IOException {
        assertThat(json.fault("{\"a\":1,\n \"b\":?}".getBytes(UTF_8)))
                .isEqualTo("not JSON: malformed at line 2, column 6");
    }

    private static Stream<String> split(String texts) {
        return texts.lines().flatMap(line -> Stream.of(line.split(" {3}")));
    }

    private static byte[] nested(String open, int depth, String close) {
        return (open.repeat(depth) + "1" + close.repeat(depth)).getBytes(UTF_8);
    }

    /** By one of these sentences, which leave no room for the value's content. */
    static void assertFaulty(byte[] value) throws IOException {
        assertThat(new Json().fault(value))
                .matches(
                        "not JSON: (the value is empty|more text after the value|not UTF-8|malformed at line \\d+, column \\d+"
                                + "|looks like UTF-16(?: with a byte order mark)?, not UTF-8"
                                + "|begins with a byte order mark of UTF-8, which JSON has not"
                                + "|begins with a zero byte, as values framed for a schema registry do)");
    }
}
