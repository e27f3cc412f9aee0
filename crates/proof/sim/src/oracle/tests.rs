//! What comes to rest, and what is the same in the end.

use std::sync::Arc;

use kobel_resources::API_VERSION;

use super::*;
use crate::entry::{Entry, Happened, Verb, Who};

fn key(resource: &str, name: &str) -> ObjectKey {
    ObjectKey { resource: resource.to_owned(), namespace: "default".to_owned(), name: name.to_owned() }
}

fn seen(objects: &[(&str, Value)]) -> Seen {
    let mut seen = Seen::default();
    for (resource, object) in objects {
        let after = Some(Arc::new(object.clone()));
        let key = key(resource, "orders");
        let entry = Entry::Wrote { rev: 1, verb: Verb::Update, key, before: None, after, by: Who::Controller };
        seen.note(&Happened { at_ms: 0, entry });
    }
    seen
}

fn deployment(reason: &str, generation: i64) -> Value {
    let status = if reason == "Settled" { "True" } else { "False" };
    json!({
        "metadata": {"generation": 1, "finalizers": ["flinkdeployments.flink.apache.org/finalizer"]},
        "spec": {"job": {"state": "suspended"}},
        "status": {"conditions": [{
            "type": "Settled", "status": status, "reason": reason, "message": "why", "observedGeneration": generation,
        }]},
    })
}

fn told(rest: &Rest) -> &'static str {
    match rest {
        Rest::Final => "final",
        Rest::Lasting(_) => "lasting",
        Rest::Restless(..) => "restless",
    }
}

/// An object that can be read, with this status.
fn readable(kind: &str, spec: Value, status: Value) -> Value {
    let metadata = json!({"name": "orders", "namespace": "default", "generation": 1});
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status})
}

fn spec_of_a_job() -> Value {
    let resource = json!({"memory": "1024m", "cpu": 1});
    json!({
        "flinkVersion": "v2_3",
        "flinkConfiguration": {"kobel.engine": "native"},
        "jobManager": {"resource": resource, "replicas": 1},
        "taskManager": {"resource": resource},
        "job": {"jarURI": "local:///opt/orders.sql", "parallelism": 1, "upgradeMode": "stateless", "state": "running"},
    })
}

#[test]
fn an_error_is_lasting_only_where_somebody_must_help() {
    let is = |resource: &str, object: &Value| told(&rest(&seen(&[(resource, object.clone())])));
    let error = || json!({"error": "why"});
    let mut deployment = readable("FlinkDeployment", spec_of_a_job(), error());
    assert_eq!(is(DEPLOYMENTS, &deployment), "restless");
    deployment["spec"]["flinkConfiguration"]["kubernetes.operator.deployment.rollback.enabled"] = json!("true");
    assert_eq!(is(DEPLOYMENTS, &deployment), "lasting", "it cannot be read");

    let reference = json!({"kind": "FlinkDeployment", "name": "orders"});
    let of_a_snapshot = json!({"jobReference": reference, "savepoint": {"disposeOnDelete": true}});
    let pending = json!({"state": "TRIGGER_PENDING", "failures": 1, "error": "why"});
    assert_eq!(is(SNAPSHOTS, &readable("FlinkStateSnapshot", of_a_snapshot, pending)), "restless");

    let of_a_pair = || json!({"configuration": {}, "template": {"spec": spec_of_a_job()}});
    let pair = |job: &str| {
        let status = json!({"blueGreenState": "TRANSITIONING_TO_GREEN", "jobStatus": {"state": job}, "error": "why"});
        readable("FlinkBlueGreenDeployment", of_a_pair(), status)
    };
    assert_eq!(is(PAIRS, &pair("RECONCILING")), "restless");
    assert_eq!(is(PAIRS, &pair("FAILING")), "lasting");
}

