package io.s3destination;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
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
    /** In one piece once it is {@link #finish finished}. */
    private final List<byte[]> compressed = new ArrayList<>();

    private final List<DeadLetter> deadLetters = new ArrayList<>();
    private final CRC32 checksum = new CRC32();
    private final Part part = new Part();
    private int lines;
    private long lineBytes;
    private long deadLetterBytes;
    private int compressedSize;
    private boolean finished;
    private volatile long memory;

    /** @param begun when its first record was read, by {@link System#nanoTime()} */
    RunContent(RunCodec codec, long begun) {
        this.codec = codec;
        this.begun = begun;
        keep(codec.head());
    }

    /** Adds a text and a line feed; line feeds and carriage returns inside, which are white space in JSON, become spaces. */
    void line(byte[] text) {
        int start = part.size();
        part.writeBytes(text);
        // The search in a string takes a tenth of the time of a loop.
        String searched = new String(text, ISO_8859_1);
        if (searched.indexOf('\n') >= 0 || searched.indexOf('\r') >= 0) {
            part.joinLines(start);
        }
        part.write('\n');
        lines++;
        lineBytes += text.length + 1L;
        if (part.size() >= PART) {
            compress();
        }
        measure();
    }

    void deadLetter(DeadLetter letter) {
        deadLetters.add(letter);
        deadLetterBytes += letter.size();
        measure();
    }

    private void compress() {
        if (part.size() > 0) {
            checksum.update(part.content(), 0, part.size());
            keep(codec.part(part.content(), part.size()));
            part.reset();
        }
    }

    private void keep(byte[] piece) {
        compressed.add(piece);
        compressedSize += piece.length;
    }

    private void measure() {
        memory = part.capacity() + compressedSize + deadLetterBytes;
    }

    /** The object, once the run is complete; the same each time. */
    byte[] finish() {
        if (!finished) {
            compress();
            part.clear();
            keep(codec.tail(checksum, lineBytes));
            ByteBuffer whole = ByteBuffer.allocate(compressedSize);
            compressed.forEach(whole::put);
            compressed.clear();
            compressed.add(whole.array());
            finished = true;
        }
        return compressed.get(0);
    }

    /** Lets go of what is stored: threads keep the last exchange that they have worked on. */
    void clear() {
        compressed.clear();
        deadLetters.clear();
        part.clear();
    }

    List<DeadLetter> deadLetters() {
        return deadLetters;
    }

    int lines() {
        return lines;
    }

    /** Of what it holds, before compression. */
    long bytes() {
        return lineBytes + deadLetterBytes;
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

        void clear() {
            buf = new byte[0];
            reset();
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
