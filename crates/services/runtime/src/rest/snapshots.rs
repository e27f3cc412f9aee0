//! Savepoints, checkpoints and stops: triggered here, carried out by the job, and asked about until they have ended.
//!
//! As in Flink a trigger only fails if the request itself is wrong; whatever goes wrong later, and a job that is not
//! there, is the result of the operation.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;

use kobel_model::Error;
use kobel_model::ids::JobId;
use kobel_rest::operations::{
    AsynchronousOperationResult, CheckpointInfo, CheckpointTriggerRequestBody, CheckpointType, SavepointInfo,
    SavepointTriggerRequestBody, StopWithSavepointRequestBody, TriggerResponse,
};
use kobel_storage::location::local_path;

use crate::control::{Control, Outcome, StopMode};
use crate::location::location;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::hex_id::HexId;
use crate::rest::java_exceptions::{self, CHECKPOINT, COMPLETION, FLINK, ILLEGAL_STATE};
use crate::rest::operations::{Begun, Failure, OperationKey, OperationKind, Progress};
use crate::rest::refusals::internal;
use crate::rest::throwable::throwable;

/// `POST /jobs/:jobid/savepoints`.
pub(crate) fn trigger_savepoint(call: &Call<'_>) -> Reply {
    let body: SavepointTriggerRequestBody = call.body()?;
    let job: JobId = call.path_value("jobid")?;
    let directory = directory(body.target_directory.as_deref());
    let control = directory.map(|directory| {
        if body.cancel_job {
            Control::StopWithSavepoint { directory, end: StopMode::Suspend }
        } else {
            Control::Savepoint(directory)
        }
    });
    begin(call, OperationKey::new(OperationKind::Savepoint, Some(job), body.trigger_id), control)
}

/// `POST /jobs/:jobid/stop`.
pub(crate) fn trigger_stop(call: &Call<'_>) -> Reply {
    let body: StopWithSavepointRequestBody = call.body()?;
    let job: JobId = call.path_value("jobid")?;
    let directory = directory(body.target_directory.as_deref());
    let end = if body.drain { StopMode::Drain } else { StopMode::Suspend };
    let control = directory.map(|directory| Control::StopWithSavepoint { directory, end });
    begin(call, OperationKey::new(OperationKind::Savepoint, Some(job), body.trigger_id), control)
}

/// `POST /jobs/:jobid/checkpoints`.
pub(crate) fn trigger_checkpoint(call: &Call<'_>) -> Reply {
    let body: CheckpointTriggerRequestBody = call.body()?;
    let job: JobId = call.path_value("jobid")?;
    if body.checkpoint_type == CheckpointType::Incremental {
        let message = "Flink does not support triggering incremental checkpoint explicitly. See FLINK-33723.";
        return Err(internal(ILLEGAL_STATE, message));
    }
    begin(call, OperationKey::new(OperationKind::Checkpoint, Some(job), body.trigger_id), Ok(Control::Checkpoint))
}

/// `GET /jobs/:jobid/savepoints/:triggerid`.
pub(crate) fn savepoint_status(call: &Call<'_>) -> Reply {
    let ended = |result: Result<Outcome, Failure>| match result {
        Ok(outcome) => SavepointInfo { location: outcome.directory.as_deref().map(location), failure_cause: None },
        Err(failure) => SavepointInfo { location: None, failure_cause: Some(throwable(failure.class, &failure.text)) },
    };
    match progress(call, OperationKind::Savepoint, "savepoint")? {
        Progress::InProgress => Answer::json(&AsynchronousOperationResult::<SavepointInfo>::in_progress()),
        Progress::Ended(result) => Answer::json(&AsynchronousOperationResult::completed(ended(result))),
    }
}

/// `GET /jobs/:jobid/checkpoints/:triggerid`.
pub(crate) fn checkpoint_status(call: &Call<'_>) -> Reply {
    let ended = |result: Result<Outcome, Failure>| match result {
        Ok(outcome) => {
            let id = outcome.checkpoint_id.and_then(|id| i64::try_from(id).ok());
            CheckpointInfo { checkpoint_id: id, failure_cause: None }
        }
        Err(failure) => {
            CheckpointInfo { checkpoint_id: None, failure_cause: Some(throwable(failure.class, &failure.text)) }
        }
    };
    match progress(call, OperationKind::Checkpoint, "checkpoint")? {
        Progress::InProgress => Answer::json(&AsynchronousOperationResult::<CheckpointInfo>::in_progress()),
        Progress::Ended(result) => Answer::json(&AsynchronousOperationResult::completed(ended(result))),
    }
}

/// Where a savepoint is to go; `None` is the configured directory, and there is always one. The error is that of the
/// operation.
fn directory(text: Option<&str>) -> Result<Option<PathBuf>, Error> {
    text.map(|text| local_path("savepoint directory", text)).transpose()
}

/// Begins an operation of a job, unless there is one with its id.
fn begin(call: &Call<'_>, key: OperationKey, control: Result<Control, Error>) -> Reply {
    match call.operations.begin(&key) {
        Begun::Now => ask(call, &key, control),
        Begun::Before => {}
        Begun::Refused => return Err(crowded()),
    }
    Answer::accepted(&TriggerResponse { request_id: key.id })
}

/// 503, because too many operations go on.
pub(crate) fn crowded() -> Refusal {
    Refusal::new(503, "Too many operations go on at once. Try again when some of them have ended.")
}

/// Asks the job, and notes what came of it.
fn ask(call: &Call<'_>, key: &OperationKey, control: Result<Control, Error>) {
    let job = key.job.and_then(|id| call.cluster.job(id));
    let Some(job) = job.filter(|job| !job.read(|state| state.status.is_globally_terminal())) else {
        call.operations.end(key, Err(no_job(key)));
        return;
    };
    match control {
        Ok(control) => {
            let (operations, key) = (Arc::clone(call.operations), key.clone());
            let reply = move |result: kobel_model::Result<Outcome>| {
                operations.end(&key, result.map_err(|error| failure(key.kind, &error)));
            };
            job.controller().ask(control, Box::new(reply));
        }
        Err(error) => call.operations.end(key, Err(failure(key.kind, &error))),
    }
}

/// The job is not there, or has ended, which is the same to Flink.
fn no_job(key: &OperationKey) -> Failure {
    let id = key.job.map(|id| id.to_string()).unwrap_or_default();
    Failure { class: COMPLETION, text: java_exceptions::no_job(id) }
}

/// An error as an exception: its causes and what to do on lines of their own.
pub(crate) fn failure(kind: OperationKind, error: &Error) -> Failure {
    let class = match kind {
        OperationKind::Savepoint | OperationKind::Checkpoint => CHECKPOINT,
        OperationKind::Disposal | OperationKind::DataSet => FLINK,
    };
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str("\nCaused by: ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str("\nHint: ");
        text.push_str(hint);
    }
    Failure { class, text }
}

/// How far the operation has come that the path names; `what` it is for the person.
fn progress(call: &Call<'_>, kind: OperationKind, what: &str) -> Result<Progress, Refusal> {
    let job: JobId = call.path_value("jobid")?;
    let id: HexId = call.path_value("triggerid")?;
    let key = OperationKey::new(kind, Some(job), Some(id.to_string()));
    call.operations
        .read(&key)
        .ok_or_else(|| Refusal::not_found(format!("There is no {what} operation with triggerId={id} for job {job}.")))
}

#[cfg(test)]
mod tests;
