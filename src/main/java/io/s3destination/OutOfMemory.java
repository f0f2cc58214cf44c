package io.s3destination;

/**
 * The end of a process that has no memory left: a restart helps, going on half dead does not. Kafka, Camel and thread
 * pools catch the error, so it is looked for wherever it passes.
 */
final class OutOfMemory {

    /** Of the JVM's option -XX:+ExitOnOutOfMemoryError. */
    private static final int EXIT_CODE = 3;

    private static final int MAX_CAUSES = 20;

    private OutOfMemory() {}

    /** Ends the process if the failure, or one of its causes, is an OutOfMemoryError. */
    static void endIfOutOfMemory(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++, cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                endProcess(cause);
            }
        }
    }

    /** Ends the process, at once: an orderly end would need memory. */
    static void endProcess(Throwable failure) {
        try {
            System.err.println("s3-destination ends: out of memory; raise -Xmx, or the memory of the container");
        } finally {
            Runtime.getRuntime().halt(EXIT_CODE);
        }
    }

    /** Has every thread end the process that would end with such an error itself, whatever it does with others. */
    static void endProcessOfAnyThread() {
        Thread.UncaughtExceptionHandler otherwise = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            endIfOutOfMemory(failure);
            if (otherwise != null) {
                otherwise.uncaughtException(thread, failure);
            } else {
                // As the JVM does without a handler.
                System.err.print("Exception in thread \"" + thread.getName() + "\" ");
                failure.printStackTrace();
            }
        });
    }
}
