//! The answers about rescales, word for word.

use super::{
    JobRescaleConfigInfo, JobRescaleDetails, JobRescalesHistory, JobRescalesOverview, JobRescalesSummary,
    TerminalState, TriggerCause,
};
use crate::round_trip::{printed_back, refusal};

const PROFILE: &str = r#"{"cpuCores":1.0,"taskHeapMemory":1,"taskOffHeapMemory":0,"managedMemory":2,"networkMemory":1,
    "extendedResources":{}}"#;

/// Returns the JSON of a rescale that went well.
fn rescale() -> String {
    format!(
        r#"{{"rescaleUuid":"r0","resourceRequirementsUuid":"q0","rescaleAttemptId":1,"vertices":{{"v0":{{
        "jobVertexId":"v0","jobVertexName":"source","slotSharingGroupId":"s0","slotSharingGroupName":"default",
        "desiredParallelism":4,"sufficientParallelism":1,"preRescaleParallelism":2,"postRescaleParallelism":4}}}},
        "slots":{{"s0":{{"slotSharingGroupId":"s0","slotSharingGroupName":"default",
        "requestResourceProfile":{PROFILE},"desiredSlots":4,"minimalRequiredSlots":1,"preRescaleSlots":null,
        "postRescaleSlots":4,"acquiredResourceProfile":null}}}},"schedulerStates":[{{"state":"Executing",
        "enterTimestampInMillis":1,"leaveTimestampInMillis":null,"durationInMillis":null,
        "stringifiedException":null}}],"startTimestampInMillis":1,"endTimestampInMillis":3,
        "terminalState":"COMPLETED","triggerCause":"UPDATE_REQUIREMENT","terminatedReason":"SUCCEEDED"}}"#
    )
}

#[test]
fn a_rescale_tells_what_became_of_vertices_and_slots() {
    let details: JobRescaleDetails = printed_back(&rescale());
    assert_eq!(details.terminal_state, Some(TerminalState::Completed));
    assert_eq!(details.trigger_cause, Some(TriggerCause::UpdateRequirement));
    assert_eq!(details.vertices.get("v0").and_then(|vertex| vertex.post_rescale_parallelism), Some(4));
    assert!(refusal::<JobRescaleDetails>(&rescale().replace("SUCCEEDED", "DONE")).contains("`DONE` is not"));
}

#[test]
fn the_history_is_a_list_and_the_overview_has_the_latest() {
    let history: JobRescalesHistory = printed_back(&format!("[{}]", rescale()));
    let overview: JobRescalesOverview = printed_back(&format!(
        r#"{{"rescalesCounts":{{"ignored":0,"inProgress":0,"completed":1,"failed":0}},"latest":{{"completed":{},
        "failed":null,"ignored":null}}}}"#,
        rescale()
    ));
    assert_eq!(overview.latest.completed.as_ref(), history.first());
    assert_eq!(overview.rescales_counts.completed, 1);
}

#[test]
fn the_summary_has_a_series_for_each_end() {
    let series = r#"{"min":0,"max":0,"avg":0,"p50":"NaN","p90":"NaN","p95":"NaN","p99":"NaN","p999":"NaN"}"#;
    let summary: JobRescalesSummary = printed_back(&format!(
        r#"{{"rescalesCounts":{{"ignored":0,"inProgress":1,"completed":0,"failed":0}},
        "rescalesDurationStatsInMillis":{series},"completedRescalesDurationStatsInMillis":{series},
        "ignoredRescalesDurationStatsInMillis":{series},"failedRescalesDurationStatsInMillis":{series}}}"#
    ));
    assert_eq!(summary.rescales_counts.in_progress, 1);
}

#[test]
fn the_configuration_of_rescales_may_be_unknown() {
    let config: JobRescaleConfigInfo = printed_back(
        r#"{"rescaleHistoryMax":8,"schedulerExecutionMode":"REACTIVE","submissionResourceWaitTimeoutInMillis":1,
        "submissionResourceStabilizationTimeoutInMillis":2,"slotIdleTimeoutInMillis":3,
        "executingCooldownTimeoutInMillis":4,"executingResourceStabilizationTimeoutInMillis":5,
        "maximumDelayForTriggeringRescaleInMillis":6,"rescaleOnFailedCheckpointCount":7}"#,
    );
    assert_eq!(config.rescale_on_failed_checkpoint_count, Some(7));
    let unknown: JobRescaleConfigInfo = printed_back(&serde_json::to_string(&JobRescaleConfigInfo::default()).unwrap());
    assert_eq!(unknown.scheduler_execution_mode, None);
}
