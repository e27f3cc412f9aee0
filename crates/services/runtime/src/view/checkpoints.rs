//! What is remembered of a job's checkpoints: the last few whole, all of them as counts and a summary.

use std::collections::VecDeque;
use std::path::PathBuf;

/// Why a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointType {
    /// The interval passed, or somebody asked for a checkpoint.
    Checkpoint,
    /// Somebody asked for a savepoint; the job went on.
    Savepoint,
    /// Somebody stopped the job with a savepoint.
    SyncSavepoint,
}

/// How far a snapshot has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointProgress {
    /// Tasks are still handing in.
    InProgress,
    /// It is complete and lies there; `None` if the job keeps none.
    Completed(Option<PathBuf>),
    /// It failed.
    Failed {
        /// When, in epoch milliseconds.
        at_ms: i64,
        /// Why.
        message: String,
    },
}

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// Its id.
    pub id: u64,
    /// Why it was taken.
    pub kind: CheckpointType,
    /// Only what changed since the last checkpoint was written.
    pub is_incremental: bool,
    /// How far it has come.
    pub progress: CheckpointProgress,
    /// When it was triggered, in epoch milliseconds.
    pub triggered_ms: i64,
    /// When it was completed or failed.
    pub ended_ms: Option<i64>,
    /// Bytes of the whole state.
    pub state_bytes: u64,
    /// Bytes that it wrote itself.
    pub written_bytes: u64,
    /// By vertex and subtask; `None` has not handed in.
    pub tasks: Vec<Vec<Option<SubtaskCheckpoint>>>,
}

/// What one task reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubtaskCheckpoint {
    /// When its state had been written, in epoch milliseconds.
    pub ack_ms: i64,
    /// Bytes of its state.
    pub state_bytes: u64,
    /// Bytes that it wrote.
    pub written_bytes: u64,
    /// How long the task stood still to take the snapshot.
    pub sync_ms: u64,
    /// How long writing it took.
    pub async_ms: u64,
    /// Time from the first barrier to the last.
    pub alignment_ms: u64,
    /// Time from the trigger to the first barrier.
    pub start_delay_ms: u64,
}

/// A snapshot that the job went on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredCheckpoint {
    /// Its id.
    pub id: u64,
    /// When the job went on from it, in epoch milliseconds.
    pub restored_ms: i64,
    /// It is a savepoint.
    pub is_savepoint: bool,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes of its state.
    pub state_bytes: u64,
}

/// How many snapshots there have been; in-progress ones are `total - completed - failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckpointCounts {
    /// The job went on from a snapshot that often.
    pub restored: u64,
    /// Triggered.
    pub total: u64,
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// What is remembered.
#[derive(Debug, Clone, Default)]
pub struct CheckpointHistory {
    /// Counts since the job began.
    pub counts: CheckpointCounts,
    /// The newest first; at most [`CheckpointHistory::LENGTH`].
    pub recent: VecDeque<CheckpointRecord>,
    /// The completed ones whose figures the summary is made of, the newest first; at most
    /// [`CheckpointHistory::SUMMARY_LENGTH`]. Tasks are left out.
    pub completed: VecDeque<CheckpointRecord>,
    /// The last completed checkpoint, which is not a savepoint.
    pub latest_completed: Option<CheckpointRecord>,
    /// The last completed savepoint.
    pub latest_savepoint: Option<CheckpointRecord>,
    /// The last that failed.
    pub latest_failed: Option<CheckpointRecord>,
    /// The last that the job went on from.
    pub latest_restored: Option<RestoredCheckpoint>,
}

impl CheckpointHistory {
    /// Snapshots remembered whole (Flink `web.checkpoints.history`).
    pub const LENGTH: usize = 10;
    /// Snapshots that the summary is made of.
    pub const SUMMARY_LENGTH: usize = 1_000;

    /// A snapshot begins.
    pub(crate) fn begin(&mut self, record: CheckpointRecord) {
        self.counts.total += 1;
        self.recent.push_front(record);
        // One that is under way is the newest, so it never falls out.
        self.recent.truncate(Self::LENGTH);
    }

    /// The remembered snapshot with this id.
    pub fn record(&self, id: u64) -> Option<&CheckpointRecord> {
        let latest = [&self.latest_completed, &self.latest_savepoint, &self.latest_failed];
        self.recent.iter().chain(latest.into_iter().flatten()).find(|record| record.id == id)
    }

    /// Changes a snapshot that is under way.
    pub(crate) fn update(&mut self, id: u64, change: impl FnOnce(&mut CheckpointRecord)) {
        if let Some(record) = self.recent.iter_mut().find(|record| record.id == id) {
            change(record);
        }
    }

    /// A snapshot has ended, as `change` notes on it.
    pub(crate) fn end(&mut self, id: u64, change: impl FnOnce(&mut CheckpointRecord)) {
        let is_under_way = |record: &&CheckpointRecord| record.progress == CheckpointProgress::InProgress;
        if self.recent.iter().find(|record| record.id == id).filter(is_under_way).is_none() {
            return;
        }
        self.update(id, change);
        let Some(record) = self.recent.iter().find(|record| record.id == id).cloned() else { return };
        match (&record.progress, record.kind) {
            (CheckpointProgress::InProgress, _) => return,
            (CheckpointProgress::Failed { .. }, _) => {
                self.counts.failed += 1;
                self.latest_failed = Some(record);
                return;
            }
            (CheckpointProgress::Completed(_), CheckpointType::Checkpoint) => {
                self.latest_completed = Some(record.clone());
            }
            (CheckpointProgress::Completed(_), _) => self.latest_savepoint = Some(record.clone()),
        }
        self.counts.completed += 1;
        self.completed.push_front(CheckpointRecord { tasks: Vec::new(), ..record });
        self.completed.truncate(Self::SUMMARY_LENGTH);
    }

    /// The job went on from a snapshot.
    pub(crate) fn restored(&mut self, restored: RestoredCheckpoint) {
        self.counts.restored += 1;
        self.latest_restored = Some(restored);
    }
}
