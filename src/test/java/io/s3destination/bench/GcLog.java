package io.s3destination.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What a JVM says of its heap at each pause, by {@link #OPTION}. */
record GcLog(Path file) {

    /** In the directory that the JVM is started in. */
    static final String OPTION = "-Xlog:gc:file=gc.log:none";

    private static final Pattern PAUSE = Pattern.compile("Pause .* (\\d+)M->(\\d+)M\\(");
    private static final long MEGABYTE = 1 << 20;

    static GcLog in(Path directory) {
        return new GcLog(directory.resolve("gc.log"));
    }

    /** Bytes allocated up to the last pause. */
    long allocated() throws IOException {
        long allocated = 0;
        long after = 0;
        for (MatchResult pause : pauses()) {
            allocated += Math.max(0, Long.parseLong(pause.group(1)) - after);
            after = Long.parseLong(pause.group(2));
        }
        return allocated * MEGABYTE;
    }

    /** The most bytes of the heap that were in use at a pause. */
    long most() throws IOException {
        return pauses().stream()
                        .mapToLong(pause -> Long.parseLong(pause.group(1)))
                        .max()
                        .orElse(0)
                * MEGABYTE;
    }

    private List<MatchResult> pauses() throws IOException {
        if (!Files.exists(file)) {
            // The JVM has not got that far.
            return List.of();
        }
        return PAUSE.matcher(Files.readString(file)).results().toList();
    }
}
