package io.s3destination;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import java.util.zip.CRC32;
import org.apache.camel.Message;

/** What a run holds: its lines, compressed as they come, and its dead letters. Safe for all threads. */
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
    private final LongConsumer memoryChange;
    /** In order; of what is being compressed there is not yet a result. */
    private final List<CompletableFuture<byte[]>> pieces = new ArrayList<>();

    private final List<DeadLetter> deadLetters = new ArrayList<>();
    private final CRC32 checksum = new CRC32();
    private Part part = new Part();
    private Optional<byte[]> object = Optional.empty();
    private int lines;
    private long lineBytes;
    private long deadLetterBytes;
    /** Of the pieces that are compressed; until then they count as records in flight. */
    private long pieceBytes;

    private boolean isDropped;
    private long memory;

    /**
     * @param begun when its first record was read, by {@link System#nanoTime()}
     * @param memoryChange takes by how many bytes what it takes in memory changes
     */
    RunContent(RunCodec codec, long begun, LongConsumer memoryChange) {
        this.codec = codec;
        this.begun = begun;
        this.memoryChange = memoryChange;
        pieces.add(CompletableFuture.completedFuture(codec.head()));
    }

    /**
     * Adds a text and a line feed; line feeds and carriage returns inside, which are white space in JSON, become spaces.
     *
     * @return compresses what has become a part of its own; to be run at once, without a lock
     */
    synchronized Optional<Runnable> line(byte[] text) {
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
        Optional<Runnable> compresses = part.size() >= PART ? Optional.of(endPart()) : Optional.empty();
        measure();
        return compresses;
    }

    synchronized void deadLetter(DeadLetter letter) {
        deadLetters.add(letter);
        deadLetterBytes += letter.size();
        measure();
    }

    private Runnable endPart() {
        Part ended = part;
        part = new Part();
        checksum.update(ended.content(), 0, ended.size());
        CompletableFuture<byte[]> piece = new CompletableFuture<>();
        pieces.add(piece);
        return () -> {
            try {
                byte[] compressed = codec.part(ended.content(), ended.size());
                grow(compressed.length);
                piece.complete(compressed);
            } catch (Throwable e) {
                OutOfMemory.endIfOutOfMemory(e);
                piece.completeExceptionally(e);
            }
        };
    }

    private synchronized void grow(int bytes) {
        pieceBytes += bytes;
        measure();
    }

    private void measure() {
        long before = memory;
        memory = isDropped
                ? 0
                : part.capacity()
                        + pieceBytes
                        + deadLetterBytes
                        + object.map(whole -> whole.length).orElse(0);
        if (memory != before) {
            // Not for each line: all runs share the sum.
            memoryChange.accept(memory - before);
        }
    }

    /**
     * The object, once the run is complete; the same each time. Waits for parts that other threads compress.
     *
     * @throws java.util.concurrent.CompletionException if a part could not be compressed
     */
    byte[] finish() {
        endLastPart().ifPresent(Runnable::run);
        return join(pieces().stream().map(CompletableFuture::join).toList());
    }

    private synchronized Optional<Runnable> endLastPart() {
        return part.size() > 0 ? Optional.of(endPart()) : Optional.empty();
    }

    private synchronized List<CompletableFuture<byte[]>> pieces() {
        return List.copyOf(pieces);
    }

    private synchronized byte[] join(List<byte[]> compressed) {
        if (object.isEmpty()) {
            byte[] tail = codec.tail(checksum, lineBytes);
            ByteBuffer whole = ByteBuffer.allocate(
                    compressed.stream().mapToInt(piece -> piece.length).sum() + tail.length);
            compressed.forEach(whole::put);
            object = Optional.of(whole.put(tail).array());
            pieces.clear();
            pieceBytes = 0;
            part.clear();
            measure();
        }
        return object.get();
    }

    /** It takes no memory that counts any more; who works on it yet has it as it is. */
    synchronized void drop() {
        isDropped = true;
        measure();
    }

    /** Lets go of what is stored: threads keep the last exchange that they have worked on. */
    synchronized void clear() {
        drop();
        object = Optional.empty();
        pieces.clear();
        deadLetters.clear();
        part.clear();
    }

    List<DeadLetter> deadLetters() {
        return deadLetters;
    }

    synchronized int lines() {
        return lines;
    }

    /** Of what it holds, before compression. */
    synchronized long bytes() {
        return lineBytes + deadLetterBytes;
    }

    /** The bytes that it takes in memory, about. */
    synchronized long memory() {
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
