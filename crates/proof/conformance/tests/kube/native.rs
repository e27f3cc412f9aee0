//! An application on the native engine, through everything that may happen to it: state is never lost, what cannot keep
//! it is refused before anything stops, and no process is left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::client::runtime;
use crate::machine::{Machine, PATIENCE, processes_of};

/// Counts rows by region; rows come at a steady pace and every one is numbered.
const SCRIPT: &str = "
CREATE TABLE orders (id BIGINT, region INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '200',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000000',
  'fields.region.min' = '1', 'fields.region.max' = '3');
CREATE TABLE by_region (region INT, orders BIGINT) WITH ('connector' = 'print');
INSERT INTO by_region SELECT region, COUNT(*) FROM orders GROUP BY region;
";

#[test]
fn a_native_application_keeps_its_state_through_everything() {
    let machine = Machine::start();
    runtime().block_on(async {
        let api = machine.deployments().await;
        let script = machine.script("count.sql", SCRIPT);
        api.create(&PostParams::default(), &deployment(&script)).await.expect("a deployment is created");
        runs(&api, 1).await;
        let mut count = machine.counts_beyond(0, 100).await;
        count = upgraded(&machine, &api, count).await;
        refused(&machine, &api).await;
        count = suspended(&machine, &api, count).await;
        count = killed(&machine, &api, count).await;
        assert!(count > 100);
        deleted(&machine, &api).await;
    });
}

#[test]
fn applications_outlive_the_controller_and_come_back_with_it() {
    let mut machine = Machine::start();
    runtime().block_on(async {
        let script = machine.script("count.sql", SCRIPT);
        let api = machine.deployments().await;
        api.create(&PostParams::default(), &deployment(&script)).await.expect("a deployment is created");
        runs(&api, 1).await;
        let count = machine.counts_beyond(0, 100).await;
        let before = processes_of(machine.data());
        machine.kill_controller();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(processes_of(machine.data()), before, "the application does not need its controller");
        machine.start_again();
        let api = machine.deployments().await;
        runs(&api, 1).await;
        assert_eq!(processes_of(machine.data()), before, "it was found again");
        // Everything at once.
        machine.kill_controller();
        before.iter().for_each(|process| signal(*process));
        let written = machine.output().len();
        machine.start_again();
        let api = machine.deployments().await;
        machine.counts_beyond(written, count).await;
        runs(&api, 1).await;
        deleted(&machine, &api).await;
    });
}

/// A changed filter and another parallelism: the counts go on.
async fn upgraded(machine: &Machine, api: &Api<DynamicObject>, count: u64) -> u64 {
    let changed = SCRIPT.replace("FROM orders GROUP", "FROM orders WHERE id > 10 GROUP");
    let script = machine.script("filtered.sql", &changed);
    let written = machine.output().len();
    patch(api, json!({"spec": {"job": {"jarURI": uri(&script), "parallelism": 2}}})).await;
    runs(api, 2).await;
    let object = api.get("orders").await.expect("the deployment");
    let restored = object.data["status"]["jobStatus"]["upgradeSavepointPath"].as_str().unwrap_or_default();
    assert!(restored.contains("savepoint-"), "it went on from a savepoint: {}", object.data["status"]);
    machine.counts_beyond(written, count).await
}

/// An aggregate whose state is another one cannot go on.
async fn refused(machine: &Machine, api: &Api<DynamicObject>) {
    let before = processes_of(machine.data());
    let good = api.get("orders").await.expect("the deployment").data["spec"]["job"]["jarURI"].clone();
    let script = machine.script("summed.sql", &SCRIPT.replace("COUNT(*)", "MAX(id)"));
    patch(api, json!({"spec": {"job": {"jarURI": uri(&script)}}})).await;
    let error = until(api, "the change is refused", |status| {
        status["error"].as_str().is_some_and(|error| error.contains("nothing was stopped"))
    });
    let status = error.await;
    assert!(status["error"].as_str().is_some_and(|error| error.contains("GroupAggregate")), "{}", status["error"]);
    assert_eq!(processes_of(machine.data()), before);
    assert_eq!(status["jobStatus"]["state"], "RUNNING");
    patch(api, json!({"spec": {"job": {"jarURI": good}}})).await;
    until(api, "the error is taken back", |status| status["error"].is_null()).await;
    assert_eq!(processes_of(machine.data()), before, "going back to what runs stops nothing");
}

async fn suspended(machine: &Machine, api: &Api<DynamicObject>, count: u64) -> u64 {
    patch(api, json!({"spec": {"job": {"state": "suspended"}}})).await;
    until(api, "it is suspended", |status| status["lifecycleState"] == "SUSPENDED").await;
    assert_eq!(processes_of(machine.data()), [0; 0]);
    let written = machine.output().len();
    patch(api, json!({"spec": {"job": {"state": "running"}}})).await;
    let count = machine.counts_beyond(written, count).await;
    until(api, "it runs again", is_running).await;
    count
}

async fn killed(machine: &Machine, api: &Api<DynamicObject>, count: u64) -> u64 {
    // The last checkpoint is what it goes on from, so there must be one of this run.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = processes_of(machine.data());
    let written = machine.output().len();
    before.iter().for_each(|process| signal(*process));
    let count = machine.counts_beyond(written, count).await;
    until(api, "it runs again", is_running).await;
    assert_ne!(processes_of(machine.data()), before);
    count
}

async fn deleted(machine: &Machine, api: &Api<DynamicObject>) {
    api.delete("orders", &DeleteParams::default()).await.expect("the deployment is deleted");
    let begun = Instant::now();
    while api.get_opt("orders").await.expect("an answer").is_some() {
        assert!(begun.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(processes_of(machine.data()), [0; 0]);
}

fn deployment(script: &Path) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": "orders"},
        "spec": {
            "flinkVersion": "v2_3",
            "flinkConfiguration": {"execution.checkpointing.interval": "500ms"},
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": uri(script), "parallelism": 1, "upgradeMode": "savepoint"},
        },
    }))
    .expect("a manifest")
}

fn uri(script: &Path) -> String {
    format!("local://{}", script.display())
}

async fn patch(api: &Api<DynamicObject>, patch: Value) {
    api.patch("orders", &PatchParams::default(), &Patch::Merge(patch)).await.expect("the deployment is patched");
}

fn is_running(status: &Value) -> bool {
    status["lifecycleState"] == "STABLE" && status["jobStatus"]["state"] == "RUNNING"
}

async fn runs(api: &Api<DynamicObject>, generation: i64) -> Value {
    until(api, "it runs", |status| is_running(status) && status["observedGeneration"] == generation).await
}

/// Waits until the status is as wanted; answers it.
async fn until(api: &Api<DynamicObject>, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let object = api.get("orders").await.expect("the deployment");
        let status = object.data.get("status").cloned().unwrap_or_default();
        if is_wanted(&status) {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "not yet: {what}: {status:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn signal(process: u32) {
    // One that has ended by itself is as good.
    let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).output();
}
