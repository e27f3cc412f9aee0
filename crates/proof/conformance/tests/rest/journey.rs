//! What both sides go through: three jobs from their start to their ends, asked at every station.
//!
//! One job runs, is saved, rescaled and stopped with a savepoint; one fails twice; one is cancelled. The order is the
//! same on both sides, so that what has happened is the same whenever something is asked.

use serde_json::{Value, json};

use crate::requests::{CLUSTER, JOB, REFUSED, RUNNING_JOB, RUNNING_VERTEX, UNKNOWN_IDS, VERTEX, of_role};
use crate::side::{Answers, Side};

/// The jobs of one engine.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// Runs until it is stopped.
    pub(crate) stopped: Side,
    /// Meets a row that is not as it should be, twice.
    pub(crate) failing: Side,
    /// Runs until it is cancelled.
    pub(crate) canceled: Side,
}

/// Goes through everything and returns what was answered; the cluster has been told to shut down at the end.
pub(crate) fn answers(jobs: Jobs) -> Answers {
    let Jobs { mut stopped, mut failing, mut canceled } = jobs;
    cancel(&mut canceled);
    fail(&mut failing);
    wait_until_it_runs(&mut stopped);
    set_requirements(&mut stopped);
    ask_while_it_runs(&mut stopped);
    checkpoint(&mut stopped);
    save(&mut stopped);
    save_in_vain(&mut stopped);
    stopped.note_all("error", UNKNOWN_IDS.iter().chain(REFUSED).copied());
    rescale(&mut stopped);
    stop(&mut stopped);
    stopped.note("finished", "DELETE /cluster");
    let mut answers = stopped.answers;
    answers.extend(failing.answers);
    answers.extend(canceled.answers);
    answers
}

fn cancel(side: &mut Side) {
    wait_for_vertices(side);
    identify(side);
    side.note("running", "PATCH /jobs/:jobid?mode=cancel");
    side.wait_for("GET /jobs/:jobid", |job| job["state"] == "CANCELED");
    ask_after_its_end(side, "canceled");
    side.note("canceled", "PATCH /jobs/:jobid?mode=cancel");
}

fn fail(side: &mut Side) {
    side.wait_for("GET /jobs/:jobid", |job| job["state"] == "FAILED");
    identify(side);
    ask_after_its_end(side, "failed");
    side.note("failed", "GET /jobs/:jobid/vertices/:source/subtasks/0/attempts/0");
    side.note("failed", "PATCH /jobs/:jobid?mode=cancel");
}

/// Waits until everything that is told of a running job has been measured at least once.
fn wait_until_it_runs(side: &mut Side) {
    wait_for_vertices(side);
    identify(side);
    side.wait_for("GET /jobs/:jobid/checkpoints", |found| at_least(&found["counts"]["completed"], 2));
    let has_some = |found: &Value| found.as_array().is_some_and(|list| !list.is_empty());
    for line in [
        "GET /jobmanager/metrics?get=numRunningJobs",
        "GET /taskmanagers/:taskmanagerid/metrics?get=Status.JVM.CPU.Load",
        "GET /jobs/:jobid/metrics?get=lastCheckpointDuration",
        "GET /jobs/:jobid/vertices/:sink/watermarks",
    ] {
        side.wait_for(line, has_some);
    }
    for role in [":source", ":sink"] {
        let line = format!("GET /jobs/:jobid/vertices/{role}/backpressure");
        side.wait_for(&line, |found| found["status"] == "ok");
        let line = format!("GET /jobs/:jobid/vertices/{role}/subtasks/metrics?get=numRecordsOutPerSecond");
        side.wait_for(&line, has_some);
    }
    side.wait_for("GET /jobs/:jobid", |job| {
        let is_complete = |vertex: &Value| vertex["metrics"]["write-records-complete"] == true;
        vertices(job).iter().all(is_complete)
    });
}

/// Prepares the request for half the parallelism.
fn set_requirements(side: &mut Side) {
    let mut wanted = side.look("GET /jobs/:jobid/resource-requirements");
    for vertex in wanted.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        *vertex = json!({"parallelism": {"lowerBound": 1, "upperBound": 1}});
    }
    side.set(":requirements", &wanted);
}

fn ask_while_it_runs(side: &mut Side) {
    latest_attempt(side);
    side.note_all("running", CLUSTER.iter().chain(JOB).copied());
    // Only the last ten checkpoints are remembered, and each second brings another.
    latest_checkpoint(side);
    side.note_all("running", RUNNING_JOB.iter().copied());
    for role in [":source", ":sink"] {
        latest_checkpoint(side);
        for line in VERTEX.iter().chain(RUNNING_VERTEX) {
            side.note("running", &of_role(line, role));
        }
    }
}

fn ask_after_its_end(side: &mut Side, state: &str) {
    latest_attempt(side);
    side.note_all(state, JOB.iter().copied());
    for line in VERTEX {
        side.note(state, &of_role(line, ":source"));
    }
}

fn checkpoint(side: &mut Side) {
    trigger(side, "running", "POST /jobs/:jobid/checkpoints {\"checkpointType\":\"CONFIGURED\"}");
    follow(side, "GET /jobs/:jobid/checkpoints/:triggerid", "completed");
}

