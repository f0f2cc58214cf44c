package io.s3destination;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Uuid;

/**
 * The line in the metadata of each commit: of which topic the offsets are, and where its records are stored. It is how a
 * process that starts recognises that a topic was deleted and created again under the same name.
 *
 * @param topic the ID of the topic (KIP-516), or empty where the brokers know none
 * @param place the value of {@link #place}
 * @param mode {@link #ONE_RECORD} for one record per object, or {@link #MANY}
 * @param offset the offset of the commit that the mark belongs to
 * @param link the start of the next object, with {@link #MANY}
 */
record CommitMark(Optional<Uuid> topic, String place, String mode, long offset, OptionalLong link) {

    static final String ONE_RECORD = "1";
    static final String MANY = "n";
    static final String LINK = "link=";

    private static final String NO_TOPIC_ID = "-";
    private static final Pattern FORM = Pattern.compile(
            "s3d1 topic=(-|[\\w-]{22}) place=([0-9a-f]{16}) mode=([1n]) offset=(0|[1-9]\\d{0,18})(?: link=(0|[1-9]\\d{0,18}))?(?: .*)?");

    /** Of a commit without a link. */
    CommitMark(Optional<Uuid> topic, String place, String mode, long offset) {
        this(topic, place, mode, offset, OptionalLong.empty());
    }

    /**
     * The mark of a commit, or empty if it has none. A mark whose offset is not the commit's own is ignored: tools such as
     * MirrorMaker 2 copy the metadata of a commit and translate its offset.
     */
    static Optional<CommitMark> of(OffsetAndMetadata commit) {
        Matcher mark = FORM.matcher(commit.metadata());
        if (!mark.matches() || !mark.group(4).equals(String.valueOf(commit.offset()))) {
            return Optional.empty();
        }
        return Optional.of(
                new CommitMark(topic(mark.group(1)), mark.group(2), mark.group(3), commit.offset(), link(mark)));
    }

    private static OptionalLong link(Matcher mark) {
        return mark.group(5) == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(mark.group(5)));
    }

    private static Optional<Uuid> topic(String text) {
        return text.equals(NO_TOPIC_ID) ? Optional.empty() : Optional.of(Uuid.fromString(text));
    }

    /** Identifies where a connector stores its objects, in 16 hexadecimal digits. */
    static String place(String endpoint, String bucket, String folder) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(String.join("\n", endpoint, bucket, folder).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The line, as {@link #of} reads it. */
    @Override
    public String toString() {
        return "s3d1 topic=" + topic.map(Uuid::toString).orElse(NO_TOPIC_ID) + " place=" + place + " mode=" + mode
                + " offset=" + offset + (link.isPresent() ? " " + LINK + link.getAsLong() : "");
    }
}
