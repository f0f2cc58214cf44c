package io.s3destination.local;

import io.s3destination.Bundle;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.S3Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.camel.main.Main;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * {@code mvn -Plocal}: the shipped routes and properties between a real Kafka broker and a real S3 server in this JVM,
 * with change events on the stream. Runs until it is interrupted, or until the number of records given as its argument
 * is stored; then every object is compared with what was produced, and the exit code tells.
 */
public final class Local {

    private static final String STREAM = "resource-5-499379.public.orders";
    private static final String RESOURCE = "resource-7-133274";
    private static final String BUCKET = "data-lake-bucket";
    private static final int PARTITIONS = 4;
    private static final int BACKLOG = 1_000;
    private static final Path DIRECTORY = Path.of("target", "local");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final long records;
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final Main bundle;
    /** What was produced, by the name that its object must have; kept only if it is compared in the end. */
    private final Map<String, byte[]> produced = new ConcurrentHashMap<>();

    private final CountDownLatch done = new CountDownLatch(1);
    private final CountDownLatch interrupted;
    private volatile long sent;

    private Local(long records, EmbeddedKafka kafka, EmbeddedS3 s3, CountDownLatch interrupted) {
        this.interrupted = interrupted;
        this.records = records;
        this.kafka = kafka;
        this.s3 = s3;
        bundle = Bundle.configured();
        bundle.addOverrideProperty("camel.component.kafka.brokers", kafka.brokers());
        bundle.addOverrideProperty("resource." + RESOURCE + ".url", s3.connectionUrl(BUCKET));
        bundle.addOverrideProperty("camel.management.enabled", "false");
        bundle.addOverrideProperty("connector.to-s3.to", RESOURCE);
        bundle.addOverrideProperty("connector.to-s3.input", STREAM);
        bundle.configure()
                .withRoutesReloadEnabled(true)
                .withRoutesReloadDirectory("routes")
                .withRoutesReloadPattern("*.camel.yaml");
    }

