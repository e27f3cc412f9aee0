//! What this machine cannot honour is said in a condition of the deployment, and only when there is something to say.

use std::time::{Duration, Instant};

use kobel_resources::flink_deployment::FlinkDeployment;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::client::{connect, runtime};
use crate::machine::PATIENCE;
use crate::server::Server;

/// The fields that mean something to a cluster only.
const FOREIGN: &str = "have no effect on this machine: spec.ingress, spec.podTemplate";

#[test]
fn what_is_not_honoured_is_said_in_a_condition() {
    let server = Server::embedded();
    runtime().block_on(async {
        let client = connect(server.kubeconfig()).await;
        let resource = ApiResource::erase::<FlinkDeployment>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(client, "default", &resource);
        api.create(&PostParams::default(), &deployment("plain")).await.expect("a deployment is created");
        api.create(&PostParams::default(), &foreign("foreign")).await.expect("a deployment is created");
        it_is_said(&api).await;
        it_stands_still(&api).await;
        others_keep_their_conditions(&api).await;
        it_is_taken_back(&api).await;
        it_stands_still(&api).await;
    });
}

#[test]
fn each_of_many_deployments_gets_its_condition() {
    let server = Server::embedded();
    runtime().block_on(async {
        let client = connect(server.kubeconfig()).await;
        let resource = ApiResource::erase::<FlinkDeployment>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(client, "default", &resource);
        // As fast as they can be made: the loop falls behind and catches up.
        for number in 0..120 {
            let object = foreign(&format!("foreign-{number}"));
            api.create(&PostParams::default(), &object).await.expect("a deployment is created");
        }
        for number in 0..120 {
            let name = format!("foreign-{number}");
            let said = said(&api, &name, |condition| condition["status"] == "False").await;
            assert_eq!(said["message"], FOREIGN, "{name}");
        }
    });
}

async fn it_is_said(api: &Api<DynamicObject>) {
    let said = said(api, "foreign", |condition| condition["status"] == "False").await;
    assert_eq!(
        (&said["reason"], &said["message"], &said["observedGeneration"]),
        (&json!("NotOnThisSubstrate"), &json!(FOREIGN), &json!(1))
    );
    assert!(said["lastTransitionTime"].as_str().is_some_and(|time| time.ends_with('Z')), "{said}");
    // The other object came first, so it was looked at before.
    assert_eq!(honoured(api, "plain").await, Value::Null);
}

async fn others_keep_their_conditions(api: &Api<DynamicObject>) {
    let before = honoured(api, "foreign").await;
    let running = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": "foreign"},
        "status": {"conditions": [{"type": "Watched", "status": "True", "message": "it runs"}]},
    });
    let params = PatchParams::apply("another");
    api.patch_status("foreign", &params, &Patch::Apply(&running)).await.expect("a condition is applied");
    let patch = Patch::Merge(json!({"spec": {"podTemplate": {"metadata": {"labels": {"a": "other"}}}}}));
    api.patch("foreign", &PatchParams::default(), &patch).await.expect("the deployment is patched");
    let after = said(api, "foreign", |condition| condition["observedGeneration"] == 2).await;
    assert_eq!(after["lastTransitionTime"], before["lastTransitionTime"], "the status of the condition is the same");
    assert_eq!(condition(api, "foreign", "Watched").await["message"], "it runs");
}

async fn it_is_taken_back(api: &Api<DynamicObject>) {
    let patch = Patch::Merge(json!({"spec": {"ingress": null, "podTemplate": null}}));
    api.patch("foreign", &PatchParams::default(), &patch).await.expect("the deployment is patched");
    let said = said(api, "foreign", |condition| condition["status"] != "False").await;
    assert!(said.is_null() || (said["status"] == "True" && said["observedGeneration"] == 3), "{said}");
    assert_eq!(condition(api, "foreign", "Watched").await["message"], "it runs");
}

async fn it_stands_still(api: &Api<DynamicObject>) {
    let begun = Instant::now();
    let mut before = None;
    loop {
        let now = Some([version(api, "plain").await, version(api, "foreign").await]);
        if now == before {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "the deployments are written again and again: {now:?}");
        before = now;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A deployment of which everything has an effect on this machine.
fn deployment(name: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": name},
        "spec": {
            "flinkVersion": "v1_20",
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/count.sql", "parallelism": 2, "upgradeMode": "stateless", "state": "suspended"},
        },
    }))
    .expect("a manifest")
}

/// A deployment with two fields that mean something to a cluster only.
fn foreign(name: &str) -> DynamicObject {
    let mut object = deployment(name);
    object.data["spec"]["ingress"] = json!({"template": "{{name}}.example.com"});
    object.data["spec"]["podTemplate"] = json!({"metadata": {"labels": {"a": "b"}}});
    object
}

async fn version(api: &Api<DynamicObject>, name: &str) -> Option<String> {
    api.get(name).await.expect("the deployment").metadata.resource_version
}

async fn honoured(api: &Api<DynamicObject>, name: &str) -> Value {
    condition(api, name, "Honoured").await
}

/// A condition of a deployment; null if it has none of this type.
async fn condition(api: &Api<DynamicObject>, name: &str, of_type: &str) -> Value {
    let object = api.get(name).await.expect("the deployment");
    let conditions = object.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found: Vec<Value> = conditions.into_iter().filter(|condition| condition["type"] == of_type).collect();
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next().unwrap_or_default()
}

/// Waits until the condition of a deployment is as wanted.
async fn said(api: &Api<DynamicObject>, name: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let condition = honoured(api, name).await;
        if is_wanted(&condition) {
            return condition;
        }
        assert!(begun.elapsed() < PATIENCE, "`{name}` still has the condition {condition}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
