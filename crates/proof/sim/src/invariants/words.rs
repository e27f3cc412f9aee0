//! Words: what a status says is so, and what is not as it was asked for has a reason.

use serde_json::Value;

use super::read;
use super::seen::Seen;
use crate::entry::{Entry, Happened, ObjectKey, Verb, Who};
use crate::script::manifest::SECRET;

/// How long, while nobody interferes, a status may claim that a job runs which does not.
const BELIEF_MS: i64 = 60_000;
/// The longest name of an object.
const NAME_MAX: usize = 253;
/// The longest value of a label.
const LABEL_MAX: usize = 63;

/// A status that the controller has written, as it was and as it is.
fn status_written(happened: &Happened) -> Option<(&ObjectKey, Option<&Value>, &Value)> {
    match &happened.entry {
        Entry::Wrote { verb: Verb::UpdateStatus, key, before, after: Some(after), by: Who::Controller, .. } => {
            Some((key, before.as_deref(), after))
        }
        _ => None,
    }
}

fn is_job_like(key: &ObjectKey) -> bool {
    key.resource == read::DEPLOYMENTS || key.resource == read::SESSION_JOBS
}

/// A status says why something is not as it was asked for, and never that it is when it is not.
pub fn a_reason_is_set(_: &Seen, happened: &Happened) -> Result<(), String> {
    let Some((key, _, object)) = status_written(happened) else { return Ok(()) };
    let has_error = read::text(object, "/status/error").is_some();
    if key.resource == read::SNAPSHOTS {
        let is_lost = matches!(read::text(object, "/status/state"), Some("FAILED" | "ABANDONED"));
        return if is_lost && !has_error { Err(format!("{key} is lost, and no error says why")) } else { Ok(()) };
    }
    if key.resource == read::PAIRS {
        return match unlike_declared(object) {
            Some(what) if !has_error => Err(format!("{key} {what}, and no error says why")),
            _ => Ok(()),
        };
    }
    if !is_job_like(key) {
        return Ok(());
    }
    let Some(settled) = read::settled(object) else {
        return if has_error { Ok(()) } else { Err(format!("{key} has neither the condition Settled nor an error")) };
    };
    if settled.reason.is_empty() || settled.message.is_empty() {
        return Err(format!("the condition Settled of {key} has no reason or no message"));
    }
    if settled.holds != (settled.reason == "Settled") {
        return Err(format!("the condition Settled of {key} contradicts its reason `{}`", settled.reason));
    }
    match claims_too_much(object) {
        Some(why) if read::is_settled(object) => Err(format!("{key} says that it is settled, and {why}")),
        _ => Ok(()),
    }
}

/// In what a pair is not as it was asked for, going by its own status: it has no conditions, only an error.
fn unlike_declared(object: &Value) -> Option<&'static str> {
    let Some(state) = read::text(object, "/status/blueGreenState") else { return Some("does not say how far it is") };
    if matches!(read::job_state(object), Some("FAILING" | "FAILED")) {
        return Some("says that its job fails");
    }
    // The time at which a change is given up stays only where it was.
    let is_given_up = state.starts_with("ACTIVE_") && read::text(object, "/status/abortTimestamp").is_some();
    is_given_up.then_some("has given a change up")
}

/// Why an object is not as it was asked for, going by its own status.
fn claims_too_much(object: &Value) -> Option<String> {
    let (generation, observed) = (read::generation(object), read::observed(object));
    if observed.is_some() && observed != generation {
        return Some(format!("generation {observed:?} is carried out, not {generation:?}"));
    }
    if !read::has_job(object) {
        let state = read::text(object, "/status/jobManagerDeploymentStatus");
        return (state != Some("READY")).then(|| format!("its job manager is {state:?}"));
    }
    let state = read::job_state(object);
    let wants = object.get("spec").is_none_or(read::wants_running);
    let has_it = matches!(state, Some("RUNNING" | "FINISHED"));
    (wants && !has_it).then(|| format!("its job, which is to run, is {state:?}"))
}

/// A status says that a job runs only if it does, and not for long after it does not.
pub fn running_is_never_claimed(seen: &Seen, happened: &Happened) -> Result<(), String> {
    for (key, since) in &seen.lies {
        if happened.at_ms - (*since).max(seen.quiet_since_ms) > BELIEF_MS {
            return Err(format!("{key} says that its job runs and all is settled, and it does not"));
        }
    }
    let Some((key, before, object)) = status_written(happened).filter(|(key, ..)| is_job_like(key)) else {
        return Ok(());
    };
    let claim =
        |object: &Value| (read::job_state(object) == Some("RUNNING")).then(|| read::job_id(object).map(str::to_owned));
    let (Some(claimed), earlier) = (claim(object), before.and_then(claim)) else { return Ok(()) };
    if earlier.as_ref() == Some(&claimed) {
        return Ok(());
    }
    let has_run = claimed.as_ref().and_then(|id| seen.jobs.get(id)).is_some_and(|job| job.has_run);
    if has_run { Ok(()) } else { Err(format!("{key} says that job {claimed:?} runs, which never did")) }
}

/// The generation that is carried out is one that there is, and never goes back.
pub fn observed_generation_grows(_: &Seen, happened: &Happened) -> Result<(), String> {
    let Some((key, before, object)) = status_written(happened) else { return Ok(()) };
    let Some(observed) = read::observed(object) else { return Ok(()) };
    if let Some(earlier) = before.and_then(read::observed).filter(|earlier| *earlier > observed) {
        return Err(format!("{key} carries out generation {observed} after {earlier}"));
    }
    match read::generation(object) {
        Some(generation) if observed > generation => {
            Err(format!("{key} carries out generation {observed}, and there are {generation}"))
        }
        _ => Ok(()),
    }
}

/// A secret is repeated nowhere but in the specs that hold it.
pub fn no_secret_is_told(_: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::Wrote { key, after: Some(object), by: Who::Controller, .. } = &happened.entry else { return Ok(()) };
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let conditions = conditions.into_iter().flatten().filter_map(|condition| read::text(condition, "/message"));
    let info = object.pointer("/status/clusterInfo").and_then(Value::as_object);
    let info = info.into_iter().flat_map(|info| info.values()).filter_map(Value::as_str);
    let single = ["/message", "/status/error"].into_iter().filter_map(|pointer| read::text(object, pointer));
    match single.chain(conditions).chain(info).find(|text| text.contains(SECRET)) {
        Some(_) => Err(format!("{key} tells a secret")),
        None => Ok(()),
    }
}

/// The names and labels of what the controller creates are short enough for Kubernetes.
pub fn names_fit(_: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::Wrote { verb: Verb::Create, key, after: Some(object), by: Who::Controller, .. } = &happened.entry else {
        return Ok(());
    };
    if key.name.len() > NAME_MAX {
        return Err(format!("the name of {key} has {} bytes", key.name.len()));
    }
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    let long =
        labels.into_iter().flatten().find(|(_, value)| value.as_str().is_some_and(|text| text.len() > LABEL_MAX));
    match long {
        Some((label, _)) => Err(format!("the value of label `{label}` of {key} is too long")),
        None => Ok(()),
    }
}
