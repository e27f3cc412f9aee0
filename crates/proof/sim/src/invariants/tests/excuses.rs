//! What is excused, and that no more than that is.

use serde_json::{Value, json};

use super::history::{Told, broken, deployment, exited, pending, settled, starting, with, with_status};
use crate::call::Port;
use crate::entry::{Entry, SnapshotKind, Verb, Who};
use crate::invariants::calls::LONG_STORM;

/// How Apache Flink is told to remove the checkpoints of a job that is cancelled.
const RETENTION: &str = "execution.checkpointing.externalized-checkpoint-retention";

#[test]
fn what_goes_with_a_job_that_is_ended_from_here_was_not_needed() {
    let gone = |mode: &str, configuration: Value, asked: Option<&str>, state: &'static str| {
        let mut told = Told::running();
        told.snapshot("/c/chk-1", "job-1", 100, (SnapshotKind::Checkpoint, None, false));
        let mut object = with_status(deployment(2, mode), starting("job-1", 2));
        object["spec"]["flinkConfiguration"] = configuration;
        told.wrote(Who::User, Verb::Update, "flinkdeployments", "orders", Some(object));
        if let Some(call) = asked {
            let (port, about) = if call == "end" { (Port::Host, "default/orders") } else { (Port::Rest, "job-1") };
            told.call(port, call, about);
        }
        told.state("job-1", state);
        told.tell(Entry::Disposed { path: "file:///c/chk-1".to_owned(), by: Who::Cluster }).broken.clone()
    };
    let (cancel, canceled) = (Some("PATCH /jobs/:id"), "CANCELED");
    let name = ["no_snapshot_is_lost"];
    assert_eq!(gone("last-state", Value::Null, cancel, canceled), name);
    assert_eq!(gone("savepoint", Value::Null, Some("end"), "SUSPENDED"), name);
    assert!(gone("last-state", Value::Null, None, canceled).is_empty(), "nobody here has cancelled it");
    assert!(gone("last-state", Value::Null, cancel, "FINISHED").is_empty(), "it has ended by itself");
    assert!(gone("stateless", Value::Null, cancel, canceled).is_empty(), "it is not needed");
    let own = json!({RETENTION: "DELETE_ON_CANCELLATION"});
    assert!(gone("last-state", own, cancel, canceled).is_empty(), "a person asked for it");
}

#[test]
fn what_a_newer_snapshot_takes_the_place_of_is_not_needed() {
    let found = broken(|told| {
        let checkpoint = || (SnapshotKind::Checkpoint, None, false);
        told.snapshot("/c/chk-1", "job-1", 100, checkpoint()).snapshot("/c/chk-2", "job-1", 200, checkpoint());
        told.status(1, starting("job-1", 1)).call(Port::Rest, "PATCH /jobs/:id", "job-1").state("job-1", "CANCELED");
        told.tell(Entry::Disposed { path: "/c/chk-1".to_owned(), by: Who::Cluster })
    });
    assert!(found.is_empty(), "{found:?}");
}

/// `orders` is deleted by force and declared again, and nothing was said of the new one.
fn reborn(finalizers: &Value) -> Told {
    let mut told = Told::running();
    told.tell(exited("application", Who::Controller));
    told.wrote(Who::User, Verb::Delete, "flinkdeployments", "orders", None);
    let mut object = deployment(1, "last-state");
    object["metadata"]["finalizers"] = finalizers.clone();
    told.wrote(Who::User, Verb::Create, "flinkdeployments", "orders", Some(object));
    told
}

#[test]
fn only_what_was_begun_for_an_earlier_object_of_the_name_comes_late() {
    let held = deployment(1, "last-state")["metadata"]["finalizers"].clone();
    let name = ["intent_comes_first"];
    for finalizers in [held.clone(), json!([])] {
        assert!(reborn(&finalizers).start_asked("job-1", 1).broken.is_empty(), "it was written down before");
        assert_eq!(reborn(&finalizers).start_asked("job-9", 1).broken, name);
        assert_eq!(reborn(&finalizers).start_asked("job-1", 2).broken, name);
        assert_eq!(reborn(&finalizers).pass(61_000).start_asked("job-1", 1).broken, name);
    }
    let mut told = reborn(&json!([]));
    let mut object = with_status(deployment(1, "last-state"), starting("job-9", 1));
    object["metadata"]["finalizers"] = json!([]);
    told.wrote(Who::Controller, Verb::UpdateStatus, "flinkdeployments", "orders", Some(object));
    assert_eq!(told.start_asked("job-9", 1).broken, ["nothing_is_left_behind"]);
    assert_eq!(reborn(&json!([])).job_started("job-9", None, 0).broken, ["nothing_is_left_behind"]);
    assert!(reborn(&json!([])).job_started("job-1", None, 0).broken.is_empty());
}

