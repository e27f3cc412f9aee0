//! What a status means, in sentences: what is so, what is awaited and since when, and what a person can do about it.
//!
//! Pure: an object and the time in, sentences out.

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::reported::{HONOURED, REFUSED, RUNNING, Reported, SETTLED};

/// That something is to run and does not yet, if that is so: the first thing to know of it.
pub(crate) fn headline(object: &Value, now: Timestamp) -> Option<String> {
    let reported = Reported::of(object);
    let is_wanted = !is_asked_to_rest(object);
    // A job that has finished, as it should, does not run either.
    let is_settled = reported.condition(SETTLED).is_some_and(|settled| settled.status == "True");
    if !is_wanted || is_settled || reported.leaving_since().is_some() {
        return None;
    }
    let since = match reported.lifecycle() {
        // Nobody has looked at it yet.
        None => reported.created(),
        Some("CREATED" | "UPGRADING" | "DEPLOYED") => {
            let running = reported.condition(RUNNING).filter(|running| running.status != "True")?;
            Some(running.since)
        }
        Some(_) => return None,
    };
    let since = since.filter(|since| !since.is_empty()).map(|since| format!(", for {} so far", age(since, now)));
    Some(format!("It is not running yet{}.", since.unwrap_or_default()))
}

/// The sentences about an object; `words` are those by which commands are told of it.
pub(crate) fn explanation(object: &Value, words: &str, now: Timestamp) -> Vec<String> {
    let mut sentences = facts(object, now);
    sentences.extend(advice(object, words));
    sentences
}

/// How an object is and what it waits for.
pub(crate) fn facts(object: &Value, now: Timestamp) -> Vec<String> {
    let reported = Reported::of(object);
    let mut sentences = vec![state(reported, object, now)];
    sentences.extend(behind(reported));
    sentences.extend(awaited(reported, now));
    sentences.extend(error(reported));
    sentences.extend(unhonoured(reported));
    sentences
}

/// Whether the job of an object is declared to be stopped.
pub(crate) fn is_asked_to_rest(object: &Value) -> bool {
    let state = object.pointer("/spec/job/state").and_then(Value::as_str);
    state.is_some_and(|state| state.eq_ignore_ascii_case("suspended"))
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
        Some("SUSPENDED") if is_refused(reported) => "It is suspended, and what was asked for since is refused.",
        Some("SUSPENDED") if !is_asked_to_rest(object) => "It is suspended still, and is asked to run.",
        Some("SUSPENDED") => {
            return match reported.restore_path() {
                Some(path) => format!("It is suspended, as asked; it goes on from {path}."),
                None => "It is suspended, as asked.".to_owned(),
            };
        }
        Some("UPGRADING") => "A change is being carried out.",
        Some("DEPLOYED") => "The last change is carried out, and has not been seen running since.",
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

/// Whether the change that was asked for last cannot be carried out.
pub(crate) fn is_refused(reported: Reported<'_>) -> bool {
    reported.condition(SETTLED).is_some_and(|settled| settled.status != "True" && settled.reason == REFUSED)
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
        format!("It has not been settled for {}.", age(settled.since, now))
    };
    let message = settled.message.trim_end().trim_end_matches('.');
    // The excerpt of a script that an error shows stands on lines of its own.
    let end = match message {
        _ if message.contains('\n') => "\n",
        _ if message.ends_with('?') => " ",
        _ => ". ",
    };
    Some(format!("What is awaited ({}): {message}{end}{since}", settled.reason).trim_end().to_owned())
}

fn error(reported: Reported<'_>) -> Option<String> {
    let error = reported.error()?;
    let error = error.trim_end().trim_end_matches('.');
    // What is awaited may tell it already.
    let is_told = reported.condition(SETTLED).is_some_and(|settled| settled.message.contains(error));
    (!is_told).then(|| format!("The last error: {error}."))
}

fn unhonoured(reported: Reported<'_>) -> Option<String> {
    let honoured = reported.condition(HONOURED).filter(|honoured| honoured.status == "False")?;
    Some(format!("Not everything counts here: {}.", honoured.message.trim_end_matches('.')))
}