fn save(side: &mut Side) {
    let body = r#"{"target-directory":":savepoints","cancel-job":false,"formatType":"CANONICAL"}"#;
    trigger(side, "running", &format!("POST /jobs/:jobid/savepoints {body}"));
    let saved = follow(side, "GET /jobs/:jobid/savepoints/:triggerid", "completed");
    side.note("saved", "GET /jobs/:jobid/checkpoints");
    side.set(":location", &saved["operation"]["location"]);
    trigger(side, "running", r#"POST /savepoint-disposal {"savepoint-path":":location"}"#);
    follow(side, "GET /savepoint-disposal/:triggerid", "completed");
    // It is gone now, which is an answer too.
    trigger(side, "running", r#"POST /savepoint-disposal {"savepoint-path":":location"}"#);
    follow(side, "GET /savepoint-disposal/:triggerid", "refused");
}

fn save_in_vain(side: &mut Side) {
    trigger(side, "running", r#"POST /jobs/:jobid/savepoints {"target-directory":"nofs://x/y","cancel-job":false}"#);
    follow(side, "GET /jobs/:jobid/savepoints/:triggerid", "refused");
}

/// Changes the parallelism and waits until the job runs with it.
fn rescale(side: &mut Side) {
    side.note("running", "PUT /jobs/:jobid/resource-requirements :requirements");
    side.wait_for("GET /jobs/:jobid", |job| {
        let is_rescaled = |vertex: &Value| vertex["parallelism"] == 1 && vertex["status"] == "RUNNING";
        job["state"] == "RUNNING" && !vertices(job).is_empty() && vertices(job).iter().all(is_rescaled)
    });
    let history = side.wait_for("GET /jobs/:jobid/rescales/history", |history| {
        history[0]["triggerCause"] == "UPDATE_REQUIREMENT" && !history[0]["terminalState"].is_null()
    });
    side.set(":rescaleuuid", &history[0]["rescaleUuid"]);
    side.wait_for("GET /jobs/:jobid/checkpoints", |found| {
        let restored = &found["latest"]["restored"]["restore_timestamp"];
        let completed = &found["latest"]["completed"]["trigger_timestamp"];
        completed.as_i64().zip(restored.as_i64()).is_some_and(|(completed, restored)| completed > restored)
    });
    latest_checkpoint(side);
    latest_attempt(side);
    side.note_all("rescaled", JOB.iter().chain(RUNNING_JOB).copied());
    side.note("rescaled", "GET /jobs/:jobid/rescales/details/:rescaleuuid");
    for line in VERTEX {
        side.note("rescaled", &of_role(line, ":source"));
    }
}

fn stop(side: &mut Side) {
    let body = r#"{"targetDirectory":":savepoints","drain":false,"formatType":"NATIVE"}"#;
    trigger(side, "rescaled", &format!("POST /jobs/:jobid/stop {body}"));
    follow(side, "GET /jobs/:jobid/savepoints/:triggerid", "finished");
    side.wait_for("GET /jobs/:jobid", |job| job["state"] == "FINISHED");
    ask_after_its_end(side, "finished");
    side.note("finished", "PATCH /jobs/:jobid?mode=cancel");
    side.note("finished", "GET /applications/:applicationid");
}

fn trigger(side: &mut Side, state: &str, line: &str) {
    let triggered = side.note(state, line);
    side.set(":triggerid", &triggered["request-id"]);
}

/// Asks how an operation stands, once at once and once after its end.
fn follow(side: &mut Side, line: &str, state: &str) -> Value {
    side.note("pending", line);
    side.wait_for(line, |found| found["status"]["id"] == "COMPLETED");
    side.note(state, line)
}

fn wait_for_vertices(side: &Side) {
    side.wait_for("GET /jobs/:jobid", |job| {
        let runs = |vertex: &Value| vertex["status"] == "RUNNING";
        job["state"] == "RUNNING" && vertices(job).iter().all(runs)
    });
}

/// Sets what the placeholders stand for that do not change.
fn identify(side: &mut Side) {
    let job = side.look("GET /jobs/:jobid");
    side.set(":applicationid", &job["application-id"]);
    for (role, vertex) in [(":source", vertices(&job).first()), (":sink", vertices(&job).last())] {
        side.set(role, &vertex.map_or(Value::Null, |vertex| vertex["id"].clone()));
    }
    let task_managers = side.look("GET /taskmanagers");
    side.set(":taskmanagerid", &task_managers["taskmanagers"][0]["id"]);
    for (placeholder, line) in
        [(":jobmanagerlog", "GET /jobmanager/logs"), (":taskmanagerlog", "GET /taskmanagers/:taskmanagerid/logs")]
    {
        let logs = side.look(line);
        side.set(placeholder, &logs["logs"][0]["name"]);
    }
}

fn latest_checkpoint(side: &mut Side) {
    let found = side.look("GET /jobs/:jobid/checkpoints");
    side.set(":checkpointid", &found["latest"]["completed"]["id"]);
}

/// All vertices are at the same attempt: what restarts is the whole job.
fn latest_attempt(side: &mut Side) {
    let found = side.look("GET /jobs/:jobid/vertices/:source/subtasks/0");
    side.set(":attempt", &found["attempt"]);
}

fn vertices(job: &Value) -> &[Value] {
    job["vertices"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn at_least(value: &Value, least: i64) -> bool {
    value.as_i64().is_some_and(|value| value >= least)
}
