//! Savepoints and checkpoints: taken, asked about, found and removed.
//!
//! Whoever asks for one chooses the id of the operation, so that asking twice takes one.

use hyper::Method;
use kobel_model::deployment::SavepointFormat;
use kobel_model::{Error, Result};
use kobel_rest::operations::{
    AsynchronousOperationInfo, AsynchronousOperationResult, CheckpointInfo, CheckpointTriggerRequestBody,
    QueueStatusId, SavepointDisposalRequest, SavepointFormatType, SavepointInfo, SavepointTriggerRequestBody,
    StopWithSavepointRequestBody, TriggerResponse,
};
use kobel_rest::throwable::SerializedThrowable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, segment};
use crate::checkpoints::{Place, Statistics};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::trace::summary;
use crate::transport::FlinkClient;

/// How a savepoint is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavepointRequest<'a> {
    /// Of which job.
    pub job_id: &'a str,
    /// Under which id: 32 hexadecimal digits.
    pub trigger_id: &'a str,
    /// Into which directory; absent for the one that the cluster is configured with.
    pub directory: Option<&'a str>,
    /// How it is written.
    pub format: SavepointFormat,
    /// Whether time is brought to its end first, so that every window fires; only a stop asks.
    pub drain: bool,
}

/// What has become of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationSeen {
    /// It goes on.
    InProgress,
    /// It ended well; a snapshot has a place, unless only its own job manager can read it.
    Completed(Option<String>),
    /// It failed; the reason is for a person.
    Failed(String),
    /// The cluster does not know of it: it was never asked for, is long forgotten, or the job manager is another one.
    Unheard,
}

impl FlinkClient {
    /// Returns place and time (milliseconds since the epoch) of the newest complete snapshot, checkpoint or savepoint,
    /// that another job can start from; nothing if it is certain that there is none.
    ///
    /// After a job manager was replaced, that which the job was restored from counts as its own. What was written to the
    /// directory `aside` does not count: it was only written to be looked at.
    ///
    /// # Errors
    /// Everything else: it cannot be told. [`Failure::of`] tells why: [`Failure::NoStatistics`] of a job that has no
    /// tasks at the moment, whose checkpoints only its directory tells; [`Failure::NoJob`] of one that is not known.
    pub async fn newest_snapshot(&self, at: &Endpoint, id: &str, aside: Option<&str>) -> Result<Option<(String, i64)>> {
        let newest = self.newest(at, id, aside).await;
        newest.map_err(|failure| failure.about(&format!("tell the newest snapshot of job `{id}`"), at.shown()))
    }

    /// Stops a job with a savepoint; [`Self::savepoint_status`] tells what became of it.
    ///
    /// That the job does not exist is told there, too.
    ///
    /// # Errors
    /// Unavailable if there is no answer, after which it may have been begun or not.
    pub async fn stop_with_savepoint(&self, at: &Endpoint, request: SavepointRequest<'_>) -> Result<()> {
        let SavepointRequest { job_id, trigger_id, .. } = request;
        let body = StopWithSavepointRequestBody {
            target_directory: request.directory.map(str::to_owned),
            drain: request.drain,
            format_type: format_type(request.format),
            trigger_id: Some(trigger_id.to_owned()),
        };
        let began = self.trigger(at, format!("/jobs/{}/stop", segment(job_id)), &body).await;
        let what = format!("stop job `{job_id}` with a savepoint");
        began.map_err(|failure| failure.about(&what, at.shown())).and_then(|found| same(&what, trigger_id, &found))
    }

    /// Takes a savepoint and lets the job run on; [`Self::savepoint_status`] tells what became of it.
    ///
    /// # Errors
    /// Unavailable if there is no answer, after which it may have been begun or not.
    pub async fn take_savepoint(&self, at: &Endpoint, request: SavepointRequest<'_>) -> Result<()> {
        let SavepointRequest { job_id, trigger_id, .. } = request;
        let body = SavepointTriggerRequestBody {
            target_directory: request.directory.map(str::to_owned),
            cancel_job: false,
            format_type: format_type(request.format),
            trigger_id: Some(trigger_id.to_owned()),
        };
        let began = self.trigger(at, format!("/jobs/{}/savepoints", segment(job_id)), &body).await;
        let what = format!("take a savepoint of job `{job_id}`");
        began.map_err(|failure| failure.about(&what, at.shown())).and_then(|found| same(&what, trigger_id, &found))
    }

