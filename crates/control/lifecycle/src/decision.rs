//! What is decided: a record to write, at most one act, what to tell, and what is awaited.

use std::time::Duration;

use kobel_model::deployment::SavepointFormat;
use serde_json::Value;

use crate::record::Record;

/// Something to do. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Start the cluster and, unless it is a session cluster, its job; for a session job submit the job.
    Start(Box<Start>),
    /// End every process of the cluster and wait for none of its jobs. Snapshots stay.
    Remove,
    /// Stop the job with a savepoint.
    StopWithSavepoint(Savepoint),
    /// Cancel the job without a savepoint.
    Cancel {
        /// The job.
        job_id: String,
    },
    /// Take a savepoint, and let the job run on.
    TakeSavepoint(Savepoint),
    /// Take a checkpoint.
    TakeCheckpoint {
        /// The job.
        job_id: String,
        /// Under which id.
        trigger_id: String,
    },
    /// Delete the files of a savepoint.
    Dispose {
        /// Where it lies.
        path: String,
    },
    /// Take the finalizer away: nothing is left to be done.
    Release,
}

/// How a cluster or a job is started.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// For which generation.
    pub generation: i64,
    /// The id of the job; absent for a session cluster.
    pub job_id: Option<String>,
    /// The spec to start: the declared one, or an earlier one.
    pub spec: Value,
    /// The snapshot that the job starts from.
    pub restore: Option<String>,
}

/// How a savepoint is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Savepoint {
    /// Of which job.
    pub job_id: String,
    /// Under which id.
    pub trigger_id: String,
    /// Into which directory; absent for the default one.
    pub directory: Option<String>,
    /// How it is written.
    pub format: SavepointFormat,
    /// Whether sources are asked to end and timers to fire first.
    pub drain: bool,
}

/// Whether an event is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It is.
    Normal,
    /// It is not.
    Warning,
}

/// Something to tell, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether it is good news.
    pub kind: EventKind,
    /// One word in camel case, as the Apache operator has it: `Submit`, `SpecChanged`, `Suspended`.
    pub reason: &'static str,
    /// For a person.
    pub message: String,
}

/// What is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// One word in camel case, for programs: `Settled` if everything is as it was asked for.
    pub reason: &'static str,
    /// For a person: what is awaited, and what to do if it does not come.
    pub message: String,
    /// When to look again if nothing happens before.
    pub again: Duration,
}

/// What is decided about one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What is to be written before the act is done; nothing is written if it is what was written.
    pub record: Record,
    /// What is to be done then; after it the world is looked at again at once.
    pub act: Option<Act>,
    /// What is to be told.
    pub events: Vec<Event>,
    /// What is awaited.
    pub wait: Wait,
}
