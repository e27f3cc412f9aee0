//! Checkpoints of a job: counts, summary, the latest ones, the history, one in detail, and their configuration.

use std::time::Duration;

use kobel_logs::Scrubber;
use kobel_rest::checkpoints::{
    CheckpointConfigInfo, CheckpointCounts, CheckpointKind, CheckpointProgress as Progress, CheckpointStatistics,
    CheckpointStatus, CheckpointSummary, CheckpointingStatistics, CompletedCheckpoint, ExternalizedCheckpointInfo,
    FailedCheckpoint, LatestCheckpoints, ProcessingMode, RestoredCheckpoint, TaskCheckpointStatistics,
};
use kobel_rest::operations::SavepointFormatType;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::statistics::StatsSummary;

use crate::location::location;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::view::checkpoints::{
    CheckpointHistory, CheckpointProgress, CheckpointRecord, CheckpointType, SubtaskCheckpoint,
};
use crate::view::job::JobFacts;
use crate::view::plan::PlanView;

/// Where a checkpoint lies that cannot be found from outside, in Flink's words.
const NOT_ADDRESSABLE: &str = "<checkpoint-not-externally-addressable>";

/// What vertices did for a checkpoint, by their ids.
type Tasks = OrderedMap<String, TaskCheckpointStatistics>;

/// `GET /jobs/:jobid/checkpoints`.
pub(crate) fn list(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let look = Look::new(&job.facts, &call.cluster.facts.scrubber, call.now_ms);
    Answer::json(&job.read(|state| statistics(&look, &state.checkpoints)))
}

/// `GET /jobs/:jobid/checkpoints/config`.
pub(crate) fn config(call: &Call<'_>) -> Reply {
    Answer::json(&configuration(&call.job()?.facts))
}

/// `GET /jobs/:jobid/checkpoints/details/:checkpointid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    let id = asked_id(call)?;
    let job = call.job()?;
    let look = Look::new(&job.facts, &call.cluster.facts.scrubber, call.now_ms);
    let found = job.read(|state| details(&look, &state.checkpoints, id));
    Answer::json(&found?)
}

/// The checkpoint id that the path names.
pub(crate) fn asked_id(call: &Call<'_>) -> Result<i64, Refusal> {
    call.path_value("checkpointid")
}

/// The remembered checkpoint with this id.
pub(crate) fn asked(history: &CheckpointHistory, id: i64) -> Result<&CheckpointRecord, Refusal> {
    let record = u64::try_from(id).ok().and_then(|id| history.record(id));
    record.ok_or_else(|| Refusal::not_found(format!("Could not find checkpointing statistics for checkpoint {id}.")))
}

/// Milliseconds as an answer has them.
fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A checkpoint's status.
fn status(record: &CheckpointRecord) -> CheckpointStatus {
    match record.progress {
        CheckpointProgress::InProgress => CheckpointStatus::InProgress,
        CheckpointProgress::Completed(_) => CheckpointStatus::Completed,
        CheckpointProgress::Failed { .. } => CheckpointStatus::Failed,
    }
}

/// What one vertex did for a checkpoint.
pub(crate) fn of_vertex(record: &CheckpointRecord, subtasks: &[Option<SubtaskCheckpoint>]) -> TaskCheckpointStatistics {
    let acknowledged = || subtasks.iter().flatten();
    let latest_ack_timestamp = acknowledged().map(|subtask| subtask.ack_ms).max().unwrap_or(-1);
    let waited = (latest_ack_timestamp - record.triggered_ms).max(0);
    TaskCheckpointStatistics {
        id: record.id as i64,
        status: status(record),
        latest_ack_timestamp,
        checkpointed_size: acknowledged().map(|subtask| subtask.written_bytes as i64).sum(),
        state_size: acknowledged().map(|subtask| subtask.state_bytes as i64).sum(),
        end_to_end_duration: if latest_ack_timestamp < 0 { -1 } else { waited },
        alignment_buffered: 0,
        processed_data: 0,
        persisted_data: 0,
        num_subtasks: subtasks.len() as i64,
        num_acknowledged_subtasks: acknowledged().count() as i64,
    }
}

