package io.s3destination;

import static io.s3destination.Explanation.lastingIf;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A failure and what it was caused by, the innermost last, and whether this machine is to blame for it. */
record FailureCauses(List<Throwable> all) {

    static FailureCauses of(Throwable failure) {
        Stream<Throwable> causes = Stream.iterate(failure, Objects::nonNull, Throwable::getCause);
        return new FailureCauses(causes.limit(20).toList());
    }

    /** Explains a fault of this machine, for which no record is to blame. */
    Optional<Explanation> ofThisMachine() {
        return lastingIf(any(OutOfMemoryError.class), "memory ran out", "raise -Xmx, or the memory of the container")
                .or(() -> lastingIf(
                        isReported("(?i)no space left on device|disk quota exceeded|not enough space"),
                        "no space is left on a disk of this machine",
                        "free some, or name another directory for temporary files with -Djava.io.tmpdir"))
                .or(() -> lastingIf(
                        isReported("(?i)too many open files"),
                        "this process has too many open files and connections",
                        "raise its limit (ulimit -n)"))
                .or(() -> lastingIf(
                        any(UnsatisfiedLinkError.class) || any("(?i)snappy|zstd|lz4|native|Cannot unpack", Error.class),
                        "a native library, such as that of a compression, cannot be loaded: " + names(),
                        "mount the directory for temporary files (/tmp) writable and with exec, or name another one with"
                                + " -Djava.io.tmpdir, and restart"));
    }

    /** By the operating system, not by S3, whose messages are exceptions of the AWS SDK. */
    private boolean isReported(String pattern) {
        return any(pattern, IOException.class, Error.class);
    }

    /** Those of one of the types. */
    Stream<Throwable> ofType(Class<?>... types) {
        return all.stream().filter(cause -> Arrays.stream(types).anyMatch(type -> type.isInstance(cause)));
    }

    boolean any(Class<?>... types) {
        return ofType(types).findAny().isPresent();
    }

    /** Whether one of the types has a message in which the pattern is found. */
    boolean any(String pattern, Class<?>... types) {
        Stream<String> messages = ofType(types).map(Throwable::getMessage).map(String::valueOf);
        return messages.anyMatch(Pattern.compile(pattern).asPredicate());
    }

    /** Their types, without their messages. */
    String names() {
        return all.isEmpty()
                ? "a failure without an exception"
                : all.stream()
                        .map(cause -> cause.getClass().getSimpleName())
                        .distinct()
                        .collect(Collectors.joining(", caused by "));
    }

    static String printable(String text) {
        return printable(text, 1_000);
    }

    /** In ASCII, and no longer than that. */
    static String printable(String text, int length) {
        String ascii = String.valueOf(text).strip().replaceAll("[^ -~]", "?");
        return ascii.length() <= length ? ascii : ascii.substring(0, length) + "...";
    }
}
