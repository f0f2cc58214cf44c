package io.s3destination.embedded;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests the broker and the S3 server, started once for all of them and stopped after the last. */
public final class EmbeddedServices implements ParameterResolver {

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        Class<?> type = parameter.getParameter().getType();
        return type == EmbeddedKafka.class || type == EmbeddedS3.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        Class<?> type = parameter.getParameter().getType();
        return test.getRoot().getStore(Namespace.GLOBAL).getOrComputeIfAbsent(type, EmbeddedServices::start);
    }

    private static Object start(Class<?> type) {
        try {
            Path directory = Files.createTempDirectory(Files.createDirectories(Path.of("target", "services")), "s");
            return type == EmbeddedKafka.class ? EmbeddedKafka.start(directory, 0) : EmbeddedS3.start(directory, 0);
        } catch (Exception e) {
            throw new IllegalStateException(type.getSimpleName() + " did not start", e);
        }
    }
}