#[test]
fn a_job_is_stopped_with_one_savepoint_unless_it_was_told_to_have_failed() {
    let stopping = |trigger: &str| pending(trigger, "UPGRADE");
    let failed = || {
        let mut status = settled("job-1", 1);
        status["error"] = json!("{\"message\":\"the savepoint to stop with failed: no space left\"}");
        status
    };
    let name = ["one_trigger_one_snapshot"];
    assert_eq!(broken(|told| told.status(1, stopping("t-1")).status(1, stopping("t-2"))), name);
    let forgotten =
        broken(|told| told.status(1, stopping("t-1")).status(1, settled("job-1", 1)).status(1, stopping("t-2")));
    assert_eq!(forgotten, name);
    assert!(broken(|told| told.status(1, stopping("t-1")).status(1, stopping("t-1"))).is_empty());
    let again = broken(|told| told.status(1, stopping("t-1")).status(1, failed()).status(1, stopping("t-2")));
    assert!(again.is_empty(), "{again:?}");
    let other = broken(|told| {
        let next = |trigger: &str| with(with(stopping(trigger), "/observedGeneration", json!(2)), GENERATION, json!(2));
        told.status(1, stopping("t-1")).declare(2, "last-state").status(2, next("t-1")).declare(3, "last-state");
        let last = with(with(stopping("t-2"), "/observedGeneration", json!(3)), GENERATION, json!(3));
        told.status(3, last)
    });
    assert!(other.is_empty(), "another change asks for another one: {other:?}");
}

/// Of which generation a condition speaks.
const GENERATION: &str = "/conditions/0/observedGeneration";

#[test]
fn a_pair_says_why_it_is_not_as_it_was_asked_for() {
    for (status, is_broken) in [
        (json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "RUNNING"}}), false),
        (json!({"blueGreenState": "TRANSITIONING_TO_GREEN", "abortTimestamp": "2026-01-01T00:10:00Z"}), false),
        (json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "FAILING"}}), true),
        (json!({"blueGreenState": "ACTIVE_BLUE", "jobStatus": {"state": "FAILING"}, "error": "why"}), false),
        (json!({"blueGreenState": "ACTIVE_BLUE", "abortTimestamp": "2026-01-01T00:10:00Z"}), true),
        (json!({"blueGreenState": "ACTIVE_BLUE", "abortTimestamp": "2026-01-01T00:10:00Z", "error": "why"}), false),
        (json!({"jobStatus": {"state": "RUNNING"}}), true),
    ] {
        let object = json!({"metadata": {"name": "pair"}, "spec": {}, "status": status});
        let found = broken(|told| {
            told.wrote(Who::Controller, Verb::UpdateStatus, "flinkbluegreendeployments", "pair", Some(object))
        });
        let expected = if is_broken { vec!["a_reason_is_set"] } else { vec![] };
        assert_eq!(found, expected, "{status}");
    }
}

#[test]
fn calls_without_end_are_a_storm() {
    let called = |(port, name, about): (Port, &str, &str), each_second: u32, seconds: u32| {
        let mut told = Told::running();
        for second in 0..seconds {
            if about == CHANGES && second % 20 == 0 {
                told.wrote(Who::User, Verb::Update, "flinksessionjobs", "clicks", Some(json!({})));
            }
            for _ in 0..each_second {
                told.call(port, name, about);
            }
            told.pass(1_000);
        }
        told.broken.contains(&"no_storm")
    };
    let job = (Port::Rest, "GET /jobs/:id/checkpoints", "job-1");
    assert!(called(job, 41, 12));
    assert!(!called(job, 41, 9));
    assert!(!called(job, 40, 60));
    let object = (Port::Host, "observe", "default/orders");
    let (most, more) = (LONG_STORM / 60 - 1, LONG_STORM / 60 + 2);
    assert!(called(object, more, 61));
    assert!(!called(object, most, 300));
    assert!(!called((Port::Api, "GET flinksessionjobs", CHANGES), more, 300), "the object changes");
}

/// What is changed again and again.
const CHANGES: &str = "default/clicks";
