//! Scripts and settings that cannot be executed, small and large.

use std::fs;

use tempfile::tempdir;

use super::{assert_refused, refuse_script, refuse_sql};
use crate::kobel::{kobel, kobel_within_limits, rows};

const MEGABYTE: usize = 1 << 20;

#[test]
fn malformed_sql_is_shown_with_its_line_and_column() {
    let directory = tempdir().expect("a directory");
    for (sql, parts) in [
        (
            "SELECT 1;\nSELEC 2;",
            &["error: expected a statement, found `SELEC`\n --> a.sql:2:1\n", "2 | SELEC 2;\n  | ^^^^^\n", "`SELECT`?"]
                [..],
        ),
        ("SELECT 1,\n  , 2", &["expected an expression, found `,`\n --> a.sql:2:3\n", "2 |   , 2\n  |   ^\n"]),
        ("SELECT 1 +", &["expected an expression, found the end of the text\n --> a.sql:1:11\n"]),
        ("SELECT (1", &["expected `)`, found the end of the text\n --> a.sql:1:10\n"]),
        ("SELECT 1;\n\nSELECT 'abc;", &["string is not closed\n --> a.sql:3:8\n", "hint: close it with `'`"]),
        ("SELECT 1;\n/* no end", &["comment is not closed\n --> a.sql:2:1\n", "hint: close it with `*/`"]),
        ("SELECT 'ä', \u{1}", &["unexpected character U+0001\n --> a.sql:1:13\n", "\\u0001"]),
        ("SELECT 1;\0", &["unexpected character U+0000\n --> a.sql:1:10\n"]),
        ("INSERT t VALUES (1)", &["expected `INTO` or `OVERWRITE`, found `t`\n --> a.sql:1:8\n"]),
        ("CREATE TABLE t (a INT", &["expected `,` or `)`, found the end of the text\n --> a.sql:1:22\n"]),
    ] {
        fs::write(directory.path().join("a.sql"), sql).expect("a file");
        refuse_script(directory.path(), "a.sql", parts);
    }
}

#[test]
fn a_megabyte_of_malformed_sql_is_refused_at_its_place() {
    let directory = tempdir().expect("a directory");
    let values: String = (0..120_000).map(|number| format!("({number}),")).collect();
    for (name, sql, parts) in [
        (
            "words.sql",
            format!("SELECT 1;\n{}", "x y z ".repeat(MEGABYTE / 6)),
            &["found `x`\n --> words.sql:2:1\n"][..],
        ),
        (
            "string.sql",
            format!("SELECT 1;\nSELECT '{}", "a b ".repeat(MEGABYTE / 4)),
            &["string is not closed", ":2:8\n"],
        ),
        ("comment.sql", format!("/*{}", "a b\n".repeat(MEGABYTE / 4)), &["comment is not closed", "comment.sql:1:1\n"]),
        (
            "last.sql",
            format!("{}SELEC 1;", "SET 'a.b' = 'c';\n".repeat(MEGABYTE / 17)),
            &["found `SELEC`\n     --> last.sql:61681:1\n", "61681 | SELEC 1;\n      | ^^^^^\n"],
        ),
        ("values.sql", format!("VALUES {values},;"), &["expected an expression, found `,`", "values.sql:1:", "\n  | "]),
        ("digits.sql", format!("SELECT {};", "9".repeat(MEGABYTE)), &["is out of range\n --> digits.sql:1:8\n"]),
        (
            "name.sql",
            format!("SELECT a{};", "b".repeat(MEGABYTE)),
            &["error: column `abbb", "b…b", "bbb` does not exist\n --> name.sql:1:8\n"],
        ),
    ] {
        assert!(sql.len() > 900_000, "{name} has {} bytes", sql.len());
        fs::write(directory.path().join(name), sql).expect("a file");
        refuse_script(directory.path(), name, parts);
    }
}

