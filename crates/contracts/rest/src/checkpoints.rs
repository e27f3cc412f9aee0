//! Checkpoints of a job: counts, summary, the latest ones, the history, one in detail, and their configuration.
//!
//! Invariant: the class name of a checkpoint says which further keys it has.

use serde::{Deserialize, Serialize};

use crate::ordered::OrderedMap;
use crate::statistics::StatsSummary;
use crate::words::words;

words! {
    /// How far a checkpoint came.
    CheckpointStatus means "a checkpoint status" {
        /// Not every subtask has acknowledged.
        InProgress = "IN_PROGRESS",
        /// It can be restored from.
        Completed = "COMPLETED",
        /// It cannot be restored from.
        Failed = "FAILED",
    }
}

words! {
    /// The kind of a checkpoint.
    CheckpointKind means "a checkpoint type" {
        /// A checkpoint with aligned barriers.
        Checkpoint = "CHECKPOINT",
        /// A checkpoint whose barriers overtake records.
        UnalignedCheckpoint = "UNALIGNED_CHECKPOINT",
        /// A savepoint.
        Savepoint = "SAVEPOINT",
        /// A savepoint after which the job stops.
        SyncSavepoint = "SYNC_SAVEPOINT",
    }
}

words! {
    /// What checkpoints promise.
    ProcessingMode means "a processing mode" {
        /// After a failure a record may count twice.
        AtLeastOnce = "at_least_once",
        /// After a failure every record counts once.
        ExactlyOnce = "exactly_once",
    }
}

/// The answer to a request for the checkpoints of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointingStatistics {
    /// How many there were.
    pub counts: CheckpointCounts,
    /// The summary of the completed ones.
    pub summary: CheckpointSummary,
    /// The latest one of each kind.
    pub latest: LatestCheckpoints,
    /// The last ones, the latest first.
    pub history: Vec<CheckpointStatistics>,
}

/// How many checkpoints there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckpointCounts {
    /// Restored from.
    pub restored: i64,
    /// Triggered.
    pub total: i64,
    /// Not yet ended.
    pub in_progress: i64,
    /// Ended well.
    pub completed: i64,
    /// Failed.
    pub failed: i64,
}

/// The summary of the completed checkpoints of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointSummary {
    /// Bytes written by the checkpoint itself.
    pub checkpointed_size: StatsSummary,
    /// Bytes of the whole state.
    pub state_size: StatsSummary,
    /// Milliseconds from the trigger to the last acknowledgement.
    pub end_to_end_duration: StatsSummary,
    /// Bytes buffered while barriers were aligned.
    pub alignment_buffered: StatsSummary,
    /// Bytes processed while barriers were aligned.
    pub processed_data: StatsSummary,
    /// Bytes of records persisted with the checkpoint.
    pub persisted_data: StatsSummary,
}

/// The latest checkpoint of each kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LatestCheckpoints {
    /// The latest completed checkpoint.
    pub completed: Option<CheckpointStatistics>,
    /// The latest completed savepoint.
    pub savepoint: Option<CheckpointStatistics>,
    /// The latest failed checkpoint or savepoint.
    pub failed: Option<CheckpointStatistics>,
    /// The checkpoint or savepoint that was restored from last.
    pub restored: Option<RestoredCheckpoint>,
}

/// A checkpoint that was restored from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredCheckpoint {
    /// The id.
    pub id: i64,
    /// When it was restored from, in milliseconds.
    pub restore_timestamp: i64,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// Where it lies, when that is known.
    pub external_path: Option<String>,
}

/// The answer to a request for one checkpoint, and an entry of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "className", rename_all = "snake_case")]
pub enum CheckpointStatistics {
    /// A checkpoint that ended well.
    Completed(CompletedCheckpoint),
    /// A checkpoint that failed.
    Failed(FailedCheckpoint),
    /// A checkpoint that has not ended.
    InProgress(CheckpointProgress),
}

impl CheckpointStatistics {
    /// Returns what every checkpoint tells.
    pub const fn progress(&self) -> &CheckpointProgress {
        match self {
            Self::Completed(checkpoint) => &checkpoint.progress,
            Self::Failed(checkpoint) => &checkpoint.progress,
            Self::InProgress(progress) => progress,
        }
    }
}

