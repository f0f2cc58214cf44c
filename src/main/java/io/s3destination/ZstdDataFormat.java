package io.s3destination;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.camel.BindToRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.NoTypeConversionAvailableException;
import org.apache.camel.spi.DataFormat;
import org.apache.camel.support.service.ServiceSupport;

/** Zstandard (RFC 8878), which Camel has no data format for, at its default level; by Kafka's own library. Safe for all threads. */
@BindToRegistry("zstd")
public final class ZstdDataFormat extends ServiceSupport implements DataFormat {

    @Override
    public void marshal(Exchange exchange, Object body, OutputStream compressed)
            throws IOException, NoTypeConversionAvailableException {
        compressed.write(Zstd.compress(
                exchange.getContext().getTypeConverter().mandatoryConvertTo(byte[].class, exchange, body)));
    }

    /** @return the content, as long as it is not longer than an array may be */
    @Override
    public Object unmarshal(Exchange exchange, InputStream compressed) throws IOException {
        try (InputStream content = new ZstdInputStream(compressed)) {
            return content.readAllBytes();
        }
    }
}
