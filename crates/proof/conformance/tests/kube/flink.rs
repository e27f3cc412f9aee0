//! Apache Flink itself through the same contract: releases side by side, applications of SQL and of a jar, a session with
//! a job, through upgrades and kills.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use kobel_testkit::flink::runner_jar;
use kobel_testkit::or_skip;
use kobel_testkit::packages::{debian_binary, flink, flink_installed_by};
use kobel_testkit::process::run;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::client::runtime;
use crate::machine::{Machine, kill, processes_of};
use crate::resources::{Named, is_running};
use crate::server::kobel;

/// Counts rows by region; rows come at a steady pace.
const SCRIPT: &str = "
CREATE TABLE orders (region INT, amount INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '200',
  'fields.region.min' = '1', 'fields.region.max' = '3', 'fields.amount.min' = '1', 'fields.amount.max' = '100');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'print');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders WHERE amount > 1 GROUP BY region;
";

/// Four or five Java machines are enough at a time.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn releases_of_flink_run_side_by_side_and_keep_their_state() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    or_skip!(debian_binary("javac"));
    let newer = or_skip!(flink("2.3.0"));
    let older = or_skip!(flink_installed_by(&kobel(), "1.20.5"));
    let machine = Machine::start();
    install(&machine, "2.3.0", &newer);
    install(&machine, "1.20.5", &older);
    let script = machine.script("count.sql", SCRIPT);
    let runner = or_skip!(runner_jar(&older, machine.folder()));
    runtime().block_on(async {
        let api = machine.deployments().await;
        let sql = Named::create(&api, sql_application(&script)).await;
        let jar = Named::create(&api, jar_application(&runner, &script)).await;
        sql.runs(1).await;
        jar.runs(1).await;
        let counted = machine.counts("sql", 0, 100).await;
        upgraded(&machine, &sql, counted).await;
        job_manager_killed(&machine, &jar).await;
        sql.delete().await;
        jar.delete().await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

#[test]
fn a_session_runs_jobs_of_its_own_and_ends_with_them() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    or_skip!(debian_binary("javac"));
    let home = or_skip!(flink("2.3.0"));
    let machine = Machine::start();
    install(&machine, "2.3.0", &home);
    let script = machine.script("count.sql", SCRIPT);
    let runner = or_skip!(runner_jar(&home, machine.folder()));
    runtime().block_on(async {
        let (deployments, jobs) = (machine.deployments().await, machine.session_jobs().await);
        let session = Named::create(&deployments, session()).await;
        session.until("its job manager answers", |status| status["jobManagerDeploymentStatus"] == "READY").await;
        let job = Named::create(&jobs, session_job(&runner, &script)).await;
        job.runs(1).await;
        job.patch(json!({"spec": {"job": {"state": "suspended"}}})).await;
        job.until("it is suspended", |status| status["lifecycleState"] == "SUSPENDED").await;
        job.patch(json!({"spec": {"job": {"state": "running"}}})).await;
        let status = job.until("it runs again", is_running).await;
        let restored = status["jobStatus"]["upgradeSavepointPath"].as_str().unwrap_or_default();
        assert!(restored.contains("savepoint-"), "it went on from a savepoint: {status}");
        job.delete().await;
        session.delete().await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

/// Another parallelism and another filter: the counts go on.
async fn upgraded(machine: &Machine, sql: &Named<'_>, counted: u64) {
    let script = machine.script("filtered.sql", &SCRIPT.replace("amount > 1", "amount > 50"));
    let written = machine.printed("sql").len();
    sql.patch(json!({"spec": {"job": {"jarURI": uri(&script), "parallelism": 2}}})).await;
    sql.runs(2).await;
    machine.counts("sql", written, counted).await;
}

/// The job manager is killed and everything comes back with its state.
async fn job_manager_killed(machine: &Machine, jar: &Named<'_>) {
    let counted = machine.counts("jar", 0, 100).await;
    jar.until("it has a checkpoint", |_| machine.has_checkpoint("jar")).await;
    let written = machine.printed("jar").len();
    let folder = machine.data().join("applications/default/jar");
    let before = processes_of(&folder);
    assert!(!before.is_empty(), "nothing runs in `{}`", folder.display());
    before.iter().for_each(|process| kill(*process));
    machine.counts("jar", written, counted).await;
    jar.until("it runs again", is_running).await;
}

fn install(machine: &Machine, version: &str, home: &Path) {
    let mut install = Command::new(kobel());
    install.args(["flink", "install", version, "--from"]).arg(home).arg("--data-dir").arg(machine.data());
    run(&mut install).expect("a distribution is installed");
}

fn sql_application(script: &Path) -> DynamicObject {
    let job = json!({"jarURI": uri(script), "parallelism": 1, "upgradeMode": "savepoint"});
    deployment("sql", "v2_3", Some(job))
}

fn jar_application(runner: &Path, script: &Path) -> DynamicObject {
    let job = json!({
        "jarURI": uri(runner), "entryClass": "SqlRunner", "args": [script], "parallelism": 1,
        "upgradeMode": "last-state",
    });
    deployment("jar", "v1_20", Some(job))
}

fn session() -> DynamicObject {
    deployment("session", "v2_3", None)
}

/// Small processes: the machine of a test is no cluster.
fn deployment(name: &str, version: &str, job: Option<Value>) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": name},
        "spec": {
            "flinkVersion": version,
            "serviceAccount": "flink",
            "flinkConfiguration": {
                "kobel.engine": "flink",
                "execution.checkpointing.interval": "1s",
                "jobmanager.memory.jvm-overhead.min": "64m",
                "taskmanager.memory.jvm-overhead.min": "64m",
                "taskmanager.memory.managed.size": "64m",
                "taskmanager.numberOfTaskSlots": "2",
            },
            "jobManager": {"resource": {"memory": "700m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "800m", "cpu": 1}},
            "job": job,
        },
    }))
    .expect("a manifest")
}

fn session_job(runner: &Path, script: &Path) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkSessionJob", "metadata": {"name": "job"},
        "spec": {
            "deploymentName": "session",
            "job": {
                "jarURI": uri(runner), "entryClass": "SqlRunner", "args": [script], "parallelism": 1,
                "upgradeMode": "savepoint", "state": "running",
            },
        },
    }))
    .expect("a manifest")
}

fn uri(path: &Path) -> String {
    format!("local://{}", path.display())
}
