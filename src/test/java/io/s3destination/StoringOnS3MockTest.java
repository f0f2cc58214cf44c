package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EditedRoutes;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.S3Mock;
import io.s3destination.embedded.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.StorageClass;
import software.amazon.awssdk.services.s3.model.Tag;

/** The suite on S3Mock, and what an edited route says of its objects: the edits are those of the README. */
@ExtendWith(EmbeddedServices.class)
class StoringOnS3MockTest extends StoringSuite {

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

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void objectsAreEncryptedWithKeysOfS3(int recordsPerObject) throws Exception {
        addParameters(recordsPerObject, "store-object", "useSSES3: true");

        assertThat(stored(recordsPerObject).serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void objectsAreEncryptedWithAKmsKey(int recordsPerObject) throws Exception {
        addParameters(recordsPerObject, "store-object", "useAwsKMS: true", "awsKMSKeyId: " + S3Mock.KMS_KEY);

        GetObjectResponse object = stored(recordsPerObject);

        assertThat(object.serverSideEncryption()).isEqualTo(ServerSideEncryption.AWS_KMS);
        assertThat(object.ssekmsKeyId()).isEqualTo(S3Mock.KMS_KEY);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void objectsHaveAStorageClass(int recordsPerObject) throws Exception {
        addParameters(recordsPerObject, "store-object", "storageClass: STANDARD_IA");

        assertThat(stored(recordsPerObject).storageClass()).isEqualTo(StorageClass.STANDARD_IA);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void deadLettersHaveAStorageClass(int recordsPerObject) throws Exception {
        addParameters(
                recordsPerObject,
                recordsPerObject == 1 ? "store-object" : "store-dead-letter",
                "storageClass: STANDARD_IA");
        produce(stream, 1, "no json");

        stored(recordsPerObject, 1);

        assertThat(objects()
                        .get("datalake-dead-letter/" + stream + "-1-0000000000")
                        .response()
                        .storageClass())
                .isEqualTo(StorageClass.STANDARD_IA);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void objectsHaveMetadataAndTags(int recordsPerObject) throws Exception {
        describe(route(recordsPerObject));

        assertThat(stored(recordsPerObject).metadata()).containsEntry("stream", stream);
        assertThat(tags(key(recordsPerObject))).containsOnly(Map.entry("team", "orders"), Map.entry("kind", "cdc"));
    }

    @Test
    void metadataOfAUserReplacesNoneOfTheChain() throws Exception {
        edited().insert(
                        "objects-to-s3",
                        "add-metadata",
                        Readme.yaml("id: describe-object")
                                .replace("stream,", "Last-Offset,77,RECORDS,5,x-amz-meta-Topic-ID,other,stream,"));

        assertThat(stored(1_000).metadata())
                .containsEntry("last-offset", "0")
                .containsEntry("records", "1")
                .doesNotContainEntry("topic-id", "other");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void deadLettersHaveMetadataAndTagsAndTheirReason(int recordsPerObject) throws Exception {
        describe("to-s3");
        produce(stream, 1, "no json");

        stored(recordsPerObject, 1);

        String letter = "datalake-dead-letter/" + stream + "-1-0000000000";
        assertThat(objects().get(letter).response().metadata())
                .containsOnly(
                        Map.entry("stream", stream), Map.entry("reason", "not JSON: malformed at line 1, column 3"));
        assertThat(tags(letter)).containsOnly(Map.entry("team", "orders"), Map.entry("kind", "cdc"));
    }

    /** Where an object is stored. */
    private static String route(int recordsPerObject) {
        return recordsPerObject == 1 ? "to-s3" : "objects-to-s3";
    }

    private String key(int recordsPerObject) {
        return "datalake/" + stream + "-0-0000000000" + (recordsPerObject == 1 ? ".gz" : ".ndjson.gz");
    }

    /** Inserts the step of the README for metadata and tags. */
    private void describe(String route) throws IOException {
        edited().insert(
                        route,
                        route.equals("to-s3") ? "validate-json" : "add-metadata",
                        Readme.yaml("id: describe-object"));
    }

    /** Adds parameters to a step that stores, as the README writes them. */
    private void addParameters(int recordsPerObject, String step, String... lines) throws IOException {
        assertThat(Files.readString(Path.of("README.md")))
                .contains(Stream.of(lines).map("`%s`"::formatted).toList());
        edited().addParameters(route(recordsPerObject), step, String.join("\n", lines));
    }

    private EditedRoutes edited() throws IOException {
        EditedRoutes routes = EditedRoutes.copied(directory);
        settings().put("camel.main.routes-include-pattern", routes.pattern());
        return routes;
    }

    private GetObjectResponse stored(int recordsPerObject) throws Exception {
        return stored(recordsPerObject, 0);
    }

    private GetObjectResponse stored(int recordsPerObject, int deadLetters) throws Exception {
        settings().put("connector.to-s3.records_per_object", String.valueOf(recordsPerObject));
        settings().put("connector.to-s3.seconds_per_object", "1");
        produce(stream, 0, "{}");
        // With many records there is the claim of the stream, too.
        runUntilStored(1 + deadLetters + (recordsPerObject == 1 ? 0 : 1));
        return objects().get(key(recordsPerObject)).response();
    }

    private Map<String, String> tags(String key) {
        return s3.client().getObjectTagging(b -> b.bucket(bucket).key(key)).tagSet().stream()
                .collect(Collectors.toMap(Tag::key, Tag::value));
    }
}
