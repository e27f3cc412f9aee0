//! A pair of deployments on the native engine: a new version takes over with the state of the old one, which goes only
//! then; one that does not come to run is given up; and nothing is left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use kobel_resources::blue_green::FlinkBlueGreenDeployment;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde_json::{Value, json};

use crate::client::{connect, runtime};
use crate::flink::uri;
use crate::machine::{Machine, PATIENCE, processes_of};
use crate::native::SCRIPT;
use crate::resources::Named;

#[test]
fn a_new_version_is_proven_beside_the_old_one() {
    let machine = Machine::start();
    runtime().block_on(async {
        let (pairs, deployments) = (pairs(&machine).await, machine.deployments().await);
        let script = machine.script("count.sql", SCRIPT);
        let orders = Named::create(&pairs, pair(&script)).await;
        orders.until("blue serves", |status| serves(status, "ACTIVE_BLUE")).await;
        let count = machine.counts("orders-blue", 0, 100).await;
        let count = taken_over(&machine, &orders, &deployments, count).await;
        given_up(&machine, &orders, &deployments, count).await;
        orders.delete().await;
        none_is_left(&deployments).await;
        none_is_left(&machine.snapshots().await).await;
        assert_eq!(processes_of(machine.data()), [0; 0]);
    });
}

/// A changed filter and another parallelism: green goes on from a savepoint of blue, which is deleted.
async fn taken_over(machine: &Machine, orders: &Named<'_>, deployments: &Api<DynamicObject>, count: u64) -> u64 {
    let changed = SCRIPT.replace("FROM orders GROUP", "FROM orders WHERE id > 10 GROUP");
    let script = machine.script("filtered.sql", &changed);
    orders.patch(json!({"spec": {"template": {"spec": {"job": {"jarURI": uri(&script), "parallelism": 2}}}}})).await;
    orders.until("green serves", |status| serves(status, "ACTIVE_GREEN")).await;
    let green = Named::there(deployments, "orders-green").get().await;
    let origin = green.data["spec"]["job"]["initialSavepointPath"].as_str().unwrap_or_default().to_owned();
    assert!(origin.contains("savepoint-"), "it goes on from a savepoint: {}", green.data["spec"]);
    assert_eq!(green.metadata.labels.unwrap_or_default()["flink/blue-green-deployment-type"], "GREEN");
    let count = machine.counts("orders-green", 0, count).await;
    let printed = machine.printed("orders-green");
    assert!(!printed.contains("+I["), "the counts begin anew: {}", printed.lines().next().unwrap_or_default());
    is_gone(deployments, "orders-blue").await;
    count
}

/// An aggregate whose state is another one cannot go on: green serves on, and blue does not run.
async fn given_up(machine: &Machine, orders: &Named<'_>, deployments: &Api<DynamicObject>, count: u64) {
    let good = orders.get().await.data["spec"].clone();
    let before = processes_of(machine.data());
    let script = machine.script("summed.sql", &SCRIPT.replace("COUNT(*)", "MAX(id)"));
    let grace = json!({"kubernetes.operator.bluegreen.abort.grace-period": "3 s"});
    let bad = json!({"spec": {"job": {"jarURI": uri(&script)}}});
    orders.patch(json!({"spec": {"configuration": grace, "template": bad}})).await;
    let reason = "`orders-blue` did not come to run within 3 s";
    let status = orders.until("it is given up", |status| {
        status["blueGreenState"] == "ACTIVE_GREEN" && status["error"].as_str().is_some_and(|said| said.contains(reason))
    });
    let status = status.await;
    assert_eq!(status["jobStatus"]["state"], "FAILING");
    let error = status["error"].as_str().unwrap_or_default();
    assert!(error.contains("`orders-green` goes on serving"), "{error}");
    let written = machine.printed("orders-green").len();
    machine.counts("orders-green", written, count).await;
    let after = processes_of(machine.data());
    assert!(before.iter().all(|process| after.contains(process)), "what serves was not touched: {before:?}, {after:?}");
    orders.patch(json!({"spec": {"template": good["template"]}})).await;
    orders.until("the error is taken back", |status| serves(status, "ACTIVE_GREEN") && status["error"].is_null()).await;
    is_gone(deployments, "orders-blue").await;
    assert_eq!(processes_of(machine.data()), before, "going back to what serves stops nothing");
}

fn serves(status: &Value, state: &str) -> bool {
    status["blueGreenState"] == state && status["jobStatus"]["state"] == "RUNNING"
}

async fn pairs(machine: &Machine) -> Api<DynamicObject> {
    let client = connect(&machine.data().join("kubeconfig")).await;
    Api::namespaced_with(client, "default", &ApiResource::erase::<FlinkBlueGreenDeployment>(&()))
}

/// Waits until an object is gone.
async fn is_gone(api: &Api<DynamicObject>, name: &str) {
    let begun = Instant::now();
    while let Some(object) = api.get_opt(name).await.expect("an answer") {
        assert!(begun.elapsed() < PATIENCE, "`{name}` is still there: {:#}", object.data["status"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until no object of a kind is there.
async fn none_is_left(api: &Api<DynamicObject>) {
    for object in api.list(&ListParams::default()).await.expect("an answer").items {
        is_gone(api, &object.metadata.name.unwrap_or_default()).await;
    }
}

fn pair(script: &Path) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "metadata": {"name": "orders"},
        "spec": {
            "configuration": {"kubernetes.operator.bluegreen.reconciliation.reschedule-interval": "1 s"},
            "template": {"spec": {
                "flinkVersion": "v2_3",
                "flinkConfiguration": {"execution.checkpointing.interval": "500ms"},
                "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
                "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
                "job": {"jarURI": uri(script), "parallelism": 1, "upgradeMode": "savepoint"},
            }},
        },
    }))
    .expect("a manifest")
}
