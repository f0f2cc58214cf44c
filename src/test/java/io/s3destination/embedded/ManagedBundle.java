package io.s3destination.embedded;

import io.s3destination.Bundle;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Set;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.camel.console.DevConsole;
import org.apache.camel.console.DevConsoleRegistry;
import org.apache.camel.main.Main;

/** The bundle with JMX and Camel's dev consoles; on a line from its input it writes all that they show, and ends. */
public final class ManagedBundle {

    /** They show nothing of their own: one sends a message into a route, the other reads an endpoint. */
    private static final Set<String> ACTING = Set.of("send", "receive");

    private static final MBeanServer JMX = ManagementFactory.getPlatformMBeanServer();

    private ManagedBundle() {}

    public static void main(String[] args) throws Exception {
        try {
            Main main = Bundle.configured();
            main.addOverrideProperty("camel.main.dev-console-enabled", "true");
            main.addOverrideProperty("camel.main.jmx-management-statistics-level", "Extended");
            main.start();
            System.in.read();
            showConsoles(main);
            for (ObjectName bean : JMX.queryNames(null, null)) {
                show(bean);
            }
            System.out.println("all shown");
        } finally {
            // Threads of the bundle would outlive a failure here.
            Runtime.getRuntime().halt(0);
        }
    }

    private static void showConsoles(Main main) {
        main.getCamelContext().getCamelContextExtension().getContextPlugin(DevConsoleRegistry.class).stream()
                .filter(console -> !ACTING.contains(console.getId()))
                .forEach(console -> Arrays.stream(DevConsole.MediaType.values())
                        .filter(console::supportMediaType)
                        .forEach(type -> System.out.println(
                                "console " + console.getId() + " " + type + ": " + console.call(type))));
    }

    /** All attributes, and what the operations that dump something answer. */
    private static void show(ObjectName bean) throws JMException {
        MBeanInfo info = JMX.getMBeanInfo(bean);
        for (MBeanAttributeInfo attribute : info.getAttributes()) {
            for (Attribute read :
                    JMX.getAttributes(bean, new String[] {attribute.getName()}).asList()) {
                System.out.println(
                        bean + " " + read.getName() + " = " + Arrays.deepToString(new Object[] {read.getValue()}));
            }
        }
        for (MBeanOperationInfo operation : info.getOperations()) {
            if (operation.getSignature().length == 0 && operation.getName().startsWith("dump")) {
                System.out.println(bean + " " + operation.getName() + "(): " + dump(bean, operation.getName()));
            }
        }
    }

    /** Some dumps need a library that is not there, such as camel-yaml-io. */
    private static Object dump(ObjectName bean, String operation) {
        try {
            return JMX.invoke(bean, operation, new Object[0], new String[0]);
        } catch (JMException e) {
            return e.getCause();
        }
    }
}