    public static void main(String[] args) throws Exception {
        long records = records(args[0]);
        CountDownLatch interrupted = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            interrupted.countDown();
            try {
                ended.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        delete(DIRECTORY);
        boolean right;
        try (EmbeddedKafka kafka = EmbeddedKafka.start(DIRECTORY.resolve("kafka"), usualIfFree(9092));
                EmbeddedS3 s3 = EmbeddedS3.start(DIRECTORY.resolve("s3"), usualIfFree(9000))) {
            kafka.createStream(STREAM, PARTITIONS);
            s3.createBucket(BUCKET);
            right = new Local(records, kafka, s3, interrupted).run();
        } finally {
            ended.countDown();
        }
        if (interrupted.getCount() > 0) {
            System.exit(right ? 0 : 1);
        }
    }

    private static long records(String text) {
        if (!text.matches("[0-9]{1,9}")) {
            System.err.println(
                    "-Dlocal.records=" + text + " is no number of records, such as 1000; 0 runs until Ctrl-C");
            System.exit(1);
        }
        return Long.parseLong(text);
    }

    /** Whether all is as it should be: so far if it was interrupted, in the end otherwise. */
    private boolean run() throws Exception {
        bundle.start();
        sayWhatRunsWhere();
        Thread source = new Thread(this::produce, "source");
        source.start();
        follow();
        done.countDown();
        source.join();
        bundle.stop();
        if (interrupted.getCount() == 0) {
            System.out.printf("%nStopped: %,d produced, %,d stored.%n", sent, stored());
            return true;
        }
        return compare();
    }

    private void sayWhatRunsWhere() {
        String aws = "AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_REGION=%s aws --endpoint-url %s s3"
                .formatted(EmbeddedS3.OWNER_KEY, EmbeddedS3.OWNER_SECRET, EmbeddedS3.REGION, s3.endpoint());
        String first = "s3://%s/%s/%s-0-0000000000.gz".formatted(BUCKET, RESOURCE, STREAM);
        System.out.printf(
                """

                s3-destination runs on this machine alone:
                  Kafka      %s, stream %s, %d partitions
                  S3         %s, bucket %s, objects as files in %s
                  connector  to-s3, as in routes/ and application.properties: edit a route, it takes effect at once

                Look at what is stored:
                  %s ls s3://%s/%s/
                  %s cp %s - | gunzip
                  gunzip -c %s
                Look at the stream, and add to it:
                  kcat -b %s -t %s -C -o -5 -e
                  echo '{"schema":null,"payload":{"op":"c"}}' | kcat -b %s -t %s -P
                %s

                """,
                kafka.brokers(),
                STREAM,
                PARTITIONS,
                s3.endpoint(),
                BUCKET,
                DIRECTORY.resolve("s3").resolve(BUCKET),
                aws,
                BUCKET,
                RESOURCE,
                aws,
                first,
                DIRECTORY.resolve("s3").resolve(BUCKET).resolve(RESOURCE).resolve(STREAM + "-0-0000000000.gz"),
                kafka.brokers(),
                STREAM,
                kafka.brokers(),
                STREAM,
                records > 0 ? "Stops when %,d records are stored.".formatted(records) : "Ctrl-C ends it.");
    }

    /** A backlog at once, then a few records a second; all at once if the run has an end. */
    private void produce() {
        ChangeEvents events = new ChangeEvents(STREAM, PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer()) {
            for (long n = 0; records == 0 || n < records; n++) {
                if (records == 0 && n >= BACKLOG && done.await(250, TimeUnit.MILLISECONDS)) {
                    return;
                }
                ProducerRecord<byte[], byte[]> event = events.event(n);
                producer.send(event, (place, fault) -> {
                    if (fault == null && records > 0) {
                        produced.put(
                                "%s-%d-%010d".formatted(STREAM, place.partition(), place.offset()),
                                event.value() == null ? "null".getBytes(StandardCharsets.UTF_8) : event.value());
                    }
                });
                sent = n + 1;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long stored() {
        return new HashSet<>(s3.puts(BUCKET)).size();
    }

    /** Says every few seconds how far it is, until all is stored or somebody interrupts. */
    private void follow() throws InterruptedException {
        long started = System.nanoTime();
        long last = 0;
        while (true) {
            boolean stop = interrupted.await(records > 0 ? 1 : 5, TimeUnit.SECONDS);
            long stored = stored();
            System.out.printf(
                    "stored %,d, %,.0f records/s, %,d behind%n",
                    stored, (stored - last) / (records > 0 ? 1.0 : 5.0), Math.max(0, sent - stored));
            last = stored;
            boolean late = System.nanoTime() - started > PATIENCE.toNanos() + records * 10_000_000L;
            if (stop || records > 0 && (stored >= records || late)) {
                return;
            }
        }
    }

    /** Every object against what was produced: says what is missing, different or too many. */
    private boolean compare() {
        Map<String, byte[]> missing = new TreeMap<>(produced);
        List<String> differences = new ArrayList<>();
        s3.objects(BUCKET).forEach((key, object) -> {
            String name = key.replaceFirst("^" + RESOURCE + "/(.*)\\.gz$", "$1");
            byte[] value = missing.remove(name);
            if (value == null) {
                differences.add("not produced: " + key);
            } else if (!Arrays.equals(value, S3Server.unzipped(object.asByteArray()))) {
                differences.add("different:    " + key);
            }
        });
        missing.keySet().forEach(name -> differences.add("missing:      " + RESOURCE + "/" + name + ".gz"));
        differences.stream().limit(20).forEach(System.out::println);
        System.out.printf(
                "%n%s: %,d records produced, %,d objects read back and compared, %,d differences%n",
                differences.isEmpty() ? "OK" : "FAILED",
                produced.size(),
                produced.size() - missing.size(),
                differences.size());
        return differences.isEmpty();
    }

    private static int usualIfFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            return 0;
        }
    }

    private static void delete(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
