package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;

/**
 * No two records have one name: a name read from its right end gives suffix, offset and partition, which hold no
 * {@code -}, and what is left is the stream. Names are made by the expressions of the routes.
 */
class NamesPropertyTest {

    private static final DefaultCamelContext CAMEL = new DefaultCamelContext();
    private static final String FOLDER = "lake";
    private static final Pattern KEY =
            Pattern.compile("(lake|lake-dead-letter)/(.{1,249})-(\\d+)-(\\d{10,})(\\.gz|\\.zip|\\.zst|)");

    private static final List<Names> ROUTES = Stream.of(
                    "compress-gzip", "compress-none", "compress-zip", "compress-zstd", "dead-letter")
            .map(Names::of)
            .toList();

    record Place(String stream, int partition, long offset) {}

    @AfterContainer
    static void close() throws Exception {
        CAMEL.close();
    }

    @Property(tries = 300)
    void aNameReadFromItsRightEndGivesItsRecordBack(@ForAll("places") Place place) throws Exception {
        for (Names names : ROUTES) {
            String key = names.key(place);
            Matcher parts = KEY.matcher(key);
            assertThat(parts.matches()).as(key).isTrue();
            assertThat(parts.group(1)).isEqualTo(names.deadLetter() ? FOLDER + "-dead-letter" : FOLDER);
            assertThat(new Place(parts.group(2), Integer.parseInt(parts.group(3)), Long.parseLong(parts.group(4))))
                    .isEqualTo(place);
            assertThat(parts.group(5)).isEqualTo(names.suffix());
            assertThat(key.getBytes(UTF_8).length - FOLDER.length()).isLessThanOrEqualTo(1024 - 700);
        }
    }

    @Property(tries = 300)
    void recordsOfDifferentPlacesHaveDifferentNames(@ForAll @Size(2) List<@From("places") Place> places)
            throws Exception {
        for (Names one : ROUTES) {
            for (Names other : ROUTES) {
                boolean same = one == other && places.get(0).equals(places.get(1));
                assertThat(one.key(places.get(0)).equals(other.key(places.get(1))))
                        .isEqualTo(same);
            }
        }
    }

    /** Streams that look like names, and like parts of them, often. */
    @Provide
    Arbitrary<Place> places() {
        Arbitrary<String> piece = Arbitraries.of(
                "-", ".", "_", "0", "1", "a", "-0", "-0000000000", ".gz", ".zip", ".zst", "-dead-letter");
        Arbitrary<String> streams = Arbitraries.oneOf(
                        piece.list().ofMinSize(1).ofMaxSize(6).map(all -> String.join("", all)),
                        Arbitraries.strings().withChars("a0-._").ofMinLength(1).ofMaxLength(249),
                        Arbitraries.just("l".repeat(249)))
                .filter(stream -> !stream.equals(".") && !stream.equals(".."));
        Arbitrary<Long> offsets = Arbitraries.oneOf(
                Arbitraries.longs().between(0, 11), Arbitraries.longs().greaterOrEqual(0));
        return Combinators.combine(streams, Arbitraries.integers().greaterOrEqual(0), offsets)
                .as(Place::new);
    }

    /** How a route names its objects. */
    private record Names(String route, String object, String key) {

        private static final Pattern OBJECT =
                Pattern.compile("name: object\\s+expression:\\s+simple:\\s+expression: \"([^\"]+)\"");
        private static final Pattern NAME =
                Pattern.compile("name: CamelAwsS3Key\\s+expression:\\s+simple:\\s+expression: \"([^\"]+)\"");

        static Names of(String route) {
            CAMEL.getRegistry().bind("offset", new Offset());
            CAMEL.start();
            return new Names(route, found(OBJECT, "to-s3"), found(NAME, route));
        }

        boolean deadLetter() {
            return route.equals("dead-letter");
        }

        String suffix() {
            return switch (route) {
                case "compress-gzip" -> ".gz";
                case "compress-zip" -> ".zip";
                case "compress-zstd" -> ".zst";
                default -> "";
            };
        }

        String key(Place place) {
            Exchange exchange = new DefaultExchange(CAMEL);
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, place.stream());
            exchange.getMessage().setHeader(KafkaConstants.PARTITION, place.partition());
            exchange.getMessage().setHeader(KafkaConstants.OFFSET, place.offset());
            exchange.setVariable("folder", FOLDER);
            exchange.setVariable("object", value(object, exchange));
            return value(key, exchange);
        }

        private static String value(String expression, Exchange exchange) {
            var simple = CAMEL.resolveLanguage("simple").createExpression(expression);
            simple.init(CAMEL);
            return simple.evaluate(exchange, String.class);
        }

        private static String found(Pattern pattern, String route) {
            try {
                Matcher matcher = pattern.matcher(
                        java.nio.file.Files.readString(java.nio.file.Path.of("routes", route + ".camel.yaml")));
                assertThat(matcher.find()).as(route).isTrue();
                return matcher.group(1);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
