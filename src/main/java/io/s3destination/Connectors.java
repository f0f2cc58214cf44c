package io.s3destination;

import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.function.UnaryOperator;
import org.apache.camel.AsyncProducer;
import org.apache.camel.BindToRegistry;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.NamedNode;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.VetoCamelContextStartException;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.PropertiesFunction;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.support.LifecycleStrategySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
 * Camel finds a {@link ConnectorHealth} for each connector there, too.
 *
 * <p>The settings are checked first; bad ones end the start, all in one message. The clients are closed when the Camel
 * context has stopped.
 */
@BindToRegistry("connectors")
public final class Connectors implements CamelContextAware {

    private static final Logger LOG = LoggerFactory.getLogger(Connectors.class);
    private static final String COMPRESS = "compress-";
    /** So many partitions at once whose objects are looked at before they are read. */
    private static final int CHAIN_LOOKUPS = 8;

    private final Map<String, ConnectionUrl> resources = new HashMap<>();
    private final Map<String, ConnectorHealth> healths = new ConcurrentHashMap<>();
    private CamelContext context;
    private ExecutorService chainLookups;

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
        // Before the routes are built: Camel 4.17 lower-cases the names of options by the locale, and in Turkish it
        // does not know groupId. Bundle sets it sooner; `camel run`, exported projects and Camel K get here.
        Locale.setDefault(Locale.ROOT);
        OutOfMemory.endProcessOfAnyThread();
        SecretLoggers.quieten();
        configure();
        chainLookups = context.getExecutorServiceManager().newThreadPool(this, "chains", CHAIN_LOOKUPS, CHAIN_LOOKUPS);
        Metrics metrics = new Metrics(context);
        context.getRegistry().bind("metrics", metrics);
        context.getManagementStrategy().addEventNotifier(metrics);
        context.getCamelContextExtension().addInterceptStrategy(StepErrors.strategy());
        addFunction("bucket", this::bucket);
        addFunction("lowercase", text -> text.toLowerCase(Locale.ROOT));
        context.addLifecycleStrategy(new LifecycleStrategySupport() {
            @Override
            public void onContextStarting(CamelContext starting) throws VetoCamelContextStartException {
                Settings settings = new Settings(context);
                if (!settings.isExport()) {
                    checkTheRest(settings);
                    settings.names(Connector.SETTING).forEach(Connectors.this::introduce);
                }
            }

            @Override
            public void onContextStarted(CamelContext started) {
                Removals.watch(
                        context, name -> Optional.ofNullable(healths.get(name)).ifPresent(ConnectorHealth::removed));
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
        List<String> names = settings.names(Connector.SETTING);
        if (names.isEmpty()) {
            settings.fault("no connector is set up: connector.<name>.to and connector.<name>.input must be in"
                    + " application.properties, which `camel run` must be given by name");
        }
        for (String name : names) {
            Connector connector = Connector.read(name, settings);
            connector.resource().ifPresent(resource -> uploads.merge(resource, connector.uploads(), Integer::sum));
            bindPool(connector);
            ConnectorHealth health =
                    healths.computeIfAbsent(name, unused -> new ConnectorHealth(context, name, healths.keySet()));
            context.getRegistry().bind("health-" + name, HealthCheck.class, health);
        }
        uploads.forEach((resource, connections) -> settings.required(
                        "resource." + resource + ".url", ConnectionUrl.FORM, ConnectionUrl::parse)
                .filter(url -> !resources.containsKey(resource))
                .ifPresent(url -> {
                    resources.put(resource, url);
                    context.getRegistry().bind("s3-" + resource, S3Client.class, S3Clients.create(url, connections));
                }));
        Connector.checkBrokers(settings);
        settings.check();
    }

    /** Not from a profile: Camel ends such a pool with each edit of the route, and what waits in it would never end. */
    private void bindPool(Connector connector) {
        if (context.getRegistry().lookupByNameAndType(connector.name(), ExecutorService.class) == null) {
            ThreadPoolProfile pool = new ThreadPoolProfileBuilder(connector.name())
                    .poolSize(connector.uploads())
                    .maxPoolSize(connector.uploads())
                    .allowCoreThreadTimeOut(true)
                    // What waits for an upload is bounded by the limit of records in flight; the polling thread must
                    // not wait.
                    .maxQueueSize(Integer.MAX_VALUE)
                    .build();
            ExecutorService uploads = context.getExecutorServiceManager().newThreadPool(this, connector.name(), pool);
            context.getRegistry()
                    .bind(
                            connector.name(),
                            ExecutorService.class,
                            new RecordPool(uploads, connector.uploads(), System::nanoTime));
        }
    }

    /** A compression is a route of its own: which there are is known when all are loaded, as is what they call. */
    private void checkTheRest(Settings settings) throws VetoCamelContextStartException {
        List<String> known =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinitions().stream()
                        .map(NamedNode::getId)
                        .filter(id -> id.startsWith(COMPRESS))
                        .map(id -> id.substring(COMPRESS.length()))
                        .sorted()
                        .toList();
        CamelSettings.check(context, settings);
        CalledRoutes.check(context, settings);
        checkOffsetReset(settings);
        settings.names(Connector.SETTING).forEach(name -> {
            Connector.checkCompression(name, known, settings);
            CalledRoutes.checkObjects(context, name, settings);
        });
        try {
            settings.check();
        } catch (BadSettingsException e) {
            throw new VetoCamelContextStartException(e.getMessage(), e, context, true);
        }
    }

    /** With Kafka's own reset of offsets, records that it deleted would be skipped without a report. */
    private void checkOffsetReset(Settings settings) {
        for (RouteDefinition route :
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinitions()) {
            String uri = route.getInput().getEndpointUri();
            if (uri.startsWith("kafka:")
                    && context.getEndpoint(uri) instanceof KafkaEndpoint kafka
                    && kafka.getKafkaClientFactory() instanceof KafkaConsumerFactory) {
                KafkaConsumerFactory.refusal(kafka.getConfiguration().getAutoOffsetReset())
                        .ifPresent(why -> settings.fault("route " + route.getId() + ": " + why));
            }
        }
    }

    /** Identifies where a connector stores its objects. */
    String place(String connector) {
        ConnectionUrl url = resources.get(setting(connector, "to"));
        return CommitMark.place(url.endpoint().map(URI::toString).orElse(""), url.bucket(), folder(connector));
    }

    private String folder(String connector) {
        return setting(connector, "folder:" + setting(connector, "to"));
    }

    private String setting(String connector, String name) {
        return context.resolvePropertyPlaceholders("{{connector." + connector + "." + name + "}}");
    }

    /** What stores the runs of a connector, if an object holds many records by its settings. */
    Optional<RunStorage> runs(String connector, InFlightLimit limit) {
        ObjectSize size = ObjectSize.read(connector, new Settings(context));
        if (!size.isMany()) {
            return Optional.empty();
        }
        RunCodec codec = RunCodec.of(setting(connector, "output_compression")).orElseThrow();
        String resource = setting(connector, "to");
        String bucket = bucket(resource);
        S3Client client = client(resource);
        String folder = folder(connector);
        return Optional.of(new RunStorage(
                connector,
                size,
                codec,
                folder,
                new ChainObjects(client, bucket, folder, codec),
                (stream, topicId) -> new ChainClaim(client, bucket, folder, stream, codec, topicId),
                (RecordPool) context.getRegistry().lookupByNameAndType(connector, ExecutorService.class),
                objectsRoute(connector),
                limit,
                stream -> context.getRegistry()
                        .lookupByNameAndType("metrics", Metrics.class)
                        .of(connector, stream),
                chainLookups,
                ShippedSteps.areShipped(context, connector)));
    }

    private AsyncProducer objectsRoute(String connector) {
        try {
            AsyncProducer route =
                    context.getEndpoint("direct:" + ObjectSize.route(connector)).createAsyncProducer();
            route.start();
            return route;
        } catch (Exception e) {
            throw new RuntimeCamelException(e);
        }
    }

    private void introduce(String connector) {
        LOG.info(context.resolvePropertyPlaceholders(String.format(
                Locale.ROOT,
                "%1$s stores {{connector.%1$s.input}} in s3://{{bucket:{{connector.%1$s.to}}}}/"
                        + "{{connector.%1$s.folder:{{connector.%1$s.to}}}}, compression"
                        + " {{lowercase:{{connector.%1$s.output_compression}}}}",
                connector)));
    }

    private String bucket(String resource) {
        if (!resources.containsKey(resource)) {
            // Named by an edit of the properties while the context runs.
            configure();
        }
        if (!resources.containsKey(resource)) {
            throw new IllegalArgumentException("no connector stores to the resource '" + resource + "'");
        }
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
}
