package io.s3destination;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.camel.BindToRegistry;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.NamedNode;
import org.apache.camel.VetoCamelContextStartException;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.spi.PropertiesFunction;
import org.apache.camel.support.LifecycleStrategySupport;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Gives the routes what the settings of the connectors stand for, before the first route is built:
 *
 * <ul>
 *   <li>{@code amazonS3Client: "#s3-<resource>"}: the client of a resource, with a connection for each upload at once
 *   <li><code>{{bucket:<resource>}}</code>: the bucket of a resource
 *   <li><code>{{lowercase:<text>}}</code>: a setting in which the letter case does not matter
 *   <li>{@code executorService: <connector>}: a pool of as many threads as the connector has uploads at once
 * </ul>
 *
 * Each setting {@code connector.<name>.…} is checked first; bad ones end the start, all in one message. The clients are
 * closed when the Camel context has stopped.
 */
@BindToRegistry("connectors")
public final class Connectors implements CamelContextAware {

    private static final int DEFAULT_UPLOADS = 64;
    private static final Pattern CONNECTOR = Pattern.compile("connector\\.([^.]+)\\.(?:to|input)");
    private static final Pattern BROKER = Pattern.compile("(\\w+://)?([\\w.-]+|\\[[0-9a-fA-F:.]+]):\\d{1,5}");
    private static final Pattern RESOURCE = Pattern.compile("[\\w.-]+");
    /** Kafka's own rule, of org.apache.kafka.common.internals.Topic. */
    private static final Pattern STREAM = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}");
    /** What a key of 1,024 bytes leaves beside "-dead-letter/", stream, partition, offset and suffix. */
    private static final int MAX_FOLDER_BYTES = 700;

    private static final String COMPRESS = "compress-";

    private final Map<String, ConnectionUrl> resources = new HashMap<>();
    private CamelContext context;

    @Override
    public CamelContext getCamelContext() {
        return context;
    }

    /** @throws BadSettingsException naming each setting that is missing or wrong */
    @Override
    public void setCamelContext(CamelContext camelContext) {
        if (context != null) {
            return;
        }
        context = camelContext;
        configure();
        addFunction("bucket", this::bucket);
        addFunction("lowercase", text -> text.toLowerCase(Locale.ROOT));
        context.addLifecycleStrategy(new LifecycleStrategySupport() {
            @Override
            public void onContextStarting(CamelContext starting) throws VetoCamelContextStartException {
                checkCompressions();
            }

            @Override
            public void onContextStopped(CamelContext stopped) {
                resources.keySet().forEach(resource -> client(resource).close());
            }
        });
    }

    private void configure() {
        Settings settings = new Settings(context);
        Map<String, Integer> uploads = new HashMap<>();
        for (String connector : settings.names(CONNECTOR)) {
            String prefix = "connector." + connector + ".";
            settings.required(
                    prefix + "input", "a Kafka topic, or several as in orders,customers", Connectors::streams);
            int threads = settings.optional(
                            prefix + "uploads", "a number from 1 to 1024", DEFAULT_UPLOADS, Connectors::uploads)
                    .orElse(DEFAULT_UPLOADS);
            settings.required(prefix + "to", "the name of a resource, as in resource.<name>.url", Connectors::resource)
                    .ifPresent(resource -> {
                        settings.optional(
                                prefix + "folder", "a path such as orders/2026", resource, Connectors::folder);
                        uploads.merge(resource, threads, Integer::sum);
                    });
            context.getExecutorServiceManager()
                    .registerThreadPoolProfile(new ThreadPoolProfileBuilder(connector)
                            .poolSize(threads)
                            .maxPoolSize(threads)
                            .build());
        }
        uploads.forEach((resource, connections) -> settings.required(
                        "resource." + resource + ".url", ConnectionUrl.FORM, ConnectionUrl::parse)
                .filter(url -> !resources.containsKey(resource))
                .ifPresent(url -> {
                    resources.put(resource, url);
                    context.getRegistry().bind("s3-" + resource, S3Client.class, S3Clients.create(url, connections));
                }));
        settings.optional("camel.component.kafka.brokers", "host:port, or several as in a:9092,b:9092", "", text -> {
            List.of(text.split(",", -1))
                    .forEach(broker ->
                            check(BROKER.matcher(broker.strip()).matches(), quoted(broker) + " is no host and port"));
            return text;
        });
        settings.check();
    }

    private static String resource(String resource) {
        check(RESOURCE.matcher(resource).matches(), quoted(resource) + " is no name (letters, digits, '.', '_', '-')");
        return resource;
    }

    private static List<String> streams(String input) {
        List<String> streams = List.of(input.split(",", -1));
        for (String stream : streams) {
            check(
                    STREAM.matcher(stream).matches(),
                    quoted(stream) + " is no name of a topic (letters, digits, '.', '_', '-'; no spaces)");
        }
        return streams;
    }

    private static int uploads(String text) {
        String uploads = text.strip();
        check(uploads.matches("[0-9]{1,9}"), quoted(uploads) + " is no number");
        int number = Integer.parseInt(uploads);
        check(number >= 1 && number <= 1024, uploads + " is out of range");
        return number;
    }

    private static String folder(String folder) {
        // The component evaluates expressions in keys.
        check(!folder.contains("${"), quoted(folder) + " holds a ${");
        check(!folder.startsWith("/") && !folder.endsWith("/"), quoted(folder) + " starts or ends with a '/'");
        check(folder.getBytes(StandardCharsets.UTF_8).length <= MAX_FOLDER_BYTES, "it is longer than 700 bytes");
        return folder;
    }

    /** A compression is a route of its own: which there are is known when the routes are loaded. */
    private void checkCompressions() throws VetoCamelContextStartException {
        List<String> known =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinitions().stream()
                        .map(NamedNode::getId)
                        .filter(id -> id.startsWith(COMPRESS))
                        .map(id -> id.substring(COMPRESS.length()))
                        .sorted()
                        .toList();
        Settings settings = new Settings(context);
        for (String connector : settings.names(CONNECTOR)) {
            settings.required(
                    "connector." + connector + ".output_compression", "one of " + String.join(", ", known), text -> {
                        check(known.contains(text.toLowerCase(Locale.ROOT)), quoted(text) + " is no compression");
                        return text;
                    });
        }
        try {
            settings.check();
        } catch (BadSettingsException e) {
            throw new VetoCamelContextStartException(e.getMessage(), e, context, true);
        }
    }

    private String bucket(String resource) {
        if (!resources.containsKey(resource)) {
            // Named by an edit of the properties while the context runs.
            configure();
        }
        check(resources.containsKey(resource), "no connector stores to the resource " + quoted(resource));
        return resources.get(resource).bucket();
    }

    private S3Client client(String resource) {
        return context.getRegistry().lookupByNameAndType("s3-" + resource, S3Client.class);
    }

    private void addFunction(String name, UnaryOperator<String> function) {
        context.getPropertiesComponent().addPropertiesFunction(new PropertiesFunction() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public String apply(String remainder) {
                return function.apply(remainder);
            }
        });
    }

    /** A connection URL may stand in the wrong setting: what could be one is not repeated. */
    private static String quoted(String text) {
        return text.contains(":") ? "the value" : "'" + text + "'";
    }

    private static void check(boolean right, String fault) {
        if (!right) {
            throw new IllegalArgumentException(fault);
        }
    }
}
