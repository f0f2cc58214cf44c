package io.s3destination;

import static io.s3destination.ConnectionUrlTest.assertHides;
import static io.s3destination.ConnectionUrlTest.encoded;
import static io.s3destination.ConnectionUrlTest.secretOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class ConnectionUrlPropertyTest {

    @Property
    void anySecretIsReadBackAsItStands(@ForAll("rawSecrets") String secret) {
        assertThat(secretOf("s3://KEY:" + secret + "@us-east-2/bucket")).isEqualTo(secret);
    }

    @Property
    void anyEncodedSecretIsReadBackDecoded(@ForAll("secrets") String secret) {
        assertThat(secretOf("s3://KEY:" + encoded(secret) + "@us-east-2/bucket"))
                .isEqualTo(secret);
    }

    @Property
    void noErrorOfAMutilatedUrlShowsAPieceOfTheSecret(
            @ForAll("rawSecrets") String secret,
            @ForAll @IntRange(max = 120) int from,
            @ForAll @IntRange(max = 120) int length) {
        StringBuilder url = new StringBuilder("s3://AKIAEXAMPLE:" + secret + "@us-east-2/data-lake-bucket");
        url.delete(Math.min(from, url.length()), Math.min(from + length, url.length()));

        Throwable error = catchThrowable(() -> ConnectionUrl.parse(url.toString()));

        if (error != null) {
            assertThat(error).isInstanceOf(IllegalArgumentException.class);
            assertHides(secret, error.getMessage());
        }
    }

    @Provide
    Arbitrary<String> secrets() {
        return Arbitraries.strings()
                .withCharRange('!', '~')
                .withChars("/+@:")
                .ofMinLength(1)
                .ofMaxLength(60);
    }

    /** A '%' may start an escape, so that a secret which holds one is pasted encoded. */
    @Provide
    Arbitrary<String> rawSecrets() {
        return secrets().map(secret -> secret.replace('%', '/'));
    }
}