#[test]
fn a_megabyte_of_legal_sql_is_executed() {
    let directory = tempdir().expect("a directory");
    let numbers = (3..150_000).map(|number: u32| number.to_string()).collect::<Vec<_>>().join(",");
    let values = (0..120_000).map(|number| format!("({number})")).collect::<Vec<_>>().join(",");
    let literal = "x".repeat(MEGABYTE);
    for (name, sql, expected) in [
        ("list.sql", format!("SELECT a FROM (VALUES (1), (3)) AS t (a) WHERE a IN ({numbers});"), "3"),
        ("values.sql", format!("SELECT a FROM (VALUES {values}) AS t (a) WHERE a = 77777;"), "77777"),
        ("literal.sql", format!("SELECT CHAR_LENGTH('{literal}');"), "1048576"),
        ("many.sql", "SET 'a.b' = 'c';\n".repeat(MEGABYTE / 17) + "SELECT 7;", "7"),
    ] {
        assert!(sql.len() > 900_000, "{name} has {} bytes", sql.len());
        fs::write(directory.path().join(name), sql).expect("a file");
        let ended = kobel_within_limits(directory.path(), &["run", "--quiet", name]);
        assert_eq!((ended.stderr.as_str(), ended.code), ("", Some(0)), "{name}");
        assert_eq!(rows(&ended.stdout), [[expected]], "{name}");
    }
}

#[test]
fn a_script_without_end_is_refused_before_it_fills_the_memory() {
    let directory = tempdir().expect("a directory");
    refuse_script(directory.path(), "/dev/zero", &["error: script `/dev/zero` is larger than 16 MiB\n"]);
}

#[test]
fn ten_thousand_nested_constructs_are_refused_at_the_level_that_is_too_deep() {
    let directory = tempdir().expect("a directory");
    let nested = |open: &str, middle: &str, close: &str| {
        format!("SELECT {}{middle}{};", open.repeat(10_000), close.repeat(10_000))
    };
    for (name, sql) in [
        ("closed.sql", nested("(", "1", ")")),
        ("open.sql", nested("(", "", "")),
        ("not.sql", nested("NOT ", "TRUE", "")),
        ("minus.sql", nested("- ", "1", "")),
        ("case.sql", nested("CASE WHEN TRUE THEN ", "1", " END")),
        ("calls.sql", nested("ABS(", "1", ")")),
        ("casts.sql", nested("CAST(", "1", " AS INT)")),
        ("queries.sql", nested("* FROM (SELECT ", "1", ")")),
        ("sums.sql", nested("1 + ", "1", "")),
    ] {
        fs::write(directory.path().join(name), sql).expect("a file");
        let place = format!(" --> {name}:1:");
        refuse_script(
            directory.path(),
            name,
            &["error: nesting is deeper than 256 levels\n", &place, "\n  | ", "hint: "],
        );
    }
}

#[test]
fn unknown_options_are_named_with_what_was_meant() {
    let directory = tempdir().expect("a directory");
    for (options, parts) in [
        ("'connector'='datagen',\n'number-of-row'='1'", &["unknown option `number-of-row` of connector `datagen`"][..]),
        ("'connector'='datagen',\n'number-of-row'='1'", &["<sql>:2:1\n", "  | ^^^^^^^^^^^^^^^\n", "`number-of-rows`?"]),
        (
            "'connector'='datagen',\n'fields.b.min'='1'",
            &["names column `b`, which table `t` does not have", "`a`", ":2:1\n"],
        ),
        ("'connector'='datagn'", &["unknown connector `datagn`", "<sql>:1:42\n", "did you mean `datagen`?"]),
        ("'connector'='kafka'", &["connector `kafka` is not supported by the native engine", "<sql>:1:42\n"]),
        ("'conector'='datagen'", &["unknown option `conector`", "<sql>:1:30\n", "did you mean `connector`?"]),
        ("'path'='in'", &["option `connector` of table `t` is missing", "<sql>:1:", "`filesystem`"]),
        ("'connector'='filesystem','path'='in'", &["required option `format` is missing", "<sql>:1:"]),
        (
            "'connector'='filesystem','path'='in',\n'format'='cvs'",
            &["`cvs`", "expected `csv` or `json`", "<sql>:2:10\n"],
        ),
        (
            "'connector'='filesystem','path'='in','format'='csv',\n'csv.ignore-parse-error'='true'",
            &["unknown option `csv.ignore-parse-error`", "<sql>:2:1\n", "did you mean `csv.ignore-parse-errors`?"],
        ),
        ("'connector'='filesystem','path'='s3://b','format'='csv'", &["scheme `s3` is not supported", "<sql>:1:"]),
    ] {
        let sql = format!("CREATE TABLE t (a INT) WITH ({options}); SELECT a FROM t;");
        refuse_sql(directory.path(), &sql, parts);
    }
}

