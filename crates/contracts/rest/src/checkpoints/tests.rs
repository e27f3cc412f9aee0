//! The answers about checkpoints, word for word.

use super::{CheckpointConfigInfo, CheckpointKind, CheckpointStatistics, CheckpointStatus, CheckpointingStatistics};
use crate::round_trip::{printed_back, refusal};

/// Returns the JSON of a checkpoint of a class, with the status and the keys that only the class has.
fn checkpoint(class: &str, status: &str, tasks: &str, more: &str) -> String {
    format!(
        r#"{{"className":"{class}","id":3,"status":"{status}","is_savepoint":false,"savepointFormat":null,
        "trigger_timestamp":10,"latest_ack_timestamp":12,"checkpointed_size":5,"state_size":6,"end_to_end_duration":2,
        "alignment_buffered":0,"processed_data":1,"persisted_data":0,"num_subtasks":4,"num_acknowledged_subtasks":4,
        "checkpoint_type":"CHECKPOINT","tasks":{tasks}{more}}}"#
    )
}

const TASKS: &str = r#"{"v1":{"id":3,"status":"COMPLETED","latest_ack_timestamp":12,"checkpointed_size":5,
    "state_size":6,"end_to_end_duration":2,"alignment_buffered":0,"processed_data":1,"persisted_data":0,
    "num_subtasks":2,"num_acknowledged_subtasks":2}}"#;

#[test]
fn the_class_of_a_checkpoint_says_what_else_it_tells() {
    let more = r#","external_path":"file:/c/chk-3","discarded":false"#;
    let completed: CheckpointStatistics = printed_back(&checkpoint("completed", "COMPLETED", TASKS, more));
    let path = match &completed {
        CheckpointStatistics::Completed(checkpoint) => checkpoint.external_path.as_deref(),
        _ => None,
    };
    assert_eq!(path, Some("file:/c/chk-3"));
    assert_eq!(completed.progress().tasks.get("v1").map(|task| task.num_subtasks), Some(2));

    let more = r#","failure_timestamp":13,"failure_message":null"#;
    let failed: CheckpointStatistics = printed_back(&checkpoint("failed", "FAILED", "{}", more));
    assert_eq!(failed.progress().status, CheckpointStatus::Failed);
    let running: CheckpointStatistics = printed_back(&checkpoint("in_progress", "IN_PROGRESS", "{}", ""));
    assert_eq!(running.progress().checkpoint_type, CheckpointKind::Checkpoint);
}

#[test]
fn a_class_that_does_not_exist_is_refused() {
    let unknown = checkpoint("pending", "IN_PROGRESS", "{}", "");
    assert!(refusal::<CheckpointStatistics>(&unknown).contains("pending"));
    let bare = checkpoint("completed", "COMPLETED", "{}", "");
    assert!(refusal::<CheckpointStatistics>(&bare).contains("discarded"));
}

#[test]
fn statistics_hold_counts_summary_latest_and_history() {
    let series = r#"{"min":1,"max":3,"avg":2,"p50":2.0,"p90":3.0,"p95":3.0,"p99":3.0,"p999":3.0}"#;
    let last = checkpoint("completed", "COMPLETED", "{}", r#","external_path":null,"discarded":true"#);
    let json = format!(
        r#"{{"counts":{{"restored":1,"total":2,"in_progress":0,"completed":1,"failed":1}},"summary":{{
        "checkpointed_size":{series},"state_size":{series},"end_to_end_duration":{series},"alignment_buffered":{series},
        "processed_data":{series},"persisted_data":{series}}},"latest":{{"completed":{last},"savepoint":null,
        "failed":null,"restored":{{"id":2,"restore_timestamp":9,"is_savepoint":true,"external_path":"file:/s"}}}},
        "history":[{last}]}}"#
    );
    let statistics: CheckpointingStatistics = printed_back(&json);
    assert_eq!(statistics.history.first(), statistics.latest.completed.as_ref());
    assert_eq!(statistics.latest.restored.map(|restored| restored.id), Some(2));
    assert_eq!(statistics.counts.total, 2);
}

#[test]
fn the_configuration_of_checkpoints_has_every_key() {
    let config: CheckpointConfigInfo = printed_back(
        r#"{"mode":"exactly_once","interval":3000,"timeout":600000,"min_pause":0,"max_concurrent":1,
        "externalization":{"enabled":true,"delete_on_cancellation":false},"state_backend":"HashMapStateBackend",
        "checkpoint_storage":"FileSystemCheckpointStorage","unaligned_checkpoints":false,
        "tolerable_failed_checkpoints":0,"aligned_checkpoint_timeout":0,"checkpoints_after_tasks_finish":true,
        "state_changelog_enabled":false,"changelog_periodic_materialization_interval":600000,
        "changelog_storage":"memory"}"#,
    );
    assert!(config.externalization.enabled);
}
