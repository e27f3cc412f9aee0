//! What the service answers, read; it is asked for real in the tests of the log agent.

use super::*;

fn group() -> LogGroup {
    LogGroup::from_environment("/flink", |name| (name == "AWS_REGION").then(|| "eu-west-1".to_owned())).unwrap()
}

#[test]
fn the_endpoint_is_that_of_the_region_unless_one_is_named() {
    for (variables, expected) in [
        (vec![("AWS_REGION", "eu-west-1")], Some("https://logs.eu-west-1.amazonaws.com/")),
        (vec![("AWS_DEFAULT_REGION", "cn-north-1")], Some("https://logs.cn-north-1.amazonaws.com.cn/")),
        (vec![("AWS_REGION", "a"), ("AWS_ENDPOINT_URL_LOGS", "http://localhost:5000")], Some("http://localhost:5000/")),
        (vec![("AWS_REGION", "a"), ("AWS_ENDPOINT_URL", "http://b")], Some("http://b/")),
        (vec![], None),
        (vec![("AWS_REGION", "evil.example/#")], None),
        (vec![("AWS_REGION", "a"), ("AWS_ENDPOINT_URL", "b:9000")], None),
    ] {
        let variable =
            |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
        let group = LogGroup::from_environment("/flink", variable);
        assert_eq!(group.ok().map(|group| group.address.to_string()).as_deref(), expected, "{variables:?}");
    }
}

#[test]
fn without_credentials_nothing_is_asked() {
    let event = LogEvent { time_ms: 0, message: "a".to_owned() };
    let error = group().append("pod/stdout", &[event]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[test]
fn refusals_tell_what_to_do_and_never_repeat_what_was_signed() {
    for (status, answer, kind, shown) in [
        (400, json!({ "__type": "ThrottlingException" }), ErrorKind::Unavailable, "ThrottlingException"),
        (
            400,
            json!({ "__type": "com.amazonaws.logs#AccessDeniedException", "Message": "not you" }),
            ErrorKind::Denied,
            "not you",
        ),
        (
            400,
            json!({ "__type": "InvalidSignatureException", "message": "should have been hunter2" }),
            ErrorKind::Denied,
            "InvalidSignatureException",
        ),
        (400, json!({ "__type": "InvalidParameterException", "message": "hunter2" }), ErrorKind::Invalid, "status 400"),
        (503, Value::Null, ErrorKind::Unavailable, "status 503"),
        (403, json!("hunter2"), ErrorKind::Denied, "UnknownError"),
    ] {
        let error = group().refused("write to", &Refusal::read(status, &answer));
        let text = format!("{error:?}");
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(shown) && text.contains("/flink") && !text.contains("hunter"), "{text}");
    }
}

#[test]
fn events_that_were_not_taken_are_counted() {
    for (info, expected) in [
        (json!({}), 0),
        (json!({ "rejectedLogEventsInfo": { "tooOldLogEventEndIndex": 2 } }), 2),
        (json!({ "rejectedLogEventsInfo": { "expiredLogEventEndIndex": 3, "tooNewLogEventStartIndex": 8 } }), 5),
        (json!({ "rejectedLogEventsInfo": { "tooNewLogEventStartIndex": 99 } }), 0),
        (json!({ "rejectedLogEventsInfo": { "tooOldLogEventEndIndex": -1 } }), 0),
    ] {
        assert_eq!(rejected(&info, 10), expected, "{info}");
    }
}
