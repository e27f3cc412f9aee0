//! Answers about a vertex whose tasks began 10 ms and run since 30 ms after the job was made.

use kobel_rest::states::ExecutionState;
use serde_json::{Value, json};

use super::*;
use crate::rest::fixtures::{BORN, JOB, SINK, SOURCE, TASK_MANAGER, attempt as fixture_attempt, job as fixture_job};
use crate::rest::stage::Stage;

fn look<'a>(job: &'a JobView, attempt: &'a Attempt, vertex: usize) -> Look<'a> {
    Look {
        job: &job.facts,
        vertex: &job.facts.plan.vertices[vertex],
        attempt: attempt.number,
        tasks: &attempt.metrics.tasks[vertex],
        task_manager_id: TASK_MANAGER,
        now_ms: BORN + 1_030,
    }
}

fn io(subtasks: i64) -> Value {
    json!({
        "read-bytes": 0, "read-bytes-complete": true,
        "write-bytes": 1_681 * subtasks, "write-bytes-complete": true,
        "read-records": 0, "read-records-complete": true,
        "write-records": 29 * subtasks, "write-records-complete": true,
        "accumulated-backpressured-time": 0, "accumulated-idle-time": 5 * subtasks, "accumulated-busy-time": 0.0,
    })
}

fn subtask_of_running(subtask: i64) -> Value {
    json!({
        "subtask": subtask, "status": "RUNNING", "attempt": 0, "endpoint": "localhost:6122",
        "start-time": BORN + 15, "end-time": -1, "duration": 1_015, "metrics": io(1),
        "taskmanager-id": TASK_MANAGER,
        "status-duration": {"INITIALIZING": 15, "RUNNING": 1_000, "SCHEDULED": -1, "CREATED": 5, "DEPLOYING": -1},
        "start_time": BORN + 15,
    })
}

#[test]
fn a_vertex_lists_its_subtasks_and_sums_them_up() {
    let job = fixture_job();
    let attempt = current(&job);
    let answer = serde_json::to_value(details(&look(&job, &attempt, 0))).unwrap();
    assert_eq!(answer["id"], SOURCE);
    assert_eq!(answer["name"], "Source: flights[1] -> Calc[2]");
    assert_eq!((&answer["parallelism"], &answer["maxParallelism"]), (&json!(2), &json!(128)));
    assert_eq!(answer["now"], BORN + 1_030);
    assert_eq!(answer["subtasks"], json!([subtask_of_running(0), subtask_of_running(1)]));
    let same = |value: i64| {
        json!({"p25": value, "min": value, "avg": value, "median": value, "max": value, "sum": 2 * value, "p95": value,
            "p75": value})
    };
    assert_eq!(answer["aggregated"]["metrics"]["write-records"], same(29));
    assert_eq!(answer["aggregated"]["status-duration"]["RUNNING"], same(1_000));
    assert_eq!(answer["aggregated"]["status-duration"]["DEPLOYING"], same(-1));
}

#[test]
fn a_subtask_that_ended_tells_when() {
    let job = fixture_job();
    let attempt = current(&job);
    attempt.metrics.tasks[1][0].enter(ExecutionState::Finished, BORN + 515);
    let look = look(&job, &attempt, 1);
    let answer = attempt_details(&look, 0, &look.tasks[0]);
    assert_eq!((answer.status, answer.end_time, answer.duration), (ExecutionState::Finished, BORN + 515, 500));
}

#[test]
fn a_vertex_that_is_not_there_is_told_of_as_flink_does() {
    let stage = Stage::new(&[]);
    let unknown = "0".repeat(32);
    let path = [("jobid", JOB), ("vertexid", unknown.as_str())];
    let whole = format!("org.apache.flink.runtime.rest.NotFoundException: JobVertex {unknown} not found");
    let part =
        format!("org.apache.flink.runtime.rest.handler.RestHandlerException: No vertex with ID '{unknown}' exists.");
    type Handler = fn(&Call<'_>) -> Reply;
    let cases: [(Handler, &String); 5] = [
        (detail, &whole),
        (task_managers, &whole),
        (subtask_times, &part),
        (accumulators, &part),
        (subtask_accumulators, &part),
    ];
    for (handler, text) in cases {
        let refusal = handler(&stage.call(&path, "")).unwrap_err();
        assert_eq!((refusal.status, refusal.body().errors), (404, vec![text.clone()]));
    }
}

#[test]
fn the_one_task_manager_runs_all_subtasks() {
    let job = fixture_job();
    let attempt = current(&job);
    let answer = serde_json::to_value(on_task_managers(&look(&job, &attempt, 0))).unwrap();
    let only = &answer["taskmanagers"][0];
    assert_eq!((&only["endpoint"], &only["taskmanager-id"]), (&json!("localhost:6122"), &json!(TASK_MANAGER)));
    assert_eq!((&only["status"], &only["status-counts"]["RUNNING"]), (&json!("RUNNING"), &json!(2)));
    assert_eq!(only["metrics"], io(2));
    assert_eq!(only["aggregated"]["metrics"]["write-bytes"]["sum"], 2 * 1_681);
    assert!(answer["taskmanagers"].as_array().is_some_and(|all| all.len() == 1));
}

#[test]
fn subtask_times_are_those_of_each_state() {
    let job = fixture_job();
    let attempt = current(&job);
    let answer = serde_json::to_value(times(&look(&job, &attempt, 1))).unwrap();
    let expected = json!({
        "id": SINK, "name": "GroupAggregate[4] -> Calc[5] -> hourly: Writer", "now": BORN + 1_030,
        "subtasks": [{
            "subtask": 0, "endpoint": "localhost:6122", "duration": 1_015,
            "timestamps": {
                "RUNNING": BORN + 30, "SCHEDULED": 0, "CANCELING": 0, "RECONCILING": 0, "CREATED": BORN + 10,
                "DEPLOYING": 0, "INITIALIZING": BORN + 15, "CANCELED": 0, "FINISHED": 0, "FAILED": 0,
            },
        }],
    });
    assert_eq!(answer, expected);
}

#[test]
fn accumulators_name_subtask_and_attempt_and_are_empty() {
    let job = fixture_job();
    let attempt = current(&job);
    let of_subtasks = serde_json::to_value(accumulators_of_subtasks(&look(&job, &attempt, 0))).unwrap();
    let entry =
        |subtask: i64| json!({"subtask": subtask, "attempt": 0, "endpoint": "localhost:6122", "user-accumulators": []});
    assert_eq!(of_subtasks, json!({"id": SOURCE, "parallelism": 2, "subtasks": [entry(0), entry(1)]}));
    let of_attempt = serde_json::to_value(accumulators_of_attempt(&look(&job, &attempt, 1), 0)).unwrap();
    let id = format!("{JOB}_{SINK}_0_0");
    assert_eq!(of_attempt, json!({"subtask": 0, "attempt": 0, "id": id, "user-accumulators": []}));
}

#[test]
fn attempts_are_found_by_number_as_long_as_they_are_remembered() {
    let job = fixture_job();
    job.update(|state| {
        let first = std::mem::replace(&mut state.attempt, fixture_attempt(1, BORN + 500));
        state.earlier.push_front(first);
    });
    for (number, created_ms) in [(0, Some(BORN + 10)), (1, Some(BORN + 500)), (2, None), (-1, None)] {
        let attempt = job.read(|state| numbered(state, number));
        let created = attempt.map(|attempt| attempt.metrics.tasks[0][0].since_ms(ExecutionState::Created));
        assert_eq!(created, created_ms, "attempt {number}");
    }
    assert_eq!(current(&job).number, 1);
}
