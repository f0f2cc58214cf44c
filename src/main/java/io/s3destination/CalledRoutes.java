package io.s3destination;

import static java.util.stream.Collectors.toSet;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDefinition;

/** The routes and route configurations that routes name: Camel starts without them, and misses them at the first fault. */
final class CalledRoutes {

    private static final String DIRECT = "direct:";

    private CalledRoutes() {}

    /** Checks that the route is there that stores objects of many records, where a connector makes such. */
    static void checkObjects(CamelContext context, String connector, Settings settings) {
        String route = ObjectSize.route(connector);
        Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
        if (ObjectSize.read(connector, settings).isMany() && model.getRouteDefinition(route) == null) {
            settings.fault("there is no route '" + route + "', which connector." + connector
                    + ".records_per_object above 1 needs: copy routes/objects-to-s3.camel.yaml for it");
        }
    }

    /** Checks that they are there; what is missing is noted in {@code settings}. */
    static void check(CamelContext context, Settings settings) {
        Model model = context.getCamelContextExtension().getContextPlugin(Model.class);
        List<RouteDefinition> routes = model.getRouteDefinitions();
        Set<String> inputs =
                routes.stream().map(route -> route.getInput().getEndpointUri()).collect(toSet());
        Set<String> missing = new TreeSet<>();
        for (RouteDefinition route : routes) {
            String policy = route.getRouteConfigurationId();
            if (policy != null && model.getRouteConfigurationDefinition(policy) == null) {
                missing.add(policy);
            }
            // Those with a placeholder are compressions, which are checked with their setting.
            ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), ToDefinition.class).stream()
                    .map(ToDefinition::getUri)
                    .filter(uri -> uri.startsWith(DIRECT) && !uri.contains("{{") && !inputs.contains(uri))
                    .forEach(uri -> missing.add(uri.substring(DIRECT.length())));
        }
        missing.forEach(route -> settings.fault(
                "there is no route '" + route + "', which others call: its file is missing among the route files"));
    }
}
