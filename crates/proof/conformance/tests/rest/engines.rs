//! Both engines with the same jobs: a cluster of Apache Flink, and three processes of the native engine.
//!
//! Every job of Flink runs in one cluster; the native engine has a process for each, as its users have.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use kobel_testkit::flink::FlinkCluster;
use tempfile::TempDir;

use crate::journey::{Jobs, answers};
use crate::native::Native;
use crate::side::{Answers, Side};

/// The version that is compared with.
pub(crate) const FLINK: &str = "2.3.0";

/// Settings of both: a failure is tried once more.
const RESTARTS: [(&str, &str); 3] = [
    ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "1"),
    ("restart-strategy.fixed-delay.delay", "1 s"),
];

/// Settings of Flink: everything is shown and done at once, and there are no flame graphs.
const CLUSTER: [(&str, &str); 10] = [
    RESTARTS[0],
    RESTARTS[1],
    RESTARTS[2],
    ("rest.flamegraph.enabled", "false"),
    ("web.refresh-interval", "200"),
    ("metrics.fetcher.update-interval", "500"),
    ("web.adaptive-scheduler.rescale-history.size", "20"),
    ("jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", "0 s"),
    ("jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", "0 s"),
    ("jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", "0 s"),
];

/// How long a process may take to end once it has been told to.
const END_PATIENCE: Duration = Duration::from_secs(600);

/// What the native engine answers; it goes through everything once, however many tests ask.
static NATIVE: LazyLock<Answers> = LazyLock::new(ask_native);

/// Windows over rows without end, by key.
fn windows(name: &str, parallelism: usize) -> String {
    format!(
        "SET 'pipeline.name' = '{name}';
         SET 'parallelism.default' = '{parallelism}';
         SET 'execution.checkpointing.interval' = '1 s';
         CREATE TABLE orders (
           k INT, v BIGINT, ts AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)),
           WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
         ) WITH (
           'connector' = 'datagen', 'rows-per-second' = '40',
           'fields.k.min' = '0', 'fields.k.max' = '9', 'fields.v.min' = '0', 'fields.v.max' = '1000'
         );
         CREATE TABLE totals (k INT, begins TIMESTAMP(3), n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
         INSERT INTO totals SELECT k, window_start, COUNT(*), SUM(v)
         FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' SECOND))
         GROUP BY k, window_start, window_end;"
    )
}

/// A file with a row that is not as it should be.
fn bad_row(folder: &Path) -> String {
    let file = folder.join("amounts.csv");
    std::fs::write(&file, "1,10\n2,20\n3,oops\n").expect("the file is written");
    format!(
        "SET 'pipeline.name' = 'failing';
         SET 'parallelism.default' = '1';
         SET 'execution.checkpointing.interval' = '1 s';
         CREATE TABLE amounts (id INT, amount BIGINT) WITH (
           'connector' = 'filesystem', 'path' = 'file://{}', 'format' = 'csv'
         );
         CREATE TABLE doubled (id INT, amount BIGINT) WITH ('connector' = 'blackhole');
         INSERT INTO doubled SELECT id, amount * 2 FROM amounts;",
        file.display()
    )
}

/// Returns what the native engine answers.
pub(crate) fn native() -> &'static Answers {
    &NATIVE
}

fn ask_native() -> Answers {
    let files = TempDir::new().expect("a folder for files");
    let side = |native: &Native| {
        let savepoints = format!("file://{}", native.folder.path().join("savepoints").display());
        Side::new("the native engine", native.port, &native.job_id(), &savepoints)
    };
    // The end of a process waits for those who have not asked yet how their operations went.
    let patience = [("rest.async.store-duration", "15 s")];
    let mut stopped = Native::start(&windows("orders", 2), &[&RESTARTS[..], &patience].concat());
    let failing = Native::start(&bad_row(files.path()), &RESTARTS);
    let canceled = Native::start(&windows("canceled", 1), &RESTARTS);
    stopped.wait_for_job("RUNNING");
    let jobs = Jobs { stopped: side(&stopped), failing: side(&failing), canceled: side(&canceled) };
    let answers = answers(jobs);
    let end = stopped.process.wait(END_PATIENCE).expect("the process ends when the cluster is shut down");
    assert!(end.success(), "{end}: {}", stopped.process.stderr());
    answers
}

/// Starts a cluster, runs the jobs and returns what it answers.
pub(crate) fn flink(home: &Path) -> Answers {
    let mut cluster = FlinkCluster::start(home, &CLUSTER).expect("the cluster starts");
    let files = TempDir::new().expect("a folder for files");
    let savepoints = format!("file://{}", cluster.folder().join("savepoints").display());
    let mut side = |script: &str| {
        let job = cluster.submit_sql(script).expect("the script is taken");
        Side::new("Flink", cluster.port(), &job, &savepoints)
    };
    let jobs = Jobs {
        stopped: side(&windows("orders", 2)),
        failing: side(&bad_row(files.path())),
        canceled: side(&windows("canceled", 1)),
    };
    answers(jobs)
}
