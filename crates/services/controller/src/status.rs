//! The status of a deployment or a session job, and the record that it stands for; both ways, as the Apache operator
//! writes and reads it.

use kobel_lifecycle::record::{Health, JobRecord, Pending, Record, Snapshots, Taken, Trigger};
use kobel_lifecycle::state::{JobManagerState, JobState, LifecycleState, ReconciliationState};
use kobel_resources::API_VERSION;
use kobel_resources::flink_deployment::FlinkDeploymentStatus;
use kobel_resources::status::{
    Checkpoint, CheckpointFormatType, CheckpointInfo, JobStatus, ReconciliationStatus, Savepoint, SavepointFormatType,
    SavepointInfo, SnapshotTriggerType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The class that an error is of if nobody else has named one.
const ERROR_CLASS: &str = "org.apache.flink.kubernetes.operator.exception.ReconciliationException";

/// The status of an object; that of a session job has fewer fields, which read as absent.
pub(crate) fn of(object: &Value) -> FlinkDeploymentStatus {
    let status = object.get("status").cloned().unwrap_or_else(|| json!({}));
    // The schema keeps out what cannot be read; a status without any is that of a new object.
    serde_json::from_value(status).unwrap_or_default()
}

/// Reads what was written down.
pub(crate) fn record(status: &FlinkDeploymentStatus) -> Record {
    let reconciliation = status.reconciliation_status.clone().unwrap_or_default();
    let state =
        word(reconciliation.state.as_ref(), ReconciliationState::parse).unwrap_or(ReconciliationState::Upgrading);
    let last = reconciled(reconciliation.last_reconciled_spec.as_deref());
    let stable = reconciled(reconciliation.last_stable_spec.as_deref());
    let told = |key: &str| status.cluster_info.as_ref()?.get(key);
    let mut job = status.job_status.as_ref().map(job).unwrap_or_default();
    if let Some(pending) = &mut job.savepoints.pending {
        pending.directory = told(Pending::DIRECTORY_KEY).cloned();
    }
    Record {
        job,
        job_manager: word(status.job_manager_deployment_status.as_ref(), JobManagerState::parse)
            .unwrap_or(JobManagerState::Missing),
        reconciliation: state,
        reconciled_ms: reconciliation.reconciliation_timestamp,
        // Apache's operator leaves the mark for as long as nothing else is carried out.
        is_first: last.is_first && state == ReconciliationState::Upgrading,
        // Up to 1.7 it says there alone which generation it was.
        observed_generation: status.observed_generation.or(last.generation),
        last: last.spec,
        stable: stable.spec,
        lifecycle: word(status.lifecycle_state.as_ref(), LifecycleState::parse).unwrap_or(LifecycleState::Created),
        error: status.error.as_deref().map(message),
        health: told(Health::KEY).and_then(|text| Health::read(text)),
    }
}

/// Writes a record into a status; what the record does not speak of stays.
pub(crate) fn write(record: &Record, status: &mut FlinkDeploymentStatus) {
    let known = status.job_status.take();
    status.job_status = Some(job_status(&record.job, known.as_ref()));
    status.job_manager_deployment_status = unword(told_job_manager(record).as_str());
    status.observed_generation = record.observed_generation;
    status.lifecycle_state = unword(record.lifecycle.as_str());
    let said = status.error.take();
    status.error = record.error.as_ref().map(|text| match said {
        Some(said) if message(&said) == *text => said,
        _ => error(text),
    });
    status.reconciliation_status = Some(ReconciliationStatus {
        reconciliation_timestamp: record.reconciled_ms,
        last_reconciled_spec: record
            .last
            .as_ref()
            .map(|spec| spec_text(spec, &json!(record.is_first), record.observed_generation)),
        last_stable_spec: record.stable.as_ref().map(|spec| spec_text(spec, &json!(false), None)),
        state: unword(record.reconciliation.as_str()),
    });
    let directory = record.job.savepoints.pending.as_ref().and_then(|pending| pending.directory.clone());
    tell(status, Health::KEY, record.health.as_ref().map(Health::to_text));
    tell(status, Pending::DIRECTORY_KEY, directory);
}

/// Lays down what no field of a status is for.
fn tell(status: &mut FlinkDeploymentStatus, key: &str, text: Option<String>) {
    if let Some(text) = text {
        status.cluster_info.get_or_insert_default().insert(key.to_owned(), text);
    } else if let Some(info) = &mut status.cluster_info {
        info.remove(key);
    }
}

/// The job manager as Apache's operator is told of it: it takes a start that is recorded for made unless it is told that
/// there is none, and refuses to go on then.
fn told_job_manager(record: &Record) -> JobManagerState {
    let is_under_way =
        matches!(record.reconciliation, ReconciliationState::Upgrading | ReconciliationState::RollingBack);
    match record.job_manager {
        JobManagerState::Deploying if is_under_way => JobManagerState::Missing,
        other => other,
    }
}

/// What the text of a reconciliation status says.
#[derive(Default)]
struct Reconciled {
    /// The spec.
    spec: Option<Value>,
    /// Whether it is that of a first deployment.
    is_first: bool,
    /// Its generation.
    generation: Option<i64>,
}

fn reconciled(text: Option<&str>) -> Reconciled {
    let Some(mut value) = text.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return Reconciled::default();
    };
    Reconciled {
        is_first: value.pointer("/resource_metadata/firstDeployment").and_then(Value::as_bool).unwrap_or(false),
        generation: value.pointer("/resource_metadata/metadata/generation").and_then(Value::as_i64),
        spec: value.get_mut("spec").map(Value::take),
    }
}

