//! Changes of the parallelism of a running job: how many, the latest ones, one in detail, and their configuration.
//!
//! Invariant: what is not known yet is null and not absent.

use serde::{Deserialize, Serialize};

use crate::ordered::OrderedMap;
use crate::resources::ResourceProfileInfo;
use crate::statistics::StatsSummary;
use crate::words::words;

words! {
    /// How a rescale ended.
    TerminalState means "a terminal state" {
        /// The job runs with what was wished or with what there was.
        Completed = "COMPLETED",
        /// The job could not be restarted.
        Failed = "FAILED",
        /// Nothing was changed.
        Ignored = "IGNORED",
    }
}

words! {
    /// Why a rescale began.
    TriggerCause means "a trigger cause" {
        /// The job was started.
        InitialSchedule = "INITIAL_SCHEDULE",
        /// The requirements were changed.
        UpdateRequirement = "UPDATE_REQUIREMENT",
        /// There were new slots.
        NewResourceAvailable = "NEW_RESOURCE_AVAILABLE",
        /// The job restarted after a failure.
        RecoverableFailover = "RECOVERABLE_FAILOVER",
    }
}

words! {
    /// Why a rescale ended.
    TerminatedReason means "a termination reason" {
        /// It went well.
        Succeeded = "SUCCEEDED",
        /// There was a failure.
        ExceptionOccurred = "EXCEPTION_OCCURRED",
        /// The requirements were changed again.
        ResourceRequirementsUpdated = "RESOURCE_REQUIREMENTS_UPDATED",
        /// There was nothing to change.
        NoResourcesOrParallelismsChange = "NO_RESOURCES_OR_PARALLELISMS_CHANGE",
        /// The job ended well.
        JobFinished = "JOB_FINISHED",
        /// The job failed.
        JobFailed = "JOB_FAILED",
        /// The job was cancelled.
        JobCanceled = "JOB_CANCELED",
        /// The job restarted after a failure.
        JobFailoverRestarting = "JOB_FAILOVER_RESTARTING",
    }
}

words! {
    /// How the scheduler chooses the parallelism.
    SchedulerExecutionMode means "a scheduler mode" {
        /// As large as there are slots.
        Reactive = "REACTIVE",
    }
}

/// The answer to a request for the rescales of a job, the latest first.
pub type JobRescalesHistory = Vec<JobRescaleDetails>;

/// The answer to a request for the overview of the rescales of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRescalesOverview {
    /// How many there were.
    pub rescales_counts: RescalesCounts,
    /// The latest one of each end.
    pub latest: LatestRescales,
}

/// How many rescales there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RescalesCounts {
    /// Those that changed nothing.
    pub ignored: i64,
    /// Those that have not ended.
    pub in_progress: i64,
    /// Those that went well.
    pub completed: i64,
    /// Those that failed.
    pub failed: i64,
}

/// The latest rescale of each end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LatestRescales {
    /// The latest that went well.
    pub completed: Option<JobRescaleDetails>,
    /// The latest that failed.
    pub failed: Option<JobRescaleDetails>,
    /// The latest that changed nothing.
    pub ignored: Option<JobRescaleDetails>,
}

/// The answer to a request for the summary of the rescales of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRescalesSummary {
    /// How many there were.
    pub rescales_counts: RescalesCounts,
    /// How long they took.
    pub rescales_duration_stats_in_millis: StatsSummary,
    /// How long those took that went well.
    pub completed_rescales_duration_stats_in_millis: StatsSummary,
    /// How long those took that changed nothing.
    pub ignored_rescales_duration_stats_in_millis: StatsSummary,
    /// How long those took that failed.
    pub failed_rescales_duration_stats_in_millis: StatsSummary,
}

