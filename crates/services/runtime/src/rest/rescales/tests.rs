//! A job that was started, rescaled, and then could not be rescaled once more.

use serde_json::{Value, json};

use super::*;
use crate::rest::fixtures::{BORN, SINK, SOURCE, attempt, job};
use crate::view::job::{JobView, RescaleRecord};

const GOOD: &str = "000000000000000000000000000000c1";
const BAD: &str = "000000000000000000000000000000c2";

fn record(id: &str, started_ms: i64, failure: Option<&str>) -> RescaleRecord {
    RescaleRecord {
        id: id.to_owned(),
        started_ms,
        ended_ms: Some(started_ms + 100),
        before: vec![2, 1],
        wanted: vec![VertexParallelism { lower: 1, upper: 3 }, VertexParallelism { lower: 2, upper: 2 }],
        failure: failure.map(str::to_owned),
    }
}

fn rescaled() -> JobView {
    let job = job();
    job.update(|state| {
        let first = std::mem::replace(&mut state.attempt, attempt(1, BORN + 5_000));
        state.earlier.push_front(first);
        state.rescales.push_front(record(GOOD, BORN + 5_000, None));
        state.rescales.push_front(record(BAD, BORN + 9_000, Some("no room")));
    });
    job
}

fn all(job: &JobView) -> Vec<Step> {
    job.read(|state| steps(&job.facts, state))
}

fn entry(id: &str, cause: &str, times: (i64, i64), end: (&str, &str)) -> Value {
    json!({
        "rescaleUuid": id, "resourceRequirementsUuid": derived("resource requirements", id), "rescaleAttemptId": 1,
        "vertices": {}, "slots": {}, "schedulerStates": [],
        "startTimestampInMillis": times.0, "endTimestampInMillis": times.1,
        "terminalState": end.0, "triggerCause": cause, "terminatedReason": end.1,
    })
}

#[test]
fn the_history_begins_with_the_start_of_the_job() {
    let job = rescaled();
    let answer = serde_json::to_value(all(&job).iter().map(outline).collect::<Vec<_>>()).unwrap();
    let (good, bad) = (("COMPLETED", "SUCCEEDED"), ("FAILED", "EXCEPTION_OCCURRED"));
    let start = start_id(job.facts.id);
    let expected = json!([
        entry(BAD, "UPDATE_REQUIREMENT", (BORN + 9_000, BORN + 9_100), bad),
        entry(GOOD, "UPDATE_REQUIREMENT", (BORN + 5_000, BORN + 5_100), good),
        entry(&start, "INITIAL_SCHEDULE", (BORN, BORN + 30), good),
    ]);
    assert_eq!(answer, expected);
    let overview = serde_json::to_value(overview_of(&all(&job))).unwrap();
    assert_eq!(overview["rescalesCounts"], json!({"ignored": 0, "inProgress": 0, "completed": 2, "failed": 1}));
    assert_eq!(overview["latest"], json!({"completed": expected[1], "failed": expected[0], "ignored": null}));
}

#[test]
fn a_summary_has_the_durations_by_end() {
    let answer = serde_json::to_value(summary_of(&all(&rescaled()))).unwrap();
    let ends = |key: &str| (answer[key]["min"].as_i64(), answer[key]["max"].as_i64(), answer[key]["p50"].clone());
    assert_eq!(ends("rescalesDurationStatsInMillis"), (Some(30), Some(100), json!(100.0)));
    assert_eq!(ends("completedRescalesDurationStatsInMillis"), (Some(30), Some(100), json!(65.0)));
    assert_eq!(ends("failedRescalesDurationStatsInMillis"), (Some(100), Some(100), json!(100.0)));
    assert_eq!(ends("ignoredRescalesDurationStatsInMillis"), (Some(0), Some(0), json!("NaN")));
}

#[test]
fn a_detail_has_vertices_slots_and_states() {
    let job = rescaled();
    let steps = all(&job);
    let answer = serde_json::to_value(details(&job.facts, &steps[1])).unwrap();
    let group = slot_sharing_group(job.facts.id);
    let vertex = |id: &str, name: &str, bounds: (i64, i64), before: i64| {
        json!({
            "jobVertexId": id, "jobVertexName": name, "slotSharingGroupId": group, "slotSharingGroupName": "default",
            "desiredParallelism": bounds.1, "sufficientParallelism": bounds.0,
            "preRescaleParallelism": before, "postRescaleParallelism": bounds.1,
        })
    };
    let vertices = json!({
        SOURCE: vertex(SOURCE, "Source: flights[1] -> Calc[2]", (1, 3), 2),
        SINK: vertex(SINK, "GroupAggregate[4] -> Calc[5] -> hourly: Writer", (2, 2), 1),
    });
    assert_eq!(answer["vertices"], vertices);
    let profile = json!({
        "cpuCores": -1.0, "taskHeapMemory": -1, "taskOffHeapMemory": -1, "managedMemory": -1, "networkMemory": -1,
        "extendedResources": {},
    });
    let slots = json!({
        "slotSharingGroupId": group, "slotSharingGroupName": "default", "requestResourceProfile": profile,
        "desiredSlots": 3, "minimalRequiredSlots": 2, "preRescaleSlots": 2, "postRescaleSlots": 3,
        "acquiredResourceProfile": profile,
    });
    assert_eq!(answer["slots"][&group], slots);
    let state = json!({
        "state": "Restarting", "enterTimestampInMillis": BORN + 5_000, "leaveTimestampInMillis": BORN + 5_100,
        "durationInMillis": 100, "stringifiedException": null,
    });
    assert_eq!(answer["schedulerStates"], json!([state]));
    let failed = details(&job.facts, &steps[0]);
    assert_eq!(failed.scheduler_states[0].stringified_exception.as_deref(), Some("no room"));
    assert_eq!(failed.vertices.get(SOURCE).and_then(|vertex| vertex.post_rescale_parallelism), None);
}

#[test]
fn a_rescale_under_way_ends_with_its_job() {
    let job = job();
    job.update(|state| {
        state.rescales.push_front(RescaleRecord { ended_ms: None, ..record(GOOD, BORN + 5_000, None) });
    });
    assert_eq!(counts(&all(&job)).in_progress, 1);
    assert_eq!(outline(&all(&job)[0]).terminal_state, None);
    job.enter(JobStatus::Canceled, BORN + 6_000);
    let ended = outline(&all(&job)[0]);
    assert_eq!(ended.terminal_state, Some(TerminalState::Ignored));
    assert_eq!(ended.terminated_reason, Some(TerminatedReason::JobCanceled));
    assert_eq!(ended.end_timestamp_in_millis, Some(BORN + 6_000));
    assert_eq!(counts(&all(&job)).completed, 1);
}

#[test]
fn a_start_that_nobody_remembers_is_left_out() {
    let job = job();
    job.update(|state| state.attempt = attempt(40, BORN + 5_000));
    assert!(all(&job).is_empty());
}
