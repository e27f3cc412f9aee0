//! Apache Flink itself through the same contract: releases side by side, an application of SQL and one of a jar, through
//! upgrades and kills.

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
use crate::machine::{Machine, Role, kill, processes_as, processes_of};
use crate::resources::{Named, is_running};
use crate::server::kobel;

/// Counts rows by region; rows come at a steady pace.
const SCRIPT: &str = "
CREATE TABLE orders (region INT, amount INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '100',
  'fields.region.min' = '1', 'fields.region.max' = '3', 'fields.amount.min' = '1', 'fields.amount.max' = '100');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'print');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders WHERE amount > 1 GROUP BY region;
";
/// The application of SQL.
const SQL: &str = "sql";
/// The application of a jar.
const JAR: &str = "jar";

/// Whoever starts Apache Flink waits for this: a handful of Java machines are enough at a time.
pub(crate) static TURN: Mutex<()> = Mutex::new(());

#[test]
fn releases_of_flink_run_side_by_side_and_keep_their_state() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    or_skip!(debian_binary("javac"));
    let newer = or_skip!(flink("2.3.0"));
    let older = or_skip!(flink_installed_by(&kobel(), "1.20.5"));
    let mut machine = Machine::start();
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
        controller_killed(&mut machine).await;
        upgraded(&machine).await;
        one_of_each_killed(&machine).await;
        everything_killed(&mut machine).await;
        let api = machine.deployments().await;
        for name in [SQL, JAR] {
            let application = Named::there(&api, name);
            application.until("it runs again", is_running).await;
            application.delete().await;
        }
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

/// Applications count on without a controller. The next one finds them; that it does shows in what it is asked then.
async fn controller_killed(machine: &mut Machine) {
    let before = [machine.before(SQL).await, machine.before(JAR).await];
    let processes = processes_of(machine.data());
    machine.kill_controller();
    for application in &before {
        machine.goes_on(application).await;
    }
    assert_eq!(processes_of(machine.data()), processes, "applications do not need their controller");
    machine.start_again();
}

/// Another parallelism and another filter: the counts go on from a savepoint.
async fn upgraded(machine: &Machine) {
    let api = machine.deployments().await;
    let before = [machine.before(SQL).await, machine.before(JAR).await];
    let script = machine.script("filtered.sql", &SCRIPT.replace("amount > 1", "amount > 50"));
    let changes = [json!({"jarURI": uri(&script), "parallelism": 2}), json!({"args": [script], "parallelism": 2})];
    let applications = [SQL, JAR].map(|name| Named::there(&api, name));
    for (application, change) in applications.iter().zip(changes) {
        application.patch(json!({"spec": {"job": change}})).await;
    }
    for (application, before) in applications.iter().zip(&before) {
        let status = application.runs(2).await;
        let restored = status["jobStatus"]["upgradeSavepointPath"].as_str().unwrap_or_default();
        assert!(restored.contains("savepoint-"), "it went on from a savepoint: {status:#}");
        machine.gone(&before.processes).await;
        machine.goes_on(before).await;
    }
}

/// A task manager comes back below its job manager; without a job manager the application starts anew. Both go on from
/// their checkpoints.
async fn one_of_each_killed(machine: &Machine) {
    let api = machine.deployments().await;
    let (sql, jar) = (machine.before(SQL).await, machine.before(JAR).await);
    let place = machine.place(SQL);
    let stays = processes_as(Role::JobManager, &place);
    let workers = processes_as(Role::TaskManager, &place);
    let leaders = processes_as(Role::JobManager, &machine.place(JAR));
    assert_eq!((stays.len(), workers.len(), leaders.len()), (1, 1, 1), "{sql:?}, {jar:?}");
    workers.iter().chain(&leaders).for_each(|process| kill(*process));
    machine.gone(&workers).await;
    machine.goes_on(&sql).await;
    Named::there(&api, SQL).until("it runs again", is_running).await;
    assert_eq!(processes_as(Role::JobManager, &place), stays, "only the task manager was started again");
    machine.gone(&jar.processes).await;
    machine.goes_on(&jar).await;
    Named::there(&api, JAR).until("it runs again", is_running).await;
}

/// The machine loses everything but its files.
async fn everything_killed(machine: &mut Machine) {
    let before = [machine.before(SQL).await, machine.before(JAR).await];
    machine.kill_everything().await;
    machine.start_again();
    for application in &before {
        machine.goes_on(application).await;
    }
}

/// Makes a distribution of Apache Flink one of a machine's.
pub(crate) fn install(machine: &Machine, version: &str, home: &Path) {
    let mut install = Command::new(kobel());
    install.args(["flink", "install", version, "--from"]).arg(home).arg("--data-dir").arg(machine.data());
    run(&mut install).expect("a distribution is installed");
}

fn sql_application(script: &Path) -> DynamicObject {
    let job = json!({"jarURI": uri(script), "parallelism": 1, "upgradeMode": "savepoint"});
    deployment(SQL, "v2_3", &job)
}

fn jar_application(runner: &Path, script: &Path) -> DynamicObject {
    let job = json!({
        "jarURI": uri(runner), "entryClass": "SqlRunner", "args": [script], "parallelism": 1,
        "upgradeMode": "savepoint",
    });
    deployment(JAR, "v1_20", &job)
}

/// Small processes: the machine of a test is no cluster.
fn deployment(name: &str, version: &str, job: &Value) -> DynamicObject {
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

/// Where a program of this machine is.
pub(crate) fn uri(path: &Path) -> String {
    format!("local://{}", path.display())
}
