package io.s3destination.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** The objects of many records in a bucket, as a reader sees them. */
public final class Chains {

    private static final Pattern KEY = Pattern.compile("(.+)/([^/]+)-(\\d+)-(\\d{10,})\\.ndjson(\\.gz|\\.zst|)");

    /**
     * An object of many records.
     *
     * @param start the offset that it is named for
     * @param last the last offset that it covers
     * @param lines without their line feeds
     */
    public record Link(String key, long start, long last, List<String> lines) {}

    private Chains() {}

    /** The chains of a stream by partition, from a folder; fails if objects overlap or their metadata is wrong. */
    public static Map<Integer, List<Link>> read(S3Server s3, String bucket, String folder, String stream) {
        Map<Integer, List<Link>> chains = new TreeMap<>();
        s3.objects(bucket).forEach((key, object) -> {
            Matcher name = KEY.matcher(key);
            if (name.matches() && name.group(1).equals(folder) && name.group(2).equals(stream)) {
                chains.computeIfAbsent(Integer.valueOf(name.group(3)), unused -> new ArrayList<>())
                        .add(link(key, Long.parseLong(name.group(4)), name.group(5), object));
            }
        });
        chains.values().forEach(Chains::checkNoOverlap);
        return chains;
    }

    private static Link link(String key, long start, String suffix, ResponseBytes<GetObjectResponse> object) {
        byte[] content =
                switch (suffix) {
                    case ".gz" -> S3Server.unzipped(object.asByteArray());
                    case ".zst" -> S3Server.unzstd(object.asByteArray());
                    default -> object.asByteArray();
                };
        String text = new String(content, StandardCharsets.UTF_8);
        assertThat(text).as(key).endsWith("\n");
        List<String> lines = List.of(text.substring(0, text.length() - 1).split("\n", -1));
        Map<String, String> metadata = object.response().metadata();
        assertThat(metadata).as(key).containsEntry("records", String.valueOf(lines.size()));
        assertThat(object.response().contentType()).as(key).isEqualTo("application/x-ndjson");
        return new Link(key, start, Long.parseLong(metadata.get("last-offset")), lines);
    }

    private static void checkNoOverlap(List<Link> chain) {
        long next = 0;
        for (Link link : chain) {
            assertThat(link.start()).as("%s overlaps", link.key()).isGreaterThanOrEqualTo(next);
            assertThat(link.last()).as("%s", link.key()).isGreaterThanOrEqualTo(link.start());
            next = link.last() + 1;
        }
    }

    /** Where objects do not follow one another, or hold fewer lines than offsets; of streams without gaps a sign of a loss. */
    public static List<String> gaps(Map<Integer, List<Link>> chains) {
        List<String> gaps = new ArrayList<>();
        chains.forEach((partition, chain) -> {
            long next = 0;
            for (Link link : chain) {
                if (link.start() != next || link.lines().size() != link.last() + 1 - link.start()) {
                    gaps.add(link.key() + " to " + link.last() + " with "
                            + link.lines().size() + " lines, not from " + next);
                }
                next = link.last() + 1;
            }
            gaps.add("partition " + partition + " ends before " + next);
        });
        return gaps;
    }

    /** All lines of all chains. */
    public static List<String> lines(Map<Integer, List<Link>> chains) {
        return chains.values().stream()
                .flatMap(List::stream)
                .flatMap(link -> link.lines().stream())
                .toList();
    }
}
