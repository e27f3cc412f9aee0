import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs the statements of a SQL script, one after the other, where its own job manager or client runs; the first
 * argument is the path or the file: address of the script. It must compile for Java 8, the oldest that Flink runs on.
 */
public final class SqlRunner {
    private static final Pattern SET =
            Pattern.compile("SET\\s+'([^']+)'\\s*=\\s*'((?:[^']|'')*)'", Pattern.CASE_INSENSITIVE);
    private static final Pattern RESET = Pattern.compile("RESET\\s+'([^']+)'", Pattern.CASE_INSENSITIVE);
    private static final Pattern BLOCK_BEGIN =
            Pattern.compile("BEGIN\\s+STATEMENT\\s+SET\\s*;.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern BLOCK =
            Pattern.compile(
                    "(EXECUTE\\s+STATEMENT\\s+SET\\s+|COMPILE\\s+.*\\s+FOR\\s+STATEMENT\\s+SET\\s+)?BEGIN\\b.*",
                    Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private SqlRunner() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            throw new IllegalArgumentException("expected the path of a SQL script, not " + args.length + " arguments");
        }
        Path path = args[0].startsWith("file:") ? Paths.get(URI.create(args[0])) : Paths.get(args[0]);
        String script = new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        // What is set before the first statement decides how the environment is made: streaming or batch, for one.
        Configuration first = new Configuration();
        TableEnvironment environment = null;
        for (String statement : statements(script)) {
            Matcher set = SET.matcher(statement);
            if (environment == null && set.matches()) {
                first.setString(set.group(1), value(set));
                continue;
            }
            if (environment == null) {
                environment =
                        TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(first).build());
            }
            run(environment, statement);
        }
    }

    private static void run(TableEnvironment environment, String statement) {
        Matcher set = SET.matcher(statement);
        Matcher reset = RESET.matcher(statement);
        if (set.matches()) {
            environment.getConfig().getConfiguration().setString(set.group(1), value(set));
        } else if (reset.matches()) {
            environment.getConfig().getConfiguration().removeKey(reset.group(1));
        } else if (BLOCK_BEGIN.matcher(statement).matches()) {
            // What the SQL client calls BEGIN STATEMENT SET is one statement of the table environment.
            environment.executeSql("EXECUTE STATEMENT SET BEGIN " + statement.substring(statement.indexOf(';') + 1));
        } else {
            environment.executeSql(statement);
        }
    }

    private static String value(Matcher set) {
        return set.group(2).replace("''", "'");
    }

    /** Splits at semicolons outside of quotes, comments and statement sets. */
    static List<String> statements(String script) {
        List<String> found = new ArrayList<>();
        StringBuilder open = new StringBuilder();
        for (int at = 0; at < script.length(); at++) {
            char c = script.charAt(at);
            if (c == '-' && script.startsWith("--", at)) {
                while (at < script.length() && script.charAt(at) != '\n') {
                    at++;
                }
                open.append('\n');
            } else if (c == '/' && script.startsWith("/*", at) && !script.startsWith("/*+", at)) {
                int end = script.indexOf("*/", at + 2);
                at = end < 0 ? script.length() : end + 1;
                open.append(' ');
            } else if (c == '\'' || c == '`' || c == '"') {
                int end = script.indexOf(c, at + 1);
                end = end < 0 ? script.length() - 1 : end;
                open.append(script, at, end + 1);
                at = end;
            } else if (c == ';' && isWhole(open.toString().trim())) {
                add(found, open);
            } else {
                open.append(c);
            }
        }
        add(found, open);
        return found;
    }

    private static boolean isWhole(String statement) {
        if (!BLOCK.matcher(statement).matches()) {
            return true;
        }
        String[] words = statement.split("[\\s;]+");
        return words[words.length - 1].equalsIgnoreCase("END");
    }

    private static void add(List<String> found, StringBuilder open) {
        String statement = open.toString().trim();
        if (!statement.isEmpty()) {
            found.add(statement);
        }
        open.setLength(0);
    }
}
