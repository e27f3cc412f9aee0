import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs a SQL script on the cluster that it is submitted to; the first argument is the path of the script. */
public final class SqlRunner {
    private static final Pattern SET =
            Pattern.compile("SET\\s+'([^']+)'\\s*=\\s*'((?:[^']|'')*)'", Pattern.CASE_INSENSITIVE);
    private static final Pattern BLOCK_BEGIN = Pattern.compile("BEGIN\\b.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern BLOCK =
            Pattern.compile("(EXECUTE\\s+STATEMENT\\s+SET\\s+)?BEGIN\\b.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private SqlRunner() {}

    public static void main(String[] args) throws Exception {
        TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.newInstance().build());
        for (String statement : statements(Files.readString(Path.of(args[0])))) {
            Matcher set = SET.matcher(statement);
            if (set.matches()) {
                environment.getConfig().set(set.group(1), set.group(2).replace("''", "'"));
            } else if (BLOCK_BEGIN.matcher(statement).matches()) {
                // What the SQL client calls BEGIN STATEMENT SET is one statement of the table environment.
                environment.executeSql(
                        "EXECUTE STATEMENT SET BEGIN " + statement.substring(statement.indexOf(';') + 1));
            } else {
                environment.executeSql(statement);
            }
        }
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
            } else if (c == '\'' || c == '`') {
                int end = script.indexOf(c, at + 1);
                end = end < 0 ? script.length() - 1 : end;
                open.append(script, at, end + 1);
                at = end;
            } else if (c == ';' && isWhole(open.toString().strip())) {
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
        String statement = open.toString().strip();
        if (!statement.isEmpty()) {
            found.add(statement);
        }
        open.setLength(0);
    }
}
