//! What comes to rest, and what is the same in the end.

use std::sync::Arc;

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

#[test]
fn what_must_still_change_is_not_at_rest() {
    let is = |resource: &str, object: &Value| match rest(&seen(&[(resource, object.clone())])) {
        Rest::Final => "final",
        Rest::Lasting(_) => "lasting",
        Rest::Restless(..) => "restless",
    };
    for (reason, generation, expected) in [
        ("Settled", 1, "final"),
        ("ChangeRefused", 1, "final"),
        ("Settled", 0, "restless"),
        ("JobStarting", 1, "restless"),
        ("WaitingForRunningJob", 1, "lasting"),
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
