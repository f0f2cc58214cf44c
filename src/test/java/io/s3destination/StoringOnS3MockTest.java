package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.S3Mock;
import io.s3destination.embedded.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.StorageClass;
import software.amazon.awssdk.services.s3.model.Tag;

/** The suite on S3Mock, and what an edited route says of its objects: the edits are those of the README. */
@ExtendWith(EmbeddedServices.class)
class StoringOnS3MockTest extends StoringSuite {

    private static final String PARAMETERS = "                    amazonS3Client: \"#s3-{{connector.to-s3.to}}\"\n";
    private static final String CHECK = "              - setVariable:\n                  id: validate-json\n";

    private final EmbeddedKafka kafka;
    private final S3Mock s3;

    StoringOnS3MockTest(EmbeddedKafka kafka, S3Mock s3) {
        this.kafka = kafka;
        this.s3 = s3;
    }

    @Override
    protected EmbeddedKafka kafka() {
        return kafka;
    }

    @Override
    protected S3Server s3() {
        return s3;
    }

    @Test
    void objectsAreEncryptedWithKeysOfS3() throws Exception {
        addParameters("useSSES3: true");

        assertThat(stored().serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
    }

    @Test
    void objectsAreEncryptedWithAKmsKey() throws Exception {
        addParameters("useAwsKMS: true", "awsKMSKeyId: " + S3Mock.KMS_KEY);

        GetObjectResponse object = stored();

        assertThat(object.serverSideEncryption()).isEqualTo(ServerSideEncryption.AWS_KMS);
        assertThat(object.ssekmsKeyId()).isEqualTo(S3Mock.KMS_KEY);
    }

    @Test
    void objectsHaveAStorageClass() throws Exception {
        addParameters("storageClass: STANDARD_IA");

        assertThat(stored().storageClass()).isEqualTo(StorageClass.STANDARD_IA);
    }

    @Test
    void objectsAndDeadLettersHaveMetadataAndTagsAndDeadLettersTheirReason() throws Exception {
        String readme = Files.readString(Path.of("README.md"));
        int step = readme.indexOf("              - setHeader:\n");
        edit(CHECK, readme.substring(step, readme.indexOf("```", step)) + CHECK);
        produce(stream, 1, "no json");

        GetObjectResponse object = stored(2);

        assertThat(object.metadata()).containsOnly(Map.entry("stream", stream));
        assertThat(tags("datalake/" + stream + "-0-0000000000.gz"))
                .containsOnly(Map.entry("team", "orders"), Map.entry("kind", "cdc"));
        String letter = "datalake-dead-letter/" + stream + "-1-0000000000";
        assertThat(objects().get(letter).response().metadata())
                .containsOnly(
                        Map.entry("stream", stream), Map.entry("reason", "not JSON: malformed at line 1, column 3"));
        assertThat(tags(letter)).containsOnly(Map.entry("team", "orders"), Map.entry("kind", "cdc"));
    }

    /** Adds parameters to store-object, as the README writes them. */
    private void addParameters(String... lines) throws IOException {
        for (String line : lines) {
            assertThat(Files.readString(Path.of("README.md"))).contains("`" + line + "`");
            edit(PARAMETERS, PARAMETERS + "                    " + line + "\n");
        }
    }

    /** Edits to-s3 in a copy of the shipped routes. */
    private void edit(String text, String replacement) throws IOException {
        for (RouteFile file : RouteFile.all()) {
            Path copy = directory.resolve(file.path().getFileName());
            if (Files.notExists(copy)) {
                Files.copy(file.path(), copy);
            }
        }
        Path route = directory.resolve("to-s3.camel.yaml");
        String yaml = Files.readString(route);
        assertThat(yaml).containsOnlyOnce(text);
        Files.writeString(route, yaml.replace(text, replacement));
        settings().put("camel.main.routes-include-pattern", "file:" + directory + "/*.camel.yaml");
    }

    private GetObjectResponse stored() throws Exception {
        return stored(1);
    }

    private GetObjectResponse stored(int objects) throws Exception {
        produce(stream, 0, "{}");
        runUntilStored(objects);
        return objects().get("datalake/" + stream + "-0-0000000000.gz").response();
    }

    private Map<String, String> tags(String key) {
        return s3.client().getObjectTagging(b -> b.bucket(bucket).key(key)).tagSet().stream()
                .collect(Collectors.toMap(Tag::key, Tag::value));
    }
}
