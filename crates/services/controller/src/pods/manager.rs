//! What the Deployment of a job manager and its pods tell: whether it was made to the end, whether it runs, and whether
//! it ever ran.
//!
//! # How one is made
//! What the Deployment owns needs its uid, and its pods need what it owns. So it is made first without its last word: it
//! is paused, so that Kubernetes makes no pods for it, and says that it is unfinished. Once everything else is there it
//! gets its last word. What is found unfinished has no pods; it is removed, and the start is made again.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, which takes a Deployment that is unavailable since its creation for one whose
//! job manager never started; the Deployment controller of Kubernetes, which makes pods for none that is paused.

use jiff::Timestamp;
use kobel_manifest::kubernetes::{GENERATION, MAIN_CONTAINER};
use serde_json::{Value, json};

use super::text;
use super::trouble::condition;

/// The annotation of a job manager's Deployment with the id of its job. Another operator's has none.
pub(super) const JOB_ID: &str = "kobel.dev/job-id";
/// The annotation of a Deployment that is not made to the end yet, with the id of its job if nobody has made that
/// before.
const UNFINISHED: &str = "kobel.dev/unfinished";
/// The annotation of a Deployment that was scaled to nothing because it had never run, with the id of its job.
const STILLED: &str = "kobel.dev/never-ran";
/// How soon after its making a job manager counts as unavailable from the beginning, in milliseconds: times are told in
/// whole seconds, and no process of Java is ready and gone again by then.
const BEGINNING_MS: i64 = 2_000;
/// For how long after its making nobody wants to know why a job manager does not answer, in milliseconds.
const COMING_UP_MS: i64 = 10_000;

/// Whether the job of a job manager has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It may have.
    MayHaveRun,
    /// It has not, and still may.
    NotYet,
    /// It has not, and its pods are going.
    Going,
    /// It has not, and never will.
    Never,
}

/// A Deployment as it is made first; `unmade` is its job, if nobody has made that before.
pub(super) fn unfinished(manager: &Value, unmade: Option<&str>) -> Value {
    let mut object = manager.clone();
    annotate(&mut object, UNFINISHED, unmade.unwrap_or_default());
    // Apache's operator takes what bears it for one that is deployed.
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(GENERATION);
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("paused".to_owned(), Value::from(true));
    }
    object
}

/// What is changed of the unfinished Deployment of a uid, and of no other, so that it is as it is meant to be.
pub(super) fn finishing(manager: &Value, uid: &str) -> Value {
    let annotations = json!({
        GENERATION: annotation(manager, GENERATION),
        JOB_ID: annotation(manager, JOB_ID),
        UNFINISHED: null,
    });
    json!({ "metadata": { "uid": uid, "annotations": annotations }, "spec": { "paused": null } })
}

/// Has a Deployment be that of a uid: it is not made anew if that is gone.
pub(super) fn name(manager: &mut Value, uid: &str) {
    if let Some(metadata) = manager.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("uid".to_owned(), Value::from(uid));
    }
}

/// The job of a Deployment that was not made to the end, if nobody has made that before.
pub(super) fn unmade_job(unfinished: &Value) -> Option<&str> {
    annotation(unfinished, UNFINISHED).filter(|job_id| !job_id.is_empty())
}

/// Whether pods may have come of a Deployment that was not made to the end: somebody has let it go on.
pub(super) fn has_gone_on(unfinished: &Value, pods: &[Value]) -> bool {
    unfinished.pointer("/spec/paused") != Some(&Value::from(true)) || of_manager(pods).next().is_some()
}

/// Whether a Deployment was not made to the end.
pub(super) fn is_unfinished(manager: &Value) -> bool {
    annotation(manager, UNFINISHED).is_some()
}

/// Whether a Deployment was made to the end, and is to stay and to run.
pub(super) fn is_whole(manager: &Value) -> bool {
    !is_unfinished(manager) && !is_leaving(manager) && scaled_to_nothing(manager).is_none()
}

/// Whether an object is being deleted.
pub(super) fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// The value of an annotation.
pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

/// Annotates an object.
pub(super) fn annotate(object: &mut Value, key: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
    {
        annotations.insert(key.to_owned(), Value::from(value));
    }
}

/// Why a Deployment has no pods that run, if it was scaled to nothing.
pub(super) fn scaled_to_nothing(manager: &Value) -> Option<&'static str> {
    if manager.pointer("/spec/replicas").and_then(Value::as_u64) != Some(0) {
        return None;
    }
    Some(match annotation(manager, STILLED) {
        Some(_) => "its job manager never came to run",
        None => "somebody has scaled its job manager to nothing",
    })
}

/// Whether a job manager runs, as Kubernetes tells, whoever can reach it.
pub(super) fn is_up(manager: &Value, pods: &[Value]) -> bool {
    let is_available = condition(manager, "Available").is_some_and(|found| text(found, "/status") == "True");
    is_available || of_manager(pods).any(|pod| !is_leaving(pod) && is_ready(pod))
}

