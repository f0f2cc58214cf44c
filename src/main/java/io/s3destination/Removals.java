package io.s3destination;

import java.util.List;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.spi.ResourceReload;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** With live edits, a connector ends with its route file: of one that is gone, Camel leaves the route running. */
final class Removals {

    private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

    private Removals() {}

    /** Tells, in a context that has started, of each route that reads from Kafka when it has ended with its file. */
    static void watch(CamelContext context, Consumer<String> removed) {
        for (RouteWatcherReloadStrategy watcher : context.hasServices(RouteWatcherReloadStrategy.class)) {
            ResourceReload reload = watcher.getResourceReload();
            watcher.setResourceReload((name, resource) -> {
                for (Route route : List.copyOf(context.getRoutes())) {
                    if (route.getEndpoint() instanceof KafkaEndpoint && isGone(route)) {
                        remove(context, route.getId());
                        removed.accept(route.getId());
                        LOG.info(
                                "{} has ended with its route file; without its settings it is not missed at the next start",
                                route.getId());
                    }
                }
                reload.onReload(name, resource);
            });
        }
    }

    private static boolean isGone(Route route) {
        return route.getSourceResource() != null && !route.getSourceResource().exists();
    }

    private static void remove(CamelContext context, String route) {
        try {
            context.getRouteController().stopRoute(route);
            context.removeRoute(route);
        } catch (Exception e) {
            throw new RuntimeCamelException("The route " + route + " does not stop", e);
        }
    }
}
