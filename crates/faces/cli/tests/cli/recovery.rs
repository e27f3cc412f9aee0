//! Ctrl-C, savepoints, recovery, and a reader that goes away.

use std::fs;

use tempfile::tempdir;

use crate::kobel::{kobel, numbers, rows, start_kobel, start_shell};

const ENDLESS: u64 = 1_000_000_000;

/// The command after `Resume with:`.
fn resume_command(stderr: &str) -> &str {
    let lines = stderr.lines().skip_while(|line| *line != "Resume with:");
    lines.map(str::trim).nth(1).expect("a command to resume with")
}

#[test]
fn ctrl_c_takes_a_savepoint_and_the_printed_command_goes_on_behind_it() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("count up.sql");
    fs::write(path, numbers(ENDLESS) + "SELECT id FROM numbers;").expect("a file");
    let mut running = start_kobel(directory.path(), &["run", "count up.sql"]);
    (0..3).for_each(|_| drop(running.line()));
    assert_eq!(running.row(), ["1"]);
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopping with a savepoint"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Savepoint: .kobel/savepoints/savepoint-"), "{}", ended.stderr);
    assert!(ended.stdout.ends_with("+\n"), "the box is closed");
    let last_row = ended.stdout.lines().rev().find(|line| line.starts_with('|')).unwrap_or("| 1 |");
    let last: u64 = last_row.trim_matches('|').trim().parse().expect("a number");
    let mut resumed = start_shell(directory.path(), resume_command(&ended.stderr));
    (0..3).for_each(|_| drop(resumed.line()));
    assert_eq!(resumed.row(), [(last + 1).to_string()]);
    resumed.interrupt();
    let ended = resumed.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let command = resume_command(&ended.stderr);
    assert_eq!(command.matches("--from-savepoint").count(), 1, "{command}");
}

#[test]
fn the_place_of_the_savepoint_is_told_even_when_quiet() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(ENDLESS) + "SELECT id FROM numbers;";
    let set = "execution.checkpointing.savepoint-dir=kept";
    let mut running = start_kobel(directory.path(), &["run", "--quiet", "--set", set, "-e", &sql]);
    (0..4).for_each(|_| drop(running.line()));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("Savepoint: kept/savepoint-"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_without_a_word() {
    let directory = tempdir().expect("a directory");
    let print = "CREATE TABLE shown (id BIGINT) WITH ('connector' = 'print'); INSERT INTO shown SELECT id FROM numbers";
    for query in ["SELECT id FROM numbers", print] {
        let sql = numbers(ENDLESS) + query;
        let mut running = start_kobel(directory.path(), &["run", "--quiet", "-e", &sql]);
        drop(running.line());
        let ended = running.close_stdout();
        assert_eq!((ended.stderr.as_str(), ended.code), ("", Some(0)), "{query}");
    }
}

#[test]
fn jobs_that_had_finished_are_skipped_when_a_run_is_recovered() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(3)
        + "SET 'execution.checkpointing.interval' = '1 s';
           CREATE TABLE shown (id BIGINT) WITH ('connector' = 'print');
           INSERT INTO shown SELECT id FROM numbers;
           INSERT INTO shown SELECT id + 10 FROM numbers;";
    fs::write(directory.path().join("two.sql"), sql).expect("a file");
    let ended = kobel(directory.path(), &["run", "two.sql"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout, "+I[1]\n+I[2]\n+I[3]\n+I[11]\n+I[12]\n+I[13]\n");
    let ended = kobel(directory.path(), &["run", "two.sql", "--recover"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(0)), "{}", ended.stderr);
    assert!(ended.stderr.contains("note: statement 4 "), "{}", ended.stderr);
    assert!(ended.stderr.contains("had already finished; skipped"), "{}", ended.stderr);
}

#[test]
fn a_recovery_never_takes_a_snapshot_of_an_older_run() {
    let directory = tempdir().expect("a directory");
    let sql = "SET 'execution.checkpointing.interval' = '1 h';\n".to_owned();
    let (short, endless) = (sql.clone() + &numbers(2), sql + &numbers(ENDLESS));
    let query = "SELECT id FROM numbers;";
    let path = directory.path().join("a.sql");
    fs::write(&path, short + query).expect("a file");
    assert_eq!(kobel(directory.path(), &["run", "a.sql"]).code, Some(0));
    fs::write(&path, endless + query).expect("a file");
    let mut running = start_kobel(directory.path(), &["run", "a.sql"]);
    (0..4).for_each(|_| drop(running.line()));
    running.kill();
    let mut recovered = start_kobel(directory.path(), &["run", "a.sql", "--recover"]);
    (0..3).for_each(|_| drop(recovered.line()));
    assert_eq!(recovered.row(), ["1"], "the run that was killed had no checkpoint");
    recovered.kill();
}

#[test]
fn without_a_snapshot_a_recovery_starts_from_the_beginning() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(1) + "SELECT id FROM numbers";
    let ended = kobel(directory.path(), &["run", "--recover", "-e", &sql]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(rows(&ended.stdout), [["1"]]);
    assert!(ended.stderr.contains("starting from the beginning"), "{}", ended.stderr);
}

#[test]
fn what_is_no_snapshot_of_the_script_is_refused() {
    let directory = tempdir().expect("a directory");
    let sql = numbers(ENDLESS) + "SELECT id FROM numbers;";
    let ended = kobel(directory.path(), &["run", "-e", &sql, "--from-savepoint", "nowhere"]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)));
    assert!(ended.stderr.contains("`nowhere` is no snapshot"), "{}", ended.stderr);

    let mut running = start_kobel(directory.path(), &["run", "--quiet", "-e", &sql]);
    (0..4).for_each(|_| drop(running.line()));
    running.interrupt();
    let ended = running.end();
    let savepoint = ended.stderr.lines().find_map(|line| line.strip_prefix("Savepoint: ")).expect("a savepoint");
    let other = numbers(1)
        + "CREATE TABLE gone (id BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO gone SELECT id FROM numbers";
    let ended = kobel(directory.path(), &["run", "-e", &other, "--from-savepoint", savepoint]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)));
    assert!(ended.stderr.contains("no operator for the state of `Sink: *collect*`"), "{}", ended.stderr);

    let metadata = directory.path().join(savepoint).join("_metadata");
    let mut bytes = fs::read(&metadata).expect("a manifest");
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    fs::write(&metadata, bytes).expect("a damaged manifest");
    let ended = kobel(directory.path(), &["run", "-e", &sql, "--from-savepoint", savepoint]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("", Some(1)));
    assert!(ended.stderr.contains("is damaged"), "{}", ended.stderr);
}
