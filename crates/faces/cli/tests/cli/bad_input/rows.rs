//! Input files that are missing, broken, or too large for a row.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::tempdir;

use super::{refuse_script, refuse_sql};
use crate::kobel::{kobel_within_limits, rows};

/// Reads `path` into nowhere: table `t` has these columns and format.
fn read(columns: &str, format: &str, path: &str) -> String {
    format!(
        "CREATE TABLE t ({columns}) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}');
         CREATE TABLE gone ({columns}) WITH ('connector' = 'blackhole');
         INSERT INTO gone SELECT * FROM t;"
    )
}

/// Reads `content` as a file `in.csv` or `in.json`, and checks the error for it.
fn refuse_rows(directory: &Path, (columns, format): (&str, &str), content: &[u8], parts: &[&str]) {
    let name = format!("in.{format}");
    fs::write(directory.join(&name), content).expect("a file");
    refuse_sql(directory, &read(columns, format, &name), parts);
}

#[test]
fn missing_files_are_named() {
    let directory = tempdir().expect("a directory");
    for format in ["csv", "json"] {
        for path in ["nowhere.csv", "no/where"] {
            let part = format!("  caused by: cannot read input `{path}`\n  caused by: ");
            refuse_sql(directory.path(), &read("a INT", format, path), &["error: cannot start job `", &part]);
        }
    }
    let part = "input `/dev/zero` is a pipe or device, which is not supported by the native engine";
    refuse_sql(directory.path(), &read("a INT", "csv", "/dev/zero"), &[part, "hint: "]);
    fs::write(directory.path().join("a.csv.gz"), "x").expect("a file");
    refuse_sql(directory.path(), &read("a INT", "csv", "a.csv.gz"), &["input `a.csv.gz` is compressed", "hint: "]);
}

#[test]
fn broken_csv_lines_are_shown_with_file_and_line() {
    let directory = tempdir().expect("a directory");
    for (columns, content, part) in [
        ("a INT, b STRING", "1,x\n2\n3,y\n", "`in.csv:2`: the row has 1 field: expected 2\n"),
        ("a INT, b STRING", "1,x\n2,y,z\n", "`in.csv:2`: the row has 3 fields: expected 2\n"),
        ("a INT, b STRING", "1,x\n2,\"y\n3,z\n", "`in.csv:2`: the closing quote is missing\n"),
        ("a INT, b STRING", "1,\"x\n\"\n2,\"y\"z\n", "`in.csv:3`: `z` follows a closing quote: expected `,`"),
        ("a INT", "1\nx\n", "`in.csv:2`: column `a`: `x` is no `INT`: expected a whole number from -2147483648 to "),
        ("a BOOLEAN NOT NULL, b INT NOT NULL", "true,\n", "`in.csv:1`: column `b`: `` is no `INT`"),
        ("a BYTES", "a?\n", "`in.csv:1`: column `a`: `a?` is no `BYTES`: expected base64 with padding\n"),
    ] {
        let start = format!("  caused by: cannot read {part}");
        let parts = ["error: job `insert-into_default_catalog.default_database.gone` failed\n", &start];
        refuse_rows(directory.path(), (columns, "csv"), content.as_bytes(), &parts);
    }
}

#[test]
fn broken_json_lines_are_shown_with_file_and_line() {
    let directory = tempdir().expect("a directory");
    let deep = format!("{{\"b\":{}{}}}\n", "[".repeat(10_000), "]".repeat(10_000));
    for (columns, content, part) in [
        ("a INT", "{\"a\":1}\n{\"a\":\n", "`in.json:2`: broken JSON: the line ends, expected a value\n"),
        ("a INT", "{\"a\":1} x\n", "`in.json:1`: broken JSON: `x` at byte 9, expected the end of the line\n"),
        ("a INT", "{\"a\":1}\n\n[{\"a\":1}]\n", "`in.json:3`: an array on a line is not supported"),
        ("a INT", "null\n", "`in.json:1`: broken JSON: `n` at byte 1, expected an object\n"),
        ("a INT", "{\"a\":{}}\n", "`in.json:1`: column `a`: `{…}` is no `INT`"),
        ("a INT", "{\"a\":true}\n", "`in.json:1`: column `a`: `true` is no `INT`"),
        (
            "a INT NOT NULL",
            "{\"a\":1}\n{}\n",
            "`in.json:2`: column `a`: is NOT NULL, but the value is missing or NULL\n",
        ),
        ("a INT", &deep, "`in.json:1`: the JSON is nested deeper than 1000 levels\n"),
    ] {
        let part = format!("failed\n  caused by: cannot read {part}");
        refuse_rows(directory.path(), (columns, "json"), content.as_bytes(), &[&part]);
    }
}

