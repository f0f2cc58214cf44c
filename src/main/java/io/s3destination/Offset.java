package io.s3destination;

import java.util.Locale;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Header;
import org.apache.camel.component.kafka.KafkaConstants;

/** Writes offsets as they stand in the names of objects, where they sort as text. Safe for all threads. */
@BindToRegistry("offset")
public final class Offset {

    /** The record's offset with at least ten digits, zero-padded. */
    public String padded(@Header(KafkaConstants.OFFSET) long offset) {
        return text(offset);
    }

    /** As {@link #padded}, of any offset. */
    static String text(long offset) {
        return String.format(Locale.ROOT, "%010d", offset);
    }
}