/// The answer to a request for one rescale, and an entry of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRescaleDetails {
    /// The id.
    pub rescale_uuid: String,
    /// The id of the requirements that it serves.
    pub resource_requirements_uuid: String,
    /// The number of the attempt to serve them.
    pub rescale_attempt_id: i64,
    /// The vertices by their ids.
    pub vertices: OrderedMap<String, VertexParallelismRescaleInfo>,
    /// The groups of vertices that share slots, by their ids.
    pub slots: OrderedMap<String, SlotSharingGroupRescaleInfo>,
    /// The states through which the scheduler went.
    pub scheduler_states: Vec<SchedulerStateSpan>,
    /// When it began.
    pub start_timestamp_in_millis: Option<i64>,
    /// When it ended.
    pub end_timestamp_in_millis: Option<i64>,
    /// How it ended.
    pub terminal_state: Option<TerminalState>,
    /// Why it began.
    pub trigger_cause: Option<TriggerCause>,
    /// Why it ended.
    pub terminated_reason: Option<TerminatedReason>,
}

/// What a rescale did to a vertex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexParallelismRescaleInfo {
    /// The id of the vertex.
    pub job_vertex_id: String,
    /// The name of the vertex.
    pub job_vertex_name: Option<String>,
    /// The id of the group with which it shares slots.
    pub slot_sharing_group_id: Option<String>,
    /// The name of that group.
    pub slot_sharing_group_name: Option<String>,
    /// The parallelism that was wished.
    pub desired_parallelism: Option<i64>,
    /// The parallelism that was enough.
    pub sufficient_parallelism: Option<i64>,
    /// The parallelism before.
    pub pre_rescale_parallelism: Option<i64>,
    /// The parallelism after.
    pub post_rescale_parallelism: Option<i64>,
}

/// What a rescale did to a group of vertices that share slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotSharingGroupRescaleInfo {
    /// The id of the group.
    pub slot_sharing_group_id: String,
    /// The name of the group.
    pub slot_sharing_group_name: Option<String>,
    /// What a slot should offer.
    pub request_resource_profile: Option<ResourceProfileInfo>,
    /// The number of slots that were wished.
    pub desired_slots: Option<i64>,
    /// The number of slots that were enough.
    pub minimal_required_slots: Option<i64>,
    /// The number of slots before.
    pub pre_rescale_slots: Option<i64>,
    /// The number of slots after.
    pub post_rescale_slots: Option<i64>,
    /// What a slot offers.
    pub acquired_resource_profile: Option<ResourceProfileInfo>,
}

/// A state through which the scheduler went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerStateSpan {
    /// The name.
    pub state: String,
    /// When it was entered.
    pub enter_timestamp_in_millis: Option<i64>,
    /// When it was left.
    pub leave_timestamp_in_millis: Option<i64>,
    /// How long it lasted.
    pub duration_in_millis: Option<i64>,
    /// The failure that ended it, as text.
    pub stringified_exception: Option<String>,
}

/// The answer to a request for the configuration of rescales.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRescaleConfigInfo {
    /// How many are kept.
    pub rescale_history_max: Option<i64>,
    /// How the parallelism is chosen.
    pub scheduler_execution_mode: Option<SchedulerExecutionMode>,
    /// How long a start waits for slots.
    pub submission_resource_wait_timeout_in_millis: Option<i64>,
    /// How long a start waits for more slots than are enough.
    pub submission_resource_stabilization_timeout_in_millis: Option<i64>,
    /// How long an idle slot is held.
    pub slot_idle_timeout_in_millis: Option<i64>,
    /// How long nothing changes after a rescale.
    pub executing_cooldown_timeout_in_millis: Option<i64>,
    /// How long a running job waits for more slots.
    pub executing_resource_stabilization_timeout_in_millis: Option<i64>,
    /// How long a rescale waits for a checkpoint.
    pub maximum_delay_for_triggering_rescale_in_millis: Option<i64>,
    /// How many failed checkpoints make it wait no longer.
    pub rescale_on_failed_checkpoint_count: Option<i64>,
}

#[cfg(test)]
mod tests;
