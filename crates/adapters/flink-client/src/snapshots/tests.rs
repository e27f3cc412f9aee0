//! What is sent for snapshots, and what the answers are read as.

use kobel_model::ErrorKind;
use kobel_model::deployment::SavepointFormat;
use serde_json::{Value, json};

use super::{OperationSeen, SavepointRequest};
use crate::failure::Failure;
use crate::playback::{Playback, Reply};
use crate::transport::FlinkClient;

const JOB: &str = "d6ebe40fb3e2262b88121e25031759c0";
const TRIGGER: &str = "b9883fbaba2aa072d47d190fd1e6fcca";

fn request(directory: Option<&str>, format: SavepointFormat) -> SavepointRequest<'_> {
    SavepointRequest { job_id: JOB, trigger_id: TRIGGER, directory, format, drain: true }
}

/// The answer to a trigger.
fn taken(id: &str) -> Reply {
    Reply::Answer(202, json!({ "request-id": id }).to_string())
}

/// The body of the only request.
fn sent(server: &Playback) -> Value {
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    serde_json::from_slice(&heard[0].body).unwrap()
}

#[tokio::test]
async fn a_stop_sends_everything_that_was_asked_for() {
    let line = format!("POST /v1/jobs/{JOB}/stop");
    let server = Playback::of(vec![(line, taken(&TRIGGER.to_uppercase()))]);
    let request = request(Some("file:///s"), SavepointFormat::Native);
    FlinkClient::new().stop_with_savepoint(&server.endpoint(), request).await.unwrap();
    let body = json!({"targetDirectory": "file:///s", "drain": true, "formatType": "NATIVE", "triggerId": TRIGGER});
    assert_eq!(sent(&server), body);
}

#[tokio::test]
async fn a_savepoint_and_a_checkpoint_let_the_job_run_on() {
    let server = Playback::of(vec![(format!("POST /v1/jobs/{JOB}/savepoints"), taken(TRIGGER))]);
    let client = FlinkClient::new();
    client.take_savepoint(&server.endpoint(), request(None, SavepointFormat::Unknown)).await.unwrap();
    let body = json!({"target-directory": null, "cancel-job": false, "formatType": "CANONICAL", "triggerId": TRIGGER});
    assert_eq!(sent(&server), body);
    let server = Playback::of(vec![(format!("POST /v1/jobs/{JOB}/checkpoints"), taken(TRIGGER))]);
    client.take_checkpoint(&server.endpoint(), JOB, TRIGGER).await.unwrap();
    assert_eq!(sent(&server), json!({"checkpointType": "CONFIGURED", "triggerId": TRIGGER}));
}

