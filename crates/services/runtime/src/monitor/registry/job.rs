//! Metrics of a job: how long it has been in which state, how often it restarted, what its checkpoints cost.

use kobel_rest::states::{ExecutionState, JobStatus};

use crate::location::location;
use crate::metrics::TaskMetrics;
use crate::monitor::definition::{Definition, Reading, counter, gauge};
use crate::monitor::value::MetricValue;
use crate::view::checkpoints::{CheckpointCounts, CheckpointHistory, CheckpointProgress, CheckpointRecord};
use crate::view::job::JobState;

/// What Flink says of something that has not happened yet.
const NEVER: i64 = -1;

/// A moment of a job.
#[derive(Debug, Clone)]
pub(crate) struct JobReading {
    now_ms: i64,
    status: JobStatus,
    /// When the present status began.
    status_since_ms: i64,
    /// When the job was last about to fail or to restart.
    trouble_since_ms: i64,
    restarts: u64,
    rescales: u64,
    /// When tasks began to be deployed, as long as some are.
    deploying_since_ms: Option<i64>,
    /// When the last task began to run, as long as all run or have finished.
    all_running_since_ms: Option<i64>,
    checkpoints: CheckpointCounts,
    last_checkpoint: Option<LastCheckpoint>,
    restored_ms: Option<i64>,
}

/// The last completed snapshot.
#[derive(Debug, Clone)]
struct LastCheckpoint {
    id: i64,
    ended_ms: i64,
    duration_ms: i64,
    written_bytes: i64,
    state_bytes: i64,
    path: Option<String>,
}

impl JobReading {
    /// Reads a job.
    pub(crate) fn new(state: &JobState, now_ms: i64) -> Self {
        let tasks = || state.attempt.metrics.tasks.iter().flatten();
        let runs = |task: &TaskMetrics| matches!(task.state(), ExecutionState::Running | ExecutionState::Finished);
        let deploying = tasks().filter(|task| task.state() == ExecutionState::Deploying);
        let history = &state.checkpoints;
        Self {
            now_ms,
            status: state.status,
            status_since_ms: state.since(state.status),
            trouble_since_ms: state.since(JobStatus::Failing).max(state.since(JobStatus::Restarting)),
            restarts: state.restarts,
            rescales: u64::from(state.attempt.number).saturating_sub(state.restarts),
            deploying_since_ms: deploying.map(|task| task.since_ms(ExecutionState::Deploying)).min(),
            all_running_since_ms: if tasks().all(runs) {
                tasks().map(|task| task.since_ms(ExecutionState::Running)).max()
            } else {
                None
            },
            checkpoints: history.counts,
            last_checkpoint: last_completed(history).map(LastCheckpoint::new),
            restored_ms: history.latest_restored.as_ref().map(|restored| restored.restored_ms),
        }
    }

    /// Time in a status so far; 0 if the job is in another.
    fn time_in(&self, status: JobStatus) -> Option<MetricValue> {
        let time_ms = if self.status == status { self.since(self.status_since_ms) } else { 0 };
        Some(time_ms.into())
    }

    /// Time since a moment; 0 if it has not come.
    fn since(&self, moment_ms: i64) -> i64 {
        if moment_ms > 0 { (self.now_ms - moment_ms).max(0) } else { 0 }
    }

    fn uptime(&self) -> i64 {
        match self.status {
            JobStatus::Running => self.since(self.status_since_ms),
            status if status.is_globally_terminal() => NEVER,
            _ => 0,
        }
    }

    fn downtime(&self) -> i64 {
        match self.status {
            JobStatus::Running => 0,
            status if status.is_globally_terminal() => NEVER,
            _ => self.since(self.trouble_since_ms),
        }
    }

    fn last(&self, figure: fn(&LastCheckpoint) -> i64) -> Option<MetricValue> {
        Some(self.last_checkpoint.as_ref().map_or(NEVER, figure).into())
    }

    fn last_path(&self) -> String {
        self.last_checkpoint.as_ref().and_then(|last| last.path.clone()).unwrap_or_else(|| "n/a".to_owned())
    }
}

/// The newest completed snapshot, be it a checkpoint or a savepoint.
fn last_completed(history: &CheckpointHistory) -> Option<&CheckpointRecord> {
    [&history.latest_completed, &history.latest_savepoint].into_iter().flatten().max_by_key(|record| record.id)
}

