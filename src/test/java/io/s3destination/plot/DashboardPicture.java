package io.s3destination.plot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.s3destination.embedded.BundleProcess;
import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.EmbeddedServices;
import io.s3destination.embedded.FaultyProxy;
import io.s3destination.embedded.FaultyProxy.Fault;
import io.s3destination.embedded.Ledger;
import io.s3destination.embedded.Scrape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Draws docs/dashboard.svg: the panels of the Grafana dashboard over the scrapes of a run of three minutes with many records
 * per object, in the second of which S3 is overloaded. {@code mvn verify -Dit.test=DashboardPicture -Dtest=None -Dsurefire.failIfNoSpecifiedTests=false}
 */
@ExtendWith(EmbeddedServices.class)
class DashboardPicture {

    private static final int SCRAPES = 90;
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    /** Scrapes that a rate is of. */
    private static final int WINDOW = 8;

    @Test
    void draw(EmbeddedKafka kafka, EmbeddedS3 s3, @TempDir Path directory) throws Exception {
        List<Scrape> scrapes = new ArrayList<>();
        Ledger ledger = new Ledger(kafka, s3, "public.orders", "data-lake-bucket", "public.orders");
        ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
        try (FaultyProxy proxy = new FaultyProxy(s3.endpoint(), 1);
                BundleProcess bundle = new BundleProcess(directory)
                        .storing("public.orders", kafka, s3.connectionUrl("data-lake-bucket", proxy.endpoint()))
                        .withProperty("connector.to-s3.records_per_object", "200")
                        .withProperty("connector.to-s3.seconds_per_object", "2")
                        .start()) {
            proxy.delay(Duration.ofMillis(30));
            clock.scheduleAtFixedRate(() -> produce(ledger), 0, 1, TimeUnit.SECONDS);
            clock.schedule(() -> proxy.fail(Fault.SLOW_DOWN), 70, TimeUnit.SECONDS);
            clock.schedule(proxy::fix, 100, TimeUnit.SECONDS);
            clock.scheduleAtFixedRate(() -> scrape(bundle, scrapes), 15, INTERVAL.toSeconds(), TimeUnit.SECONDS);
            clock.awaitTermination(15 + SCRAPES * INTERVAL.toSeconds(), TimeUnit.SECONDS);
        } finally {
            clock.shutdownNow();
        }
        Files.writeString(Path.of("docs", "dashboard.svg"), Chart.page(charts(List.copyOf(scrapes))));
    }

    private static List<Chart> charts(List<Scrape> scrapes) throws Exception {
        List<Chart> charts = new ArrayList<>();
        for (JsonNode panel : new ObjectMapper()
                .readTree(Path.of("deploy", "grafana", "s3-destination.json").toFile())
                .get("panels")) {
            Map<String, List<double[]>> series = new TreeMap<>();
            for (JsonNode target : panel.get("targets")) {
                for (int n = WINDOW; n < scrapes.size(); n++) {
                    double second = (n - WINDOW) * INTERVAL.toSeconds();
                    Query.evaluate(
                                    target.get("expr").asText(),
                                    new Query.Moment(
                                            scrapes.get(n), scrapes.get(n - WINDOW), WINDOW * INTERVAL.toSeconds()))
                            .forEach((labels, value) -> {
                                if (Double.isFinite(value)) {
                                    series.computeIfAbsent(
                                                    name(
                                                            target.get("legendFormat")
                                                                    .asText(),
                                                            labels),
                                                    name -> new ArrayList<>())
                                            .add(new double[] {second, value});
                                }
                            });
                }
            }
            charts.add(new Chart(
                    panel.get("title").asText(),
                    panel.at("/fieldConfig/defaults/unit").asText(),
                    "s",
                    List.of(),
                    series));
        }
        return charts;
    }

    private static String name(String legend, Map<String, String> labels) {
        String name = legend;
        for (Map.Entry<String, String> label : labels.entrySet()) {
            name = name.replace("{{" + label.getKey() + "}}", label.getValue());
        }
        return name.replace("{{instance}}", "this process");
    }

    private static void produce(Ledger ledger) {
        try {
            ledger.produce(200);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void scrape(BundleProcess bundle, List<Scrape> scrapes) {
        try {
            scrapes.add(Scrape.of(bundle.get("/observe/metrics").body()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
