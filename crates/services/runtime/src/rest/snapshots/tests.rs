//! Triggers and questions against a job that the test plays.

use std::path::PathBuf;

use kobel_rest::states::JobStatus;
use serde_json::{Value, json};

use super::*;
use crate::rest::fixtures::{BORN, JOB};
use crate::rest::stage::{APPLICATION, Stage, said};
use crate::rest::{applications, cancellation};

const CONFIGURED: &[(&str, &str)] = &[("execution.checkpointing.savepoint-dir", "/sp")];
const UNKNOWN: &str = "00000000000000000000000000000000";

fn request_id(value: &Value) -> String {
    value["request-id"].as_str().expect("an id").to_owned()
}

fn outcome(id: u64, directory: &str) -> Outcome {
    Outcome { checkpoint_id: Some(id), directory: Some(PathBuf::from(directory)) }
}

#[test]
fn a_savepoint_goes_on_until_the_job_has_answered() {
    let stage = Stage::new(&[]);
    let body = r#"{"target-directory": "file:///tmp/sp", "cancel-job": false, "formatType": "CANONICAL"}"#;
    let (status, value) = said(trigger_savepoint(&stage.call(&[("jobid", JOB)], body)));
    assert_eq!(status, 202);
    let id = request_id(&value);
    let question = stage.call(&[("jobid", JOB), ("triggerid", &id)], "");
    assert_eq!(said(savepoint_status(&question)), (200, json!({"status": {"id": "IN_PROGRESS"}, "operation": null})));
    assert_eq!(stage.carry_out(outcome(4, "/tmp/sp/savepoint-1")), Control::Savepoint(Some(PathBuf::from("/tmp/sp"))));
    let ended = json!({"status": {"id": "COMPLETED"}, "operation": {"location": "file:/tmp/sp/savepoint-1"}});
    assert_eq!(said(savepoint_status(&question)), (200, ended));
    assert_eq!(said(checkpoint_status(&question)).0, 404, "kinds are kept apart");
}

