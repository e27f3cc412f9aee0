//! The answers about vertices, word for word.

use super::{
    AggregatedTaskDetails, JobVertexDetailsInfo, JobVertexTaskManagersInfo, SubtaskAttemptDetails, SubtasksTimesInfo,
};
use crate::metrics::IoMetrics;
use crate::number::Number;
use crate::ordered::OrderedMap;
use crate::round_trip::printed_back;
use crate::states::ExecutionState;

const COUNTERS: &str = r#"{"read-bytes":0,"read-bytes-complete":true,"write-bytes":0,"write-bytes-complete":true,
    "read-records":0,"read-records-complete":true,"write-records":0,"write-records-complete":true,
    "accumulated-backpressured-time":0,"accumulated-idle-time":0,"accumulated-busy-time":0.0}"#;
const COUNTS: &str = r#"{"INITIALIZING":0,"RUNNING":1,"RECONCILING":0,"SCHEDULED":0,"FINISHED":0,"CANCELED":0,
    "CANCELING":0,"FAILED":0,"CREATED":0,"DEPLOYING":0}"#;

/// Returns the JSON of an attempt with what is given between its times and its older start time.
fn attempt(between: &str) -> String {
    format!(
        r#"{{"subtask":0,"status":"RUNNING","attempt":1,"endpoint":"localhost:1","start-time":10,"end-time":-1,
        "duration":5,"metrics":{COUNTERS},"taskmanager-id":"localhost:2-abc","status-duration":{{"INITIALIZING":1,
        "RUNNING":2,"SCHEDULED":3,"CREATED":4,"DEPLOYING":5}},{between}"start_time":10}}"#
    )
}

/// Returns the JSON of the summary of one such attempt.
fn aggregated() -> String {
    let same = |value: i64| {
        format!(
            r#"{{"p25":{value},"min":{value},"avg":{value},"median":{value},"max":{value},"sum":{value},
            "p95":{value},"p75":{value}}}"#
        )
    };
    let zero = same(0);
    format!(
        r#"{{"metrics":{{"write-records":{zero},"accumulated-backpressured-time":{zero},"accumulated-idle-time":{zero},
        "write-bytes":{zero},"read-bytes":{zero},"read-records":{zero},"accumulated-busy-time":{zero}}},
        "status-duration":{{"CREATED":{},"RUNNING":{},"INITIALIZING":{},"SCHEDULED":{},"DEPLOYING":{}}}}}"#,
        same(4),
        same(2),
        same(1),
        same(3),
        same(5)
    )
}

#[test]
fn a_vertex_lists_its_subtasks_and_their_summary() {
    let json = format!(
        r#"{{"id":"v0","name":"source","parallelism":1,"maxParallelism":128,"now":15,"subtasks":[{}],
        "aggregated":{}}}"#,
        attempt(""),
        aggregated()
    );
    let vertex: JobVertexDetailsInfo = printed_back(&json);
    assert_eq!(vertex.aggregated, AggregatedTaskDetails::of(&vertex.subtasks));
}

#[test]
fn attempts_beside_an_attempt_are_printed_only_when_there_are_any() {
    let alone: SubtaskAttemptDetails = printed_back(&attempt(""));
    assert_eq!((alone.start_time, alone.start_time_again), (10, 10));
    let beside = format!(r#""other-concurrent-attempts":[{}],"#, attempt(""));
    let both: SubtaskAttemptDetails = printed_back(&attempt(&beside));
    assert_eq!(both.other_concurrent_attempts, [alone]);
}

#[test]
fn a_summary_tells_of_subtasks_that_do_not_measure_their_work() {
    let attempt: SubtaskAttemptDetails = printed_back(&attempt(""));
    let silent = SubtaskAttemptDetails {
        metrics: IoMetrics { accumulated_busy_time: Number::NAN, ..attempt.metrics.clone() },
        status_duration: OrderedMap::new(),
        ..attempt.clone()
    };
    let summary = AggregatedTaskDetails::of(&[attempt, silent]);
    assert_eq!((summary.metrics.accumulated_busy_time.min, summary.metrics.accumulated_busy_time.sum), (-1, -1));
    assert_eq!(summary.status_duration.get(&ExecutionState::Running).map(|span| span.sum), Some(2));
    assert!(SubtaskAttemptDetails::TIMED.iter().all(|state| summary.status_duration.get(state).is_some()));
}

#[test]
fn times_tell_of_every_state() {
    let json = format!(
        r#"{{"id":"v0","name":"source","now":15,"subtasks":[{{"subtask":0,"endpoint":"localhost:1","duration":5,
        "timestamps":{COUNTS}}}]}}"#
    );
    let times: SubtasksTimesInfo = printed_back(&json);
    assert_eq!(times.subtasks.first().map(|times| times.timestamps.get(ExecutionState::Running)), Some(1));
}

#[test]
fn a_task_manager_sums_up_its_subtasks() {
    let json = format!(
        r#"{{"id":"v0","name":"source","now":15,"taskmanagers":[{{"endpoint":"localhost:1","status":"RUNNING",
        "start-time":10,"end-time":-1,"duration":5,"metrics":{COUNTERS},"status-counts":{COUNTS},
        "taskmanager-id":"localhost:2-abc","aggregated":{}}}]}}"#,
        aggregated()
    );
    let info: JobVertexTaskManagersInfo = printed_back(&json);
    assert_eq!(info.taskmanagers.len(), 1);
}
