//! What invariants read of an object. What is not there reads as absent, never as something.

use serde_json::Value;

use crate::entry::ObjectKey;

/// The resource of deployments.
pub const DEPLOYMENTS: &str = "flinkdeployments";
/// The resource of session jobs.
pub const SESSION_JOBS: &str = "flinksessionjobs";
/// The resource of snapshots.
pub const SNAPSHOTS: &str = "flinkstatesnapshots";
/// The resource of pairs.
pub const PAIRS: &str = "flinkbluegreendeployments";

/// Where the paths of savepoints stand in the status of a job.
const SAVED: [&str; 2] =
    ["/status/jobStatus/upgradeSavepointPath", "/status/jobStatus/savepointInfo/lastSavepoint/location"];
/// Where the ids of what was asked for stand in a status.
const TRIGGERS: [&str; 3] =
    ["/status/jobStatus/savepointInfo/triggerId", "/status/jobStatus/checkpointInfo/triggerId", "/status/triggerId"];

/// What an error says of a savepoint that failed and that a job was to be stopped with.
const STOP_FAILED: &str = "savepoint to stop with failed";

/// What the condition `Settled` of an object says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled<'a> {
    /// Whether everything is as it was asked for.
    pub holds: bool,
    /// One word for programs.
    pub reason: &'a str,
    /// For a person.
    pub message: &'a str,
    /// About which generation.
    pub generation: Option<i64>,
}

/// A text that is not empty.
pub fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The condition `Settled`, if there is one.
pub fn settled(object: &Value) -> Option<Settled<'_>> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let condition = conditions.iter().find(|condition| text(condition, "/type") == Some("Settled"))?;
    Some(Settled {
        holds: text(condition, "/status") == Some("True"),
        reason: text(condition, "/reason").unwrap_or_default(),
        message: text(condition, "/message").unwrap_or_default(),
        generation: condition.get("observedGeneration").and_then(Value::as_i64),
    })
}

/// Whether everything is as the present declaration asks for, as the status has it.
pub fn is_settled(object: &Value) -> bool {
    settled(object).is_some_and(|settled| settled.holds && settled.generation == generation(object))
}

/// The generation of the declaration.
pub fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}

/// The generation that is carried out.
pub fn observed(object: &Value) -> Option<i64> {
    object.pointer("/status/observedGeneration").and_then(Value::as_i64)
}

/// Whether the object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// Whether a spec asks for a job that runs; one that does not say asks for it.
pub fn wants_running(spec: &Value) -> bool {
    text(spec, "/job/state").is_none_or(|state| !state.eq_ignore_ascii_case("suspended"))
}

/// Whether the object declares a job.
pub fn has_job(object: &Value) -> bool {
    object.pointer("/spec/job").is_some_and(|job| !job.is_null())
}

/// The state of its job, as the status has it.
pub fn job_state(object: &Value) -> Option<&str> {
    text(object, "/status/jobStatus/state")
}

/// The id of its job, as the status has it.
pub fn job_id(object: &Value) -> Option<&str> {
    text(object, "/status/jobStatus/jobId")
}

/// The ids under which snapshots are awaited, as the status has it.
pub fn triggers(object: &Value) -> impl Iterator<Item = &str> {
    TRIGGERS.iter().filter_map(|pointer| text(object, pointer))
}

/// The id of the savepoint that the job is to be stopped with, as the status has it.
pub fn stop_trigger(object: &Value) -> Option<&str> {
    let info = object.pointer("/status/jobStatus/savepointInfo")?;
    text(info, "/triggerId").filter(|_| text(info, "/triggerType") == Some("UPGRADE"))
}

/// Whether the status tells that the savepoint failed which the job was to be stopped with.
pub fn stop_has_failed(object: &Value) -> bool {
    text(object, "/status/error").is_some_and(|error| error.contains(STOP_FAILED))
}

/// A path as it lies on the disk, however it is written.
pub fn plain(path: &str) -> &str {
    let path = path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path);
    path.trim_end_matches('/')
}

/// The paths that the status names: those that a start may need, those of the history, that of a snapshot.
pub fn named_paths(object: &Value) -> impl Iterator<Item = &str> {
    let history = object.pointer("/status/jobStatus/savepointInfo/savepointHistory").and_then(Value::as_array);
    let history = history.into_iter().flatten().filter_map(|taken| text(taken, "/location"));
    needed_paths(object).chain(history.chain(text(object, "/status/path")).map(plain))
}

/// The paths in the status that a start may need.
pub fn needed_paths(object: &Value) -> impl Iterator<Item = &str> {
    SAVED.iter().filter_map(|pointer| text(object, pointer)).map(plain)
}

/// The finalizers.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let listed = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a finalizer is one of those that the controller puts.
pub fn is_ours(finalizer: &str) -> bool {
    finalizer.ends_with("flink.apache.org/finalizer")
}

/// Whether the controller holds the object.
pub fn is_held(object: &Value) -> bool {
    finalizers(object).any(is_ours)
}

/// The pair that an object belongs to.
pub fn pair_of(key: &ObjectKey, object: &Value) -> Option<ObjectKey> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array)?;
    let owner = owners.iter().find(|owner| text(owner, "/kind") == Some("FlinkBlueGreenDeployment"))?;
    let name = text(owner, "/name")?.to_owned();
    Some(ObjectKey { resource: PAIRS.to_owned(), namespace: key.namespace.clone(), name })
}

/// The other deployment of the pair.
pub fn sibling(key: &ObjectKey) -> Option<ObjectKey> {
    let name = match (key.name.strip_suffix("-blue"), key.name.strip_suffix("-green")) {
        (Some(pair), _) => format!("{pair}-green"),
        (_, Some(pair)) => format!("{pair}-blue"),
        _ => return None,
    };
    Some(ObjectKey { name, ..key.clone() })
}

/// Whether a path is a scratch one, which a launch clears away and nothing starts from.
pub fn is_scratch(path: &str) -> bool {
    path.contains("/checked-state/") || path.contains("/tmp/")
}

/// Whether a job in this state has ended for good.
pub fn is_terminal(state: &str) -> bool {
    matches!(state, "FINISHED" | "FAILED" | "CANCELED")
}

/// Whether a process of this role runs jobs' managers.
pub fn is_manager(role: &str) -> bool {
    !role.starts_with("taskmanager") && role != "zookeeper"
}
