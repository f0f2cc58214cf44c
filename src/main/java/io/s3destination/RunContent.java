package io.s3destination;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import org.apache.camel.Message;

/**
 * What a run holds: its lines, compressed as they come, and its dead letters. For one thread at a time; its sizes may be
 * asked for by any.
 */
final class RunContent {

    /** So much is compressed at once: less would compress worse, more take memory in each open run. */
    private static final int PART = 64 << 10;

    /**
     * A value that is not JSON.
     *
     * @param message with what the record's steps have set
     * @param object the name of its object
     * @param fault why it is not JSON
     * @param size of its body, in bytes
     */
    record DeadLetter(Message message, String object, String fault, long size) {}

    private final RunCodec codec;
    private final long begun;
    private final ByteArrayOutputStream compressed = new ByteArrayOutputStream(256);
    private final List<DeadLetter> deadLetters = new ArrayList<>();
    private final CRC32 checksum = new CRC32();
    private final Part part = new Part();
    private int lines;
    private long bytes;
    private volatile long memory;

    /** @param begun when its first record was read, by {@link System#nanoTime()} */
    RunContent(RunCodec codec, long begun) {
        this.codec = codec;
        this.begun = begun;
        compressed.writeBytes(codec.head());
    }

    /** Adds a text and a line feed; line feeds and carriage returns inside, which are white space in JSON, become spaces. */
    void line(byte[] text) {
        int start = part.size();
        part.writeBytes(text);
        part.joinLines(start);
        part.write('\n');
        lines++;
        bytes += text.length + 1L;
        if (part.size() >= PART) {
            compress();
        }
        measure();
    }

    void deadLetter(DeadLetter letter) {
        deadLetters.add(letter);
        bytes += letter.size();
        measure();
    }

    private void compress() {
        if (part.size() > 0) {
            checksum.update(part.content(), 0, part.size());
            compressed.writeBytes(codec.part(part.content(), part.size()));
            part.reset();
        }
    }

    private void measure() {
        memory = part.capacity()
                + compressed.size()
                + deadLetters.stream().mapToLong(DeadLetter::size).sum();
    }

    /** The object, once the run is complete. */
    byte[] finish() {
        compress();
        long length = bytes - deadLetters.stream().mapToLong(DeadLetter::size).sum();
        byte[] tail = codec.tail(checksum, length);
        ByteArrayOutputStream all = new ByteArrayOutputStream(compressed.size() + tail.length);
        all.writeBytes(compressed.toByteArray());
        all.writeBytes(tail);
        return all.toByteArray();
    }

    List<DeadLetter> deadLetters() {
        return deadLetters;
    }

    int lines() {
        return lines;
    }

    /** Of what it holds, before compression. */
    long bytes() {
        return bytes;
    }

    /** The bytes that it takes in memory, about. */
    long memory() {
        return memory;
    }

    /** When its first record was read, by {@link System#nanoTime()}. */
    long begun() {
        return begun;
    }

    /** Bytes that are changed in place. */
    private static final class Part extends ByteArrayOutputStream {

        Part() {
            super(1 << 10);
        }

        byte[] content() {
            return buf;
        }

        int capacity() {
            return buf.length;
        }

        void joinLines(int start) {
            for (int i = start; i < count; i++) {
                if (buf[i] == '\n' || buf[i] == '\r') {
                    buf[i] = ' ';
                }
            }
        }
    }
}
