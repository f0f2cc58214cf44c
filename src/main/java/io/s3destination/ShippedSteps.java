package io.s3destination;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.model.AggregateDefinition;
import org.apache.camel.model.Model;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Recognises a route in which records take the shipped steps alone: those can take records that were read together as one,
 * which costs a tenth. Any other step gets each record by itself, as in a route of Camel's own.
 */
final class ShippedSteps {

    private static final Logger LOG = LoggerFactory.getLogger(ShippedSteps.class);

    /** How Camel writes them; of the folder no more is needed, since objects of many records do not use that variable. */
    private static final List<String> SHIPPED = List.of(
            "process[ref:in-flight]",
            "SetVariable[folder, ",
            "SetVariable[object, simple{${header[kafka.TOPIC]}-${header[kafka.PARTITION]}-${bean:offset?method=padded}}]",
            "Choice[[When[simple{${body} == null} -> [SetBody[constant{null}]]]]]",
            "SetVariable[fault, bean[ref:json method:validate]]");

    private ShippedSteps() {}

    /** Whether the steps of a record in the route of a connector, up to the one that adds it to a run, are as shipped. */
    static boolean areShipped(CamelContext context, String connector) {
        RouteDefinition route =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinition(connector);
        boolean areShipped = route != null && areShipped(route.getOutputs());
        if (!areShipped) {
            LOG.info(
                    "{}: the route has steps of its own for a record, which take each record by itself: some 0.05 ms of CPU a"
                            + " record",
                    connector);
        }
        return areShipped;
    }

    private static boolean areShipped(List<ProcessorDefinition<?>> steps) {
        List<ProcessorDefinition<?>> own = steps.stream()
                .filter(step -> !(step instanceof OnExceptionDefinition))
                .toList();
        if (own.size() != 1 || !(own.get(0) instanceof AggregateDefinition dispatch)) {
            return false;
        }
        List<String> each = dispatch.getOutputs().stream().map(Object::toString).toList();
        for (int n = 0; n < SHIPPED.size(); n++) {
            if (n >= each.size() || !each.get(n).startsWith(SHIPPED.get(n))) {
                return false;
            }
        }
        return each.size() > SHIPPED.size() && each.get(SHIPPED.size()).contains("-> [Bean[ref:run method:add], Stop]");
    }
}
