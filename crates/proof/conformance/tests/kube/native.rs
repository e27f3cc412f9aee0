//! An application on the native engine, through everything that may happen to it: state is never lost, what cannot keep
//! it is refused before anything stops, and no process is left behind.

use std::path::Path;

use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::client::runtime;
use crate::flink::uri;
use crate::machine::{Machine, kill, processes_of};
use crate::resources::{Named, is_running};

/// Counts rows by region; rows come at a steady pace and every one is numbered.
pub(crate) const SCRIPT: &str = "
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
        let orders = Named::create(&api, deployment(&script)).await;
        orders.runs(1).await;
        let mut count = machine.counts("orders", 0, 100).await;
        count = upgraded(&machine, &orders, count).await;
        refused(&machine, &orders).await;
        saved(&machine, &orders).await;
        count = suspended(&machine, &orders, count).await;
        assert!(count > 100);
        killed(&machine, &orders).await;
        orders.delete().await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

#[test]
fn applications_outlive_the_controller_and_come_back_with_it() {
    let mut machine = Machine::start();
    runtime().block_on(async {
        let script = machine.script("count.sql", SCRIPT);
        let api = machine.deployments().await;
        let orders = Named::create(&api, deployment(&script)).await;
        orders.runs(1).await;
        let saved = machine.before("orders").await;
        let before = processes_of(machine.data());
        machine.kill_controller();
        machine.goes_on(&saved).await;
        assert_eq!(processes_of(machine.data()), before, "the application does not need its controller");
        machine.start_again();
        let api = machine.deployments().await;
        let orders = Named::there(&api, "orders");
        orders.runs(1).await;
        assert_eq!(processes_of(machine.data()), before, "it was found again");
        // Everything at once.
        machine.kill_everything().await;
        machine.start_again();
        let api = machine.deployments().await;
        let orders = Named::there(&api, "orders");
        machine.goes_on(&saved).await;
        orders.runs(1).await;
        orders.delete().await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

#[test]
fn what_cannot_be_carried_out_stops_nothing_however_young_the_job_is() {
    for configuration in [json!({"execution.checkpointing.interval": "1h"}), json!({})] {
        refused_while_young(configuration);
    }
}

fn refused_while_young(configuration: Value) {
    let machine = Machine::start();
    runtime().block_on(async {
        let api = machine.deployments().await;
        let mut young = deployment(&machine.script("count.sql", SCRIPT));
        young.data["spec"]["flinkConfiguration"] = configuration;
        let orders = Named::create(&api, young).await;
        orders.runs(1).await;
        let before = processes_of(machine.data());
        let other = machine.script("summed.sql", &SCRIPT.replace("COUNT(*)", "MAX(id)"));
        let wrong = machine.script("wrong.sql", &SCRIPT.replace("FROM orders", "FORM orders"));
        let missing = machine.folder().join("missing.sql");
        for (script, mode, words) in [
            (&missing, "savepoint", "there is no file"),
            (&wrong, "savepoint", "FORM"),
            (&wrong, "stateless", "FORM"),
            (&other, "savepoint", "GroupAggregate"),
        ] {
            orders.patch(json!({"spec": {"job": {"jarURI": uri(script), "upgradeMode": mode}}})).await;
            let refused = |status: &Value| {
                let error = status["error"].as_str().unwrap_or_default();
                error.contains("nothing was stopped") && error.contains(words)
            };
            orders.until("the change is refused", refused).await;
            assert_eq!(processes_of(machine.data()), before, "for `{}`", script.display());
        }
        let changed = SCRIPT.replace("FROM orders GROUP", "FROM orders WHERE id > 10 GROUP");
        let (written, good) = (machine.printed("orders").len(), machine.script("filtered.sql", &changed));
        orders.patch(json!({"spec": {"job": {"jarURI": uri(&good)}}})).await;
        orders.until("the good one runs", |status| is_running(status) && status["observedGeneration"] == 6).await;
        machine.counts("orders", written, 1).await;
        orders.delete().await;
    });
}

/// A changed filter and another parallelism: the counts go on.
async fn upgraded(machine: &Machine, orders: &Named<'_>, count: u64) -> u64 {
    let changed = SCRIPT.replace("FROM orders GROUP", "FROM orders WHERE id > 10 GROUP");
    let script = machine.script("filtered.sql", &changed);
    let written = machine.printed("orders").len();
    orders.patch(json!({"spec": {"job": {"jarURI": uri(&script), "parallelism": 2}}})).await;
    orders.runs(2).await;
    let object = orders.get().await;
    let restored = object.data["status"]["jobStatus"]["upgradeSavepointPath"].as_str().unwrap_or_default();
    assert!(restored.contains("savepoint-"), "it went on from a savepoint: {}", object.data["status"]);
    machine.counts("orders", written, count).await
}

/// An aggregate whose state is another one cannot go on.
async fn refused(machine: &Machine, orders: &Named<'_>) {
    let before = processes_of(machine.data());
    let good = orders.get().await.data["spec"]["job"]["jarURI"].clone();
    let script = machine.script("summed.sql", &SCRIPT.replace("COUNT(*)", "MAX(id)"));
    orders.patch(json!({"spec": {"job": {"jarURI": uri(&script)}}})).await;
    let error = orders.until("the change is refused", |status| {
        status["error"].as_str().is_some_and(|error| error.contains("nothing was stopped"))
    });
    let status = error.await;
    assert!(status["error"].as_str().is_some_and(|error| error.contains("GroupAggregate")), "{}", status["error"]);
    assert_eq!(processes_of(machine.data()), before);
    assert_eq!(status["jobStatus"]["state"], "RUNNING");
    assert_eq!(status["observedGeneration"], 2, "what is carried out is the generation before");
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let settled = conditions.iter().find(|condition| condition["type"] == "Settled").expect("a condition");
    assert_eq!((&settled["status"], &settled["reason"]), (&json!("False"), &json!("ChangeRefused")));
    // A crash does not bring the refused change into force.
    let written = machine.printed("orders").len();
    before.iter().for_each(|process| kill(*process));
    orders.until("it is another process", |_| processes_of(machine.data()).iter().any(|id| !before.contains(id))).await;
    orders.until("it runs again", |status| status["jobStatus"]["state"] == "RUNNING").await;
    machine.counts("orders", written, 1).await;
    let before = processes_of(machine.data());
    orders.patch(json!({"spec": {"job": {"jarURI": good}}})).await;
    orders.until("the error is taken back", |status| status["error"].is_null()).await;
    assert_eq!(processes_of(machine.data()), before, "going back to what runs stops nothing");
}

/// A savepoint as a resource: taken, and deleted with it.
async fn saved(machine: &Machine, orders: &Named<'_>) {
    let api = machine.snapshots().await;
    let wanted = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkStateSnapshot", "metadata": {"name": "by-hand"},
        "spec": {"jobReference": {"kind": "FlinkDeployment", "name": "orders"}, "savepoint": {}},
    });
    let snapshot = Named::create(&api, serde_json::from_value(wanted).expect("a manifest")).await;
    let status = snapshot.until("it is taken", |status| status["state"] == "COMPLETED").await;
    let path = status["path"].as_str().unwrap_or_default().trim_start_matches("file:").to_owned();
    assert!(Path::new(&path).join("_metadata").is_file(), "{status}");
    snapshot.delete().await;
    assert!(!Path::new(&path).exists(), "its files go with it");
    orders.until("it runs on", is_running).await;
}

async fn suspended(machine: &Machine, orders: &Named<'_>, count: u64) -> u64 {
    orders.patch(json!({"spec": {"job": {"state": "suspended"}}})).await;
    orders.until("it is suspended", |status| status["lifecycleState"] == "SUSPENDED").await;
    assert_eq!(processes_of(machine.data()), [0; 0]);
    let written = machine.printed("orders").len();
    orders.patch(json!({"spec": {"job": {"state": "running"}}})).await;
    let count = machine.counts("orders", written, count).await;
    orders.until("it runs again", is_running).await;
    count
}

async fn killed(machine: &Machine, orders: &Named<'_>) {
    // The last checkpoint is what it goes on from, so there must be one of this run.
    let before = machine.before("orders").await;
    before.processes.iter().for_each(|process| kill(*process));
    machine.gone(&before.processes).await;
    machine.goes_on(&before).await;
    orders.until("it runs again", is_running).await;
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
