package io.s3destination;

/** The end of a process that has no memory left: what goes on half dead is worse than a restart. */
final class OutOfMemory {

    private OutOfMemory() {}

    static void endIfOutOfMemory(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                endProcess(cause);
            }
        }
    }

    /** Ends the process with 3, at once: an orderly end would need memory. */
    static void endProcess(Throwable failure) {
        System.err.println("s3-destination ends: out of memory; raise -Xmx, or the memory of the container");
        Runtime.getRuntime().halt(3);
    }
}
