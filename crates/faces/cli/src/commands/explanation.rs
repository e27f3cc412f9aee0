//! What a status means, in sentences: what is so, what is awaited and since when, and what a person can do about it.
//!
//! Pure: an object and the time in, sentences out.

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::last_words::last_words;
use super::reported::{HONOURED, REFUSED, RUNNING, Reported, SETTLED};
use super::restarts::what_to_do;
use super::stateless::loss;
use super::withdrawal::withdrawal;

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
    let since = since.unwrap_or_default();
    let Some(said) = reported.error().as_deref().and_then(last_words) else {
        return Some(format!("It is not running yet{since}."));
    };
    let end = if said.ends_with(['?', '.']) { "" } else { "." };
    let is_paused = reported.condition(SETTLED).is_some_and(|settled| settled.reason == START_PAUSED);
    Some(if is_paused {
        format!("It cannot start: {said}{end}")
    } else {
        format!("It is not running yet{since}; the last start failed: {said}{end}")
    })
}

/// The reason of a wait until something that has ended too soon is started again.
const START_PAUSED: &str = "RecoverDeployment";
/// The reason of a session job that waits for its session cluster.
const SESSION_AWAITED: &str = "SessionNotReady";

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
            return match (loss(object), reported.restore_path()) {
                (Some(loss), _) => format!("It is suspended, as asked; {loss}: it resumes WITHOUT state."),
                (None, Some(path)) => format!("It is suspended, as asked; it goes on from {path}."),
                (None, None) => "It is suspended, as asked.".to_owned(),
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
        _ if is_refused(reported) => after_refusal(object, words),
        _ if reported.condition(SETTLED).is_some_and(|settled| settled.reason == SESSION_AWAITED) => {
            let session = object.pointer("/spec/deploymentName").and_then(Value::as_str)?;
            let place = words.split_once(' ').map(|(_, place)| format!(" {place}")).unwrap_or_default();
            format!("`kobel explain {session}{place}` tells more of its session cluster.")
        }
        Some("DEPLOYED" | "UPGRADING" | "STABLE") if matches!(reported.job_state(), Some("RESTARTING" | "FAILING")) => {
            what_to_do(words)
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

/// What a person can do about a change that is refused. The state is given up only for what it stands in the way of.
fn after_refusal(object: &Value, words: &str) -> String {
    let mut advice = format!(
        "What runs, or does not, is as before. It is tried again by itself, so it is enough to put right what is \
         wrong; to withdraw it: {}.",
        withdrawal(object, words)
    );
    let reason = Reported::of(object).condition(SETTLED).map(|settled| settled.message).unwrap_or_default();
    let mode = object.pointer("/spec/job/upgradeMode").and_then(Value::as_str).unwrap_or("savepoint");
    if reason.contains("the state of operator") && reason.contains("does not fit") {
        advice.push_str(&format!(
            " If its state is not needed any more: set `job.upgradeMode: stateless` in the manifest, `kobel apply -f \
             FILE`, and set it back to `{mode}` afterwards."
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: Value) -> String {
        let state = if status["lifecycleState"] == "SUSPENDED" { "suspended" } else { "running" };
        let object = json!({
            "metadata": {"generation": 3}, "spec": {"job": {"state": state, "upgradeMode": "savepoint"}},
            "status": status,
        });
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
                 is wrong; to withdraw it: undo it in the manifest and `kobel apply -f FILE`.",
            ),
            (
                json!({"lifecycleState": "STABLE", "jobStatus": {"state": "RUNNING"}, "conditions": [
                    {"type": "Settled", "status": "False", "reason": "ChangeRefused",
                     "message": "the state of operator `a` does not fit `b`"}]}),
                "The last change is carried out and has been seen running. The job is RUNNING.\n\
                 What is awaited (ChangeRefused): the state of operator `a` does not fit `b`.\n\
                 What runs, or does not, is as before. It is tried again by itself, so it is enough to put right what \
                 is wrong; to withdraw it: undo it in the manifest and `kobel apply -f FILE`. If its state is not \
                 needed any more: set `job.upgradeMode: stateless` in the manifest, `kobel apply -f FILE`, and set it \
                 back to `savepoint` afterwards.",
            ),
            (
                json!({"lifecycleState": "STABLE", "jobStatus": {"state": "RESTARTING"}}),
                "The last change is carried out and has been seen running. The job is RESTARTING.\n\
                 `kobel logs flights` shows what goes wrong; correct the program and `kobel restart flights`, or the \
                 spec and `kobel apply -f FILE`.",
            ),
            (
                json!({"lifecycleState": "SUSPENDED", "jobStatus": {"jobId": "0a1b"}}),
                "It is suspended, as asked; no snapshot of it is known: it resumes WITHOUT state.\n\
                 `kobel resume flights` starts it.",
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
    fn what_cannot_start_is_told_with_what_is_wrong() {
        let error = "application: exit code 1; it said: error: table `ordres` does not exist\n  --> ~/s1.sql:28:6\n  \
                     hint: did you mean `orders`?";
        for (reason, expected) in [
            (
                "RecoverDeployment",
                "It cannot start: s1.sql:28:6: table `ordres` does not exist; did you mean `orders`?",
            ),
            (
                "JobStarting",
                "It is not running yet, for 12s so far; the last start failed: s1.sql:28:6: table `ordres` does not \
                 exist; did you mean `orders`?",
            ),
        ] {
            let object = json!({
                "spec": {"job": {"state": "running"}},
                "status": {"lifecycleState": "DEPLOYED", "error": error, "conditions": [
                    {"type": "Running", "status": "False", "lastTransitionTime": "2026-01-01T23:59:48Z"},
                    {"type": "Settled", "status": "False", "reason": reason},
                ]},
            });
            assert_eq!(headline(&object, "2026-01-02T00:00:00Z".parse().unwrap()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_session_job_that_waits_for_its_session_cluster_names_it() {
        let object = json!({
            "spec": {"deploymentName": "session", "job": {"state": "running"}},
            "status": {"lifecycleState": "CREATED", "conditions": [
                {"type": "Settled", "status": "False", "reason": "SessionNotReady"}]},
        });
        for (words, expected) in [
            ("sessionjob/a", "`kobel explain session` tells more of its session cluster."),
            ("sessionjob/a -n team", "`kobel explain session -n team` tells more of its session cluster."),
        ] {
            assert_eq!(advice(&object, words).as_deref(), Some(expected));
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
