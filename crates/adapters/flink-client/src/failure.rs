//! Why a call to a Flink cluster has no good answer, told apart as far as a caller may act on it.
//!
//! Persons get it as the source of the shared error, whose message names the call and the address. What Java says is
//! one line without its stack.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use kobel_model::{Error, ErrorKind};
use kobel_rest::errors::ErrorResponseBody;

use crate::trace::summary;

/// What Flink puts in front when the failure is not the fault of the request.
const INTERNAL: &str = "Internal server error.";

/// Why a call has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens at the address.
    Refused,
    /// There is no way to the address; the reason is for a person.
    Unreached(String),
    /// The connection was taken and ended before the answer did; whether the request was carried out is not known.
    Broken(String),
    /// The answer did not come in this time; whether the request was carried out is not known.
    TimedOut(Duration),
    /// The answer has more bytes than this.
    TooLarge(usize),
    /// Something else answers at the address; the reason is for a person.
    NotFlink(String),
    /// The cluster does not know the job.
    NoJob,
    /// The cluster does not know the operation: it was never asked for, is long forgotten, or the job manager is
    /// another one.
    NoOperation,
    /// The cluster does not know the request itself.
    NotServed,
    /// The cluster tells no checkpoints of the job, which may have taken some: it has no tasks at the moment, because
    /// it is being made, waits for resources, or ended while it did.
    NoStatistics,
    /// The files of the newest snapshot that is told are gone; the number is its id.
    Discarded(i64),
    /// There are snapshots, and none lies where another job could read it.
    NotAddressable,
    /// A job with this id was submitted before.
    Duplicate,
    /// The request cannot be sent at all; the reason is for a person.
    Address(String),
    /// Any other refusal.
    Answered {
        /// Status of the answer.
        status: u16,
        /// What the cluster says.
        reason: String,
    },
}

impl Failure {
    /// Finds the failure of a call among the sources of an error.
    pub fn of(error: &Error) -> Option<&Self> {
        let mut source = StdError::source(error);
        while let Some(cause) = source {
            if let Some(failure) = cause.downcast_ref() {
                return Some(failure);
            }
            source = cause.source();
        }
        None
    }

    /// What the receiver should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused
            | Self::Unreached(_)
            | Self::Broken(_)
            | Self::TimedOut(_)
            | Self::TooLarge(_)
            | Self::NotFlink(_)
            | Self::NoStatistics
            | Self::Discarded(_) => ErrorKind::Unavailable,
            Self::NoJob | Self::NoOperation => ErrorKind::Missing,
            Self::NotServed => ErrorKind::Unsupported,
            Self::Duplicate => ErrorKind::Conflict,
            Self::NotAddressable | Self::Address(_) => ErrorKind::Invalid,
            Self::Answered { status, reason } => kind(*status, reason),
        }
    }

    /// The error for a person: `what` was attempted, such as "list the jobs", at which address.
    pub(crate) fn about(self, what: &str, at: &str) -> Error {
        let error = Error::new(self.kind(), format!("cannot {what} at `{at}`"));
        let error = match self.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        };
        error.with_source(self)
    }

    /// Reads an answer that is no success.
    pub(crate) fn of_answer(status: u16, body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<ErrorResponseBody>(body) else {
            let reason = "no reason is given".to_owned();
            return match status {
                401 | 403 | 413 | 500.. => Self::Answered { status, reason },
                _ => Self::NotFlink(format!("status {status} without a reason")),
            };
        };
        let texts = || body.errors.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let reason = summary(texts().find(|text| *text != INTERNAL).or_else(|| texts().next()).unwrap_or_default());
        named(status, &reason).unwrap_or(Self::Answered { status, reason })
    }

    /// Reads why a request has no answer; `patience` is how long a connection may take.
    pub(crate) fn of_connection(error: &(dyn StdError + 'static), stage: Stage, patience: Duration) -> Self {
        let is_connecting = stage == Stage::Connecting;
        let (mut last, mut io_kind) = (error, None);
        let mut source = Some(error);
        while let Some(cause) = source {
            io_kind = cause.downcast_ref::<io::Error>().map(io::Error::kind).or(io_kind);
            last = cause;
            source = cause.source();
        }
        match io_kind {
            Some(io::ErrorKind::ConnectionRefused) if is_connecting => Self::Refused,
            Some(io::ErrorKind::TimedOut) if is_connecting => Self::TimedOut(patience),
            _ if is_connecting => Self::Unreached(last.to_string()),
            _ => Self::Broken(last.to_string()),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAddressable => {
                Some("set `execution.checkpointing.dir` to a directory that every job manager can read")
            }
            Self::Answered { status: 413, .. } => {
                Some("raise `rest.server.max-content-length` of the cluster, whose default is 100 MiB")
            }
            _ => None,
        }
    }
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There was no connection yet.
    Connecting,
    /// It was sent, or was being sent.
    Asking,
}

