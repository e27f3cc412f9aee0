//! What can be seen of a running job, and how it ended.

use std::path::PathBuf;
use std::time::Duration;

use kobel_model::Error;

use crate::metrics::JobMetrics;

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Its input ended and all of it was processed.
    Finished,
    /// It was stopped with a savepoint.
    Stopped {
        /// Directory of the savepoint.
        savepoint: PathBuf,
    },
    /// It was canceled.
    Canceled,
}

/// What is known of a job's checkpoints.
#[derive(Debug, Clone, Default)]
pub struct CheckpointStats {
    /// Snapshots completed in this run.
    pub completed: u64,
    /// Checkpoints that failed in this run.
    pub failed: u64,
    /// Id of the last complete one.
    pub last_id: Option<u64>,
    /// How long it took.
    pub last_duration: Duration,
    /// Bytes of the whole state in it.
    pub last_bytes: u64,
    /// Bytes that it wrote itself.
    pub last_written_bytes: u64,
    /// Why the last failed one did.
    pub last_failure: Option<String>,
    /// The last savepoint.
    pub last_savepoint: Option<PathBuf>,
}

/// A look at a running job, about once a second and once at its end.
pub struct Progress<'a> {
    /// Counters of the attempt that runs.
    pub metrics: &'a JobMetrics,
    /// Number of the attempt.
    pub attempt: u32,
    /// Time since the start.
    pub elapsed: Duration,
    /// Checkpoints.
    pub checkpoints: &'a CheckpointStats,
    /// The job failed and is about to be started again.
    pub restart: Option<Restart<'a>>,
    /// The job has ended.
    pub is_last: bool,
}

/// A restart that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Restart<'a> {
    /// The failure.
    pub failure: &'a Error,
    /// The time until then.
    pub delay: Duration,
    /// Id of the snapshot that the job goes on from; `None`: from where it began.
    pub checkpoint: Option<u64>,
}
