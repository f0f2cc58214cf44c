package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.io.IOException;
import java.util.Properties;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

class ConnectorsTest {

    private static final String URL = "s3://KEY:sesame/Open+Now@eu-west-1/data-lake-bucket";

    private final DefaultCamelContext context = new DefaultCamelContext();

    @BeforeEach
    void rightSettings() {
        set("resource.datalake.url", URL);
        set("connector.to-s3.to", "datalake");
        set("connector.to-s3.input", "orders,public.customers");
        set("connector.to-s3.output_compression", "GZIP");
    }

    @AfterEach
    void close() throws IOException {
        context.close();
    }

    @Test
    void clientOfTheResourceIsBound() {
        configure();

        S3Client client = context.getRegistry().lookupByNameAndType("s3-datalake", S3Client.class);
        assertThat(client.serviceClientConfiguration().region()).isEqualTo(Region.EU_WEST_1);
    }

    @Test
    void routesReadBucketAndLowerCaseText() {
        configure();

        assertThat(context.resolvePropertyPlaceholders("{{bucket:{{connector.to-s3.to}}}}"))
                .isEqualTo("data-lake-bucket");
        assertThat(context.resolvePropertyPlaceholders("{{lowercase:{{connector.to-s3.output_compression}}}}"))
                .isEqualTo("gzip");
    }

    @Test
    void bucketOfAResourceNamedWhileRunningIsRead() {
        configure();

        set("resource.archive.url", "s3://eu-west-1/archive-bucket");
        set("connector.to-s3.to", "archive");

        assertThat(context.resolvePropertyPlaceholders("{{bucket:archive}}")).isEqualTo("archive-bucket");
    }

