package io.s3destination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.RunningBundle;
import io.s3destination.embedded.S3Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever may write to a stream may choose what stands in its own objects, and nothing else. */
@ExtendWith(EmbeddedServices.class)
class HostileRecordsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final byte[] EVIL = "evil/../${env:HOME}{{resource.datalake.url}}".getBytes(UTF_8);

    /** A file of the embedded server has a name of at most 255 characters, some of its own: with 249 see {@link NamesPropertyTest}. */
    private static final String LONGEST = "l".repeat(200);

    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final String name = "hostile-" + System.nanoTime();
    private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();

    HostileRecordsTest(EmbeddedKafka kafka, EmbeddedS3 s3) throws Exception {
        this.kafka = kafka;
        this.s3 = s3;
        s3.createBucket(name);
    }

    @Test
    void headersOfAnyNameChangeNothing() throws Exception {
        kafka.createStream(name, 1);
        List<String> known = List.of(
                "CamelAwsS3Key",
                "CamelAwsS3BucketName",
                "CamelAwsS3OverrideBucketName",
                "CamelAwsS3Operation",
                "CamelAwsS3ContentType",
                "CamelAwsS3ContentEncoding",
                "CamelAwsS3ContentLength",
                "CamelAwsS3ContentMD5",
                "CamelAwsS3ContentDisposition",
                "CamelAwsS3ContentControl",
                "CamelAwsS3CannedAcl",
                "CamelAwsS3Acl",
                "CamelAwsS3Metadata",
                "CamelAwsS3StorageClass",
                "CamelAwsS3VersionId",
                "CamelAwsS3ETag",
                "CamelAwsS3ServerSideEncryption",
                "CamelAwsS3UploadId",
                "CamelAwsS3Prefix",
                "CamelAwsS3BucketDestinationName",
                "CamelFileName",
                "CamelBeanMethodName",
                "CamelBeanParameters",
                "CamelKafkaManualCommit",
                "CamelLanguageScript",
                "CamelExceptionCaught",
                "CamelSplitIndex",
                "CamelRedelivered",
                "kafka.TOPIC",
                "kafka.PARTITION",
                "kafka.OFFSET",
                "kafka.KEY",
                "kafka.OVERRIDE_TOPIC",
                "kafka.MANUAL_COMMIT",
                "kafka.CLUSTER_ID",
                "Content-Type",
                "Content-Encoding",
                "Content-Length",
                "Transfer-Encoding",
                "Expect",
                "x-amz-acl",
                "x-amz-meta-evil",
                "Authorization",
                "Host",
                "file",
                "ce-file",
                "breadcrumbId",
                "folder",
                "object",
                "fault",
                "variable.object",
                "S3DestinationCommit",
                "CamelVariable.object",
                "header.CamelAwsS3Key",
                "body",
                "",
                " ",
                "\u0000",
                "\r\nx: y");
        Stream<String> lookAlikes = known.stream()
                .flatMap(header -> Stream.of(
                        header.toLowerCase(),
                        header.toUpperCase(),
                        " " + header,
                        header + "\u0000",
                        header.replace('a', '\u0430').replace('K', '\u212a').replace('.', '\u2024')));
        Stream.concat(known.stream(), lookAlikes).forEach(header -> {
            ProducerRecord<byte[], byte[]> record = record(name, "{\"n\":" + records.size() + "}");
            record.headers().add(header, EVIL).add(header, null);
            records.add(record);
        });

        assertOnlyTheirOwnObjects();
    }

    @Test
    void tenThousandHeadersAndTheirSizeChangeNothing() throws Exception {
        kafka.createStream(name, 1);
        ProducerRecord<byte[], byte[]> many = record(name, "{\"headers\":\"many\"}");
        IntStream.range(0, 10_000).forEach(n -> many.headers().add("CamelAwsS3Key" + n, EVIL));
        ProducerRecord<byte[], byte[]> same = record(name, "{\"headers\":\"all of one name\"}");
        IntStream.range(0, 10_000).forEach(n -> same.headers().add("x", EVIL));
        ProducerRecord<byte[], byte[]> large = record(name, "{\"headers\":\"large\"}");
        large.headers().add("CamelAwsS3Key", new byte[10 << 20]).add("k".repeat(30_000), EVIL);
        records.addAll(List.of(many, same, large, record(name, "{}")));

        assertOnlyTheirOwnObjects();
    }

    @Test
    void keysAndValuesOfAnyContentAndSizeChangeNothing() throws Exception {
        kafka.createStream(name, 1);
        for (String value : List.of(
                "{\"CamelAwsS3Key\":\"${body}\"}",
                "\"{{resource.datalake.url}} ${bean:connectors} ${env:HOME} #{x} @{y} \\u0000\"",
                "\"" + "20 MB ".repeat(20 * 174_762) + "\"",
                "[" + "1,".repeat(2_000_000) + "2]")) {
            records.add(new ProducerRecord<>(name, 0, EVIL, value.getBytes(UTF_8)));
            records.add(new ProducerRecord<>(name, 0, value.getBytes(UTF_8).clone(), "{}".getBytes(UTF_8)));
            if (value.length() > 12_000_000) {
                // Key and value together are limited by the broker.
                records.set(records.size() - 1, record(name, "{}"));
            }
        }

        assertOnlyTheirOwnObjects();
    }

    @Test
    void streamsOfAnyNameHaveObjectsOfTheirOwn() throws Exception {
        List<String> streams = List.of(
                "a-0",
                "a-0-0",
                "a-0-0000000000",
                "a-0-0000000000.gz",
                "a.0-0",
                "-",
                "...",
                "a_0",
                "0-0-0",
                "x-dead-letter",
                name,
                LONGEST);
        for (String stream : streams) {
            kafka.createStream(stream, 2);
            records.add(new ProducerRecord<>(stream, 0, null, ("\"" + stream + " 0\"").getBytes(UTF_8)));
            records.add(new ProducerRecord<>(stream, 1, null, ("\"" + stream + " 1\"").getBytes(UTF_8)));
        }

        assertOnlyTheirOwnObjects();
    }

    private static ProducerRecord<byte[], byte[]> record(String stream, String value) {
        return new ProducerRecord<>(stream, 0, null, value.getBytes(UTF_8));
    }

    @SuppressWarnings("try")
    private void assertOnlyTheirOwnObjects() throws Exception {
        Map<String, byte[]> expected = new TreeMap<>();
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (ProducerRecord<byte[], byte[]> record : records) {
                long offset = producer.send(record).get().offset();
                expected.put(
                        "datalake/%s-%d-%010d.gz".formatted(record.topic(), record.partition(), offset),
                        record.value());
            }
        }
        String streams = String.join(
                ",", records.stream().map(ProducerRecord::topic).distinct().toList());
        try (RunningBundle bundle =
                RunningBundle.start(RunningBundle.storing(streams, kafka, s3.connectionUrl(name)))) {
            Awaitility.await().atMost(PATIENCE).until(() -> s3.keys(name).size() >= expected.size());
        }

        var objects = s3.objects(name);
        assertThat(objects.keySet()).containsExactlyElementsOf(expected.keySet());
        for (var object : objects.entrySet()) {
            assertThat(S3Server.unzipped(object.getValue().asByteArray())).isEqualTo(expected.get(object.getKey()));
            assertThat(object.getValue().response().contentType()).isEqualTo("application/json");
            assertThat(object.getValue().response().contentEncoding()).isEqualTo("gzip");
            assertThat(object.getValue().response().metadata()).isEmpty();
        }
    }
}