/// Up to 1.7 Apache's operator stops at a record that does not say of which generation it is; newer ones skip that.
fn spec_text(spec: &Value, is_first: &Value, generation: Option<i64>) -> String {
    let metadata = match generation {
        Some(generation) => {
            json!({"apiVersion": API_VERSION, "metadata": {"generation": generation}, "firstDeployment": is_first})
        }
        None => json!({"apiVersion": API_VERSION, "firstDeployment": is_first}),
    };
    json!({"spec": spec, "resource_metadata": metadata}).to_string()
}

/// The message in the text of an error, which is JSON or, of older ones, plain.
fn message(text: &str) -> String {
    let value: Option<Value> = serde_json::from_str(text).ok();
    let message = value.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str);
    message.unwrap_or(text).to_owned()
}

fn error(text: &str) -> String {
    json!({"type": ERROR_CLASS, "message": text, "additionalMetadata": {}, "throwableList": []}).to_string()
}

fn job(status: &JobStatus) -> JobRecord {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    JobRecord {
        id: status.job_id.clone(),
        name: status.job_name.clone(),
        state: word(status.state.as_ref(), JobState::parse),
        start_ms: number(&status.start_time),
        update_ms: number(&status.update_time),
        restore_path: status.upgrade_savepoint_path.clone(),
        savepoints: status.savepoint_info.as_ref().map(savepoints).unwrap_or_default(),
        checkpoints: status.checkpoint_info.as_ref().map(checkpoints).unwrap_or_default(),
    }
}

fn job_status(job: &JobRecord, known: Option<&JobStatus>) -> JobStatus {
    JobStatus {
        job_name: job.name.clone(),
        job_id: job.id.clone(),
        state: job.state.and_then(|state| unword(state.as_str())),
        start_time: job.start_ms.map(|ms| ms.to_string()),
        update_time: job.update_ms.map(|ms| ms.to_string()),
        upgrade_savepoint_path: job.restore_path.clone(),
        savepoint_info: savepoint_info(&job.savepoints, known.and_then(|known| known.savepoint_info.as_ref())),
        checkpoint_info: checkpoint_info(&job.checkpoints, known.and_then(|known| known.checkpoint_info.as_ref())),
    }
}

fn savepoints(info: &SavepointInfo) -> Snapshots {
    let taken = |savepoint: &Savepoint| Taken {
        at_ms: savepoint.time_stamp.unwrap_or_default(),
        location: savepoint.location.clone(),
        trigger: trigger(savepoint.trigger_type.as_ref()),
        nonce: savepoint.trigger_nonce,
    };
    Snapshots {
        pending: pending(info.trigger_id.as_ref(), info.trigger_timestamp, info.trigger_type.as_ref()),
        last: info.last_savepoint.as_ref().map(taken),
        history: info.savepoint_history.iter().flatten().map(taken).collect(),
        last_periodic_ms: info.last_periodic_savepoint_timestamp.unwrap_or_default(),
    }
}

