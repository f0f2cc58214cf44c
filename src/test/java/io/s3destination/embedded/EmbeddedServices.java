package io.s3destination.embedded;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests the broker and the S3 servers, started once for all of them and stopped after the last. */
public final class EmbeddedServices implements ParameterResolver {

    private static final Set<Class<?>> SERVICES = Set.of(EmbeddedKafka.class, EmbeddedS3.class, S3Mock.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
        return SERVICES.contains(parameter.getParameter().getType());
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
        Class<?> type = parameter.getParameter().getType();
        return test.getRoot().getStore(Namespace.GLOBAL).getOrComputeIfAbsent(type, EmbeddedServices::start);
    }

    private static Object start(Class<?> type) {
        try {
            Path directory = Files.createTempDirectory(Files.createDirectories(Path.of("target", "services")), "s");
            if (type == S3Mock.class) {
                return S3Mock.start(directory);
            }
            return type == EmbeddedKafka.class ? EmbeddedKafka.start(directory, 0) : EmbeddedS3.start(directory, 0);
        } catch (Exception e) {
            throw new IllegalStateException(type.getSimpleName() + " did not start", e);
        }
    }
}
