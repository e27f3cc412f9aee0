//! Answers about a job that runs since 30 ms after it was made, and about how it may end.

use kobel_rest::states::ExecutionState;
use serde_json::{Value, json};

use super::*;
use crate::rest::fixtures::{BORN, JOB, SINK, SOURCE, job};
use crate::rest::stage::Stage;
use crate::view::job::{FailureRecord, JobView};

fn ended_as(status: JobStatus) -> JobView {
    let job = job();
    for task in job.read(|state| state.attempt.clone()).metrics.tasks.iter().flatten() {
        task.enter(ExecutionState::Finished, BORN + 900);
    }
    job.enter(status, BORN + 1_000);
    job
}

#[test]
fn the_overview_counts_tasks_in_small_letters() {
    let job = job();
    let answer = |now_ms: i64| job.read(|state| serde_json::to_value(summary(&job.facts, state, now_ms)).unwrap());
    let expected = json!({
        "jid": JOB, "name": "totals", "jobType": "STREAMING", "schedulerType": "Adaptive",
        "start-time": BORN, "end-time": -1, "duration": 500, "state": "RUNNING", "last-modification": BORN + 30,
        "tasks": {
            "running": 3, "canceling": 0, "canceled": 0, "total": 3, "created": 0, "scheduled": 0, "deploying": 0,
            "reconciling": 0, "finished": 0, "initializing": 0, "failed": 0,
        },
        "pending-operators": 0,
    });
    assert_eq!(answer(BORN + 500), expected);
    let job = ended_as(JobStatus::Finished);
    let ended = job.read(|state| summary(&job.facts, state, BORN + 9_000));
    assert_eq!((ended.end_time, ended.duration, ended.last_modification), (BORN + 1_000, 1_000, BORN + 1_000));
}

#[test]
fn a_job_in_detail_has_the_keys_of_flink() {
    let job = job();
    let answer = job.read(|state| serde_json::to_value(details(&job.facts, state, BORN + 500)).unwrap());
    let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "jid",
        "application-id",
        "name",
        "isStoppable",
        "state",
        "job-type",
        "schedulerType",
        "start-time",
        "end-time",
        "duration",
        "maxParallelism",
        "now",
        "timestamps",
        "vertices",
        "status-counts",
        "plan",
        "pending-operators",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&answer["maxParallelism"], &answer["duration"]), (&json!(-1), &json!(500)));
    assert_eq!((&answer["status-counts"]["RUNNING"], &answer["status-counts"]["FAILED"]), (&json!(2), &json!(0)));
    let timestamps = &answer["timestamps"];
    assert_eq!((&timestamps["INITIALIZING"], &timestamps["RUNNING"]), (&json!(BORN), &json!(BORN + 30)));
    assert_eq!((&timestamps["FAILED"], timestamps.as_object().unwrap().len()), (&json!(0), 11));
    assert_eq!(answer["plan"]["nodes"][1]["id"], SINK);
}

#[test]
fn a_vertex_sums_its_subtasks_up() {
    let job = job();
    let vertices = job.read(|state| serde_json::to_value(vertices(&job.facts, state, BORN + 515)).unwrap());
    let expected = json!({
        "id": SOURCE, "slotSharingGroupId": slot_sharing_group(job.facts.id), "name": "Source: flights[1] -> Calc[2]",
        "maxParallelism": 128, "parallelism": 2, "status": "RUNNING",
        "start-time": BORN + 15, "end-time": -1, "duration": 500,
        "tasks": {
            "RUNNING": 2, "SCHEDULED": 0, "CANCELING": 0, "RECONCILING": 0, "CREATED": 0, "DEPLOYING": 0,
            "INITIALIZING": 0, "CANCELED": 0, "FINISHED": 0, "FAILED": 0,
        },
        "metrics": {
            "read-bytes": 0, "read-bytes-complete": true, "write-bytes": 3_362, "write-bytes-complete": true,
            "read-records": 0, "read-records-complete": true, "write-records": 58, "write-records-complete": true,
            "accumulated-backpressured-time": 0, "accumulated-idle-time": 10, "accumulated-busy-time": 0.0,
        },
    });
    assert_eq!(vertices[0], expected);
    assert_eq!(vertices[1]["parallelism"], 1);
    let job = ended_as(JobStatus::Finished);
    let ended = job.read(|state| details(&job.facts, state, BORN + 9_000));
    assert_eq!((ended.vertices[0].end_time, ended.vertices[0].duration), (BORN + 900, 885));
    assert_eq!(ended.status_counts.get(ExecutionState::Finished), 2);
}

#[test]
fn the_configuration_shows_what_the_user_set() {
    let expected = json!({
        "jid": JOB, "name": "totals",
        "execution-config": {
            "restart-strategy": "Restart deactivated.", "job-parallelism": 2, "object-reuse-mode": false,
            "user-config": {"parallelism.default": "2"},
        },
    });
    assert_eq!(serde_json::to_value(configuration(&job().facts)).unwrap(), expected);
    let setting =
        |value: &str| configured_max_parallelism(&[("pipeline.max-parallelism".to_owned(), value.to_owned())]);
    assert_eq!([setting("256"), setting("many"), configured_max_parallelism(&[])], [256, -1, -1]);
}

fn result_of(job: &JobView) -> Value {
    let end = job.read(|state| end(&job.facts, state));
    serde_json::to_value(result(&job.facts, end, &Scrubber::new())).unwrap()
}

#[test]
fn the_result_of_a_job_that_is_not_there_is_refused_by_the_handler() {
    let stage = Stage::new(&[]);
    let unknown = "0".repeat(32);
    let refusal = execution_result(&stage.call(&[("jobid", unknown.as_str())], "")).unwrap_err();
    let text = format!(
        "org.apache.flink.runtime.rest.handler.RestHandlerException: \
         org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job ({unknown})"
    );
    assert_eq!((refusal.status, refusal.body().errors), (404, vec![text]));
}

#[test]
fn a_job_that_runs_has_no_result() {
    assert_eq!(result_of(&job()), json!({"status": {"id": "IN_PROGRESS"}}));
}

#[test]
fn a_job_that_ended_tells_how() {
    let cases = [
        (JobStatus::Finished, "SUCCEEDED", false),
        (JobStatus::Canceled, "CANCELED", false),
        (JobStatus::Failed, "FAILED", true),
    ];
    for (status, application_status, has_cause) in cases {
        let job = ended_as(status);
        job.update(|state| {
            let (kind, text) = ("Invalid".to_owned(), "row 3 is no number".to_owned());
            state.failures.push_front(FailureRecord { at_ms: BORN + 700, kind, text, task: None });
        });
        let mut answer = result_of(&job);
        assert_eq!(answer["status"]["id"], "COMPLETED");
        let cause = answer["job-execution-result"].as_object_mut().unwrap().remove("failure-cause");
        let expected = json!({
            "id": JOB, "name": "totals", "application-status": application_status, "accumulator-results": {},
            "net-runtime": 1_000, "start-time": BORN, "end-time": BORN + 1_000,
        });
        assert_eq!(answer["job-execution-result"], expected);
        assert_eq!(cause.is_some(), has_cause);
        if let Some(cause) = cause {
            assert_eq!(cause["class"], "kobel.Invalid");
            assert!(cause["stack-trace"].as_str().is_some_and(|trace| trace.starts_with("kobel.Invalid: row 3 is no")));
        }
    }
}
