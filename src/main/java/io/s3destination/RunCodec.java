package io.s3destination;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Compresses the content of a run in parts, so that it takes little memory while it is open: for gzip one member, as {@code
 * gzip} makes it, of blocks that are compressed each by itself; for Zstandard a frame for each part, which RFC 8878 has
 * decoders read as one content.
 */
enum RunCodec {
    NONE(".ndjson", Optional.empty()) {
        @Override
        byte[] part(byte[] content, int length) {
            return Arrays.copyOf(content, length);
        }
    },
    GZIP(".ndjson.gz", Optional.of("gzip")) {
        @Override
        byte[] part(byte[] content, int length) {
            Deflater known = DEFLATERS.poll();
            Deflater deflater = known == null ? new Deflater(Deflater.DEFAULT_COMPRESSION, true) : known;
            deflater.reset();
            deflater.setInput(content, 0, length);
            ByteArrayOutputStream compressed = new ByteArrayOutputStream(length / 2 + 64);
            byte[] buffer = new byte[8 << 10];
            int written;
            do {
                written = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH);
                compressed.write(buffer, 0, written);
            } while (written == buffer.length);
            DEFLATERS.add(deflater);
            return compressed.toByteArray();
        }

        @Override
        byte[] head() {
            // RFC 1952: the method is deflate; no name, no time, an unknown file system.
            return new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};
        }

        @Override
        byte[] tail(CRC32 checksum, long length) {
            // An empty last block, the checksum, and the length modulo 2^32.
            return ByteBuffer.allocate(10)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put((byte) 3)
                    .put((byte) 0)
                    .putInt((int) checksum.getValue())
                    .putInt((int) length)
                    .array();
        }
    },
    ZSTD(".ndjson.zst", Optional.of("zstd")) {
        @Override
        byte[] part(byte[] content, int length) {
            return Zstd.compress(Arrays.copyOf(content, length));
        }
    };

    /** Each takes native memory: there are as many as are used at once. */
    private static final Queue<Deflater> DEFLATERS = new ConcurrentLinkedQueue<>();

    private final String suffix;
    private final Optional<String> contentEncoding;

    RunCodec(String suffix, Optional<String> contentEncoding) {
        this.suffix = suffix;
        this.contentEncoding = contentEncoding;
    }

    /** That of a value of {@code output_compression}, if it can be one of many records. */
    static Optional<RunCodec> of(String compression) {
        return Arrays.stream(values())
                .filter(codec -> codec.name().equalsIgnoreCase(compression.strip()))
                .findFirst();
    }

    /** Compresses the next part of a content. */
    abstract byte[] part(byte[] content, int length);

    /** What stands before the first part. */
    byte[] head() {
        return new byte[0];
    }

    /** What stands behind the last part of a content with that checksum and length. */
    byte[] tail(CRC32 checksum, long length) {
        return new byte[0];
    }

    /** How the names of objects end. */
    String suffix() {
        return suffix;
    }

    Optional<String> contentEncoding() {
        return contentEncoding;
    }
}
