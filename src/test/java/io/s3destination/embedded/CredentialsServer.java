package io.s3destination.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toMap;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;

/**
 * What gives AWS credentials to pods: of STS, the one action that a service account needs, and the endpoint of EKS Pod
 * Identity. Gives the keys of the {@link EmbeddedS3} to whoever shows the token that it expects, for half a minute,
 * which the SDK asks again about after a second.
 */
public final class CredentialsServer implements AutoCloseable {

    public static final String ROLE = "arn:aws:iam::111122223333:role/s3-destination";

    private static final String GIVEN_BY_STS = """
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <AssumeRoleWithWebIdentityResult>
                <Credentials>
                  <AccessKeyId>%s</AccessKeyId>
                  <SecretAccessKey>%s</SecretAccessKey>
                  <SessionToken>of-half-a-minute</SessionToken>
                  <Expiration>%s</Expiration>
                </Credentials>
                <AssumedRoleUser>
                  <AssumedRoleId>AROAEXAMPLE:pod</AssumedRoleId>
                  <Arn>arn:aws:sts::111122223333:assumed-role/s3-destination/pod</Arn>
                </AssumedRoleUser>
              </AssumeRoleWithWebIdentityResult>
            </AssumeRoleWithWebIdentityResponse>
            """;
    private static final String REFUSED_BY_STS = """
            <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <Error>
                <Type>Sender</Type>
                <Code>AccessDenied</Code>
                <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message>
              </Error>
            </ErrorResponse>
            """;
    private static final String GIVEN_BY_EKS = """
            {"AccessKeyId": "%s", "SecretAccessKey": "%s", "Token": "of-half-a-minute", "Expiration": "%s"}
            """;
    private static final String REFUSED_BY_EKS = "{}";

    private final HttpServer server;
    private volatile String token;

    public CredentialsServer(String token) throws IOException {
        this.token = token;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> answer(exchange, isKnownToSts(exchange), GIVEN_BY_STS, REFUSED_BY_STS));
        server.createContext(
                "/eks", exchange -> answer(exchange, isKnownToEks(exchange), GIVEN_BY_EKS, REFUSED_BY_EKS));
        server.start();
    }

    public URI sts() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public URI eks() {
        return sts().resolve("/eks");
    }

    /** From now on this is the token that it expects. */
    public void expect(String changed) {
        token = changed;
    }

    private boolean isKnownToSts(HttpExchange exchange) throws IOException {
        Map<String, String> form = Arrays.stream(
                        new String(exchange.getRequestBody().readAllBytes(), UTF_8).split("&"))
                .map(field -> field.split("=", 2))
                .collect(toMap(field -> field[0], field -> URLDecoder.decode(field[1], UTF_8)));
        return "AssumeRoleWithWebIdentity".equals(form.get("Action"))
                && ROLE.equals(form.get("RoleArn"))
                && token.equals(form.get("WebIdentityToken"));
    }

    private boolean isKnownToEks(HttpExchange exchange) {
        return token.equals(exchange.getRequestHeaders().getFirst("Authorization"));
    }

    private static void answer(HttpExchange exchange, boolean known, String given, String refused) throws IOException {
        Instant expiration = Instant.now().plus(Duration.ofSeconds(30));
        byte[] answer = (known ? given.formatted(EmbeddedS3.ACCESS_KEY, EmbeddedS3.ACCESS_SECRET, expiration) : refused)
                .getBytes(UTF_8);
        exchange.sendResponseHeaders(known ? 200 : 403, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
