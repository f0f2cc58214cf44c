package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.Set;

/** A secret, and all the forms in which it must not be said: raw, encoded, and each of its halves. */
record Secret(String text) {

    void assertNotIn(String what, String said) {
        assertThat(said).as(what).isNotBlank();
        for (String form : forms()) {
            int at = said.indexOf(form);
            if (at >= 0) {
                throw new AssertionError("%s says '%s', which is of the secret: …%s…"
                        .formatted(
                                what,
                                form,
                                said.substring(
                                        Math.max(0, at - 300), Math.min(said.length(), at + form.length() + 100))));
            }
        }
    }

    private Set<String> forms() {
        int half = text.length() / 2;
        Set<String> forms = new LinkedHashSet<>();
        for (String part : new String[] {text, text.substring(0, half), text.substring(half)}) {
            forms.add(part);
            forms.add(URLEncoder.encode(part, StandardCharsets.UTF_8));
            forms.add(part.replace("/", "%2F"));
            forms.add(part.replace("/", "\\/"));
        }
        forms.add(Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
        return forms;
    }
}
