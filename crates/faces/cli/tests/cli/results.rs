//! What statements answer, and on which stream.

use std::fs;

use expect_test::expect;
use tempfile::tempdir;

use crate::kobel::{kobel, numbers, rows};

#[test]
fn rows_are_printed_in_a_box() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(3) + "SELECT id, CAST(NULL AS INT) AS n, 'a' || CHR(10) AS s FROM numbers";
    let ended = kobel(directory.path(), &["run", "-e", &sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    expect![[r#"
        +----------------------+-------------+--------------------------------+
        |                   id |           n | s                              |
        +----------------------+-------------+--------------------------------+
        |                    1 |      <NULL> | a\n                            |
        |                    2 |      <NULL> | a\n                            |
        |                    3 |      <NULL> | a\n                            |
        +----------------------+-------------+--------------------------------+
    "#]]
    .assert_eq(&ended.stdout);
    assert!(ended.stderr.contains("3 rows in set\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("collect finished in "), "{}", ended.stderr);
    assert!(ended.stderr.contains(": 3 rows in, 3 rows out"), "{}", ended.stderr);
}

#[test]
fn long_values_are_whole_when_no_person_reads_them() {
    let directory = tempdir().expect("a directory");
    let ended = kobel(directory.path(), &["run", "-e", "SELECT REPEAT('x', 100) AS text"]);
    assert_eq!(rows(&ended.stdout), [["x".repeat(100)]]);
}

#[test]
fn an_updating_query_shows_what_each_row_does() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(3) + "SELECT COUNT(*) AS n FROM numbers";
    let ended = kobel(directory.path(), &["run", "--set", "kobel.batch-size=1", "-e", &sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("| op |"), "{}", ended.stdout);
    let expected = [["+I", "1"], ["-U", "1"], ["+U", "2"], ["-U", "2"], ["+U", "3"]];
    assert_eq!(rows(&ended.stdout), expected);
}

#[test]
fn tables_are_shown_and_described() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(1) + "SHOW TABLES; DESCRIBE numbers; SHOW CREATE TABLE numbers; EXPLAIN SELECT id FROM numbers";
    let ended = kobel(directory.path(), &["run", "--quiet", "-e", &sql]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for text in ["| table name |\n", "| numbers    |\n", "| BIGINT", "CREATE TABLE", "'connector' = 'datagen'"] {
        assert!(ended.stdout.contains(text), "`{text}` is missing in\n{}", ended.stdout);
    }
}

#[test]
fn nothing_but_rows_goes_to_standard_output() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(2)
        + "CREATE TABLE shown (id BIGINT) WITH ('connector' = 'print');
           CREATE TABLE kept (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out/kept', 'format' = 'csv');
           SET 'no.such.key' = '1';
           EXECUTE STATEMENT SET BEGIN
             INSERT INTO shown SELECT id FROM numbers;
             INSERT INTO kept SELECT id FROM numbers;
           END;";
    let ended = kobel(directory.path(), &["run", "-e", &sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout, "+I[1]\n+I[2]\n");
    assert!(ended.stderr.contains("note: unknown option `no.such.key`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("wrote out/kept\n"), "{}", ended.stderr);
    assert!(directory.path().join("out/kept").is_dir());
    fs::remove_dir_all(directory.path().join("out")).expect("the output is there");
    let ended = kobel(directory.path(), &["run", "-q", "-e", &sql]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.code), ("+I[1]\n+I[2]\n", "", Some(0)));
}

#[test]
fn a_time_with_zone_is_shown_in_the_zone_of_the_session() {
    let directory = tempdir().expect("a directory");
    let sql = "SET 'table.local-time-zone' = 'America/New_York';
               SELECT TO_TIMESTAMP_LTZ(1357016400123, 3) AS seen, TIMESTAMP '2013-01-01 05:00:00.5' AS wall";
    let ended = kobel(directory.path(), &["run", "-e", sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(rows(&ended.stdout), [["2013-01-01 00:00:00.123", "2013-01-01 05:00:00.5"]]);
}

#[test]
fn a_script_in_which_nothing_runs_is_an_error() {
    let directory = tempdir().expect("a directory");
    let table = "CREATE TABLE t (a INT) WITH ('connector' = 'datagen')";
    for (text, is_refused) in [
        ("-- nothing\n;", true),
        (table, true),
        ("SET 'parallelism.default' = '1'; RESET", true),
        (format!("{table}; SHOW TABLES").as_str(), false),
        ("SET", false),
    ] {
        fs::write(directory.path().join("idle.sql"), text).expect("a file");
        let ended = kobel(directory.path(), &["run", "idle.sql"]);
        assert_eq!(ended.code, Some(i32::from(is_refused)), "{text}: {}", ended.stderr);
        let told = ended.stderr.contains("error: `idle.sql` has no job: no `INSERT INTO` and no query\n");
        assert_eq!(told && ended.stderr.contains("such as `INSERT INTO target SELECT"), is_refused, "{text}");
    }
}

#[test]
fn the_last_days_of_the_calendar_are_dates() {
    let directory = tempdir().expect("a directory");
    let sql = "SELECT DATE '9999-12-31' AS d, TIMESTAMP '9999-12-31 23:59:59' AS t, DATE '0001-01-01' AS f";
    let ended = kobel(directory.path(), &["run", "--quiet", "-e", sql]);
    assert_eq!(rows(&ended.stdout), [["9999-12-31", "9999-12-31 23:59:59", "0001-01-01"]], "{}", ended.stderr);
}
