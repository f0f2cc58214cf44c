package io.s3destination.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Lays the volumes of a pod out as a node of Kubernetes does. */
public final class Kubelet {

    private static final String VERSION = "..2026_01_01_00_00_00.0000000000";

    private Kubelet() {}

    /** Mounts a ConfigMap or a Secret: each key is a link through {@code ..data}, so that all change at once. */
    public static void mount(Path directory, Map<String, String> data) throws IOException {
        Path version = Files.createDirectories(directory.resolve(VERSION));
        Files.createSymbolicLink(directory.resolve("..data"), Path.of(VERSION));
        for (Map.Entry<String, String> file : data.entrySet()) {
            Files.writeString(version.resolve(file.getKey()), file.getValue());
            Files.createSymbolicLink(directory.resolve(file.getKey()), Path.of("..data", file.getKey()));
        }
    }
}
