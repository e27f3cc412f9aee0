//! What the native engine runs while the peers look at it, and how they are run.
//!
//! Invariant: one peer is at work at a time, since each of them takes more than its share of a small machine.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kobel_testkit::http::get_json;
use kobel_testkit::process::Running;
use serde_json::Value;

use crate::native::Native;

/// How long a wait may take; a busy machine needs a part of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// How long a peer may take for all that it does.
const REPORT_PATIENCE: Duration = Duration::from_secs(900);

/// The name of the application that counts and writes files.
pub(crate) const COUNTING: &str = "counting";

/// The name of the job that does as much as the machine can. It is that of the application too, which is named after
/// the file, since the walk through the Web UI looks for one name in the lists of both.
pub(crate) const BUSY: &str = "script";

/// The name of the application that fails again and again.
pub(crate) const FAILING: &str = "failing";

static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other peer is at work.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    // A test that failed has nothing to do with the next one.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thousand rows a second, counted in windows and written to files below `folder`.
pub(crate) fn counting(folder: &Path) -> String {
    format!(
        "SET 'pipeline.name' = '{COUNTING}';
         CREATE TABLE clicks (
           page INT, cost DOUBLE, ts AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), WATERMARK FOR ts AS ts
         ) WITH (
           'connector' = 'datagen', 'rows-per-second' = '1000', 'fields.page.min' = '1', 'fields.page.max' = '5'
         );
         CREATE TABLE counts (begins TIMESTAMP(3), page INT, n BIGINT, cost DOUBLE) WITH (
           'connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'
         );
         INSERT INTO counts SELECT window_start, page, COUNT(*), SUM(cost)
         FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' SECOND))
         GROUP BY window_start, window_end, page;",
        folder.join("counts").display()
    )
}

/// As many rows as there is time for, through two aggregates that are slower than their source.
pub(crate) fn busy() -> String {
    format!(
        "SET 'pipeline.name' = '{BUSY}';
         CREATE TABLE clicks (page INT, visitor STRING, ts AS CURRENT_TIMESTAMP, WATERMARK FOR ts AS ts) WITH (
           'connector' = 'datagen', 'rows-per-second' = '1000000000',
           'fields.page.min' = '1', 'fields.page.max' = '100000', 'fields.visitor.length' = '20'
         );
         CREATE TABLE popularity (clicks BIGINT, pages BIGINT) WITH ('connector' = 'blackhole');
         INSERT INTO popularity SELECT n, COUNT(*)
         FROM (SELECT page, COUNT(*) AS n FROM clicks WHERE page > 10 GROUP BY page) GROUP BY n;"
    )
}

/// A file below `folder` with a row that is no row, read again each second.
pub(crate) fn failing(folder: &Path) -> String {
    let file = folder.join("numbers.csv");
    std::fs::write(&file, "1,1\n2,oops\n").expect("the file is written");
    format!(
        "SET 'pipeline.name' = '{FAILING}';
         SET 'restart-strategy.type' = 'fixed-delay';
         SET 'restart-strategy.fixed-delay.attempts' = '1000000';
         SET 'restart-strategy.fixed-delay.delay' = '1 s';
         CREATE TABLE numbers (id INT, n INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         CREATE TABLE sunk (id INT, n INT) WITH ('connector' = 'blackhole');
         INSERT INTO sunk SELECT id, n FROM numbers;",
        file.display()
    )
}

/// Waits until the job has completed so many checkpoints, and returns their statistics.
pub(crate) fn wait_for_checkpoints(native: &mut Native, count: u64) -> Value {
    let path = format!("/jobs/{}/checkpoints", native.job_id());
    let port = native.port;
    let look = || {
        let statistics = get_json(port, &path).ok()?;
        let completed = statistics["counts"]["completed"].as_u64()?;
        (completed >= count).then_some(statistics)
    };
    native.process.wait_until("completed checkpoints", PATIENCE, look).expect("checkpoints are taken")
}

/// Runs a command that prints a report in JSON, to its end.
pub(crate) fn report(command: &mut Command, folder: &Path, name: &str) -> (ExitStatus, Value) {
    let mut child = Running::start(command, folder, name).expect("the command starts");
    let status = child.wait(REPORT_PATIENCE).expect("the command ends");
    let report = serde_json::from_str(&child.stdout());
    let report = report.unwrap_or_else(|error| panic!("no report of `{name}` ({error}): {}", child.stderr()));
    (status, report)
}
