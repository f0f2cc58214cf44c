package io.s3destination;

import static io.s3destination.JsonTest.assertFaulty;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.CharRange;

class JsonPropertyTest {

    @Property
    void anyGeneratedTextIsJson(@ForAll("texts") String text) throws IOException {
        assertThat(new Json().fault(text.getBytes(UTF_8))).isNull();
    }

    @Property
    void textWithoutItsLastByteIsNot(@ForAll("closedTexts") String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);

        assertFaulty(Arrays.copyOf(bytes, bytes.length - 1));
    }

    @Property
    void textWithAControlCharacterInAStringIsNot(
            @ForAll("texts") String text,
            @ForAll("characters") String before,
            @ForAll @CharRange(to = '\u001f') char control,
            @ForAll("characters") String after)
            throws IOException {
        String broken = '"' + before + control + after + '"';

        assertFaulty(("[" + text + "," + broken + "]").getBytes(UTF_8));
        assertFaulty(("{" + broken + ":" + text + "}").getBytes(UTF_8));
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.lazyOf(() -> Arbitraries.of("null", "true", "false"), this::numbers, this::closedTexts);
    }

    @Provide
    Arbitrary<String> closedTexts() {
        return Arbitraries.lazyOf(this::strings, () -> list("[", texts(), "]"), () -> list("{", members(), "}"));
    }

    /** What may stand between two quotes. */
    @Provide
    Arbitrary<String> characters() {
        Arbitrary<String> plain = Arbitraries.integers()
                .between(' ', Character.MAX_CODE_POINT)
                .filter(c -> c != '"' && c != '\\' && (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE))
                .map(Character::toString);
        Arbitrary<String> escaped = Arbitraries.of("\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t");
        Arbitrary<String> unicode = Arbitraries.integers().between(0, 0xffff).map("\\u%04x"::formatted);
        return Arbitraries.oneOf(plain, escaped, unicode).list().ofMaxSize(8).map(all -> String.join("", all));
    }

    private Arbitrary<String> strings() {
        return characters().map(characters -> '"' + characters + '"');
    }

    private Arbitrary<String> numbers() {
        Arbitrary<String> digits =
                Arbitraries.strings().numeric().ofMinLength(1).ofMaxLength(40);
        Arbitrary<String> whole = digits.map(all -> all.replaceFirst("^0+(?=.)", ""));
        Arbitrary<String> fraction = digits.map(all -> "." + all);
        Arbitrary<String> exponent = Combinators.combine(Arbitraries.of("e", "E", "e+", "E-"), digits)
                .as(String::concat);
        return Combinators.combine(Arbitraries.of("", "-"), whole, orNothing(fraction), orNothing(exponent))
                .as((sign, one, two, three) -> sign + one + two + three);
    }

    private Arbitrary<String> members() {
        return Combinators.combine(strings(), space(), texts()).as((name, space, value) -> name + space + ":" + value);
    }

    private static Arbitrary<String> list(String open, Arbitrary<String> elements, String close) {
        return Combinators.combine(space(), elements.list().ofMaxSize(3))
                .as((space, all) -> open + space + String.join(space + "," + space, all) + space + close);
    }

    private static Arbitrary<String> space() {
        return Arbitraries.of("", " ", "\r\n\t");
    }

    private static Arbitrary<String> orNothing(Arbitrary<String> part) {
        return Arbitraries.oneOf(Arbitraries.just(""), part);
    }
}
