//! Jobs: the lists, one job in detail, its configuration, its state and its result.
//!
//! Invariant: points in time and spans are milliseconds, and -1 stands for a time that has not come.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::metrics::IoMetrics;
use crate::operations::QueueStatus;
use crate::ordered::OrderedMap;
use crate::per_state::PerState;
use crate::plan::Plan;
use crate::states::{ApplicationStatus, ExecutionState, JobStatus, JobType, SchedulerType};
use crate::throwable::SerializedThrowable;

/// The answer to a request for the ids of all jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobIdsWithStatusOverview {
    /// The jobs.
    pub jobs: Vec<JobIdWithStatus>,
}

/// A job and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobIdWithStatus {
    /// The id.
    pub id: String,
    /// The state.
    pub status: JobStatus,
}

/// The answer to a request for the state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStatusInfo {
    /// The state.
    pub status: JobStatus,
}

/// The answer to a request for the overview of all jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MultipleJobsDetails {
    /// The jobs.
    pub jobs: Vec<JobDetails>,
}

/// A job in the overview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobDetails {
    /// The id.
    pub jid: String,
    /// The name.
    pub name: String,
    /// The type, when it is known.
    #[serde(rename = "jobType")]
    pub job_type: Option<JobType>,
    /// The scheduler, when it is known.
    #[serde(rename = "schedulerType")]
    pub scheduler_type: Option<SchedulerType>,
    /// When it was submitted.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
    /// How long it has run, or ran.
    pub duration: i64,
    /// Its state.
    pub state: JobStatus,
    /// When it or one of its tasks last changed its state.
    pub last_modification: i64,
    /// The number of its tasks in each state.
    pub tasks: TaskCounts,
    /// The number of operators whose plan is still to be made.
    pub pending_operators: i64,
}

/// The number of tasks in each state, in small letters, and of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskCounts {
    /// Tasks that work.
    pub running: i64,
    /// Tasks that are being cancelled.
    pub canceling: i64,
    /// Tasks that ended after a cancellation.
    pub canceled: i64,
    /// All tasks.
    pub total: i64,
    /// Tasks that exist.
    pub created: i64,
    /// Tasks that wait for a slot.
    pub scheduled: i64,
    /// Tasks that are being sent to their slots.
    pub deploying: i64,
    /// Tasks of which it is not known whether they still run.
    pub reconciling: i64,
    /// Tasks that ended well.
    pub finished: i64,
    /// Tasks that restore their state.
    pub initializing: i64,
    /// Tasks that failed.
    pub failed: i64,
}

impl From<&PerState<ExecutionState>> for TaskCounts {
    fn from(counts: &PerState<ExecutionState>) -> Self {
        Self {
            running: counts.get(ExecutionState::Running),
            canceling: counts.get(ExecutionState::Canceling),
            canceled: counts.get(ExecutionState::Canceled),
            total: counts.total(),
            created: counts.get(ExecutionState::Created),
            scheduled: counts.get(ExecutionState::Scheduled),
            deploying: counts.get(ExecutionState::Deploying),
            reconciling: counts.get(ExecutionState::Reconciling),
            finished: counts.get(ExecutionState::Finished),
            initializing: counts.get(ExecutionState::Initializing),
            failed: counts.get(ExecutionState::Failed),
        }
    }
}

/// The answer to a request for one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobDetailsInfo {
    /// The id.
    pub jid: String,
    /// The id of the application that submitted it.
    pub application_id: Option<String>,
    /// The name.
    pub name: String,
    /// Always false: every job can be stopped with a savepoint, and none without.
    #[serde(rename = "isStoppable")]
    pub is_stoppable: bool,
    /// Its state.
    pub state: JobStatus,
    /// The type, when it is known.
    pub job_type: Option<JobType>,
    /// The scheduler, when it is known.
    #[serde(rename = "schedulerType")]
    pub scheduler_type: Option<SchedulerType>,
    /// When it was submitted.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
    /// How long it has run, or ran.
    pub duration: i64,
    /// The largest parallelism that was configured, or -1.
    #[serde(rename = "maxParallelism")]
    pub max_parallelism: i64,
    /// The time of the answer.
    pub now: i64,
    /// When it entered each state; zero for a state that it never had.
    pub timestamps: PerState<JobStatus>,
    /// Its vertices.
    pub vertices: Vec<VertexOverview>,
    /// The number of vertices in each state.
    pub status_counts: PerState<ExecutionState>,
    /// The graph.
    pub plan: Plan,
    /// The graph before operators were chained, when the plan is made as the job goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_graph: Option<Value>,
    /// The number of operators whose plan is still to be made.
    pub pending_operators: i64,
}

/// A vertex in the detail of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VertexOverview {
    /// The id.
    pub id: String,
    /// The id of the group of vertices with which it shares its slots.
    #[serde(rename = "slotSharingGroupId")]
    pub slot_sharing_group_id: String,
    /// The name.
    pub name: String,
    /// The number of key groups.
    #[serde(rename = "maxParallelism")]
    pub max_parallelism: i64,
    /// The number of subtasks.
    pub parallelism: i64,
    /// The summed state.
    pub status: ExecutionState,
    /// When its first subtask was deployed, or -1.
    pub start_time: i64,
    /// When its last subtask ended, or -1.
    pub end_time: i64,
    /// How long it has run, or ran, or -1.
    pub duration: i64,
    /// The number of subtasks in each state.
    pub tasks: PerState<ExecutionState>,
    /// The counters of its subtasks, summed.
    pub metrics: IoMetrics,
}

/// The answer to a request for the configuration of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobConfigInfo {
    /// The id of the job.
    pub jid: String,
    /// The name of the job.
    pub name: String,
    /// The configuration, absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_config: Option<ExecutionConfigInfo>,
}

/// The configuration of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecutionConfigInfo {
    /// What happens after a failure, as a sentence.
    pub restart_strategy: String,
    /// The parallelism of operators that set none.
    pub job_parallelism: i64,
    /// Whether records are handed on without a copy.
    pub object_reuse_mode: bool,
    /// The parameters that the user gave to the job.
    pub user_config: OrderedMap<String, String>,
}

/// The answer to a request for the result of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobExecutionResultResponseBody {
    /// Whether the result is there.
    pub status: QueueStatus,
    /// The result, absent while the job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_execution_result: Option<JobResult>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobResult {
    /// The id of the job.
    pub id: String,
    /// The name of the job.
    pub name: String,
    /// How it ended.
    pub application_status: ApplicationStatus,
    /// The accumulators as serialized objects in base 64.
    pub accumulator_results: OrderedMap<String, String>,
    /// How long it ran.
    pub net_runtime: i64,
    /// Why it failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<SerializedThrowable>,
    /// The id of the application that submitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<String>,
    /// When it was submitted, or -1.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
}

#[cfg(test)]
mod tests;
