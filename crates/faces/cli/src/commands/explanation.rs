//! What a status means, in sentences: what is so, what is awaited and since when, and what a person can do about it.
//!
//! Pure: an object and the time in, sentences out.

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::reported::{HONOURED, Reported, SETTLED};

/// The sentences about an object; `words` are those by which commands are told of it.
pub(crate) fn explanation(object: &Value, words: &str, now: Timestamp) -> Vec<String> {
    let reported = Reported::of(object);
    let mut sentences = vec![state(reported, object, now)];
    sentences.extend(behind(reported));
    sentences.extend(awaited(reported, now));
    sentences.extend(error(reported));
    sentences.extend(unhonoured(reported));
    sentences.extend(advice(reported, words));
    sentences
}

/// What is so.
fn state(reported: Reported<'_>, object: &Value, now: Timestamp) -> String {
    if let Some(since) = reported.leaving_since() {
        return format!("It has been being deleted for {}.", age(since, now));
    }
    let has_job = object.pointer("/spec/job").is_some_and(|job| !job.is_null());
    let job = reported.job_state().filter(|_| has_job).map(|job| format!(" The job is {job}.")).unwrap_or_default();
    let sentence = match reported.lifecycle() {
        None => return "Nothing is reported: no control loop has looked at it yet.".to_owned(),
        Some("CREATED") => "It is accepted, and nothing was started yet.",
        Some("SUSPENDED") => {
            return match reported.restore_path() {
                Some(path) => format!("It is suspended, as asked; it goes on from {path}."),
                None => "It is suspended, as asked.".to_owned(),
            };
        }
        Some("UPGRADING") => "A change is being carried out.",
        Some("DEPLOYED") => "The last change is carried out and has not been seen running since.",
        Some("STABLE") => "The last change is carried out and has been seen running.",
        Some("ROLLING_BACK") => "The last change did not work and is being undone.",
        Some("ROLLED_BACK") => "The last change did not work; the version before it is back.",
        Some("FAILED") => "It failed for good, or cannot be started without help.",
        Some("DELETING") => "It is being deleted.",
        Some("DELETED") => "It is deleted.",
        Some(other) => return format!("It is {other}.{job}"),
    };
    format!("{sentence}{job}")
}

/// A spec that nobody has acted on.
fn behind(reported: Reported<'_>) -> Option<String> {
    let (declared, observed) = (reported.generation(), reported.observed()?);
    (observed < declared)
        .then(|| format!("Generation {declared} of the spec is not acted on yet; the last that was is {observed}."))
}

/// What is awaited.
fn awaited(reported: Reported<'_>, now: Timestamp) -> Option<String> {
    let settled = reported.condition(SETTLED)?;
    if settled.status == "True" {
        return Some("Nothing is awaited.".to_owned());
    }
    let since = if settled.since.is_empty() {
        String::new()
    } else {
        format!(" It has not been settled for {}.", age(settled.since, now))
    };
    Some(format!("What is awaited ({}): {}.{since}", settled.reason, settled.message.trim_end_matches('.')))
}

fn error(reported: Reported<'_>) -> Option<String> {
    reported.error().map(|error| format!("The last error: {}.", error.trim_end().trim_end_matches('.')))
}

fn unhonoured(reported: Reported<'_>) -> Option<String> {
    let honoured = reported.condition(HONOURED).filter(|honoured| honoured.status == "False")?;
    Some(format!("Not everything counts here: {}.", honoured.message.trim_end_matches('.')))
}

/// What a person can do.
fn advice(reported: Reported<'_>, words: &str) -> Option<String> {
    if reported.leaving_since().is_some() {
        return None;
    }
    let advice = match reported.lifecycle() {
        None => "See that `kobel up` runs, without `--api-only`, or the operator of the cluster.".to_owned(),
        Some("SUSPENDED") => format!("`kobel resume {words}` starts it."),
        Some("FAILED") => {
            format!("`kobel logs {words}` may tell more; correct the spec and apply it, or `kobel restart {words}`.")
        }
        Some("ROLLED_BACK") => {
            format!("`kobel logs {words}` may tell why; correct the spec and apply it again.")
        }
        Some("DEPLOYED" | "UPGRADING") if reported.error().is_some() => {
            format!("It is tried again; `kobel logs {words} -f` shows how.")
        }
        Some(_) => return None,
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: Value) -> String {
        let object = json!({"metadata": {"generation": 3}, "spec": {"job": {}}, "status": status});
        explanation(&object, "flights", "2026-01-02T00:00:00Z".parse().unwrap()).join("\n")
    }

    #[test]
    fn each_state_is_explained_with_what_can_be_done() {
        let settled = json!([{"type": "Settled", "status": "True", "reason": "Settled", "message": "as asked"}]);
        let waits = json!([
            {"type": "Settled", "status": "False", "reason": "Savepoint", "message": "waits for the savepoint 0a1b",
             "lastTransitionTime": "2026-01-01T23:59:48Z"},
            {"type": "Honoured", "status": "False", "message": "have no effect on this machine: spec.ingress"},
        ]);
        for (status, expected) in [
            (
                json!({}),
                "Nothing is reported: no control loop has looked at it yet.\n\
                 See that `kobel up` runs, without `--api-only`, or the operator of the cluster.",
            ),
            (
                json!({"lifecycleState": "STABLE", "observedGeneration": 3, "jobStatus": {"state": "RUNNING"},
                       "conditions": settled}),
                "The last change is carried out and has been seen running. The job is RUNNING.\nNothing is awaited.",
            ),
            (
                json!({"lifecycleState": "UPGRADING", "observedGeneration": 2, "jobStatus": {"state": "RUNNING"},
                       "conditions": waits}),
                "A change is being carried out. The job is RUNNING.\n\
                 Generation 3 of the spec is not acted on yet; the last that was is 2.\n\
                 What is awaited (Savepoint): waits for the savepoint 0a1b. It has not been settled for 12s.\n\
                 Not everything counts here: have no effect on this machine: spec.ingress.",
            ),
            (
                json!({"lifecycleState": "SUSPENDED", "jobStatus": {"upgradeSavepointPath": "file:///s"}}),
                "It is suspended, as asked; it goes on from file:///s.\n`kobel resume flights` starts it.",
            ),
            (
                json!({"lifecycleState": "FAILED", "error": "{\"message\":\"no such table.\"}"}),
                "It failed for good, or cannot be started without help.\nThe last error: no such table.\n\
                 `kobel logs flights` may tell more; correct the spec and apply it, or `kobel restart flights`.",
            ),
            (json!({"lifecycleState": "NEW_WORD"}), "It is NEW_WORD."),
        ] {
            assert_eq!(told(status), expected);
        }
    }

    #[test]
    fn what_is_being_deleted_is_told_since_when() {
        let object = json!({"metadata": {"deletionTimestamp": "2026-01-01T23:58:00Z"}, "status": {}});
        let told = explanation(&object, "a", "2026-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(told, ["It has been being deleted for 2m."]);
    }

    #[test]
    fn the_job_of_a_session_cluster_is_not_told_of() {
        let object = json!({"status": {"lifecycleState": "STABLE", "jobStatus": {"state": "RECONCILING"}}});
        let told = explanation(&object, "session", Timestamp::UNIX_EPOCH).join(" ");
        assert!(!told.contains("The job"), "{told}");
    }
}
