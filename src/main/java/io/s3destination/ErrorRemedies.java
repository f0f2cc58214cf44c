package io.s3destination;

/** Placeholder until merged. */
final class ErrorRemedies {
    record Explanation(String text) {}

    private ErrorRemedies() {}

    static Explanation ofKafka(Throwable fault) {
        return new Explanation(fault.toString());
    }

    static Explanation ofUnreadableRecord(Throwable fault) {
        return new Explanation(fault.toString() + " kafka-consumer-groups --reset-offsets");
    }
}