/// What every checkpoint tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointProgress {
    /// The id.
    pub id: i64,
    /// How far it came.
    pub status: CheckpointStatus,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// The format of a savepoint.
    #[serde(rename = "savepointFormat")]
    pub savepoint_format: Option<String>,
    /// When it was triggered, in milliseconds.
    pub trigger_timestamp: i64,
    /// When the last subtask acknowledged, in milliseconds, or -1.
    pub latest_ack_timestamp: i64,
    /// Bytes written by the checkpoint itself.
    pub checkpointed_size: i64,
    /// Bytes of the whole state.
    pub state_size: i64,
    /// Milliseconds from the trigger to the last acknowledgement or to now.
    pub end_to_end_duration: i64,
    /// Always zero: Flink keeps the key only.
    pub alignment_buffered: i64,
    /// Bytes processed while barriers were aligned.
    pub processed_data: i64,
    /// Bytes of records persisted with the checkpoint.
    pub persisted_data: i64,
    /// The number of subtasks.
    pub num_subtasks: i64,
    /// The number of subtasks that acknowledged.
    pub num_acknowledged_subtasks: i64,
    /// The kind.
    pub checkpoint_type: CheckpointKind,
    /// The vertices by their ids; empty in the history.
    pub tasks: OrderedMap<String, TaskCheckpointStatistics>,
}

/// A checkpoint that ended well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletedCheckpoint {
    /// What every checkpoint tells.
    #[serde(flatten)]
    pub progress: CheckpointProgress,
    /// Where it lies, when that is known.
    pub external_path: Option<String>,
    /// Whether it has been removed.
    pub discarded: bool,
}

/// A checkpoint that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedCheckpoint {
    /// What every checkpoint tells.
    #[serde(flatten)]
    pub progress: CheckpointProgress,
    /// When it failed, in milliseconds.
    pub failure_timestamp: i64,
    /// Why it failed, when that is known.
    pub failure_message: Option<String>,
}

/// What one vertex did for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCheckpointStatistics {
    /// The id of the checkpoint.
    pub id: i64,
    /// How far the vertex came.
    pub status: CheckpointStatus,
    /// When its last subtask acknowledged, in milliseconds, or -1.
    pub latest_ack_timestamp: i64,
    /// Bytes written by the checkpoint itself.
    pub checkpointed_size: i64,
    /// Bytes of the whole state.
    pub state_size: i64,
    /// Milliseconds from the trigger to the last acknowledgement or to now.
    pub end_to_end_duration: i64,
    /// Always zero: Flink keeps the key only.
    pub alignment_buffered: i64,
    /// Bytes processed while barriers were aligned.
    pub processed_data: i64,
    /// Bytes of records persisted with the checkpoint.
    pub persisted_data: i64,
    /// The number of subtasks.
    pub num_subtasks: i64,
    /// The number of subtasks that acknowledged.
    pub num_acknowledged_subtasks: i64,
}

/// The answer to a request for the configuration of checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointConfigInfo {
    /// What checkpoints promise.
    pub mode: ProcessingMode,
    /// Milliseconds between two triggers.
    pub interval: i64,
    /// Milliseconds after which a checkpoint fails.
    pub timeout: i64,
    /// Milliseconds between the end of one and the trigger of the next.
    pub min_pause: i64,
    /// How many may run at once.
    pub max_concurrent: i64,
    /// What happens to checkpoints when the job ends.
    pub externalization: ExternalizedCheckpointInfo,
    /// The name of the state backend.
    pub state_backend: String,
    /// The name of the storage.
    pub checkpoint_storage: String,
    /// Whether barriers overtake records.
    pub unaligned_checkpoints: bool,
    /// How many failures in a row do not fail the job.
    pub tolerable_failed_checkpoints: i64,
    /// Milliseconds after which barriers begin to overtake records.
    pub aligned_checkpoint_timeout: i64,
    /// Whether checkpoints go on after some tasks ended.
    pub checkpoints_after_tasks_finish: bool,
    /// Whether changes of the state are kept as a log.
    pub state_changelog_enabled: bool,
    /// Milliseconds between two snapshots below that log.
    pub changelog_periodic_materialization_interval: i64,
    /// The name of the storage of that log.
    pub changelog_storage: Option<String>,
}

/// What happens to checkpoints when the job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalizedCheckpointInfo {
    /// Whether they are kept after a failure.
    pub enabled: bool,
    /// Whether they are removed after a cancellation.
    pub delete_on_cancellation: bool,
}

#[cfg(test)]
mod tests;
