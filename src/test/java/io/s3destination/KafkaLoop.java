package io.s3destination;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * What many records per object cost at least: nothing but Kafka's consumers with the fetch settings of the route, and the
 * bundle's own validation, compression and S3 client. For each line from its input, {@code <consumers> <from> <to>}, it stores
 * the records of each partition from one offset to before the other, and answers when they are stored.
 */
public final class KafkaLoop {

    private static final Pattern SETTING =
            Pattern.compile("(isolationLevel|maxPollRecords|fetchMaxBytes|maxPartitionFetchBytes): (\\w+)");

    private final S3Client s3;
    private final String bucket;
    private final RunCodec codec;
    private final int recordsPerObject;
    private final Json json = new Json();
    private final ExecutorService threads;

    private KafkaLoop(S3Client s3, String bucket, RunCodec codec, int recordsPerObject, ExecutorService threads) {
        this.s3 = s3;
        this.bucket = bucket;
        this.codec = codec;
        this.recordsPerObject = recordsPerObject;
        this.threads = threads;
    }

    /** @param args the connection URL, the compression, the records per object, the route, the brokers, the stream */
    public static void main(String[] args) throws Exception {
        ConnectionUrl url = ConnectionUrl.parse(args[0]);
        Map<String, Object> settings = settings(Path.of(args[3]));
        settings.put("bootstrap.servers", args[4]);
        List<KafkaConsumer<byte[], byte[]>> consumers = new ArrayList<>();
        ExecutorService threads = Executors.newCachedThreadPool();
        try (S3Client s3 = S3Clients.create(url, 64);
                BufferedReader commands =
                        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            RunCodec codec = RunCodec.of(args[1]).orElseThrow();
            KafkaLoop loop = new KafkaLoop(s3, url.bucket(), codec, Integer.parseInt(args[2]), threads);
            System.out.println("ready");
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] command = line.split(" ");
                int count = Integer.parseInt(command[0]);
                while (consumers.size() < count) {
                    consumers.add(
                            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
                }
                List<Future<?>> running = new ArrayList<>();
                for (int n = 0; n < count; n++) {
                    KafkaConsumer<byte[], byte[]> consumer = consumers.get(n);
                    List<TopicPartition> partitions = share(consumer, args[5], n, count);
                    running.add(threads.submit(() -> {
                        loop.store(consumer, partitions, Long.parseLong(command[1]), Long.parseLong(command[2]));
                        return null;
                    }));
                }
                for (Future<?> thread : running) {
                    thread.get();
                }
                System.out.println("done");
            }
        }
        threads.shutdown();
    }

    private static Map<String, Object> settings(Path route) throws IOException {
        Map<String, Object> settings = new HashMap<>();
        for (MatchResult setting :
                SETTING.matcher(Files.readString(route)).results().toList()) {
            settings.put(setting.group(1).replaceAll("([A-Z])", ".$1").toLowerCase(Locale.ROOT), setting.group(2));
        }
        return settings;
    }

    private static List<TopicPartition> share(KafkaConsumer<?, ?> consumer, String stream, int n, int count) {
        return IntStream.range(0, consumer.partitionsFor(stream).size())
                .filter(partition -> partition % count == n)
                .mapToObj(partition -> new TopicPartition(stream, partition))
                .toList();
    }

    private void store(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long from, long to)
            throws IOException {
        consumer.assign(partitions);
        partitions.forEach(partition -> consumer.seek(partition, from));
        Map<TopicPartition, Run> runs = new HashMap<>();
        partitions.forEach(partition -> runs.put(partition, new Run(partition)));
        for (int left = partitions.size(); left > 0; ) {
            for (ConsumerRecord<byte[], byte[]> read : consumer.poll(Duration.ofMillis(100))) {
                if (runs.get(new TopicPartition(read.topic(), read.partition())).add(read) && read.offset() + 1 == to) {
                    left--;
                }
            }
        }
        runs.values().forEach(run -> run.stored.join());
    }

    /** What comes next of a partition. */
    private final class Run {

        private final TopicPartition partition;
        private RunContent content = new RunContent(codec, 0, unused -> {});
        private long start;
        /** The object before, which is sent while this one is read. */
        private CompletableFuture<Void> stored = CompletableFuture.completedFuture(null);

        Run(TopicPartition partition) {
            this.partition = partition;
        }

        /** @return whether that completed an object */
        boolean add(ConsumerRecord<byte[], byte[]> read) throws IOException {
            String fault = json.fault(read.value());
            if (fault != null) {
                throw new IllegalStateException(read.topic() + " holds what is " + fault);
            }
            if (content.lines() == 0) {
                start = read.offset();
            }
            content.line(read.value()).ifPresent(Runnable::run);
            if ((read.offset() + 1) % recordsPerObject != 0) {
                return false;
            }
            stored.join();
            RunContent complete = content;
            long first = start;
            stored = CompletableFuture.runAsync(() -> put(first, read.offset(), complete), threads);
            content = new RunContent(codec, 0, unused -> {});
            return true;
        }

        private void put(long first, long last, RunContent complete) {
            s3.putObject(
                    object -> object.bucket(bucket)
                            .key("loop/" + ChainObjects.name(partition, first) + codec.suffix())
                            .ifNoneMatch("*")
                            .contentType("application/x-ndjson")
                            .contentEncoding(codec.contentEncoding().orElse(null))
                            .metadata(Map.of(
                                    ChainObjects.RECORDS, String.valueOf(complete.lines()),
                                    ChainObjects.LAST_OFFSET, String.valueOf(last))),
                    RequestBody.fromBytes(complete.finish()));
        }
    }
}