/// Whether a job manager was made so lately that it comes up without anything being wrong, and tells by itself, as
/// Kubernetes does of it, once it answers: nobody need be asked until then.
pub(super) fn is_coming_up(manager: &Value, now_ms: i64) -> bool {
    let is_new =
        time(manager, "/metadata/creationTimestamp").is_some_and(|made| now_ms < made.saturating_add(COMING_UP_MS));
    let ready = manager.pointer("/status/readyReplicas").and_then(Value::as_u64).unwrap_or_default();
    is_new && ready == 0 && !is_up(manager, &[]) && is_ready_once_it_answers(manager)
}

/// What is changed of a Deployment that has never run, so that it never will: the change fails if it has come to run.
pub(super) fn stilled(manager: &Value, job_id: &str) -> Value {
    json!({
        "metadata": {
            "annotations": { STILLED: job_id },
            "resourceVersion": manager.pointer("/metadata/resourceVersion"),
        },
        "spec": { "replicas": 0 },
    })
}

/// Whether the job `job_id` of a job manager has run.
///
/// Why it is certain that it has not: a Deployment of one pod is available as soon as that is ready, and stays
/// unavailable since its making only if none ever was. A job manager is ready as soon as its REST API answers, which is
/// asked every second and answers before the job has task managers, and so before there can be a snapshot. Where a pod
/// waits for more than that to be ready, only a main container that was never started tells as much.
pub(super) fn past(manager: &Value, pods: &[Value], job_id: &str) -> Past {
    let is_telling = is_ready_once_it_answers(manager);
    let ran = |status: &Value| has_answered(status) || (!is_telling && was_started(status));
    let has_run = |pod: &Value| is_ready(pod) || main_status(pod).is_some_and(ran);
    if is_leaving(manager) || of_manager(pods).any(has_run) {
        return Past::MayHaveRun;
    }
    let is_stilled = annotation(manager, STILLED) == Some(job_id) && scaled_to_nothing(manager).is_some();
    match (is_stilled, is_unavailable_since_its_making(manager)) {
        (true, _) if of_manager(pods).next().is_none() && is_settled(manager) => Past::Never,
        (true, _) => Past::Going,
        (false, true) if is_telling => Past::NotYet,
        (false, _) => Past::MayHaveRun,
    }
}

fn of_manager(pods: &[Value]) -> impl Iterator<Item = &Value> {
    pods.iter().filter(|pod| text(pod, "/metadata/labels/component") == "jobmanager")
}

fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|found| text(found, "/status") == "True")
}

/// What is told of the container that Flink runs in.
fn main_status(pod: &Value) -> Option<&Value> {
    let statuses = pod.pointer("/status/containerStatuses")?.as_array()?;
    statuses.iter().find(|status| text(status, "/name") == MAIN_CONTAINER)
}

/// Whether the REST API of a container has answered.
fn has_answered(status: &Value) -> bool {
    ["/ready", "/started"].iter().any(|place| status.pointer(place).and_then(Value::as_bool) == Some(true))
}

/// Whether a container was ever started.
fn was_started(status: &Value) -> bool {
    let has = |place: &str| status.pointer(place).is_some_and(|value| !value.is_null());
    let restarts = status.pointer("/restartCount").and_then(Value::as_u64).unwrap_or_default();
    has("/state/running") || has("/state/terminated") || has("/lastState/terminated") || restarts > 0
}

/// Whether a pod of the Deployment is ready as soon as its REST API answers, and for no other reason not.
fn is_ready_once_it_answers(manager: &Value) -> bool {
    let Some(pod) = manager.pointer("/spec/template/spec") else { return false };
    let list = |key: &str| pod.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [container] = list("containers") else { return false };
    let number = |place: &str| container.pointer(place).and_then(Value::as_u64).unwrap_or_default();
    let is_asked = text(container, "/startupProbe/httpGet/path") == "/config"
        && number("/startupProbe/periodSeconds") == 1
        && number("/startupProbe/initialDelaySeconds") == 0;
    let waits = manager.pointer("/spec/minReadySeconds").and_then(Value::as_u64).unwrap_or_default() > 0;
    let is_side_car = |container: &Value| container.get("restartPolicy").is_some_and(|policy| !policy.is_null());
    is_asked
        && !waits
        && manager.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1) <= 1
        && container.get("readinessProbe").is_none_or(Value::is_null)
        && list("readinessGates").is_empty()
        && !list("initContainers").iter().any(is_side_car)
}

fn is_unavailable_since_its_making(manager: &Value) -> bool {
    let Some(available) = condition(manager, "Available").filter(|found| text(found, "/status") == "False") else {
        return false;
    };
    let times = time(manager, "/metadata/creationTimestamp").zip(time(available, "/lastTransitionTime"));
    times.is_some_and(|(made, since)| since.saturating_sub(made) <= BEGINNING_MS)
}

/// A time of an object, in milliseconds since the epoch.
fn time(object: &Value, place: &str) -> Option<i64> {
    text(object, place).parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Whether what was asked of a Deployment last is carried out, so that no pod comes any more.
fn is_settled(manager: &Value) -> bool {
    let number = |place: &str| manager.pointer(place).and_then(Value::as_i64);
    let is_seen = number("/status/observedGeneration") >= number("/metadata/generation");
    is_seen && number("/status/replicas").unwrap_or_default() == 0
}

#[cfg(test)]
mod tests;
