//! Vertices: their subtasks and attempts, their times, their task managers, and the summary over subtasks.
//!
//! Invariant: what older clients read under a second name stands there twice with the same value.

use serde::{Deserialize, Serialize};

use crate::metrics::IoMetrics;
use crate::ordered::OrderedMap;
use crate::per_state::PerState;
use crate::states::ExecutionState;
use crate::statistics::SubtaskSummary;

/// The answer to a request for one vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobVertexDetailsInfo {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The number of subtasks.
    pub parallelism: i64,
    /// The number of key groups.
    pub max_parallelism: i64,
    /// The time of the answer, in milliseconds.
    pub now: i64,
    /// The current attempt of each subtask.
    pub subtasks: Vec<SubtaskAttemptDetails>,
    /// The summary over the subtasks.
    pub aggregated: AggregatedTaskDetails,
}

/// The answer to a request for one attempt of a subtask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubtaskAttemptDetails {
    /// The number of the subtask.
    pub subtask: i64,
    /// The state of the attempt.
    pub status: ExecutionState,
    /// The number of the attempt.
    pub attempt: i64,
    /// The host and the port of its task manager, or `(unassigned)`.
    pub endpoint: String,
    /// When it was deployed, or -1.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
    /// How long it has run, or ran, or -1.
    pub duration: i64,
    /// Its counters.
    pub metrics: IoMetrics,
    /// The id of its task manager, or `(unassigned)`.
    pub taskmanager_id: String,
    /// How long it was in each state on the way to its work, in milliseconds, or -1.
    pub status_duration: OrderedMap<ExecutionState, i64>,
    /// Attempts that run beside this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_concurrent_attempts: Vec<SubtaskAttemptDetails>,
    /// The same as `start-time`, under its older name.
    #[serde(rename = "start_time")]
    pub start_time_again: i64,
}

impl SubtaskAttemptDetails {
    /// The states of which `status-duration` tells, in the order in which they are printed.
    pub const TIMED: [ExecutionState; 5] = [
        ExecutionState::Initializing,
        ExecutionState::Running,
        ExecutionState::Scheduled,
        ExecutionState::Created,
        ExecutionState::Deploying,
    ];
}

/// The summary of a vertex over its subtasks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AggregatedTaskDetails {
    /// The counters.
    pub metrics: AggregatedIoMetrics,
    /// The time that the subtasks were in each state.
    pub status_duration: OrderedMap<ExecutionState, SubtaskSummary>,
}

impl AggregatedTaskDetails {
    /// Returns the summary of attempts, one for each subtask.
    pub fn of(attempts: &[SubtaskAttemptDetails]) -> Self {
        let counters: Vec<&IoMetrics> = attempts.iter().map(|attempt| &attempt.metrics).collect();
        let printed = [
            ExecutionState::Created,
            ExecutionState::Running,
            ExecutionState::Initializing,
            ExecutionState::Scheduled,
            ExecutionState::Deploying,
        ];
        let summary = |state: ExecutionState| {
            let spans: Vec<i64> =
                attempts.iter().filter_map(|attempt| attempt.status_duration.get(&state)).copied().collect();
            (state, SubtaskSummary::of(&spans))
        };
        Self {
            metrics: AggregatedIoMetrics::of(&counters),
            status_duration: printed.into_iter().map(summary).collect(),
        }
    }
}

/// The counters of a vertex, summed up over its subtasks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AggregatedIoMetrics {
    /// Records sent.
    pub write_records: SubtaskSummary,
    /// Milliseconds during which the output was blocked.
    pub accumulated_backpressured_time: SubtaskSummary,
    /// Milliseconds during which there was no input.
    pub accumulated_idle_time: SubtaskSummary,
    /// Bytes sent.
    pub write_bytes: SubtaskSummary,
    /// Bytes received.
    pub read_bytes: SubtaskSummary,
    /// Records received.
    pub read_records: SubtaskSummary,
    /// Milliseconds of work, -1 for a subtask that does not measure it.
    pub accumulated_busy_time: SubtaskSummary,
}

impl AggregatedIoMetrics {
    /// Returns the summary of the counters of the subtasks.
    pub fn of(counters: &[&IoMetrics]) -> Self {
        let summary = |value: fn(&IoMetrics) -> i64| {
            let values: Vec<i64> = counters.iter().map(|counters| value(counters)).collect();
            SubtaskSummary::of(&values)
        };
        Self {
            write_records: summary(|counters| counters.write_records),
            accumulated_backpressured_time: summary(|counters| counters.accumulated_backpressured_time),
            accumulated_idle_time: summary(|counters| counters.accumulated_idle_time),
            write_bytes: summary(|counters| counters.write_bytes),
            read_bytes: summary(|counters| counters.read_bytes),
            read_records: summary(|counters| counters.read_records),
            accumulated_busy_time: summary(|counters| {
                let busy = counters.accumulated_busy_time.0;
                if busy.is_nan() { -1 } else { busy as i64 }
            }),
        }
    }
}

/// The answer to a request for the times of the subtasks of a vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtasksTimesInfo {
    /// The id of the vertex.
    pub id: String,
    /// The name of the vertex.
    pub name: String,
    /// The time of the answer, in milliseconds.
    pub now: i64,
    /// The subtasks.
    pub subtasks: Vec<SubtaskTimeInfo>,
}

/// The times of a subtask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtaskTimeInfo {
    /// The number of the subtask.
    pub subtask: i64,
    /// The host and the port of its task manager, or `(unassigned)`.
    pub endpoint: String,
    /// How long it has run, or ran, or -1.
    pub duration: i64,
    /// When it entered each state, in milliseconds; zero for a state that it never had.
    pub timestamps: PerState<ExecutionState>,
}

/// The answer to a request for the task managers of a vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobVertexTaskManagersInfo {
    /// The id of the vertex.
    pub id: String,
    /// The name of the vertex.
    pub name: String,
    /// The time of the answer, in milliseconds.
    pub now: i64,
    /// The task managers.
    pub taskmanagers: Vec<VertexOnTaskManager>,
}

/// The subtasks of a vertex on one task manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VertexOnTaskManager {
    /// The host and the port of the task manager, or `(unassigned)`.
    pub endpoint: String,
    /// The summed state of the subtasks.
    pub status: ExecutionState,
    /// When the first of them was deployed, or -1.
    pub start_time: i64,
    /// When the last of them ended, or -1.
    pub end_time: i64,
    /// How long they have run, or ran, or -1.
    pub duration: i64,
    /// Their counters, summed.
    pub metrics: IoMetrics,
    /// The number of them in each state.
    pub status_counts: PerState<ExecutionState>,
    /// The id of the task manager, or `(unassigned)`.
    pub taskmanager_id: String,
    /// The summary over them.
    pub aggregated: AggregatedTaskDetails,
}

#[cfg(test)]
mod tests;
