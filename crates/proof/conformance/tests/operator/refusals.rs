//! What the operator does not carry out: it says why, and touches nothing.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::client::text;
use crate::manifests::application;
use crate::objects::{NATIVE, is_deployed};
use crate::stage::{Stage, on_stage};

#[test]
fn a_resource_that_is_wrong_is_told_which_field_until_it_is_put_right() {
    on_stage("wrong", async |stage: &mut Stage| {
        let mut wrong = application("orders");
        wrong["spec"]["jobManager"]["replicas"] = json!(2);
        stage.apply(&wrong).await;
        let status = stage.status("orders", "it is refused", |status| status["lifecycleState"] == "FAILED").await;
        let message = told(&status);
        assert!(message.starts_with("spec.jobManager.replicas: Invalid value: 2: "), "{message}");
        stage.stands(&[]).await;
        let right = Patch::Merge(json!({"spec": {"jobManager": {"replicas": 1}}}));
        stage.deployments().patch("orders", &PatchParams::default(), &right).await.expect("it is put right");
        stage.stands(&NATIVE).await;
        stage.delete("orders").await;
        stage.cleared("orders").await;
    });
}

#[test]
fn what_is_somebody_elses_is_left_alone() {
    on_stage("theirs", async |stage: &mut Stage| {
        let theirs = stage.create("apps/v1", "Deployment", their_deployment()).await;
        stage.apply(&application("orders")).await;
        let is_told = |status: &Value| told(status).contains("belongs to somebody else");
        stage.status("orders", "it is said that the name is taken", is_told).await;
        stage.delete("orders").await;
        stage
            .until("the resource is gone", async || {
                stage.deployments().get_opt("orders").await.expect("an answer").is_none().then_some(())
            })
            .await;
        let made = stage.stands(&["Deployment orders", "ReplicaSet of orders "]).await;
        let left = made.iter().find(|object| object["kind"] == "Deployment").expect("it stands");
        let parts = ["/metadata/uid", "/metadata/labels", "/spec"];
        assert!(parts.iter().all(|part| left.pointer(part) == theirs.pointer(part)), "{left:#}");
        // It shows besides that warnings are seen: nobody has made its pods restricted ones.
        let warnings = stage.warnings(left).await;
        assert!(warnings.iter().any(|warning| warning.contains("PodSecurity")), "{warnings:?}");
    });
}

#[test]
fn a_start_that_is_refused_halfway_is_finished_once_it_is_not() {
    on_stage("refused", async |stage: &mut Stage| {
        for refused in HALVES {
            begin(stage, refused()).await;
            lift(stage).await;
            stage.stands(&NATIVE).await;
            stage.status("orders", "it is deployed", is_deployed).await;
            stage.delete("orders").await;
            stage.cleared("orders").await;
        }
    });
}

/// The quotas that break a start off, each at a place at which the operator may end: before the job manager, before what
/// calls it, before what configures it.
pub(crate) const HALVES: [fn() -> Value; 3] = [
    || json!({"count/deployments.apps": "0"}),
    || json!({"count/services": "0"}),
    // Every namespace has one, and the first of a launch says that there is one.
    || json!({"count/configmaps": "2"}),
];

/// Declares an application where a quota refuses a part of it, and waits until the operator knows.
pub(crate) async fn begin(stage: &Stage, refused: Value) {
    let quota = json!({"metadata": {"name": "refused"}, "spec": {"hard": refused}});
    stage.create("v1", "ResourceQuota", quota).await;
    let quotas = stage.api("v1", "ResourceQuota");
    stage
        .until("the quota holds", async || {
            let quota = quotas.get("refused").await.expect("the quota");
            quota.data.pointer("/status/used").is_some().then_some(())
        })
        .await;
    stage.apply(&application("orders")).await;
    let is_told = |status: &Value| told(status).contains("quota: refused");
    stage.status("orders", "it is said that there is a quota", is_told).await;
}

/// Takes the quota away.
pub(crate) async fn lift(stage: &Stage) {
    let quotas = stage.api("v1", "ResourceQuota");
    quotas.delete("refused", &DeleteParams::default()).await.expect("the quota is deleted");
}

/// What a status says that is wrong.
fn told(status: &Value) -> String {
    let error: Value = serde_json::from_str(text(status, "/error")).unwrap_or_default();
    text(&error, "/message").to_owned()
}

/// A Deployment that has the name, and nothing else to do with Flink.
fn their_deployment() -> Value {
    let labels = json!({"app": "orders"});
    json!({
        "metadata": {"name": "orders", "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "theirs"}]},
            },
        },
    })
}