/// What a person can do.
pub(crate) fn advice(object: &Value, words: &str) -> Option<String> {
    let reported = Reported::of(object);
    if reported.leaving_since().is_some() {
        return None;
    }
    let advice = match reported.lifecycle() {
        _ if is_refused(reported) => {
            "What runs, or does not, is as before. It is tried again by itself, so it is enough \
                                      to put right what is wrong; or undo the change, or give the state up with \
                                      `job.upgradeMode: stateless`."
                .to_owned()
        }
        None => "See that `kobel up` runs, without `--api-only`, or the operator of the cluster.".to_owned(),
        Some("SUSPENDED") if !is_asked_to_rest(object) => {
            format!("It starts by itself; if it does not, `kobel events {words}` tells what was tried.")
        }
        Some("SUSPENDED") => format!("`kobel resume {words}` starts it."),
        Some("FAILED") => {
            format!("`kobel logs {words}` may tell more; correct the spec and apply it, or `kobel restart {words}`.")
        }
        Some("ROLLED_BACK") => {
            format!("`kobel logs {words}` may tell why; correct the spec and apply it again.")
        }
        Some("DEPLOYED" | "UPGRADING") if reported.error().is_some() => {
            format!(
                "It is tried again by itself, so it is enough to put right what is wrong. `kobel logs {words}` shows \
                 what it printed, if it came that far."
            )
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
        let state = if status["lifecycleState"] == "SUSPENDED" { "suspended" } else { "running" };
        let object = json!({"metadata": {"generation": 3}, "spec": {"job": {"state": state}}, "status": status});
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
                json!({"lifecycleState": "SUSPENDED", "jobStatus": {"upgradeSavepointPath": "file:///s"}, "conditions": [
                    {"type": "Settled", "status": "False", "reason": "ChangeRefused", "message": "no table `a`"}]}),
                "It is suspended, and what was asked for since is refused.\n\
                 What is awaited (ChangeRefused): no table `a`.\n\
                 What runs, or does not, is as before. It is tried again by itself, so it is enough to put right what \
                 is wrong; or undo the change, or give the state up with `job.upgradeMode: stateless`.",
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
    fn what_does_not_run_yet_is_told_first_and_since_when() {
        let running =
            |status: &str| json!([{"type": "Running", "status": status, "lastTransitionTime": "2026-01-01T23:59:48Z"}]);
        for (state, status, expected) in [
            ("running", json!({}), Some("It is not running yet, for 2m so far.")),
            (
                "running",
                json!({"lifecycleState": "UPGRADING", "conditions": running("False")}),
                Some("It is not running yet, for 12s so far."),
            ),
            (
                "running",
                json!({"lifecycleState": "DEPLOYED", "conditions": running("False")}),
                Some("It is not running yet, for 12s so far."),
            ),
            ("running", json!({"lifecycleState": "UPGRADING", "conditions": running("True")}), None),
            ("running", json!({"lifecycleState": "STABLE", "conditions": running("False")}), None),
            ("running", json!({"lifecycleState": "FAILED", "conditions": running("False")}), None),
            ("suspended", json!({"lifecycleState": "UPGRADING", "conditions": running("False")}), None),
            (
                "running",
                json!({"lifecycleState": "DEPLOYED", "conditions": [
                    {"type": "Running", "status": "False"}, {"type": "Settled", "status": "True"},
                ]}),
                None,
            ),
        ] {
            let object = json!({
                "metadata": {"creationTimestamp": "2026-01-01T23:58:00Z"}, "spec": {"job": {"state": state}},
                "status": status,
            });
            assert_eq!(headline(&object, "2026-01-02T00:00:00Z".parse().unwrap()).as_deref(), expected, "{object}");
        }
    }

    #[test]
    fn an_error_is_told_once_with_what_to_do() {
        let told = told(json!({
            "lifecycleState": "UPGRADING", "observedGeneration": 3,
            "error": "there is no file `/a.sql` on this machine",
            "conditions": [{"type": "Settled", "status": "False", "reason": "Retrying",
                            "message": "tried again and again: there is no file `/a.sql` on this machine"}],
        }));
        assert_eq!(told.matches("/a.sql").count(), 1, "{told}");
        assert!(told.ends_with(
            "It is tried again by itself, so it is enough to put right what is wrong. `kobel logs flights` shows \
             what it printed, if it came that far."
        ));
    }

    #[test]
    fn what_is_to_run_is_not_told_to_be_suspended_as_asked() {
        let object = json!({
            "metadata": {"generation": 4}, "spec": {"job": {"state": "running"}},
            "status": {"lifecycleState": "SUSPENDED", "observedGeneration": 3},
        });
        let told = explanation(&object, "flights", Timestamp::UNIX_EPOCH);
        assert_eq!(
            told,
            [
                "It is suspended still, and is asked to run.",
                "Generation 4 of the spec is not acted on yet; the last that was is 3.",
                "It starts by itself; if it does not, `kobel events flights` tells what was tried.",
            ]
        );
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
