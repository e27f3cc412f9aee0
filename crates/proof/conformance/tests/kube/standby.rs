//! A job manager that stands by: when the one that leads is killed the job goes on under it, and nothing is begun anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use kobel_testkit::or_skip;
use kobel_testkit::packages::{debian_binary, flink};
use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::client::runtime;
use crate::flink::{TURN, install, uri};
use crate::machine::{Machine, PATIENCE, kill, processes_of};
use crate::resources::{Named, is_running};

/// Counts rows by region; rows come at a steady pace.
const SCRIPT: &str = "
CREATE TABLE orders (region INT, amount INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '200',
  'fields.region.min' = '1', 'fields.region.max' = '3', 'fields.amount.min' = '1', 'fields.amount.max' = '100');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'print');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders GROUP BY region;
";
/// The deployment.
const NAME: &str = "pair";
/// The roles of its job managers.
const JOB_MANAGERS: [&str; 2] = ["jobmanager", "jobmanager-2"];
/// What the job manager logs that leads.
const LEADS: &str = "DefaultDispatcherRunner was granted leadership";
/// What the job manager logs that takes a job over.
const RESTORES: &str = "Restoring job";

#[test]
fn a_standby_takes_the_job_over_from_its_last_checkpoint() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    or_skip!(debian_binary("javac"));
    let home = or_skip!(flink("2.3.0"));
    let machine = Machine::start();
    install(&machine, "2.3.0", &home);
    let script = machine.script("count.sql", SCRIPT);
    runtime().block_on(async {
        let api = machine.deployments().await;
        let pair = Named::create(&api, deployment(&script)).await;
        let status = pair.runs(1).await;
        assert!(!conditions(&status).contains("jobManager.replicas"), "{status:#}");
        let place = Place { folder: machine.data().join("applications/default").join(NAME) };
        let counted = machine.counts(NAME, 0, 100).await;
        place.checkpointed().await;
        taken_over(&machine, &pair, &place, counted).await;
        let now = pair.until("it runs", is_running).await;
        assert_eq!(now["jobStatus"]["jobId"], status["jobStatus"]["jobId"], "it is the same job");
        pair.delete().await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

/// The job manager that leads is killed: the other one goes on, and all else stays as it is.
async fn taken_over(machine: &Machine, pair: &Named<'_>, place: &Place, counted: u64) {
    let before = place.processes();
    let leader = JOB_MANAGERS.into_iter().find(|role| place.has_logged(role, LEADS)).expect("one leads");
    let standby = JOB_MANAGERS.into_iter().find(|role| *role != leader).expect("the other one");
    kill(place.pid(leader).expect("it runs"));
    place.until("the standby takes over", || place.has_logged(standby, RESTORES)).await;
    let written = machine.printed(NAME).len();
    machine.counts(NAME, written, counted).await;
    pair.until("it runs again", is_running).await;
    let killed = before.iter().find(|(role, _)| role == leader).cloned();
    place.until("who was killed stands by", || place.pid(leader).is_some() && !place.has(killed.as_ref())).await;
    let stayed = |processes: Vec<(String, u64)>| -> Vec<(String, u64)> {
        processes.into_iter().filter(|(role, _)| role != leader).collect()
    };
    assert_eq!(stayed(place.processes()), stayed(before), "nothing else was started again");
}

/// The folder of the deployment.
struct Place {
    folder: PathBuf,
}

impl Place {
    /// Its processes by role, as they are recorded.
    fn processes(&self) -> Vec<(String, u64)> {
        let text = fs::read(self.folder.join(".launch.json")).expect("a record");
        let record: Value = serde_json::from_slice(&text).expect("JSON");
        let entries = record["processes"].as_array().cloned().unwrap_or_default();
        let known = |entry: Value| Some((entry["role"].as_str()?.to_owned(), entry["id"]["pid"].as_u64()?));
        entries.into_iter().filter_map(known).collect()
    }

    fn pid(&self, role: &str) -> Option<u32> {
        let (_, pid) = self.processes().into_iter().find(|(found, _)| found == role)?;
        u32::try_from(pid).ok()
    }

    fn has(&self, process: Option<&(String, u64)>) -> bool {
        self.processes().iter().any(|found| Some(found) == process)
    }

    fn has_logged(&self, role: &str, words: &str) -> bool {
        let begin = format!("flink-{role}-standalonejob-");
        let files = fs::read_dir(self.folder.join("log")).into_iter().flatten().flatten();
        let mut logs = files.filter(|file| file.file_name().to_string_lossy().starts_with(&begin));
        logs.any(|file| fs::read_to_string(file.path()).is_ok_and(|text| text.contains(words)))
    }

    /// The number of the newest checkpoint.
    fn checkpoint(&self) -> Option<u64> {
        let jobs = fs::read_dir(self.folder.join("checkpoints")).into_iter().flatten().flatten();
        let checkpoints = jobs.flat_map(|job| fs::read_dir(job.path()).into_iter().flatten().flatten());
        let complete = checkpoints.filter(|checkpoint| checkpoint.path().join("_metadata").is_file());
        complete.filter_map(|it| it.file_name().to_str()?.strip_prefix("chk-")?.parse().ok()).max()
    }

    /// Waits for a checkpoint that holds everything that was printed before.
    async fn checkpointed(&self) {
        let before = self.checkpoint().unwrap_or_default();
        self.until("a whole checkpoint", || self.checkpoint() > Some(before + 1)).await;
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "not yet: {what}; {:?}", self.processes());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn conditions(status: &Value) -> String {
    status["conditions"].to_string()
}

/// Small processes: the machine of a test is no cluster.
fn deployment(script: &Path) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": NAME},
        "spec": {
            "flinkVersion": "v2_3",
            "serviceAccount": "flink",
            "flinkConfiguration": {
                "kobel.engine": "flink",
                "high-availability.type": "kubernetes",
                "execution.checkpointing.interval": "1s",
                "jobmanager.memory.jvm-overhead.min": "64m",
                "taskmanager.memory.jvm-overhead.min": "64m",
                "taskmanager.memory.managed.size": "64m",
                "taskmanager.numberOfTaskSlots": "2",
            },
            "jobManager": {"resource": {"memory": "700m", "cpu": 1}, "replicas": 2},
            "taskManager": {"resource": {"memory": "800m", "cpu": 1}},
            "job": {"jarURI": uri(script), "parallelism": 1, "upgradeMode": "last-state"},
        },
    }))
    .expect("a manifest")
}
