package io.s3destination;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What the README lets users do, in its order.
 *
 * @param commands the blocks of commands, and the whole Maven commands within its text that are in no block
 * @param samples the lines that it shows as what they say
 */
record Readme(List<String> commands, List<String> samples) {

    private static final Pattern PARTS = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$|`(mvn [^`…]+)`");

    static Readme read() throws IOException {
        List<String> commands = new ArrayList<>();
        List<String> samples = new ArrayList<>();
        String text = Files.readString(Path.of("README.md"));
        for (MatchResult part : PARTS.matcher(text).results().toList()) {
            if (part.group(3) != null) {
                String command = part.group(3) + "\n";
                if (!text.contains("\n" + command)) {
                    commands.add(command);
                }
            } else if (part.group(1).equals("shell")) {
                commands.add(part.group(2));
            } else if (part.group(1).isEmpty()) {
                samples.addAll(part.group(2).lines().toList());
            }
        }
        return new Readme(commands, samples);
    }

    /** The one block of YAML that holds a text. */
    static String yaml(String text) throws IOException {
        List<String> blocks = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$")
                .matcher(Files.readString(Path.of("README.md")))
                .results()
                .map(block -> block.group(1))
                .filter(block -> block.contains(text))
                .toList();
        if (blocks.size() != 1) {
            throw new IllegalArgumentException(blocks.size() + " blocks hold " + text);
        }
        return blocks.get(0);
    }

    /** All commands, as one script. */
    String script() {
        return String.join("", commands);
    }

    /** What a line of the samples may look like: numbers differ from one run to the next, and "…" stands for anything. */
    static Pattern pattern(String sample) {
        return Pattern.compile(("\\Q" + sample + "\\E")
                .replaceAll("\\d[\\d,.]*", "\\\\E\\\\d[\\\\d,.]*\\\\Q")
                .replace("…", "\\E.*\\Q"));
    }
}
