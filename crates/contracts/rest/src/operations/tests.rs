//! What asks for operations and what tells of them, word for word.

use super::{
    AsynchronousOperationInfo, AsynchronousOperationResult, CheckpointInfo, CheckpointTriggerRequestBody,
    CheckpointType, SavepointDisposalRequest, SavepointFormatType, SavepointInfo, SavepointTriggerRequestBody,
    StopWithSavepointRequestBody, TriggerResponse,
};
use crate::round_trip::{printed_back, refusal};

const ID: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_full_request_is_printed_back() {
    let savepoint: SavepointTriggerRequestBody = printed_back(
        r#"{"target-directory":"file:///s","cancel-job":true,"formatType":"NATIVE",
        "triggerId":"0123456789abcdef0123456789abcdef"}"#,
    );
    assert_eq!(savepoint.trigger_id.as_deref(), Some(ID));
    let stop: StopWithSavepointRequestBody =
        printed_back(r#"{"targetDirectory":"file:///s","drain":true,"formatType":"CANONICAL","triggerId":null}"#);
    assert!(stop.drain);
    let checkpoint: CheckpointTriggerRequestBody = printed_back(r#"{"checkpointType":"FULL","triggerId":null}"#);
    assert_eq!(checkpoint.checkpoint_type, CheckpointType::Full);
    let disposal: SavepointDisposalRequest = printed_back(r#"{"savepoint-path":"file:/s/savepoint-1"}"#);
    assert_eq!(disposal.savepoint_path.as_deref(), Some("file:/s/savepoint-1"));
}

#[test]
fn what_is_left_out_or_null_has_its_default() {
    for json in ["{}", r#"{"cancel-job":null,"formatType":null,"triggerId":null,"target-directory":null}"#] {
        let request: SavepointTriggerRequestBody = serde_json::from_str(json).unwrap();
        assert_eq!(request, SavepointTriggerRequestBody::default());
        assert_eq!((request.cancel_job, request.format_type), (false, SavepointFormatType::Canonical));
    }
    let stop: StopWithSavepointRequestBody = serde_json::from_str(r#"{"drain":null}"#).unwrap();
    assert_eq!(stop, StopWithSavepointRequestBody::default());
    let checkpoint: CheckpointTriggerRequestBody = serde_json::from_str(r#"{"checkpointType":null}"#).unwrap();
    assert_eq!(checkpoint.checkpoint_type, CheckpointType::Configured);
    let disposal: SavepointDisposalRequest = serde_json::from_str("{}").unwrap();
    assert_eq!(disposal.savepoint_path, None);
}

#[test]
fn a_switch_may_be_a_word_or_a_number() {
    let request: SavepointTriggerRequestBody = serde_json::from_str(r#"{"cancel-job":"true"}"#).unwrap();
    assert!(request.cancel_job);
    for json in [r#"{"drain":"false"}"#, r#"{"drain":0}"#] {
        let request: StopWithSavepointRequestBody = serde_json::from_str(json).unwrap();
        assert!(!request.drain, "{json}");
    }
    let request: StopWithSavepointRequestBody = serde_json::from_str(r#"{"drain":1}"#).unwrap();
    assert!(request.drain);
}

#[test]
fn what_flink_refuses_in_a_request_for_a_savepoint_is_refused() {
    let cases = [
        (r#"{"formatType":"native"}"#, "`native` is not a savepoint format, allowed are `CANONICAL`, `NATIVE`"),
        (r#"{"formatType":""}"#, "`` is not a savepoint format"),
        (r#"{"triggerId":"zz"}"#, "`zz` is not a trigger id, allowed are 32 hexadecimal digits"),
        (r#"{"cancel-job":"yes"}"#, "is not a switch"),
        (r#"{"cancel-job":{}}"#, "`{}` is not a switch"),
        (r#"{"cancel-job":0.5}"#, "`0.5` is not a switch"),
        (r#"{"target-directory":[]}"#, "not a text"),
        ("null", "invalid type"),
        ("", "EOF"),
    ];
    for (json, message) in cases {
        let refused = refusal::<SavepointTriggerRequestBody>(json);
        assert!(refused.contains(message), "{json}: {refused}");
    }
}

#[test]
fn the_name_of_a_field_in_another_request_is_passed_over() {
    let savepoint: SavepointTriggerRequestBody = serde_json::from_str(r#"{"targetDirectory":"x","foo":1}"#).unwrap();
    assert_eq!(savepoint, SavepointTriggerRequestBody::default());
    let stop: StopWithSavepointRequestBody = serde_json::from_str(r#"{"target-directory":"x"}"#).unwrap();
    assert_eq!(stop, StopWithSavepointRequestBody::default());
    let disposal: SavepointDisposalRequest = serde_json::from_str(r#"{"savepointPath":"x"}"#).unwrap();
    assert_eq!(disposal, SavepointDisposalRequest::default());
    assert!(refusal::<CheckpointTriggerRequestBody>(r#"{"checkpointType":"full"}"#).contains("`full`"));
}

#[test]
fn a_directory_that_is_a_number_is_its_text() {
    let savepoint: SavepointTriggerRequestBody = serde_json::from_str(r#"{"target-directory":5}"#).unwrap();
    assert_eq!(savepoint.target_directory.as_deref(), Some("5"));
    assert!(refusal::<StopWithSavepointRequestBody>(r#"{"targetDirectory":{}}"#).contains("not a text"));
}

#[test]
fn a_trigger_id_is_kept_in_small_letters() {
    let json = format!(r#"{{"triggerId":"{}"}}"#, ID.to_uppercase());
    let request: CheckpointTriggerRequestBody = serde_json::from_str(&json).unwrap();
    assert_eq!(request.trigger_id.as_deref(), Some(ID));
}

#[test]
fn an_operation_is_answered_by_an_id_and_then_by_its_end() {
    let trigger: TriggerResponse = printed_back(r#"{"request-id":"0123456789abcdef0123456789abcdef"}"#);
    assert_eq!(trigger.request_id, ID);
    let running: AsynchronousOperationResult<SavepointInfo> =
        printed_back(r#"{"status":{"id":"IN_PROGRESS"},"operation":null}"#);
    assert_eq!(running, AsynchronousOperationResult::in_progress());
    let done: AsynchronousOperationResult<SavepointInfo> =
        printed_back(r#"{"status":{"id":"COMPLETED"},"operation":{"location":"file:/s/savepoint-1"}}"#);
    let location = Some("file:/s/savepoint-1".to_owned());
    assert_eq!(done, AsynchronousOperationResult::completed(SavepointInfo { location, failure_cause: None }));
}

#[test]
fn a_failure_stands_under_the_name_that_its_operation_uses() {
    let cause = r#"{"class":"E","stack-trace":"E: x","serialized-throwable":"rO0A"}"#;
    let savepoint = format!(r#"{{"status":{{"id":"COMPLETED"}},"operation":{{"failure-cause":{cause}}}}}"#);
    let savepoint: AsynchronousOperationResult<SavepointInfo> = printed_back(&savepoint);
    let checkpoint = format!(r#"{{"status":{{"id":"COMPLETED"}},"operation":{{"failureCause":{cause}}}}}"#);
    let checkpoint: AsynchronousOperationResult<CheckpointInfo> = printed_back(&checkpoint);
    let of_checkpoint = checkpoint.operation.and_then(|operation| operation.failure_cause);
    assert!(of_checkpoint.is_some());
    assert_eq!(savepoint.operation.and_then(|operation| operation.failure_cause), of_checkpoint);
    let number: CheckpointInfo = printed_back(r#"{"checkpointId":4}"#);
    assert_eq!(number.checkpoint_id, Some(4));
}

#[test]
fn a_removal_that_went_well_says_nothing() {
    let removed: AsynchronousOperationResult<AsynchronousOperationInfo> =
        printed_back(r#"{"status":{"id":"COMPLETED"},"operation":{}}"#);
    assert_eq!(removed, AsynchronousOperationResult::completed(AsynchronousOperationInfo::default()));
}