/// Who looks at the checkpoints of which job when.
struct Look<'a> {
    job: &'a JobFacts,
    scrubber: &'a Scrubber,
    retained: usize,
    now_ms: i64,
}

impl<'a> Look<'a> {
    fn new(job: &'a JobFacts, scrubber: &'a Scrubber, now_ms: i64) -> Self {
        // The end of the key, since it has an older spelling.
        let retained = job.settings.iter().find(|(key, _)| key.ends_with(".num-retained"));
        let retained = retained.and_then(|(_, value)| value.parse().ok()).unwrap_or(1);
        Self { job, scrubber, retained, now_ms }
    }

    /// Whether a completed checkpoint has been removed because newer ones have come.
    fn is_discarded(&self, history: &CheckpointHistory, record: &CheckpointRecord) -> bool {
        let checkpoints = history.completed.iter().filter(|record| record.kind == CheckpointType::Checkpoint);
        let is_kept = checkpoints.take(self.retained).any(|kept| kept.id == record.id);
        record.kind == CheckpointType::Checkpoint && !is_kept
    }

    /// A checkpoint without its vertices.
    fn outline(&self, history: &CheckpointHistory, record: &CheckpointRecord) -> CheckpointStatistics {
        self.entry(history, record, Tasks::new())
    }

    fn entry(&self, history: &CheckpointHistory, record: &CheckpointRecord, tasks: Tasks) -> CheckpointStatistics {
        let progress = self.progress(record, tasks);
        match &record.progress {
            CheckpointProgress::InProgress => CheckpointStatistics::InProgress(progress),
            CheckpointProgress::Completed(path) => CheckpointStatistics::Completed(CompletedCheckpoint {
                progress,
                external_path: Some(path.as_deref().map_or_else(|| NOT_ADDRESSABLE.to_owned(), location)),
                discarded: self.is_discarded(history, record),
            }),
            CheckpointProgress::Failed { at_ms, message } => CheckpointStatistics::Failed(FailedCheckpoint {
                progress,
                failure_timestamp: *at_ms,
                failure_message: Some(self.scrubber.scrub(message).into_owned()),
            }),
        }
    }

    fn progress(&self, record: &CheckpointRecord, tasks: Tasks) -> Progress {
        let acknowledged = || record.tasks.iter().flatten().flatten();
        let is_savepoint = record.kind != CheckpointType::Checkpoint;
        let sum = |known: u64, of: fn(&SubtaskCheckpoint) -> u64| match record.progress {
            CheckpointProgress::Completed(_) => known as i64,
            _ => acknowledged().map(of).sum::<u64>() as i64,
        };
        Progress {
            id: record.id as i64,
            status: status(record),
            is_savepoint,
            savepoint_format: is_savepoint.then(|| SavepointFormatType::Canonical.to_string()),
            trigger_timestamp: record.triggered_ms,
            latest_ack_timestamp: acknowledged().map(|subtask| subtask.ack_ms).max().unwrap_or(-1),
            checkpointed_size: sum(record.written_bytes, |subtask| subtask.written_bytes),
            state_size: sum(record.state_bytes, |subtask| subtask.state_bytes),
            end_to_end_duration: duration(record, self.now_ms),
            alignment_buffered: 0,
            processed_data: 0,
            persisted_data: 0,
            num_subtasks: record.tasks.iter().map(Vec::len).sum::<usize>() as i64,
            num_acknowledged_subtasks: acknowledged().count() as i64,
            checkpoint_type: kind(record.kind),
            tasks,
        }
    }
}

fn details(look: &Look<'_>, history: &CheckpointHistory, id: i64) -> Result<CheckpointStatistics, Refusal> {
    let record = asked(history, id)?;
    Ok(look.entry(history, record, tasks(&look.job.plan, record)))
}

