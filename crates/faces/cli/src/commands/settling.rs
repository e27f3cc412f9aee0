//! How far a change is: what was asked for and an object in; done, going on, or failed out.
//!
//! Pure. Nothing that was reported before the change was seen counts, so an object that already was as asked for is
//! done only once the control loop has said so for this generation.

use kobel_model::ErrorKind;
use serde_json::Value;

use super::reported::{REFUSED, Reported, SETTLED};

/// What is to come of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The job is stopped.
    Suspended,
    /// The job, or the session cluster, runs.
    Running,
}

/// What a look at an object tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes on; this is what is awaited.
    Going(String),
    /// It is as it was asked for.
    Done,
    /// It will not come.
    Failed {
        /// What the receiver should do.
        kind: ErrorKind,
        /// Why, for a person.
        message: String,
    },
}

/// A change that the API has taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    /// What is to come of it.
    pub(crate) goal: Goal,
    /// What was merged into the object.
    pub(crate) patch: &'a Value,
    /// The generation that it made.
    pub(crate) generation: i64,
}

impl Change<'_> {
    /// Tells from an object how far the change is.
    pub(crate) fn judge(&self, object: &Value) -> Step {
        let reported = Reported::of(object);
        if reported.leaving_since().is_some() {
            return failed(ErrorKind::Missing, "it is being deleted");
        }
        if !holds(object, self.patch) {
            return failed(ErrorKind::Conflict, "somebody else has changed what was asked for");
        }
        let settled = reported.condition(SETTLED);
        let settled = settled.filter(|said| said.generation.is_none_or(|seen| seen >= self.generation));
        if let Some(refused) = settled.filter(|said| said.status != "True" && said.reason == REFUSED) {
            return failed(ErrorKind::Invalid, refused.message);
        }
        let waits = settled.filter(|said| said.status != "True").map(|said| said.message);
        if reported.observed().is_none_or(|observed| observed < self.generation) {
            return Step::Going(waits.unwrap_or("waits for the control loop to see the change").to_owned());
        }
        let is_settled = waits.is_none();
        match (self.goal, reported.lifecycle().unwrap_or_default()) {
            (Goal::Running, "FAILED") => failed(ErrorKind::Invalid, &why(reported, "it failed")),
            (Goal::Suspended, "FAILED") if is_settled => failed(ErrorKind::Invalid, &why(reported, "it failed")),
            (Goal::Running, "ROLLED_BACK") if is_settled => {
                failed(ErrorKind::Invalid, &why(reported, "the change was undone, and the version before it runs"))
            }
            (Goal::Suspended, "SUSPENDED") | (Goal::Running, "STABLE") if is_settled => Step::Done,
            // Something that has never run, and still is what it should be.
            (Goal::Running, "DEPLOYED") if is_settled && settled.is_some() => Step::Done,
            _ => Step::Going(waits.map_or_else(|| state(reported), str::to_owned)),
        }
    }
}

/// Tells from a FlinkStateSnapshot how far it is.
pub(crate) fn judge_snapshot(object: &Value) -> Step {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let error = text("/status/error");
    match text("/status/state") {
        "COMPLETED" => Step::Done,
        state @ ("FAILED" | "ABANDONED") => {
            let message = match (state, error) {
                ("FAILED", "") => "it failed".to_owned(),
                ("FAILED", error) => format!("it failed: {error}"),
                // What is told may be that the job is there and does not run.
                (_, "") => "its job is gone".to_owned(),
                (_, error) => error.to_owned(),
            };
            failed(ErrorKind::Invalid, &message)
        }
        "IN_PROGRESS" => Step::Going("the savepoint is being taken".to_owned()),
        // An attempt that failed is made again.
        _ if !error.is_empty() => Step::Going(format!("waits to be taken; the last attempt failed: {error}")),
        _ => Step::Going("waits for the control loop to ask for the savepoint".to_owned()),
    }
}

fn failed(kind: ErrorKind, message: &str) -> Step {
    Step::Failed { kind, message: message.to_owned() }
}

/// What happened, with the error that the status tells.
fn why(reported: Reported<'_>, happened: &str) -> String {
    reported.error().map_or_else(|| happened.to_owned(), |error| format!("{happened}: {error}"))
}

/// The state in the words of the status: `UPGRADING, the job is RECONCILING`.
fn state(reported: Reported<'_>) -> String {
    let whole = reported.lifecycle().unwrap_or("nothing is reported yet");
    match reported.job_state() {
        Some(job) => format!("{whole}, the job is {job}"),
        None => whole.to_owned(),
    }
}