#[test]
fn invalid_utf_8_is_shown_with_its_byte() {
    let directory = tempdir().expect("a directory");
    let part = "cannot read `in.csv:2`: byte 4 is no UTF-8\n";
    refuse_rows(directory.path(), ("a INT, b STRING", "csv"), b"1,x\n2,y\xff\n", &[part]);
    let part = "cannot read `in.json:2`: byte 7 is no UTF-8\n";
    refuse_rows(directory.path(), ("a STRING", "json"), b"{\"a\":\"x\"}\n{\"a\":\"\xe9\"}\n", &[part]);
}

#[test]
fn numbers_and_times_out_of_range_are_shown_with_their_column() {
    let directory = tempdir().expect("a directory");
    for (ty, value, part) in [
        ("TINYINT", "128", "`128` is no `TINYINT`: expected a whole number from -128 to 127\n"),
        ("SMALLINT", "-32769", "`-32769` is no `SMALLINT`: expected a whole number from -32768 to 32767\n"),
        ("INT", "2147483648", "`2147483648` is no `INT`: expected a whole number from -2147483648 to 2147483647\n"),
        ("BIGINT", "9223372036854775808", "`9223372036854775808` is no `BIGINT`: expected a whole number from "),
        ("DATE", "2013-13-01", "`2013-13-01` is no `DATE`: expected a date such as `2013-01-31`\n"),
        ("TIME", "25:00:00", "`25:00:00` is no `TIME(0)`: expected a time such as `05:15:00`\n"),
        ("TIMESTAMP(3)", "2013-01-32 00:00:00", "`2013-01-32 00:00:00` is no `TIMESTAMP(3)`: expected a timestamp "),
        ("TIMESTAMP_LTZ(3)", "2013-01-01 25:00:00Z", "is no `TIMESTAMP_LTZ(3)`: expected a timestamp in UTC such as "),
        (
            "TIMESTAMP(9)",
            "9999-01-01 00:00:00",
            "is out of range of `TIMESTAMP(9)`: nanoseconds reach from 1677-09-21 ",
        ),
    ] {
        let csv = format!("{value}\n");
        let place = format!("cannot read `in.csv:1`: column `a`: `{value}` ");
        refuse_rows(directory.path(), (&format!("a {ty}"), "csv"), csv.as_bytes(), &[&place, part]);
        let json = format!("\n{{\"a\":\"{value}\"}}\n");
        let place = format!("cannot read `in.json:2`: column `a`: `{value}` ");
        refuse_rows(directory.path(), (&format!("a {ty}"), "json"), json.as_bytes(), &[&place, part]);
    }
}

#[test]
fn a_row_of_200_mb_is_refused_before_it_fills_the_memory() {
    let directory = tempdir().expect("a directory");
    // The bytes that are not written read as zeros and take no place on the disk.
    for (name, format, start) in
        [("a.csv", "csv", ""), ("quote.csv", "csv", "1,\"a"), ("a.json", "json", "{\"a\":\""), ("b.json", "json", "")]
    {
        let mut file = File::create(directory.path().join(name)).expect("a file");
        file.write_all(start.as_bytes()).expect("a start");
        file.set_len(200 << 20).expect("a long file");
        let part = format!("cannot read `{name}:1`: the row is longer than 64 MiB\n");
        fs::write(directory.path().join("a.sql"), read("a STRING", format, name)).expect("a file");
        refuse_script(directory.path(), "a.sql", &[&part]);
    }
}

#[test]
fn a_row_of_nothing_but_delimiters_takes_no_more_memory_than_its_bytes() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("in.csv");
    fs::write(&path, ",".repeat(24 << 20)).expect("a file");
    let sql = read("a STRING", "csv", "in.csv");
    refuse_sql(directory.path(), &sql, &["cannot read `in.csv:1`: the row has 25165825 fields: expected 1\n"]);
}

#[test]
fn broken_rows_are_skipped_where_that_is_asked_for() {
    let directory = tempdir().expect("a directory");
    for (format, content) in
        [("csv", &b"1\n2,x\n\"3\n"[..]), ("csv", b"\xff\n1\n"), ("json", b"{\"a\":1}\n{\"a\":\n{\"a\":\"\xff\"}\n[]\n")]
    {
        let name = format!("in.{format}");
        fs::write(directory.path().join(&name), content).expect("a file");
        let sql = format!(
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{name}', 'format' = '{format}',
               '{format}.ignore-parse-errors' = 'true');
             SELECT a FROM t"
        );
        let ended = kobel_within_limits(directory.path(), &["run", "--quiet", "-e", &sql]);
        assert_eq!((ended.stderr.as_str(), ended.code), ("", Some(0)), "{content:?}");
        assert_eq!(rows(&ended.stdout), [["1"]], "{content:?}");
    }
}