/// The failure that the words of Flink name, if they name one.
fn named(status: u16, reason: &str) -> Option<Failure> {
    let says = |words: &str| reason.contains(words);
    let is_missing = matches!(status, 404 | 500);
    // The class comes with 500 from what only the master of the job can answer.
    let is_job = says("FlinkJobNotFoundException")
        || says("Job could not be found")
        || (reason.starts_with("Job ") && says(" not found"));
    let is_operation = says("operation with triggerId") || says("Operation not found");
    let is_checkpointing = says("Checkpointing was not enabled") || says("Checkpointing has not been enabled");
    if says("DuplicateJobSubmissionException") || says("DuplicateApplicationSubmissionException") {
        Some(Failure::Duplicate)
    } else if status == 404 && is_checkpointing {
        Some(Failure::NoStatistics)
    } else if status == 404 && is_operation {
        Some(Failure::NoOperation)
    } else if is_missing && is_job {
        Some(Failure::NoJob)
    } else if status == 405 || (status == 404 && (says("Unable to load requested file") || says("Not found: "))) {
        Some(Failure::NotServed)
    } else {
        None
    }
}

/// What the receiver should do about a refusal that has no name.
fn kind(status: u16, reason: &str) -> ErrorKind {
    if reason.contains("UnsupportedOperationException") {
        return ErrorKind::Unsupported;
    }
    if reason.contains("ProgramInvocationException") {
        return ErrorKind::Invalid;
    }
    if reason.contains("Jar file ") && reason.contains("does not exist") {
        return ErrorKind::Missing;
    }
    match status {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::Missing,
        409 => ErrorKind::Conflict,
        501 => ErrorKind::Unsupported,
        408 | 429 | 500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused, nobody listens there"),
            Self::Unreached(reason) => write!(f, "there is no connection: {reason}"),
            Self::Broken(reason) => write!(f, "the connection ended before the answer: {reason}"),
            Self::TimedOut(time) => write!(f, "no answer came within {time:?}"),
            Self::TooLarge(bytes) => write!(f, "the answer has more than {bytes} bytes"),
            Self::NotFlink(reason) => write!(f, "what answers there is not Flink: {reason}"),
            Self::NoJob => f.write_str("the cluster does not know the job"),
            Self::NoOperation => f.write_str("the cluster does not know the operation"),
            Self::NotServed => f.write_str("the cluster does not serve this request"),
            Self::NoStatistics => {
                f.write_str("the cluster tells no checkpoints of a job that has no tasks at the moment")
            }
            Self::Discarded(id) => write!(
                f,
                "the files of snapshot {id}, the newest that is told, are gone: a newer one is not told yet, or the \
                 job has ended and kept none"
            ),
            Self::NotAddressable => {
                f.write_str("the job has taken snapshots, and none lies where another job could read it")
            }
            Self::Duplicate => f.write_str("a job with this id was submitted before"),
            Self::Address(reason) => f.write_str(reason),
            Self::Answered { status, reason } => write!(f, "{reason} (status {status})"),
        }
    }
}

impl StdError for Failure {}

#[cfg(test)]
mod tests;