#[test]
fn each_trigger_asks_the_job_for_what_it_says() {
    type Trigger = fn(&Call<'_>) -> Reply;
    let stop =
        |directory: Option<&str>, end| Control::StopWithSavepoint { directory: directory.map(PathBuf::from), end };
    let cases: [(Trigger, &str, Control); 8] = [
        (trigger_savepoint, "", Control::Savepoint(None)),
        (trigger_savepoint, "{}", Control::Savepoint(None)),
        (trigger_savepoint, r#"{"cancel-job": true}"#, stop(None, StopMode::Suspend)),
        (trigger_stop, "", stop(None, StopMode::Suspend)),
        (trigger_stop, r#"{"targetDirectory": "/x", "drain": true}"#, stop(Some("/x"), StopMode::Drain)),
        (trigger_stop, r#"{"drain": false, "formatType": "NATIVE"}"#, stop(None, StopMode::Suspend)),
        (trigger_checkpoint, "", Control::Checkpoint),
        (trigger_checkpoint, r#"{"checkpointType": "FULL"}"#, Control::Checkpoint),
    ];
    for (trigger, body, expected) in cases {
        let stage = Stage::new(CONFIGURED);
        assert_eq!(said(trigger(&stage.call(&[("jobid", JOB)], body))).0, 202, "for `{body}`");
        assert_eq!(stage.asked(), Some(expected), "for `{body}`");
    }
}

#[test]
fn an_id_that_the_client_chose_triggers_once() {
    let stage = Stage::new(CONFIGURED);
    let body = r#"{"triggerId": "CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD"}"#;
    for expected in [Some(Control::Checkpoint), None] {
        let (status, value) = said(trigger_checkpoint(&stage.call(&[("jobid", JOB)], body)));
        assert_eq!((status, request_id(&value)), (202, "cd".repeat(16)));
        // The first time the request is dropped unanswered, which ends the operation.
        assert_eq!(stage.asked(), expected);
    }
}

#[test]
fn what_is_wrong_with_the_request_is_refused_at_once() {
    type Trigger = fn(&Call<'_>) -> Reply;
    let cases: [(Trigger, &str, &str, u16, &str); 4] = [
        (trigger_savepoint, "abc", "{}", 400, "Cannot resolve path parameter (jobid)"),
        (trigger_savepoint, JOB, "{", 400, "did not match expected format"),
        (trigger_stop, JOB, r#"{"drain": "maybe"}"#, 400, "did not match expected format"),
        (trigger_checkpoint, JOB, r#"{"checkpointType": "INCREMENTAL"}"#, 500, "FLINK-33723"),
    ];
    for (trigger, job, body, status, text) in cases {
        let stage = Stage::new(&[]);
        let (found, value) = said(trigger(&stage.call(&[("jobid", job)], body)));
        assert_eq!(found, status, "for `{body}`");
        assert!(value.as_str().is_some_and(|message| message.contains(text)), "{value}");
        assert_eq!(stage.asked(), None);
    }
}

#[test]
fn what_goes_wrong_later_is_the_result() {
    let stage = Stage::new(CONFIGURED);
    let cases = [
        (UNKNOWN, "{}", "FlinkJobNotFoundException: Could not find Flink job (00000000000000000000000000000000)"),
        (JOB, r#"{"target-directory": "nope://x"}"#, "`nope` is not supported"),
    ];
    for (job, body, text) in cases {
        let (status, value) = said(trigger_savepoint(&stage.call(&[("jobid", job)], body)));
        assert_eq!(status, 202, "for `{body}`");
        let id = request_id(&value);
        let (status, value) = said(savepoint_status(&stage.call(&[("jobid", job), ("triggerid", &id)], "")));
        assert_eq!((status, &value["status"]["id"]), (200, &json!("COMPLETED")));
        let trace = value["operation"]["failure-cause"]["stack-trace"].as_str().expect("a trace");
        assert!(trace.contains(text), "{trace}");
        assert_eq!(stage.asked(), None);
    }
    stage.job.enter(JobStatus::Finished, BORN + 90);
    let (_, value) = said(trigger_checkpoint(&stage.call(&[("jobid", JOB)], "")));
    let id = request_id(&value);
    let (_, value) = said(checkpoint_status(&stage.call(&[("jobid", JOB), ("triggerid", &id)], "")));
    assert!(value["operation"]["failureCause"]["class"].is_string(), "{value}");
}

#[test]
fn operations_that_nobody_triggered_are_not_there() {
    let stage = Stage::new(CONFIGURED);
    let (status, value) = said(savepoint_status(&stage.call(&[("jobid", JOB), ("triggerid", UNKNOWN)], "")));
    let expected = format!("There is no savepoint operation with triggerId={UNKNOWN} for job {JOB}.");
    assert_eq!((status, value), (404, json!(expected)));
    assert_eq!(said(checkpoint_status(&stage.call(&[("jobid", JOB), ("triggerid", "abc")], ""))).0, 400);
}

#[test]
fn a_job_is_cancelled_once_and_not_after_another_end() {
    for (mode, status) in
        [(None, 202), (Some("cancel"), 202), (Some("CANCEL"), 202), (Some("stop"), 308), (Some("x"), 400)]
    {
        let stage = Stage::new(&[]);
        let mut call = stage.call(&[("jobid", JOB)], "");
        call.query.extend(mode.map(|mode| ("mode".to_owned(), mode.to_owned())));
        assert_eq!(said(cancellation::job(&call)).0, status, "for {mode:?}");
        assert_eq!(stage.asked(), (status == 202).then_some(Control::Cancel));
    }
    for (end, status) in [(JobStatus::Finished, 409), (JobStatus::Failed, 409), (JobStatus::Canceled, 202)] {
        let stage = Stage::new(&[]);
        stage.job.enter(end, BORN + 90);
        assert_eq!(said(cancellation::job(&stage.call(&[("jobid", JOB)], ""))).0, status, "for {end}");
        assert_eq!(stage.asked(), None);
    }
    let stage = Stage::new(&[]);
    assert_eq!(
        said(cancellation::job(&stage.call(&[("jobid", UNKNOWN)], ""))),
        (404, json!("Job could not be found."))
    );
    assert_eq!(said(cancellation::yarn_cancel(&stage.call(&[("jobid", JOB)], ""))).0, 405);
    assert_eq!(stage.asked(), None, "looking changes nothing");
}

#[test]
fn the_end_of_the_application_and_of_the_process_cancel_its_jobs() {
    let stage = Stage::new(&[]);
    assert_eq!(said(cancellation::application(&stage.call(&[("applicationid", UNKNOWN)], ""))).0, 404);
    assert_eq!(stage.asked(), None);
    assert_eq!(said(cancellation::application(&stage.call(&[("applicationid", APPLICATION)], ""))).0, 202);
    assert_eq!(stage.asked(), Some(Control::Cancel));
    let application = stage.cluster.application();
    assert!(application.is_cancel_wanted && !application.is_shutdown_wanted, "no other job begins, the process stays");
    let (_, detail) = said(applications::detail(&stage.call(&[("applicationid", APPLICATION)], "")));
    assert_eq!(detail["status"], "CANCELING");
    assert_eq!(said(cancellation::cluster(&stage.call(&[], ""))), (200, json!({})));
    assert_eq!(stage.asked(), Some(Control::Cancel));
    assert!(stage.cluster.application().is_shutdown_wanted);
}

#[test]
fn an_application_that_has_ended_is_only_cancelled_again_if_it_was_before() {
    for (result, end, status, words) in [
        (Ok(()), JobStatus::Finished, 409, "another terminal state (FINISHED)."),
        (Err("it broke".to_owned()), JobStatus::Failed, 409, "another terminal state (FAILED)."),
        (Ok(()), JobStatus::Canceled, 202, "{}"),
    ] {
        let stage = Stage::new(&[]);
        stage.job.enter(end, BORN + 90);
        stage.cluster.note(|application| application.ended = Some((BORN + 100, result)));
        let answer = said(cancellation::application(&stage.call(&[("applicationid", APPLICATION)], "")));
        assert_eq!(answer.0, status, "after {end}");
        assert!(answer.1.to_string().contains(words), "{}", answer.1);
        assert!(!stage.cluster.application().is_cancel_wanted, "what has ended is not cancelled");
        assert_eq!(stage.asked(), None);
    }
}