impl LastCheckpoint {
    fn new(record: &CheckpointRecord) -> Self {
        let ended_ms = record.ended_ms.unwrap_or(record.triggered_ms);
        Self {
            id: signed(record.id),
            ended_ms,
            duration_ms: ended_ms - record.triggered_ms,
            written_bytes: signed(record.written_bytes),
            state_bytes: signed(record.state_bytes),
            path: match &record.progress {
                CheckpointProgress::Completed(Some(path)) => Some(location(path)),
                _ => None,
            },
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Reading for JobReading {
    fn definitions() -> &'static [Definition<Self>] {
        JOB
    }
}

static JOB: &[Definition<JobReading>] = &[
    gauge(
        "allSubTasksRunningOrFinishedTime",
        "Milliseconds since all subtasks run or have finished; 0 as long as some do not.",
        |job: &JobReading| Some(job.since(job.all_running_since_ms.unwrap_or_default()).into()),
    ),
    gauge(
        "cancellingTime",
        "Milliseconds for which the job has been cancelling; 0 if it is not.",
        |job: &JobReading| job.time_in(JobStatus::Cancelling),
    ),
    gauge("createdTime", "Milliseconds for which the job has been created; 0 if it is further.", |job: &JobReading| {
        job.time_in(JobStatus::Created)
    }),
    gauge("deployingTime", "Milliseconds for which subtasks have been deployed; 0 if none is.", |job: &JobReading| {
        Some(job.since(job.deploying_since_ms.unwrap_or_default()).into())
    }),
    gauge(
        "downtime",
        "Milliseconds since the job failed, while it does not run again; -1 after its end.",
        |job: &JobReading| Some(job.downtime().into()),
    ),
    gauge("failingTime", "Milliseconds for which the job has been failing; 0 if it is not.", |job: &JobReading| {
        job.time_in(JobStatus::Failing)
    }),
    gauge(
        "initializingTime",
        "Milliseconds for which the job has been initializing; 0 if it is further.",
        |job: &JobReading| job.time_in(JobStatus::Initializing),
    ),
    gauge(
        "lastCheckpointCompletedTimestamp",
        "When the last snapshot was complete, in milliseconds since 1970; -1 before the first.",
        |job: &JobReading| job.last(|last| last.ended_ms),
    ),
    gauge(
        "lastCheckpointDuration",
        "Milliseconds from the trigger of the last snapshot to its completion; -1 before the first.",
        |job: &JobReading| job.last(|last| last.duration_ms),
    ),
    gauge(
        "lastCheckpointExternalPath",
        "Where the last snapshot lies; `n/a` before the first. A text, so it is not in Prometheus.",
        |job: &JobReading| Some(job.last_path().into()),
    ),
    gauge(
        "lastCheckpointFullSize",
        "Bytes of the whole state in the last snapshot; -1 before the first.",
        |job: &JobReading| job.last(|last| last.state_bytes),
    ),
    gauge(
        "lastCheckpointMetadataSize",
        "Bytes of the last snapshot's own description: always -1, it is not measured apart.",
        |_: &JobReading| Some(NEVER.into()),
    ),
    gauge(
        "lastCheckpointPersistedData",
        "Bytes of rows under way in the last snapshot: 0, snapshots are aligned; -1 before the first.",
        |job: &JobReading| job.last(|_| 0),
    ),
    gauge(
        "lastCheckpointProcessedData",
        "Bytes processed during the alignment of the last snapshot: 0, it is not measured; -1 before the first.",
        |job: &JobReading| job.last(|_| 0),
    ),
    gauge(
        "lastCheckpointRestoreTimestamp",
        "When the job last went on from a snapshot, in milliseconds since 1970; -1 if it never did.",
        |job: &JobReading| Some(job.restored_ms.unwrap_or(NEVER).into()),
    ),
    gauge("lastCheckpointSize", "Bytes that the last snapshot wrote; -1 before the first.", |job: &JobReading| {
        job.last(|last| last.written_bytes)
    }),
    gauge("lastCompletedCheckpointId", "Id of the last complete snapshot; -1 before the first.", |job: &JobReading| {
        job.last(|last| last.id)
    }),
    gauge("numRescales", "How often the job's parallelism was changed.", |job: &JobReading| Some(job.rescales.into())),
    gauge("numRestarts", "How often the job restarted after a failure.", |job: &JobReading| Some(job.restarts.into())),
    counter("numberOfCompletedCheckpoints", "Snapshots that were completed.", |job: &JobReading| {
        Some(job.checkpoints.completed.into())
    }),
    counter("numberOfFailedCheckpoints", "Snapshots that failed.", |job: &JobReading| {
        Some(job.checkpoints.failed.into())
    }),
    gauge("numberOfInProgressCheckpoints", "Snapshots under way.", |job: &JobReading| {
        let ended = job.checkpoints.completed + job.checkpoints.failed;
        Some(job.checkpoints.total.saturating_sub(ended).into())
    }),
    gauge(
        "restartingTime",
        "Milliseconds for which the job has been restarting; 0 if it is not.",
        |job: &JobReading| job.time_in(JobStatus::Restarting),
    ),
    gauge("runningTime", "Milliseconds for which the job has been running; 0 if it is not.", |job: &JobReading| {
        job.time_in(JobStatus::Running)
    }),
    counter("totalNumberOfCheckpoints", "Snapshots that were triggered.", |job: &JobReading| {
        Some(job.checkpoints.total.into())
    }),
    gauge(
        "uptime",
        "Milliseconds for which the job has been running without interruption; -1 after its end.",
        |job: &JobReading| Some(job.uptime().into()),
    ),
];
