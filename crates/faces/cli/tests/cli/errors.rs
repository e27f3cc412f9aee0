//! What goes wrong is told on standard error, points at its place, and has an exit code.

use std::fs;

use tempfile::tempdir;

use crate::kobel::kobel;

const TABLE: &str = "CREATE TABLE flights (origin STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\n";

#[test]
fn an_error_in_the_script_points_at_its_place() {
    let directory = tempdir().expect("a directory");
    for (sql, parts) in [
        ("SELEC 1", &["error: ", "--> <sql>:1:1\n", "^"][..]),
        ("SELECT 1;\n  SELECT 1 +", &["--> <sql>:2:", "^"]),
        ("SELECT orgin FROM flights", &["`orgin`", "--> <sql>:2:8\n", "^^^^^", "did you mean `origin`?"]),
        ("SELECT origin FROM flihgts", &["`flihgts`", "--> <sql>:2:20\n", "^^^^^^^", "did you mean `flights`?"]),
        ("SELECT UPER(origin) FROM flights", &["<sql>:2:8\n", "did you mean `UPPER`?"]),
        ("SET 'table.exec.state.ttl' = '1 h'", &["`table.exec.state.ttl`", "--> <sql>:2:1\n", "hint: "]),
        ("SET 'parallelism.default' = '0'", &["`parallelism.default`", "from 1 to 32768", "<sql>:2:"]),
        ("SET 'execution.checkpointing.dir' = 's3://b/c'", &["`s3`", "<sql>:2:1\n"]),
    ] {
        let is_bound = parts.iter().any(|part| part.contains(":2:")) && !sql.contains('\n');
        let script = if is_bound { format!("{TABLE}{sql}") } else { sql.to_owned() };
        let ended = kobel(directory.path(), &["run", "-e", &script]);
        assert_eq!(ended.code, Some(1), "{sql}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{sql}");
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}` is missing for `{sql}` in\n{}", ended.stderr);
        }
    }
}

#[test]
fn an_unknown_setting_is_kept_and_a_near_one_suggested() {
    let directory = tempdir().expect("a directory");
    let ended = kobel(directory.path(), &["run", "--set", "paralelism.default=2", "-e", "SELECT 1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("did you mean `parallelism.default`?"), "{}", ended.stderr);
}

#[test]
fn settings_that_cannot_be_honoured_are_refused() {
    let directory = tempdir().expect("a directory");
    for (arguments, part) in [
        (["--set", "parallelism.default=many"], "`parallelism.default`"),
        (["--set", "kobel.engine=flink"], "not in this version"),
        (["--engine", "flink"], "not in this version"),
        (["--set", "execution.runtime-mode=batch"], "`execution.runtime-mode`"),
        (["--set", "table.exec.sink.not-null-enforcer=DROP"], "`table.exec.sink.not-null-enforcer`"),
        (["--set", "table.local-time-zone=Nowhere"], "`Nowhere`"),
    ] {
        let ended = kobel(directory.path(), &["run", arguments[0], arguments[1], "-e", "SELECT 1"]);
        assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)), "{arguments:?}");
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn a_script_that_cannot_be_read_is_named() {
    let directory = tempdir().expect("a directory");
    fs::write(directory.path().join("latin.sql"), b"SELECT '\xe9'").expect("a file");
    fs::write(directory.path().join("delays.sql"), "SELECT 1").expect("a file");
    for (script, part) in [
        ("missing.sql", "cannot read script `missing.sql`"),
        ("dleays.sql", "did you mean `delays.sql`?"),
        (".", "it is a directory"),
        ("latin.sql", "is not UTF-8: byte 8 (line 1)"),
    ] {
        let ended = kobel(directory.path(), &["run", script]);
        assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)), "{script}");
        assert!(ended.stderr.contains(part), "`{part}` is missing in\n{}", ended.stderr);
    }
}

#[test]
fn a_missing_input_file_is_named_with_its_job() {
    let directory = tempdir().expect("a directory");
    let sql = "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'no-such-file.csv', 'format' = 'csv');
               SELECT a FROM t";
    let ended = kobel(directory.path(), &["run", "-e", sql]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)));
    assert!(ended.stderr.starts_with("error: cannot start job `collect`\n  caused by: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("no-such-file.csv"), "{}", ended.stderr);
    assert!(ended.stderr.contains("\n  hint: see option `path` of table `t`\n"), "{}", ended.stderr);
}

#[test]
fn quiet_still_tells_errors() {
    let directory = tempdir().expect("a directory");
    let ended = kobel(directory.path(), &["run", "--quiet", "-e", "SELECT"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}