/// Whether an object has everything that a merge patch puts there.
fn holds(object: &Value, patch: &Value) -> bool {
    match patch {
        Value::Object(fields) => fields.iter().all(|(name, inner)| match object.get(name) {
            Some(found) => holds(found, inner),
            None => inner.is_null(),
        }),
        other => object == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object of generation 4 with this status, asked to run.
    fn object(observed: i64, lifecycle: &str, settled: Option<(&str, i64)>) -> Value {
        let condition = settled.map(|(status, generation)| {
            json!({"type": "Settled", "status": status, "message": "waits for a savepoint",
                   "observedGeneration": generation})
        });
        json!({
            "metadata": {"generation": 4}, "spec": {"job": {"state": "running", "parallelism": 2}},
            "status": {"observedGeneration": observed, "lifecycleState": lifecycle, "jobStatus": {"state": "CREATED"},
                       "conditions": condition.into_iter().collect::<Vec<_>>()},
        })
    }

    fn judged(goal: Goal, object: &Value) -> &'static str {
        let patch = json!({"spec": {"job": {"state": "running"}}});
        match (Change { goal, patch: &patch, generation: 4 }).judge(object) {
            Step::Going(waits) if waits.starts_with("waits for a savepoint") => "waits",
            Step::Going(waits) if waits.contains("control loop") => "unseen",
            Step::Going(_) => "going",
            Step::Done => "done",
            Step::Failed { .. } => "failed",
        }
    }

    #[test]
    fn a_change_goes_on_until_its_goal_is_reported_for_its_generation() {
        let (no, yes) = (Some(("False", 4)), Some(("True", 4)));
        for (goal, observed, lifecycle, settled, expected) in [
            // What was reported before the change was seen does not count.
            (Goal::Running, 3, "STABLE", Some(("True", 3)), "unseen"),
            (Goal::Running, 3, "STABLE", no, "waits"),
            (Goal::Running, 3, "FAILED", None, "unseen"),
            (Goal::Running, 4, "UPGRADING", no, "waits"),
            (Goal::Running, 4, "UPGRADING", None, "going"),
            (Goal::Running, 4, "UPGRADING", Some(("True", 3)), "going"),
            (Goal::Running, 4, "DEPLOYED", None, "going"),
            (Goal::Running, 4, "DEPLOYED", no, "waits"),
            (Goal::Running, 4, "DEPLOYED", yes, "done"),
            (Goal::Running, 4, "STABLE", None, "done"),
            (Goal::Running, 4, "STABLE", no, "waits"),
            (Goal::Running, 4, "STABLE", yes, "done"),
            (Goal::Running, 4, "SUSPENDED", None, "going"),
            (Goal::Running, 4, "FAILED", no, "failed"),
            (Goal::Running, 4, "ROLLING_BACK", no, "waits"),
            (Goal::Running, 4, "ROLLED_BACK", no, "waits"),
            (Goal::Running, 4, "ROLLED_BACK", yes, "failed"),
            (Goal::Suspended, 4, "STABLE", None, "going"),
            (Goal::Suspended, 4, "SUSPENDED", no, "waits"),
            (Goal::Suspended, 4, "SUSPENDED", None, "done"),
            (Goal::Suspended, 4, "FAILED", no, "waits"),
            (Goal::Suspended, 4, "FAILED", yes, "failed"),
        ] {
            let object = object(observed, lifecycle, settled);
            assert_eq!(judged(goal, &object), expected, "{goal:?} {observed} {lifecycle} {settled:?}");
        }
    }

    #[test]
    fn what_somebody_else_changes_or_deletes_ends_the_waiting() {
        let mut changed = object(4, "STABLE", None);
        changed["spec"]["job"]["state"] = "suspended".into();
        let mut leaving = object(4, "STABLE", None);
        leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        for object in [changed, leaving] {
            assert_eq!(judged(Goal::Running, &object), "failed", "{object}");
        }
    }

    #[test]
    fn a_change_that_is_refused_is_not_waited_for() {
        let patch = json!({"spec": {"job": {"state": "running"}}});
        let change = Change { goal: Goal::Running, patch: &patch, generation: 4 };
        for (generation, is_refused) in [(4, true), (3, false)] {
            let mut object = object(3, "STABLE", Some(("False", generation)));
            object["status"]["conditions"][0]["reason"] = json!(REFUSED);
            assert_eq!(matches!(change.judge(&object), Step::Failed { .. }), is_refused, "of generation {generation}");
        }
    }

    #[test]
    fn a_failure_tells_its_error() {
        let mut object = object(4, "FAILED", None);
        object["status"]["error"] = r#"{"message":"no such table"}"#.into();
        let patch = json!({});
        let step = Change { goal: Goal::Running, patch: &patch, generation: 4 }.judge(&object);
        assert_eq!(step, Step::Failed { kind: ErrorKind::Invalid, message: "it failed: no such table".to_owned() });
    }

    #[test]
    fn a_snapshot_is_done_when_it_is_complete() {
        for (status, expected) in [
            (json!({}), "going"),
            (json!({"state": "TRIGGER_PENDING", "error": "busy"}), "going"),
            (json!({"state": "IN_PROGRESS"}), "going"),
            (json!({"state": "COMPLETED", "path": "file:///s"}), "done"),
            (json!({"state": "FAILED", "error": "disk full"}), "failed"),
            (json!({"state": "ABANDONED"}), "failed"),
        ] {
            let word = match judge_snapshot(&json!({"status": status})) {
                Step::Going(_) => "going",
                Step::Done => "done",
                Step::Failed { .. } => "failed",
            };
            assert_eq!(word, expected, "{status}");
        }
    }

    #[test]
    fn a_job_that_is_there_and_does_not_run_is_not_told_to_be_gone() {
        for (status, expected) in [
            (
                json!({"state": "ABANDONED", "error": "its job does not run: it is FAILED"}),
                "its job does not run: it is FAILED",
            ),
            (json!({"state": "ABANDONED"}), "its job is gone"),
            (json!({"state": "FAILED", "error": "disk full"}), "it failed: disk full"),
        ] {
            let step = judge_snapshot(&json!({"status": status}));
            assert_eq!(step, Step::Failed { kind: ErrorKind::Invalid, message: expected.to_owned() });
        }
    }

    #[test]
    fn an_object_holds_what_a_patch_puts_there() {
        let object = json!({"spec": {"job": {"parallelism": 4, "args": ["a"]}, "restartNonce": 2}});
        for (patch, expected) in [
            (json!({"spec": {"job": {"parallelism": 4}}}), true),
            (json!({"spec": {"job": {"parallelism": 3}}}), false),
            (json!({"spec": {"job": {"args": ["a", "b"]}}}), false),
            (json!({"spec": {"job": {"state": null}}}), true),
            (json!({"spec": {"restartNonce": 2}}), true),
        ] {
            assert_eq!(holds(&object, &patch), expected, "{patch}");
        }
    }
}
