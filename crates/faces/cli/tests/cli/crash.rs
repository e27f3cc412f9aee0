//! `kill -9` at any moment: what is committed in the end is what an undisturbed run commits, no row twice, none lost.
//!
//! The undisturbed run itself is held against Apache Flink. The flights example runs with checkpoints every 10 ms and small batches, so that kills meet every phase of them. The
//! moments come from a seed; `KOBEL_KILLS` sets how many there are.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use crate::kobel::{Ended, kobel, rows, start_kobel};

const SCRIPT: &str = "examples/flights/delays.sql";
const OUTPUTS: [&str; 2] = ["target/flights/hourly", "target/flights/very-late"];
const SETTINGS: [&str; 4] = ["--set", "execution.checkpointing.interval=10 ms", "--set", "kobel.batch-size=64"];

fn kills() -> u32 {
    std::env::var("KOBEL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// A directory with the example in it.
fn example() -> TempDir {
    let directory = tempdir().expect("a directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    fs::create_dir_all(directory.path().join("examples/flights")).expect("a directory");
    for file in [SCRIPT, "examples/flights/flights-2013-01.csv"] {
        fs::copy(root.join(file), directory.path().join(file)).expect("the example is in the repository");
    }
    directory
}

/// The lines of all committed files of an output, sorted.
fn committed(directory: &Path, output: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(directory.join(output)).expect("the output is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(!name.starts_with('.'), "`{name}` was left behind");
        lines.extend(fs::read_to_string(&path).expect("text").lines().map(str::to_owned));
    }
    lines.sort_unstable();
    lines
}

fn run<'a>(parallelism: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", SCRIPT, "--parallelism", parallelism];
    arguments.extend(SETTINGS);
    arguments.extend(more);
    arguments
}

fn finished(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// What an undisturbed run commits, its table, and how long it takes.
fn undisturbed() -> (Vec<Vec<String>>, String, Duration) {
    let directory = example();
    let started = Instant::now();
    let ended = kobel(directory.path(), &run("1", &[]));
    finished(&ended);
    (OUTPUTS.map(|output| committed(directory.path(), output)).into(), ended.stdout, started.elapsed())
}

/// The sorted lines of what Apache Flink 2.3 made of the same script.
fn of_flink(file: &str) -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/conformance/data/flights");
    let text = fs::read_to_string(data.join(file)).expect("the recorded answer is in the repository");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_example_commits_byte_for_byte_what_flink_commits() {
    let (committed, table, _) = undisturbed();
    assert_eq!(committed, [of_flink("hourly.csv"), of_flink("late.json")]);
    let mut days: Vec<_> = rows(&table).into_iter().map(|row| row.join("\t")).collect();
    days.sort_unstable();
    assert_eq!(days, of_flink("daily.txt"));
}

#[test]
fn killed_and_recovered_runs_commit_what_an_undisturbed_run_commits() {
    let (expected, table, duration) = undisturbed();
    assert!(expected.iter().all(|lines| lines.len() > 500), "the example yields rows");
    let mut seed = 7u64;
    let mut moment = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        duration.mul_f64((seed >> 40) as f64 / (1u64 << 24) as f64)
    };
    for kill in 0..kills() {
        let directory = example();
        let running = start_kobel(directory.path(), &run("1", &[]));
        std::thread::sleep(moment());
        running.kill();
        // Every second run is killed once more while it recovers.
        if kill % 2 == 1 {
            let running = start_kobel(directory.path(), &run("1", &["--recover"]));
            std::thread::sleep(moment());
            running.kill();
        }
        let ended = kobel(directory.path(), &run("1", &["--recover"]));
        finished(&ended);
        for (output, expected) in OUTPUTS.iter().zip(&expected) {
            assert_eq!(&committed(directory.path(), output), expected, "kill {kill}, {output}\n{}", ended.stderr);
        }
        assert_eq!(ended.stdout.lines().last(), table.lines().last(), "the table is printed to its end");
    }
}

#[test]
fn a_run_killed_at_one_parallelism_recovers_at_another() {
    let (expected, _, duration) = undisturbed();
    let directory = example();
    for (parallelism, more) in [("3", None), ("1", Some("--recover")), ("2", Some("--recover"))] {
        let running = start_kobel(directory.path(), &run(parallelism, more.as_slice()));
        std::thread::sleep(duration.mul_f64(0.4));
        running.kill();
    }
    let ended = kobel(directory.path(), &run("3", &["--recover"]));
    finished(&ended);
    for (output, expected) in OUTPUTS.iter().zip(&expected) {
        assert_eq!(&committed(directory.path(), output), expected, "{output}\n{}", ended.stderr);
    }
}