fn savepoint_info(snapshots: &Snapshots, known: Option<&SavepointInfo>) -> Option<SavepointInfo> {
    let formats = |location: &Option<String>| {
        let history = known.iter().flat_map(|known| known.savepoint_history.iter().flatten());
        let mut all = history.chain(known.and_then(|known| known.last_savepoint.as_ref()));
        all.find(|savepoint| savepoint.location == *location).and_then(|savepoint| savepoint.format_type)
    };
    let savepoint = |taken: &Taken| Savepoint {
        time_stamp: Some(taken.at_ms),
        location: taken.location.clone(),
        trigger_type: untrigger(taken.trigger),
        format_type: formats(&taken.location).or_else(|| unword::<SavepointFormatType>("UNKNOWN")),
        trigger_nonce: taken.nonce,
    };
    if *snapshots == Snapshots::default() && known.is_none() {
        return None;
    }
    let pending = snapshots.pending.as_ref();
    Some(SavepointInfo {
        last_savepoint: snapshots.last.as_ref().map(savepoint),
        trigger_id: pending.map(|pending| pending.trigger_id.clone()),
        trigger_timestamp: pending.map(|pending| pending.since_ms),
        trigger_type: pending.and_then(|pending| untrigger(pending.trigger)),
        format_type: None,
        savepoint_history: Some(snapshots.history.iter().map(savepoint).collect()),
        last_periodic_savepoint_timestamp: Some(snapshots.last_periodic_ms),
    })
}

fn checkpoints(info: &CheckpointInfo) -> Snapshots {
    let taken = |checkpoint: &Checkpoint| Taken {
        at_ms: checkpoint.time_stamp.unwrap_or_default(),
        location: None,
        trigger: trigger(checkpoint.trigger_type.as_ref()),
        nonce: checkpoint.trigger_nonce,
    };
    Snapshots {
        pending: pending(info.trigger_id.as_ref(), info.trigger_timestamp, info.trigger_type.as_ref()),
        last: info.last_checkpoint.as_ref().map(taken),
        history: Vec::new(),
        last_periodic_ms: info.last_periodic_checkpoint_timestamp.unwrap_or_default(),
    }
}

fn checkpoint_info(snapshots: &Snapshots, known: Option<&CheckpointInfo>) -> Option<CheckpointInfo> {
    if *snapshots == Snapshots::default() && known.is_none() {
        return None;
    }
    let pending = snapshots.pending.as_ref();
    Some(CheckpointInfo {
        last_checkpoint: snapshots.last.as_ref().map(|taken| Checkpoint {
            time_stamp: Some(taken.at_ms),
            trigger_type: untrigger(taken.trigger),
            format_type: unword::<CheckpointFormatType>("FULL"),
            trigger_nonce: taken.nonce,
        }),
        trigger_id: pending.map(|pending| pending.trigger_id.clone()),
        trigger_timestamp: pending.map(|pending| pending.since_ms),
        trigger_type: pending.and_then(|pending| untrigger(pending.trigger)),
        format_type: None,
        last_periodic_checkpoint_timestamp: Some(snapshots.last_periodic_ms),
    })
}

/// The Apache operator leaves the id empty when nothing is pending.
fn pending(id: Option<&String>, since: Option<i64>, by: Option<&SnapshotTriggerType>) -> Option<Pending> {
    let trigger_id = id.filter(|id| !id.is_empty())?.clone();
    Some(Pending { trigger_id, since_ms: since.unwrap_or_default(), trigger: trigger(by), directory: None })
}

fn trigger(word: Option<&SnapshotTriggerType>) -> Trigger {
    match word {
        Some(SnapshotTriggerType::Manual) => Trigger::Manual,
        Some(SnapshotTriggerType::Periodic) => Trigger::Periodic,
        Some(SnapshotTriggerType::Upgrade) => Trigger::Upgrade,
        Some(SnapshotTriggerType::Unknown) | None => Trigger::Unknown,
    }
}

fn untrigger(trigger: Trigger) -> Option<SnapshotTriggerType> {
    Some(match trigger {
        Trigger::Manual => SnapshotTriggerType::Manual,
        Trigger::Periodic => SnapshotTriggerType::Periodic,
        Trigger::Upgrade => SnapshotTriggerType::Upgrade,
        Trigger::Unknown => SnapshotTriggerType::Unknown,
    })
}

/// A word of a status as the lifecycle has it; both spell it alike.
fn word<W: Serialize, T>(word: Option<&W>, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = serde_json::to_value(word?).ok()?;
    text.as_str().and_then(parse)
}

/// A word of the lifecycle as a status has it.
fn unword<W: DeserializeOwned>(text: &str) -> Option<W> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

#[cfg(test)]
mod tests;