    @Test
    void bucketOfAResourceThatNoConnectorStoresToIsRefused() {
        configure();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> context.resolvePropertyPlaceholders("{{bucket:nowhere}}"))
                .withMessageContaining("'nowhere'");
    }

    @Test
    void missingUrlIsNamedWithItsVariableSettingAndForm() {
        set("resource.datalake.url", "{{env:DATALAKE_URL_THAT_IS_NOT_SET}}");

        assertRefused("DATALAKE_URL_THAT_IS_NOT_SET (resource.datalake.url) is not set: it must be "
                + "s3://ACCESS_KEY:ACCESS_SECRET@REGION/BUCKET");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            resource.datalake.url   | s3://KEY:sesame@eu-west-1  | the bucket is missing
            resource.datalake.url   | ' '                        | is not set: it must be s3://
            connector.to-s3.to      | data lake                  | 'data lake' is no name
            connector.to-s3.to      | ''                         | is not set: it must be the name of a resource
            connector.to-s3.input   | {{env:STREAM_NOT_SET}}     | STREAM_NOT_SET (connector.to-s3.input) is not set
            connector.to-s3.input   | orders, customers          | ' customers' is no name of a topic
            connector.to-s3.input   | orders,                    | '' is no name of a topic
            connector.to-s3.input   | orders/eu                  | 'orders/eu' is no name of a topic
            connector.to-s3.input   | ..                         | '..' is no name of a topic
            connector.to-s3.input_is_pattern | yes               | 'yes' is neither. It must be true or false
            connector.to-s3.folder  | a${b}                      | 'a${b}' holds a ${
            connector.to-s3.folder  | /orders                    | '/orders' starts or ends with a '/'
            connector.to-s3.folder  | orders/                    | 'orders/' starts or ends with a '/'
            connector.to-s3.uploads | many                       | 'many' is no number
            connector.to-s3.uploads | -1                         | '-1' is no number
            connector.to-s3.uploads | 9999999999                 | '9999999999' is no number
            connector.to-s3.uploads | 0                          | 0 is out of range. It must be a number from 1 to 1024
            connector.to-s3.uploads | 1025                       | 1025 is out of range
            connector.to-s3.records_per_object | 0               | 0 is out of range. It must be a number from 1 to 1000000
            connector.to-s3.records_per_object | 1e6             | '1e6' is no number
            connector.to-s3.records_per_object | 1000001         | 1000001 is out of range
            connector.to-s3.bytes_per_object   | 8MB             | '8MB' is no number
            connector.to-s3.bytes_per_object   | 1023            | 1023 is out of range. It must be a number from 1024 to 268435456
            connector.to-s3.seconds_per_object | 0               | 0 is out of range. It must be a number from 1 to 3600
            """)
    void wrongSettingIsNamedWithItsForm(String setting, String value, String fault) {
        set(setting, value);

        assertRefused(setting, fault, "must be");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            public[.](orders | is none: Unclosed group
            public?x=1       | holds what the address of an endpoint cannot hold
            """)
    void wrongPatternIsNamedWithItsForm(String pattern, String fault) {
        set("connector.to-s3.input_is_pattern", "true");
        set("connector.to-s3.input", pattern);

        assertRefused("connector.to-s3.input", fault, "must be a regular expression");
    }

    @Test
    void resourceWithoutUrlIsNamed() {
        set("connector.to-s3.to", "archive");

        assertRefused("resource.archive.url is not set: it must be s3://");
    }

    @Test
    void folderThatIsTooLongIsRefused() {
        set("connector.to-s3.folder", "\u00e9".repeat(351));

        assertRefused("connector.to-s3.folder", "longer than 700 bytes");
    }

    @Test
    void aStartWithoutPropertiesIsRefused() {
        context.getPropertiesComponent().setInitialProperties(new Properties());

        assertRefused("no connector is set up", "application.properties");
    }

    @Test
    void allFaultsAreToldAtOnce() {
        set("resource.datalake.url", "s3://KEY:sesame@eu-west-1/");
        set("connector.to-s3.input", "a b");
        set("connector.to-s3.uploads", "0");
        set("connector.other.input", "orders");

        assertRefused(
                "resource.datalake.url", "connector.to-s3.input", "connector.to-s3.uploads", "connector.other.to");
    }

    @ParameterizedTest
    @ValueSource(strings = {"to", "input", "uploads"})
    void connectionUrlInTheWrongSettingIsNotRepeated(String setting) {
        set("connector.to-s3." + setting, URL);

        assertRefused("connector.to-s3." + setting + ": the value is no ");
    }

    @Test
    void compressionIsARouteOfItsOwn() throws Exception {
        addCompression("gzip");
        configure();

        assertThatNoException().isThrownBy(context::start);
    }

    @Test
    void unknownCompressionIsRefusedWithTheKnownOnes() throws Exception {
        addCompression("zip");
        addCompression("none");
        configure();

        assertThatExceptionOfType(RuntimeCamelException.class)
                .isThrownBy(context::start)
                .havingRootCause()
                .isInstanceOf(BadSettingsException.class)
                .withMessageContaining("connector.to-s3.output_compression: 'GZIP' is no compression")
                .withMessageContaining("one of none, zip");
    }

    @Test
    void manyRecordsNeedARouteAndACompressionThatQueryEnginesRead() throws Exception {
        addCompression("zip");
        set("connector.to-s3.output_compression", "zip");
        set("connector.to-s3.records_per_object", "2");
        configure();

        assertThatExceptionOfType(RuntimeCamelException.class)
                .isThrownBy(context::start)
                .havingRootCause()
                .isInstanceOf(BadSettingsException.class)
                .withMessageContaining(
                        "'zip' cannot hold many records that query engines can read (records_per_object)")
                .withMessageContaining("there is no route 'objects-to-s3'");
    }

    @Test
    void aProfileWithoutItsFileIsRefused() throws Exception {
        configure();
        addCompression("gzip");
        context.getCamelContextExtension().setProfile("prd");

        assertThatExceptionOfType(RuntimeCamelException.class)
                .isThrownBy(context::start)
                .havingRootCause()
                .withMessageContaining("there is no file application-prd.properties, which the profile 'prd' asks for");
    }

    private void set(String key, String value) {
        context.getPropertiesComponent().addInitialProperty(key, value);
    }

    private void configure() {
        new Connectors().setCamelContext(context);
    }

    private void addCompression(String name) throws Exception {
        // Not as a class, which the bundles of other tests would find in this package and run.
        RouteBuilder.addRoutes(context, routes -> routes.from("direct:" + name)
                .routeId("compress-" + name)
                .stop());
    }

    private void assertRefused(String... named) {
        assertThatExceptionOfType(BadSettingsException.class)
                .isThrownBy(this::configure)
                .withMessageStartingWith("cannot start:")
                .satisfies(e -> assertThat(e).message().contains(named).doesNotContain("sesame", "Open"));
    }
}