/// What vertices did for a checkpoint.
fn tasks(plan: &PlanView, record: &CheckpointRecord) -> Tasks {
    let vertices = plan.vertices.iter().zip(&record.tasks);
    vertices.map(|(vertex, subtasks)| (vertex.id.clone(), of_vertex(record, subtasks))).collect()
}

/// Milliseconds from the trigger to the end, or to now.
fn duration(record: &CheckpointRecord, now_ms: i64) -> i64 {
    (record.ended_ms.unwrap_or(now_ms) - record.triggered_ms).max(0)
}

fn kind(kind: CheckpointType) -> CheckpointKind {
    match kind {
        CheckpointType::Checkpoint => CheckpointKind::Checkpoint,
        CheckpointType::Savepoint => CheckpointKind::Savepoint,
        CheckpointType::SyncSavepoint => CheckpointKind::SyncSavepoint,
    }
}

fn statistics(look: &Look<'_>, history: &CheckpointHistory) -> CheckpointingStatistics {
    let counts = history.counts;
    let latest = |record: &Option<CheckpointRecord>| record.as_ref().map(|record| look.outline(history, record));
    let restored = history.latest_restored.as_ref().map(|restored| RestoredCheckpoint {
        id: restored.id as i64,
        restore_timestamp: restored.restored_ms,
        is_savepoint: restored.is_savepoint,
        external_path: Some(location(&restored.path)),
    });
    CheckpointingStatistics {
        counts: CheckpointCounts {
            restored: counts.restored as i64,
            total: counts.total as i64,
            in_progress: counts.total.saturating_sub(counts.completed + counts.failed) as i64,
            completed: counts.completed as i64,
            failed: counts.failed as i64,
        },
        summary: summary(history),
        latest: LatestCheckpoints {
            completed: latest(&history.latest_completed),
            savepoint: latest(&history.latest_savepoint),
            failed: latest(&history.latest_failed),
            restored,
        },
        history: history.recent.iter().map(|record| look.outline(history, record)).collect(),
    }
}

fn summary(history: &CheckpointHistory) -> CheckpointSummary {
    let of = |value: fn(&CheckpointRecord) -> i64| {
        let values: Vec<i64> = history.completed.iter().map(value).collect();
        StatsSummary::of(&values)
    };
    CheckpointSummary {
        checkpointed_size: of(|record| record.written_bytes as i64),
        state_size: of(|record| record.state_bytes as i64),
        end_to_end_duration: of(|record| duration(record, record.triggered_ms)),
        // Flink keeps the key only, with percentiles of zero even before there is a checkpoint.
        alignment_buffered: StatsSummary::of(&[0]),
        processed_data: of(|_| 0),
        persisted_data: of(|_| 0),
    }
}

fn configuration(job: &JobFacts) -> CheckpointConfigInfo {
    let facts = &job.checkpoints;
    let storage =
        if facts.directory.is_empty() { "JobManagerCheckpointStorage" } else { "FileSystemCheckpointStorage" };
    CheckpointConfigInfo {
        mode: ProcessingMode::ExactlyOnce,
        // The largest number is how Flink says that there are none of their own.
        interval: facts.interval.map_or(i64::MAX, milliseconds),
        timeout: milliseconds(facts.timeout),
        min_pause: milliseconds(facts.min_pause),
        max_concurrent: 1,
        externalization: ExternalizedCheckpointInfo { enabled: true, delete_on_cancellation: false },
        state_backend: "HashMapStateBackend".to_owned(),
        checkpoint_storage: storage.to_owned(),
        unaligned_checkpoints: false,
        tolerable_failed_checkpoints: i64::from(facts.failures_tolerated),
        aligned_checkpoint_timeout: 0,
        checkpoints_after_tasks_finish: true,
        state_changelog_enabled: false,
        changelog_periodic_materialization_interval: 600_000,
        changelog_storage: Some("memory".to_owned()),
    }
}

#[cfg(test)]
mod tests;
