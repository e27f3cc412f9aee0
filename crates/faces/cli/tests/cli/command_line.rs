//! Arguments, help, version.

use std::fs;

use tempfile::tempdir;

use crate::kobel::{kobel, rows, start_shell};

#[test]
fn the_version_is_printed_by_flag_and_by_command() {
    let directory = tempdir().expect("a directory");
    let expected = format!("kobel {}\n", env!("CARGO_PKG_VERSION"));
    for argument in ["--version", "version"] {
        let ended = kobel(directory.path(), &[argument]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.code), (expected.as_str(), "", Some(0)));
    }
}

#[test]
fn every_help_has_examples() {
    let directory = tempdir().expect("a directory");
    let commands = [
        "run",
        "up",
        "down",
        "apply",
        "get",
        "describe",
        "delete",
        "diff",
        "suspend",
        "resume",
        "restart",
        "rescale",
        "savepoint",
        "explain",
        "logs",
        "events",
        "open",
        "doctor",
        "flink",
        "completions",
        "crd",
        "token",
        "version",
    ];
    let of_commands = commands.map(|command| vec![command, "--help"]);
    for arguments in [vec!["--help"], vec!["help"], vec!["help", "run"]].into_iter().chain(of_commands) {
        let arguments = &arguments[..];
        let ended = kobel(directory.path(), arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}");
        assert!(ended.stdout.contains("Examples:"), "{arguments:?}: {}", ended.stdout);
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
    let help = kobel(directory.path(), &["run", "--help"]).stdout;
    for word in ["--from-savepoint", "--recover", "--set", "--parallelism", "--engine", "--quiet", "Ctrl-C", "130"] {
        assert!(help.contains(word), "the help does not tell of `{word}`");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let directory = tempdir().expect("a directory");
    for arguments in [
        &[] as &[&str],
        &["frob"],
        &["run"],
        &["run", "a.sql", "-e", "SELECT 1"],
        &["run", "a.sql", "--set", "no-value"],
        &["run", "a.sql", "--parallelism", "0"],
        &["run", "a.sql", "--engine", "spark"],
        &["run", "a.sql", "--recover", "--from-savepoint", "x"],
        &["run", "a.sql", "--no-such-flag"],
    ] {
        let ended = kobel(directory.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert_ne!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn a_script_is_a_file_or_standard_input_or_an_argument() {
    let directory = tempdir().expect("a directory");
    fs::write(directory.path().join("hello.sql"), "SELECT 'hello' AS word;").expect("a file");
    let program = env!("CARGO_BIN_EXE_kobel");
    let from_stdin = start_shell(directory.path(), &format!("'{program}' run - < hello.sql")).end();
    let from_file = kobel(directory.path(), &["run", "hello.sql"]);
    let from_argument = kobel(directory.path(), &["run", "-e", "SELECT 'hello' AS word"]);
    for ended in [from_stdin, from_file, from_argument] {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(rows(&ended.stdout), [["hello"]]);
    }
}

#[test]
fn the_command_line_wins_over_the_script() {
    let directory = tempdir().expect("a directory");
    let sql = "SET 'execution.runtime-mode' = 'BATCH'; SET; SELECT 1";
    let ended = kobel(directory.path(), &["run", "-e", sql]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let ended = kobel(directory.path(), &["run", "--set", "execution.runtime-mode=STREAMING", "-e", sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("STREAMING"), "{}", ended.stdout);
    let sql = "SET 'parallelism.default' = '1'; RESET; SET";
    let ended = kobel(directory.path(), &["run", "--parallelism", "3", "-e", sql]);
    assert_eq!(rows(&ended.stdout), [["parallelism.default", "3"]]);
}