#[test]
fn settings_and_arguments_with_bad_values_are_named() {
    let directory = tempdir().expect("a directory");
    let interval = "cannot set `execution.checkpointing.interval` to `10 parsecs`: expected a duration";
    refuse_sql(
        directory.path(),
        "SET 'execution.checkpointing.interval' = '10 parsecs'",
        &[interval, "<sql>:1:42\n", "^^^^^^^^^^^^\n"],
    );
    let arguments = ["run", "--set", "execution.checkpointing.interval=10 parsecs", "-e", "SELECT 1"];
    assert_refused(&kobel(directory.path(), &arguments), "--set", &[interval]);
    for (argument, value, part) in [
        ("--paralelism", "2", "'--parallelism'"),
        ("--parallelism", "0", "0 is not in 1..=32768"),
        ("--parallelism", "99999999999999999999", "'--parallelism <N>'"),
        ("--set", "nothing", "expected KEY=VALUE"),
        ("--engine", "spark", "[possible values: native, flink]"),
    ] {
        let ended = kobel(directory.path(), &["run", argument, value, "-e", "SELECT 1"]);
        assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(2)), "{argument} {value}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "`{part}` is missing in\n{}", ended.stderr);
    }
}

#[test]
fn a_script_that_is_not_there_or_no_text_is_named() {
    let directory = tempdir().expect("a directory");
    refuse_script(directory.path(), "nowhere.sql", &["cannot read script `nowhere.sql`\n  caused by: "]);
    fs::write(directory.path().join("latin.sql"), b"SELECT 1;\nSELECT '\xe9'").expect("a file");
    refuse_script(directory.path(), "latin.sql", &["script `latin.sql` is not UTF-8: byte 18 (line 2)"]);
}

#[test]
fn literals_and_options_out_of_range_are_shown_at_their_place() {
    let directory = tempdir().expect("a directory");
    let datagen = "CREATE TABLE t (a TINYINT) WITH ('connector'='datagen',\n";
    for (sql, parts) in [
        (
            "SELECT 99999999999999999999999999999999999999999",
            &["literal `9999", "is out of range\n --> <sql>:1:8\n"][..],
        ),
        ("SELECT 1e999", &["literal `1e999` is out of range\n --> <sql>:1:8\n"]),
        ("SELECT DATE '2013-02-30'", &["cannot parse `DATE '2013-02-30'`\n --> <sql>:1:8\n", "hint: write it as DATE"]),
        ("SELECT TIME '25:00:00'", &["cannot parse `TIME '25:00:00'`\n --> <sql>:1:8\n", "hint: write it as TIME"]),
        (
            "SELECT TIMESTAMP '2013-13-01 00:00:00'",
            &["cannot parse `TIMESTAMP '2013-13-01 00:00:00'`\n --> <sql>:1:8\n"],
        ),
        ("SELECT TIMESTAMP '9999-12-31 00:00:00.123456789'", &["is out of range\n --> <sql>:1:8\n"]),
        ("SELECT INTERVAL '99999999999999999999' DAY", &["exceeds the 2 digits of `DAY`\n --> <sql>:1:8\n"]),
        ("SELECT CAST(1 AS DECIMAL(99, 2))", &["must be in 1..38, found `99`\n --> <sql>:1:26\n"]),
        ("SELECT CAST(1 AS TIMESTAMP(12))", &["must be in 0..9, found `12`\n --> <sql>:1:28\n"]),
        ("SELECT CAST('99999999999' AS INT)", &["cannot cast `99999999999` to INT\n --> <sql>:1:8\n"]),
        ("SELECT CAST('2013-02-30' AS DATE)", &["cannot cast `2013-02-30` to DATE"]),
        ("SELECT 1 / 0", &["error: division by zero\n --> <sql>:1:8\n"]),
        ("SELECT REPEAT('abcdefghij', 2000000000)", &["REPEAT would make a string of 20000000000 bytes, the most is "]),
        (
            "'rows-per-second'='99999999999999999999'); SELECT a FROM t",
            &["option `rows-per-second`: expected a whole number from -9223372036854775808 to ", "<sql>:2:19\n"],
        ),
        (
            "'number-of-rows'='-1'); SELECT a FROM t",
            &["option `number-of-rows`: it must not be negative", "<sql>:2:18\n"],
        ),
        ("'fields.a.max'='1000'); SELECT a FROM t", &["a number that column `a` `TINYINT` can hold", "<sql>:2:16\n"]),
    ] {
        let is_option = sql.starts_with('\'');
        refuse_sql(directory.path(), &if is_option { format!("{datagen}{sql}") } else { sql.to_owned() }, parts);
    }
}
