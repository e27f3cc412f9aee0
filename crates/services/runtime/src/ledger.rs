//! Writes down what becomes of a job's snapshots, for whoever looks at the job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::{CheckpointPlan, Completed, Written};
use crate::control::StopMode;
use crate::event::SnapshotTimes;
use crate::options::Clock;
use crate::view::checkpoints::{CheckpointProgress, CheckpointRecord, CheckpointType, SubtaskCheckpoint};
use crate::view::job::JobView;

/// The book of one attempt's snapshots.
pub(crate) struct Ledger {
    pub(crate) view: Arc<JobView>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The part of a snapshot that one task took.
pub(crate) struct Acknowledgement {
    /// Vertex and subtask.
    pub(crate) task: (usize, usize),
    /// How long it took the task.
    pub(crate) times: SnapshotTimes,
    /// How long it took to write.
    pub(crate) writing: Duration,
    /// How much it was.
    pub(crate) written: Written,
}

impl Ledger {
    /// A snapshot begins; one that is kept nowhere is nobody's business.
    pub(crate) fn begin(&self, plan: &CheckpointPlan, kind: CheckpointType) {
        if !plan.is_kept() {
            return;
        }
        tracing::debug!(target: "kobel.checkpoints", checkpoint = plan.id(), kind = ?kind, "triggered");
        self.view.update(|state| {
            let tasks = state.attempt.parallelism.iter().map(|subtasks| vec![None; *subtasks]).collect();
            state.checkpoints.begin(CheckpointRecord {
                id: plan.id(),
                kind,
                is_incremental: plan.is_incremental(),
                progress: CheckpointProgress::InProgress,
                triggered_ms: plan.triggered_ms(),
                ended_ms: None,
                state_bytes: 0,
                written_bytes: 0,
                tasks,
            });
        });
    }

    /// A task has handed in and its state has been written.
    pub(crate) fn acknowledged(&self, id: u64, by: &Acknowledgement) {
        let (vertex, subtask) = by.task;
        let report = SubtaskCheckpoint {
            ack_ms: self.clock.now_ms(),
            state_bytes: by.written.state_bytes,
            written_bytes: by.written.written_bytes,
            sync_ms: millis(by.times.sync),
            async_ms: millis(by.writing),
            alignment_ms: millis(by.times.alignment),
            start_delay_ms: millis(by.times.start_delay),
        };
        self.view.update(|state| {
            state.checkpoints.update(id, |record| {
                record.state_bytes += report.state_bytes;
                record.written_bytes += report.written_bytes;
                if let Some(task) = record.tasks.get_mut(vertex).and_then(|tasks| tasks.get_mut(subtask)) {
                    *task = Some(report);
                }
            });
        });
    }

    /// The snapshot is complete.
    pub(crate) fn completed(&self, completed: &Completed) {
        if completed.directory.is_none() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let id = completed.checkpoint_id;
        self.view.update(|state| {
            state.checkpoints.end(id, |record| {
                record.progress = CheckpointProgress::Completed(completed.directory.as_deref().map(absolute));
                record.ended_ms = Some(now_ms);
                record.state_bytes = completed.state_bytes;
                record.written_bytes = completed.written_bytes;
                let duration_ms = now_ms - record.triggered_ms;
                let bytes = completed.state_bytes;
                tracing::info!(target: "kobel.checkpoints", checkpoint = id, duration_ms, bytes, "completed");
            });
        });
    }

    /// The snapshot has failed.
    pub(crate) fn failed(&self, id: u64, message: &str) {
        let at_ms = self.clock.now_ms();
        tracing::warn!(target: "kobel.checkpoints", checkpoint = id, cause = message, "failed");
        self.view.update(|state| {
            state.checkpoints.end(id, |record| {
                record.progress = CheckpointProgress::Failed { at_ms, message: message.to_owned() };
                record.ended_ms = Some(at_ms);
            });
        });
    }
}

/// What a snapshot is called that stops the job, or does not.
pub(crate) fn savepoint_type(stop: Option<StopMode>) -> CheckpointType {
    match stop {
        Some(_) => CheckpointType::SyncSavepoint,
        None => CheckpointType::Savepoint,
    }
}

/// The path as it reads from any working directory.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