#[test]
fn a_pair_is_kept_by_a_deployment_that_is_another_s_or_in_trouble() {
    let pair = key(PAIRS, "orders");
    let kept = |owner: &str, error: Value| {
        let object = json!({
            "metadata": {"ownerReferences": [{"kind": "FlinkBlueGreenDeployment", "name": owner}]},
            "status": {"error": error},
        });
        let mut seen = Seen::default();
        let (key, after) = (key(DEPLOYMENTS, "orders-green"), Some(Arc::new(object)));
        let entry = Entry::Wrote { rev: 1, verb: Verb::Create, key, before: None, after, by: Who::Controller };
        seen.note(&Happened { at_ms: 0, entry });
        is_kept_by_a_deployment(&seen, &pair)
    };
    assert!(!kept("orders", Value::Null));
    assert!(kept("orders", json!("why")));
    assert!(kept("clicks", Value::Null));
}

#[test]
fn a_job_that_is_said_to_run_runs_whatever_else_is_said() {
    for (reason, expected) in
        [("ChangeRefused", "restless"), ("RestorePointUnknown", "restless"), ("SessionNotReady", "lasting")]
    {
        let mut claims = deployment(reason, 1);
        claims["status"]["jobStatus"] = json!({"state": "RUNNING", "jobId": "job-1"});
        assert_eq!(told(&rest(&seen(&[(DEPLOYMENTS, claims)]))), expected, "{reason}");
    }
}

#[test]
fn what_must_still_change_is_not_at_rest() {
    let is = |resource: &str, object: &Value| told(&rest(&seen(&[(resource, object.clone())])));
    for (reason, generation, expected) in [
        ("Settled", 1, "final"),
        ("ChangeRefused", 1, "final"),
        ("Settled", 0, "restless"),
        ("JobStarting", 1, "restless"),
        ("WaitingForRunningJob", 1, "lasting"),
        ("Retrying", 1, "restless"),
        ("ClusterUnknown", 1, "restless"),
    ] {
        assert_eq!(is(DEPLOYMENTS, &deployment(reason, generation)), expected, "{reason}");
    }
    let mut deleting = deployment("Settled", 1);
    deleting["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(is(DEPLOYMENTS, &deleting), "restless");
    deleting["metadata"]["finalizers"] = json!(["other/one"]);
    assert_eq!(is(DEPLOYMENTS, &deleting), "final");
    let mut claims = deployment("Settled", 1);
    claims["status"]["jobStatus"] = json!({"state": "RUNNING", "jobId": "job-1"});
    assert_eq!(is(DEPLOYMENTS, &claims), "restless");
    for (resource, status, expected) in [
        (SNAPSHOTS, json!({"state": "COMPLETED"}), "final"),
        (SNAPSHOTS, json!({"state": "IN_PROGRESS"}), "restless"),
        (PAIRS, json!({"blueGreenState": "ACTIVE_BLUE"}), "final"),
        (PAIRS, json!({"blueGreenState": "TRANSITIONING_TO_GREEN"}), "restless"),
        ("configmaps", json!({}), "final"),
    ] {
        assert_eq!(is(resource, &json!({"status": status})), expected, "{resource}");
    }
}

#[test]
fn the_first_difference_is_told() {
    let one = json!({"objects": [["a", {"job": "RUNNING"}]]});
    assert_eq!(difference(String::new(), &one, &one), None);
    let other = json!({"objects": [["a", {"job": "FAILED"}]]});
    let told = difference(String::new(), &one, &other);
    assert_eq!(told.as_deref(), Some("`/objects/a/1/job` is \"FAILED\", and without faults \"RUNNING\""));
    assert!(difference(String::new(), &one, &json!({"objects": []})).is_some());
}

#[test]
fn how_the_state_was_handed_over_makes_no_difference() {
    let object = |mode: &str, parallelism: i64| {
        let last = json!({"spec": {"job": {"upgradeMode": mode, "parallelism": parallelism}}}).to_string();
        job_like(&json!({"status": {"reconciliationStatus": {"lastReconciledSpec": last}}}))
    };
    assert_eq!(object("savepoint", 2), object("last-state", 2));
    assert_ne!(object("savepoint", 2), object("savepoint", 3));
}

#[test]
fn what_is_done_again_and_again_never_rests() {
    let object = |key: &str| json!({"spec": {"flinkConfiguration": {key: "10s"}}});
    assert!(never_rests(&object("kubernetes.operator.periodic.savepoint.interval")));
    assert!(!never_rests(&object("execution.checkpointing.interval")));
}
