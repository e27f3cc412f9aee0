//! What the answers about jobs are read as.

use kobel_model::ErrorKind;

use crate::failure::Failure;
use crate::playback::{Playback, Reply};
use crate::transport::FlinkClient;

const ID: &str = "d6ebe40fb3e2262b88121e25031759c0";

/// The overview of one job with these counts of tasks.
fn overview(state: &str, tasks: &str) -> Reply {
    Reply::ok(&format!(
        r#"{{"jobs":[{{"jid":"a4d7f95da497af4111d0ec2f58567019","name":"other","start-time":1,"state":"RUNNING"}},
        {{"jid":"{ID}","name":"sample","start-time":1795335380700,"end-time":-1,"duration":3,"state":"{state}",
        "last-modification":2,"tasks":{tasks},"pending-operators":0,"new-key":{{}}}}]}}"#
    ))
}

#[tokio::test]
async fn the_version_is_read_from_what_every_version_tells() {
    let server = Playback::of(vec![("GET /v1/config", Reply::ok(r#"{"flink-version":"1.20.5","features":{}}"#))]);
    let config = FlinkClient::new().config(&server.endpoint()).await.unwrap();
    assert_eq!((config.version.as_str(), config.revision.as_str()), ("1.20.5", ""));
}

#[tokio::test]
async fn a_job_runs_when_each_of_its_tasks_runs_or_has_ended_well() {
    let cases = [
        ("RUNNING", r#"{"running":4,"total":4}"#, true),
        ("RUNNING", r#"{"running":3,"finished":1,"total":4}"#, true),
        ("RUNNING", r#"{"running":3,"initializing":1,"total":4}"#, false),
        ("RUNNING", r#"{"running":0,"total":0}"#, false),
        ("CREATED", "{}", false),
        ("FINISHED", r#"{"finished":4,"total":4}"#, true),
        ("A_STATE_TO_COME", r#"{"running":4,"total":4,"suspended":0}"#, true),
    ];
    for (state, tasks, all_running) in cases {
        let server = Playback::of(vec![("GET /v1/jobs/overview", overview(state, tasks))]);
        let job = FlinkClient::new().job(&server.endpoint(), &ID.to_uppercase()).await.unwrap().unwrap();
        assert_eq!((job.state.as_str(), job.all_running), (state, all_running), "{tasks}");
        assert_eq!((job.id.as_str(), job.name.as_str(), job.start_ms), (ID, "sample", 1_795_335_380_700));
    }
}

#[tokio::test]
async fn a_job_that_is_not_listed_is_not_there_and_a_list_that_does_not_come_is_an_error() {
    let line = "GET /v1/jobs/overview";
    let election = "Service temporarily unavailable due to an ongoing leader election. Please refresh.";
    let server = Playback::of(vec![
        (line, Reply::ok(r#"{"jobs":[]}"#)),
        (line, Reply::refusal(503, election)),
        (line, Reply::ok("{}")),
    ]);
    let client = FlinkClient::new();
    assert_eq!(client.job(&server.endpoint(), ID).await.unwrap(), None);
    let error = client.job(&server.endpoint(), ID).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(Failure::of(&error), Some(Failure::Answered { status: 503, .. })));
    let error = client.job(&server.endpoint(), ID).await.unwrap_err();
    assert!(matches!(Failure::of(&error), Some(Failure::NotFlink(_))), "{error:?}");
}

#[tokio::test]
async fn a_failure_is_one_line_with_its_task() {
    let exceptions = format!("GET /v1/jobs/{ID}/exceptions?maxExceptions=1");
    let server = Playback::of(vec![(
        &exceptions,
        Reply::ok(
            r#"{"root-exception":"old","exceptionHistory":{"entries":[{"exceptionName":"a.b.C",
            "stacktrace":"a.b.C: it broke\n\tat a.B.c(B.java:1)\nCaused by: d.E: a zero\n\t... 1 more","timestamp":9,
            "failureLabels":{},"taskName":"source (1/2) - execution #0","endpoint":"h:1","taskManagerId":"t",
            "concurrentExceptions":[]}],"truncated":true}}"#,
        ),
    )]);
    let failure = FlinkClient::new().failure(&server.endpoint(), ID).await.unwrap();
    let line = "C: it broke; caused by E: a zero (in task `source (1/2) - execution #0` at `h:1`)";
    assert_eq!(failure.as_deref(), Some(line));
}

#[tokio::test]
async fn a_job_without_history_is_asked_for_its_result() {
    let exceptions = format!("GET /v1/jobs/{ID}/exceptions?maxExceptions=1");
    let result = format!("GET /v1/jobs/{ID}/execution-result");
    let empty = Reply::ok(r#"{"exceptionHistory":{"entries":[],"truncated":false}}"#);
    let cases = [
        (
            r#"{"status":{"id":"COMPLETED"},"job-execution-result":{"application-status":"FAILED",
            "failure-cause":{"class":"a.B","stack-trace":"a.B: no plan\n\tat a.B.c(B.java:1)"}}}"#,
            Some("B: no plan"),
        ),
        (r#"{"status":{"id":"IN_PROGRESS"}}"#, None),
    ];
    for (answer, line) in cases {
        let server = Playback::of(vec![(&exceptions, empty.clone()), (&result, Reply::ok(answer))]);
        assert_eq!(FlinkClient::new().failure(&server.endpoint(), ID).await.unwrap().as_deref(), line);
    }
    let unknown = format!("org.apache.flink.runtime.rest.NotFoundException: Job {ID} not found");
    let server = Playback::of(vec![(&exceptions, Reply::refusal(404, &unknown))]);
    assert_eq!(FlinkClient::new().failure(&server.endpoint(), ID).await.unwrap(), None);
}