    /// Takes a checkpoint; [`Self::checkpoint_status`] tells what became of it.
    ///
    /// # Errors
    /// Unavailable if there is no answer, after which it may have been begun or not.
    pub async fn take_checkpoint(&self, at: &Endpoint, job_id: &str, trigger_id: &str) -> Result<()> {
        let body = CheckpointTriggerRequestBody {
            trigger_id: Some(trigger_id.to_owned()),
            ..CheckpointTriggerRequestBody::default()
        };
        let began = self.trigger(at, format!("/jobs/{}/checkpoints", segment(job_id)), &body).await;
        let what = format!("take a checkpoint of job `{job_id}`");
        began.map_err(|failure| failure.about(&what, at.shown())).and_then(|found| same(&what, trigger_id, &found))
    }

    /// Asks what became of a savepoint, or of a stop with one.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn savepoint_status(&self, at: &Endpoint, job_id: &str, trigger_id: &str) -> Result<OperationSeen> {
        let path = format!("/jobs/{}/savepoints/{}", segment(job_id), segment(trigger_id));
        let seen = match self.operation::<SavepointInfo>(at, path).await {
            Ok(Ended::Is(savepoint)) => Ok(end(savepoint.failure_cause.as_ref(), savepoint.location)),
            Ok(Ended::Not(seen)) => Ok(seen),
            Err(failure) => Err(failure),
        };
        seen.map_err(|failure| {
            failure.about(&format!("ask about savepoint `{trigger_id}` of job `{job_id}`"), at.shown())
        })
    }

    /// Asks what became of a checkpoint.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn checkpoint_status(&self, at: &Endpoint, job_id: &str, trigger_id: &str) -> Result<OperationSeen> {
        let path = format!("/jobs/{}/checkpoints/{}", segment(job_id), segment(trigger_id));
        let seen = match self.operation::<CheckpointInfo>(at, path).await {
            Ok(Ended::Is(CheckpointInfo { failure_cause: None, checkpoint_id: Some(id) })) => {
                self.checkpoint_end(at, job_id, id).await
            }
            Ok(Ended::Is(checkpoint)) => Ok(end(checkpoint.failure_cause.as_ref(), None)),
            Ok(Ended::Not(seen)) => Ok(seen),
            Err(failure) => Err(failure),
        };
        seen.map_err(|failure| {
            failure.about(&format!("ask about checkpoint `{trigger_id}` of job `{job_id}`"), at.shown())
        })
    }

    /// Deletes the files of a savepoint; returns the id with which [`Self::disposal_status`] tells what became of it.
    ///
    /// # Errors
    /// Unavailable if there is no answer, after which it may have been begun or not.
    pub async fn dispose(&self, at: &Endpoint, path: &str) -> Result<String> {
        let body = SavepointDisposalRequest { savepoint_path: Some(path.to_owned()) };
        let began = self.trigger(at, "/savepoint-disposal".to_owned(), &body).await;
        began.map_err(|failure| failure.about(&format!("delete savepoint `{path}`"), at.shown()))
    }

    /// Asks what became of a deletion.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn disposal_status(&self, at: &Endpoint, trigger_id: &str) -> Result<OperationSeen> {
        let path = format!("/savepoint-disposal/{}", segment(trigger_id));
        let seen = match self.operation::<AsynchronousOperationInfo>(at, path).await {
            Ok(Ended::Is(disposal)) => Ok(end(disposal.failure_cause.as_ref(), None)),
            Ok(Ended::Not(seen)) => Ok(seen),
            Err(failure) => Err(failure),
        };
        seen.map_err(|failure| failure.about(&format!("ask about deletion `{trigger_id}`"), at.shown()))
    }

    async fn newest(&self, at: &Endpoint, id: &str, aside: Option<&str>) -> Result<Option<(String, i64)>, Failure> {
        if let Some(newest) = self.statistics(at, id).await?.newest(aside)? {
            return Ok(Some(newest));
        }
        // Flink tells zeros of a job that waits for resources, or that ended while it did, whatever it took before.
        // They mean something only if the job had tasks all the time around the question.
        let before = self.execution(at, id).await?;
        let newest = self.statistics(at, id).await?.newest(aside)?;
        if newest.is_some() || (before.has_tasks() && before == self.execution(at, id).await?) {
            Ok(newest)
        } else {
            Err(Failure::NoStatistics)
        }
    }

    async fn statistics(&self, at: &Endpoint, id: &str) -> Result<Statistics, Failure> {
        self.ask(at, Call::get(format!("/jobs/{}/checkpoints", segment(id)))).await
    }

    async fn trigger(&self, at: &Endpoint, path: String, body: &impl Serialize) -> Result<String, Failure> {
        let answer: TriggerResponse = self.ask(at, Call::json(Method::POST, path, body)?).await?;
        Ok(answer.request_id)
    }

    async fn operation<T: DeserializeOwned>(&self, at: &Endpoint, path: String) -> Result<Ended<T>, Failure> {
        match self.ask::<AsynchronousOperationResult<T>>(at, Call::get(path)).await {
            Ok(AsynchronousOperationResult { status, operation }) => Ok(match (status.id, operation) {
                (QueueStatusId::InProgress, _) => Ended::Not(OperationSeen::InProgress),
                (QueueStatusId::Completed, Some(operation)) => Ended::Is(operation),
                (QueueStatusId::Completed, None) => Ended::Not(OperationSeen::Completed(None)),
            }),
            Err(Failure::NoOperation | Failure::NoJob) => Ok(Ended::Not(OperationSeen::Unheard)),
            Err(failure) => Err(failure),
        }
    }

    /// The end of a checkpoint with its place, which only the statistics tell.
    async fn checkpoint_end(&self, at: &Endpoint, job_id: &str, id: i64) -> Result<OperationSeen, Failure> {
        match self.statistics(at, job_id).await {
            Ok(statistics) => Ok(match statistics.place(id) {
                Place::At(place) => OperationSeen::Completed(Some(place)),
                Place::Nowhere => OperationSeen::Completed(None),
                Place::NotTold => OperationSeen::InProgress,
            }),
            Err(Failure::NoJob | Failure::NoStatistics) => Ok(OperationSeen::Completed(None)),
            Err(failure) => Err(failure),
        }
    }
}

/// What an answer about an operation holds.
enum Ended<T> {
    /// How it ended.
    Is(T),
    /// What else there is to say.
    Not(OperationSeen),
}

fn end(failure: Option<&SerializedThrowable>, place: Option<String>) -> OperationSeen {
    match failure {
        Some(failure) if failure.stack_trace.trim().is_empty() => OperationSeen::Failed(summary(&failure.class)),
        Some(failure) => OperationSeen::Failed(summary(&failure.stack_trace)),
        None => OperationSeen::Completed(place),
    }
}

/// Refuses a cluster that chose another id, because what became of the operation could not be asked again.
fn same(what: &str, asked: &str, found: &str) -> Result<()> {
    if asked.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    let message = format!("cannot {what} under the id `{asked}`: the cluster chose `{found}`");
    Err(Error::unsupported(message).with_hint("use Flink 1.15 or later, which lets the client choose"))
}

fn format_type(format: SavepointFormat) -> SavepointFormatType {
    match format {
        SavepointFormat::Native => SavepointFormatType::Native,
        SavepointFormat::Canonical | SavepointFormat::Unknown => SavepointFormatType::Canonical,
    }
}

#[cfg(test)]
mod tests;
