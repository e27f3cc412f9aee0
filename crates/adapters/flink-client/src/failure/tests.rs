//! What answers and broken connections are read as.

use std::io;
use std::time::Duration;

use kobel_model::{ErrorKind, chain};

use super::{Failure, Stage};

const JOB: &str = "00000000000000000000000000000000";

/// The body of a failure with these messages.
fn body(errors: &[&str]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "errors": errors })).unwrap()
}

#[test]
fn the_words_of_flink_name_the_failure() {
    let rest = "org.apache.flink.runtime.rest";
    let stack = "\n\tat org.apache.flink.A.b(A.java:1)";
    let cases = [
        (404, vec![format!("{rest}.NotFoundException: Job {JOB} not found{stack}")], Failure::NoJob),
        (404, vec![format!("{rest}.handler.RestHandlerException: Job could not be found.{stack}")], Failure::NoJob),
        (
            500,
            vec![
                "Internal server error.".to_owned(),
                format!(
                    "<Exception on server side:\norg.apache.flink.runtime.messages.FlinkJobNotFoundException: Could \
                     not find Flink job ({JOB}){stack}\n\nEnd of exception on server side>"
                ),
            ],
            Failure::NoJob,
        ),
        (
            404,
            vec![format!(
                "{rest}.handler.RestHandlerException: There is no savepoint operation with triggerId={JOB} for job \
                 {JOB}.{stack}"
            )],
            Failure::NoOperation,
        ),
        (
            404,
            vec![format!("{rest}.NotFoundException: Operation not found under key: {rest}.OperationKey@29{stack}")],
            Failure::NoOperation,
        ),
        (404, vec!["Unable to load requested file /nope.".to_owned()], Failure::NotServed),
        (404, vec!["Not found: /v1/nope".to_owned()], Failure::NotServed),
        (
            400,
            vec![format!(
                "{rest}.handler.RestHandlerException: Could not execute application.{stack}\nCaused by: \
                 org.apache.flink.runtime.client.DuplicateApplicationSubmissionException: Application has already \
                 been submitted.{stack}"
            )],
            Failure::Duplicate,
        ),
        (
            409,
            vec![format!("{rest}.handler.RestHandlerException: it has ended (FINISHED).{stack}")],
            Failure::Answered { status: 409, reason: "it has ended (FINISHED)".to_owned() },
        ),
        (
            500,
            vec!["Internal server error.".to_owned()],
            Failure::Answered { status: 500, reason: "Internal server error".to_owned() },
        ),
    ];
    for (status, errors, failure) in cases {
        let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
        assert_eq!(Failure::of_answer(status, &body(&errors)), failure, "{errors:?}");
    }
}

#[test]
fn a_vertex_that_is_not_found_is_no_lost_job() {
    let errors = body(&["org.apache.flink.runtime.rest.NotFoundException: JobVertex 0a not found"]);
    assert!(matches!(Failure::of_answer(404, &errors), Failure::Answered { status: 404, .. }));
}

#[test]
fn an_answer_that_is_not_flinks_is_told_apart() {
    let page = b"<html>no such page</html>";
    assert!(matches!(Failure::of_answer(404, page), Failure::NotFlink(_)));
    assert!(matches!(Failure::of_answer(502, page), Failure::Answered { status: 502, .. }));
    assert_eq!(Failure::of_answer(403, page).kind(), ErrorKind::Denied);
}

#[test]
fn the_kind_says_what_to_do() {
    let cases = [
        (400, "no", ErrorKind::Invalid),
        (401, "no", ErrorKind::Denied),
        (404, "no", ErrorKind::Missing),
        (408, "no", ErrorKind::Unavailable),
        (409, "no", ErrorKind::Conflict),
        (413, "no", ErrorKind::Invalid),
        (500, "no", ErrorKind::Unavailable),
        (503, "no", ErrorKind::Unavailable),
        (500, "ProgramInvocationException: no such class", ErrorKind::Invalid),
        (500, "UnsupportedOperationException: not here", ErrorKind::Unsupported),
        (500, "Jar file /a/b.jar does not exist", ErrorKind::Missing),
    ];
    for (status, reason, kind) in cases {
        let failure = Failure::Answered { status, reason: reason.to_owned() };
        assert_eq!(failure.kind(), kind, "{failure}");
    }
}

#[test]
fn a_broken_connection_is_not_a_refused_one() {
    let patience = Duration::from_secs(2);
    let read = |kind: io::ErrorKind, stage| Failure::of_connection(&io::Error::from(kind), stage, patience);
    assert_eq!(read(io::ErrorKind::ConnectionRefused, Stage::Connecting), Failure::Refused);
    assert_eq!(read(io::ErrorKind::TimedOut, Stage::Connecting), Failure::TimedOut(patience));
    assert!(matches!(read(io::ErrorKind::NetworkUnreachable, Stage::Connecting), Failure::Unreached(_)));
    assert!(matches!(read(io::ErrorKind::ConnectionReset, Stage::Asking), Failure::Broken(_)));
}

#[test]
fn a_person_reads_the_call_the_address_and_the_reason() {
    let error = Failure::Refused.about("list the jobs", "http://127.0.0.1:8081");
    assert_eq!(
        chain(&error),
        "cannot list the jobs at `http://127.0.0.1:8081`: the connection was refused, nobody listens there"
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(Failure::of(&error), Some(&Failure::Refused));
    assert_eq!(Failure::of(&error.context("cannot look at `a`")), Some(&Failure::Refused));
}
