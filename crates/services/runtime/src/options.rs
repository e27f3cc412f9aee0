//! How a job is run: everything the caller decides.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kobel_model::ids::JobId;
use kobel_model::keygroup::MaxParallelism;
use kobel_model::snapshot::Manifest;

use crate::restart::RestartStrategy;

/// Processing time.
pub trait Clock: Send + Sync {
    /// Epoch milliseconds.
    fn now_ms(&self) -> i64;
}

/// How a job is run.
#[derive(Clone)]
pub struct JobOptions {
    /// Name.
    pub name: String,
    /// Position of its statement in the script.
    pub statement: usize,
    /// Its id.
    pub job_id: JobId,
    /// Under which id output is prepared: that of the job on a fresh start, that of the snapshot's lineage on restore.
    pub lineage: JobId,
    /// Slots, each with a subtask of every vertex.
    pub parallelism: usize,
    /// Subtasks by vertex instead, once the job has been rescaled.
    pub vertex_parallelism: Option<Vec<usize>>,
    /// Key groups; of a restored job those of the snapshot count.
    pub max_parallelism: MaxParallelism,
    /// Rows of a batch at the most.
    pub batch_rows: usize,
    /// Time between checkpoints; `None` takes none on its own.
    pub checkpoint_interval: Option<Duration>,
    /// Least time between the end of a checkpoint and the beginning of the next.
    pub checkpoint_min_pause: Duration,
    /// Time after which a checkpoint that is not complete fails the job.
    pub checkpoint_timeout: Duration,
    /// Checkpoints that may fail in a row.
    pub checkpoint_failures_tolerated: u32,
    /// Directory of checkpoints; used if there is an interval.
    pub checkpoint_dir: PathBuf,
    /// Complete checkpoints that are kept.
    pub checkpoints_retained: usize,
    /// Directory of savepoints.
    pub savepoint_dir: PathBuf,
    /// The least id that the first snapshot gets.
    pub next_checkpoint_id: u64,
    /// What happens when it fails.
    pub restart: RestartStrategy,
    /// What the user set for it, secrets redacted, in order of key; shown to whoever looks at the job.
    pub settings: Vec<(String, String)>,
    /// The snapshot to go on from.
    pub restore: Option<RestoreFrom>,
    /// Processing time.
    pub clock: Arc<dyn Clock>,
}

/// A snapshot to go on from.
#[derive(Debug, Clone)]
pub struct RestoreFrom {
    /// Its directory.
    pub directory: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// State of operators that the job no longer has is left behind instead of refused (Flink
    /// `execution.state-recovery.ignore-unclaimed-state`).
    pub ignore_unclaimed_state: bool,
}