#[tokio::test]
async fn a_cluster_that_chooses_another_id_is_refused() {
    let server = Playback::of(vec![(format!("POST /v1/jobs/{JOB}/checkpoints"), taken("0a"))]);
    let error = FlinkClient::new().take_checkpoint(&server.endpoint(), JOB, TRIGGER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_savepoint_goes_on_is_there_has_failed_or_is_unheard_of() {
    let line = format!("GET /v1/jobs/{JOB}/savepoints/{TRIGGER}");
    let failed = r#"{"status":{"id":"COMPLETED"},"operation":{"failure-cause":{"class":"a.B",
        "stack-trace":"java.util.concurrent.CompletionException: a.B: no\n\tat a.B.c(B.java:1)\nCaused by: a.B: no",
        "serialized-throwable":"rO0A"}}}"#;
    let unheard = format!("There is no savepoint operation with triggerId={TRIGGER} for job {JOB}.");
    let cases = [
        (Reply::ok(r#"{"status":{"id":"IN_PROGRESS"},"operation":null}"#), OperationSeen::InProgress),
        (
            Reply::ok(r#"{"status":{"id":"COMPLETED"},"operation":{"location":"file:/s"}}"#),
            OperationSeen::Completed(Some("file:/s".to_owned())),
        ),
        (Reply::ok(failed), OperationSeen::Failed("B: no".to_owned())),
        (Reply::refusal(404, &unheard), OperationSeen::Unheard),
    ];
    for (reply, seen) in cases {
        let server = Playback::of(vec![(&line, reply)]);
        let found = FlinkClient::new().savepoint_status(&server.endpoint(), JOB, TRIGGER).await.unwrap();
        assert_eq!(found, seen);
    }
}

#[tokio::test]
async fn an_error_about_a_savepoint_is_not_read_as_unheard_of() {
    let line = format!("GET /v1/jobs/{JOB}/savepoints/{TRIGGER}");
    let replies = [
        Reply::refusal(500, "Internal server error."),
        Reply::refusal(404, "Unable to load requested file /v1/x."),
        Reply::Answer(404, "<html></html>".to_owned()),
        Reply::ok("{}"),
    ];
    for reply in replies {
        let server = Playback::of(vec![(&line, reply.clone())]);
        let found = FlinkClient::new().savepoint_status(&server.endpoint(), JOB, TRIGGER).await;
        assert!(found.is_err(), "{reply:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_checkpoint_is_told_with_its_place() {
    let status = format!("GET /v1/jobs/{JOB}/checkpoints/{TRIGGER}");
    let statistics = format!("GET /v1/jobs/{JOB}/checkpoints");
    let done = r#"{"status":{"id":"COMPLETED"},"operation":{"checkpointId":4}}"#;
    let latest = |id: i64| {
        Reply::ok(&format!(
            r#"{{"counts":{{"completed":1}},"latest":{{"completed":{{"id":{id},"external_path":"file:/c/{id}"}}}}}}"#
        ))
    };
    let gone = Reply::refusal(404, &format!("org.apache.flink.runtime.rest.NotFoundException: Job {JOB} not found"));
    let cases = [
        (latest(4), OperationSeen::Completed(Some("file:/c/4".to_owned()))),
        (latest(5), OperationSeen::Completed(None)),
        (latest(3), OperationSeen::InProgress),
        (gone, OperationSeen::Completed(None)),
    ];
    for (reply, seen) in cases {
        let server = Playback::of(vec![(&status, Reply::ok(done)), (&statistics, reply)]);
        let found = FlinkClient::new().checkpoint_status(&server.endpoint(), JOB, TRIGGER).await.unwrap();
        assert_eq!(found, seen);
    }
}

#[tokio::test]
async fn the_newest_snapshot_of_an_unknown_job_cannot_be_told() {
    let line = format!("GET /v1/jobs/{JOB}/checkpoints");
    let unknown = format!("org.apache.flink.runtime.rest.NotFoundException: Job {JOB} not found");
    let server = Playback::of(vec![(&line, Reply::refusal(404, &unknown)), (&line, Reply::ok("{}"))]);
    let client = FlinkClient::new();
    let error = client.newest_snapshot(&server.endpoint(), JOB, None).await.unwrap_err();
    assert_eq!((error.kind(), Failure::of(&error)), (ErrorKind::Missing, Some(&Failure::NoJob)));
    let error = client.newest_snapshot(&server.endpoint(), JOB, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn the_newest_snapshot_is_told_with_its_time() {
    let line = format!("GET /v1/jobs/{JOB}/checkpoints");
    let body = r#"{"counts":{"restored":0,"total":2,"in_progress":0,"completed":2,"failed":0},"summary":{},
        "latest":{"completed":{"className":"completed","id":8,"status":"COMPLETED","trigger_timestamp":10,
        "latest_ack_timestamp":12,"external_path":"file:/c/chk-8","discarded":false},"savepoint":null,"failed":null,
        "restored":null},"history":[]}"#;
    let server = Playback::of(vec![(line, Reply::ok(body))]);
    let newest = FlinkClient::new().newest_snapshot(&server.endpoint(), JOB, None).await.unwrap();
    assert_eq!(newest, Some(("file:/c/chk-8".to_owned(), 12)));
}

#[tokio::test]
async fn a_deletion_is_followed_by_the_id_that_the_cluster_gave() {
    let status = format!("GET /v1/savepoint-disposal/{TRIGGER}");
    let server = Playback::of(vec![
        ("POST /v1/savepoint-disposal", Reply::ok(&json!({ "request-id": TRIGGER }).to_string())),
        (status.as_str(), Reply::ok(r#"{"status":{"id":"COMPLETED"},"operation":{}}"#)),
    ]);
    let client = FlinkClient::new();
    let id = client.dispose(&server.endpoint(), "file:/s").await.unwrap();
    assert_eq!(client.disposal_status(&server.endpoint(), &id).await.unwrap(), OperationSeen::Completed(None));
}

#[tokio::test]
async fn zeros_mean_that_there_is_no_snapshot_only_while_the_job_has_tasks() {
    let statistics = format!("GET /v1/jobs/{JOB}/checkpoints");
    let zeros = r#"{"counts":{"restored":0,"completed":0},"latest":{"completed":null,"restored":null},"history":[]}"#;
    let seen = |state: &str, tasks: i64, changed_ms: i64| {
        let tasks = json!({ "total": tasks });
        let job = json!({"jid": JOB, "state": state, "last-modification": changed_ms, "tasks": tasks});
        Reply::ok(&json!({ "jobs": [job] }).to_string())
    };
    let unsure = Err(Some(Failure::NoStatistics));
    let cases = [
        (seen("RUNNING", 3, 5), seen("RUNNING", 3, 5), Ok(None)),
        (seen("FAILED", 3, 5), seen("FAILED", 3, 5), Ok(None)),
        // The task manager is lost, and the job waits for another one.
        (seen("CREATED", 0, 0), seen("CREATED", 0, 0), unsure.clone()),
        // It was cancelled while it waited.
        (seen("CANCELED", 0, 0), seen("CANCELED", 0, 0), unsure.clone()),
        // It began again in between.
        (seen("RUNNING", 3, 5), seen("RUNNING", 3, 9), unsure.clone()),
        (seen("RUNNING", 3, 5), seen("CREATED", 0, 0), unsure),
        (Reply::ok(r#"{"jobs":[]}"#), seen("RUNNING", 3, 5), Err(Some(Failure::NoJob))),
    ];
    for (before, after, newest) in cases {
        let line = "GET /v1/jobs/overview";
        let server = Playback::of(vec![(statistics.as_str(), Reply::ok(zeros)), (line, before), (line, after)]);
        let found = FlinkClient::new().newest_snapshot(&server.endpoint(), JOB, None).await;
        assert_eq!(found.map_err(|error| Failure::of(&error).cloned()), newest);
    }
}
