package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommitMarkTest {

    private static final String TEXT = "s3d1 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789abcdef mode=1 offset=3000";

    @Test
    void isOneLineThatIsReadBack() {
        CommitMark mark = new CommitMark(Optional.of(new Uuid(7, 7)), "0123456789abcdef", "1", 3000);

        assertThat(mark).hasToString(TEXT);
        assertThat(CommitMark.of(new OffsetAndMetadata(3000, TEXT))).contains(mark);
    }

    @Test
    void mayHaveNoTopicId() {
        CommitMark mark = new CommitMark(Optional.empty(), "0123456789abcdef", "1", 3000);

        assertThat(CommitMark.of(new OffsetAndMetadata(3000, mark.toString()))).contains(mark);
    }

    @Test
    void ofALaterVersionMayHoldMore() {
        assertThat(CommitMark.of(new OffsetAndMetadata(3000, TEXT.replace("mode=1", "mode=n") + " link=2990")))
                .hasValueSatisfying(mark -> assertThat(mark.mode()).isEqualTo("n"));
    }

    /** As after a tool that copies metadata and translates offsets. */
    @Test
    void withAnotherOffsetThanItsCommitIsNone() {
        assertThat(CommitMark.of(new OffsetAndMetadata(2999, TEXT))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "s3d1",
                "s3d2 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789abcdef mode=1 offset=3000",
                "s3d1 topic=short place=0123456789abcdef mode=1 offset=3000",
                "s3d1 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789ABCDEF mode=1 offset=3000",
                "s3d1 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789abcdef mode=2 offset=3000",
                "s3d1 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789abcdef mode=1 offset=03000",
                "s3d1 topic=AAAAAAAAAAcAAAAAAAAABw place=0123456789abcdef mode=1 offset=3000\n",
                "{\"topic\":1}"
            })
    void textThatDoesNotParseIsNoMark(String text) {
        assertThat(CommitMark.of(new OffsetAndMetadata(3000, text))).isEmpty();
    }

    @Test
    void placesDifferByEndpointBucketAndFolder() {
        assertThat(CommitMark.place("", "lake", "orders")).matches("[0-9a-f]{16}");
        assertThat(CommitMark.place("", "lake", "orders"))
                .isEqualTo(CommitMark.place("", "lake", "orders"))
                .isNotEqualTo(CommitMark.place("http://localhost:9000", "lake", "orders"))
                .isNotEqualTo(CommitMark.place("", "lake-2", "orders"))
                .isNotEqualTo(CommitMark.place("", "lake", "orders-2"))
                .isNotEqualTo(CommitMark.place("", "lakeo", "rders"));
    }
}
