package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads HTTP requests and answers, byte for byte. */
final class HttpMessage {

    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)");
    private static final Pattern CHUNKED = Pattern.compile("(?i)\r\ntransfer-encoding: *chunked");

    private HttpMessage() {}

    /** One request or answer, from its first line to the end of its body. */
    static byte[] read(InputStream in) throws IOException {
        return read(head(in), in);
    }

    /** One answer, which has no body to a request HEAD. */
    static byte[] answer(InputStream in, boolean toHead) throws IOException {
        return toHead ? head(in) : read(in);
    }

    /** One request or answer, of which the head has been read. */
    static byte[] read(byte[] head, InputStream in) throws IOException {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.write(head);
        message.write(body(in, head));
        return message.toByteArray();
    }

    /** The first line and the headers, with the empty line behind them. */
    static byte[] head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (line(in, head) > 2) {}
        return head.toByteArray();
    }

    private static byte[] body(InputStream in, byte[] head) throws IOException {
        String text = new String(head, ISO_8859_1);
        Matcher length = LENGTH.matcher(text);
        if (length.find()) {
            return in.readNBytes(Integer.parseInt(length.group(1)));
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (CHUNKED.matcher(text).find()) {
            int size;
            do {
                int start = body.size();
                line(in, body);
                size = Integer.parseInt(
                        body.toString(ISO_8859_1).substring(start).strip(), 16);
                body.write(in.readNBytes(size + 2));
            } while (size > 0);
        }
        return body.toByteArray();
    }

    /** Copies one line, and returns its length with its end. */
    private static int line(InputStream in, ByteArrayOutputStream out) throws IOException {
        int length = 0;
        int b;
        do {
            b = in.read();
            if (b < 0) {
                throw new EOFException();
            }
            out.write(b);
            length++;
        } while (b != '\n');
        return length;
    }
}
