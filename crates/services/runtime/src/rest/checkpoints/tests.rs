//! Answers about checkpoints 1 and 2 of the job, of which the last is kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::rest::fixtures::{BORN, JOB, SINK, SOURCE, checkpoint, job};
use crate::view::job::JobView;

fn history(records: impl IntoIterator<Item = CheckpointRecord>) -> CheckpointHistory {
    let mut history = CheckpointHistory::default();
    for record in records {
        let (id, ended) = (record.id, record.clone());
        history.begin(CheckpointRecord { progress: CheckpointProgress::InProgress, ended_ms: None, ..record });
        history.end(id, |record| *record = ended);
    }
    history
}

fn listed(job: &JobView, history: &CheckpointHistory, now_ms: i64) -> Value {
    let scrubber = Scrubber::new();
    scrubber.add("hunter22");
    serde_json::to_value(statistics(&Look::new(&job.facts, &scrubber, now_ms), history)).unwrap()
}

fn detailed(job: &JobView, history: &CheckpointHistory, id: i64) -> Result<CheckpointStatistics, Refusal> {
    details(&Look::new(&job.facts, &Scrubber::new(), BORN), history, id)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn completed(id: i64, tasks: Value, is_discarded: bool) -> Value {
    let triggered = BORN + 1_000 * id;
    json!({
        "className": "completed", "id": id, "status": "COMPLETED", "is_savepoint": false, "savepointFormat": null,
        "trigger_timestamp": triggered, "latest_ack_timestamp": triggered + 33,
        "checkpointed_size": 30, "state_size": 300, "end_to_end_duration": 40,
        "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0,
        "num_subtasks": 3, "num_acknowledged_subtasks": 3, "checkpoint_type": "CHECKPOINT", "tasks": tasks,
        "external_path": format!("file:/ck/{JOB}/chk-{id}"), "discarded": is_discarded,
    })
}

#[test]
fn a_list_has_counts_a_summary_the_latest_and_the_history() {
    let job = job();
    let answer = listed(&job, &history([checkpoint(1), checkpoint(2)]), BORN);
    assert_eq!(answer["counts"], json!({"restored": 0, "total": 2, "in_progress": 0, "completed": 2, "failed": 0}));
    let newest = completed(2, json!({}), false);
    assert_eq!(answer["history"], json!([newest, completed(1, json!({}), true)]));
    assert_eq!(answer["latest"], json!({"completed": newest, "savepoint": null, "failed": null, "restored": null}));
    let sizes = ["checkpointed_size", "state_size", "end_to_end_duration"];
    let nothing = ["alignment_buffered", "processed_data", "persisted_data"];
    assert_eq!(keys(&answer["summary"]), sizes.into_iter().chain(nothing).collect::<BTreeSet<_>>());
    let always = |value: i64| {
        let percentile = value as f64;
        json!({"min": value, "max": value, "avg": value, "p50": percentile, "p90": percentile, "p95": percentile,
            "p99": percentile, "p999": percentile})
    };
    for (key, value) in sizes.into_iter().zip([30, 300, 40]).chain(nothing.map(|key| (key, 0))) {
        assert_eq!(answer["summary"][key], always(value), "{key}");
    }
}

#[test]
fn before_the_first_checkpoint_percentiles_are_unknown() {
    let job = job();
    let answer = listed(&job, &CheckpointHistory::default(), BORN);
    assert_eq!(answer["summary"]["state_size"]["p50"], "NaN");
    assert_eq!(answer["summary"]["persisted_data"]["p50"], "NaN");
    assert_eq!(answer["summary"]["alignment_buffered"]["p50"], 0.0);
    assert_eq!(answer["history"], json!([]));
}

#[test]
fn a_detail_has_the_vertices_too() {
    let job = job();
    let history = history([checkpoint(1)]);
    let answer = serde_json::to_value(detailed(&job, &history, 1).unwrap()).unwrap();
    let vertex = |ack: i64, subtasks: i64| {
        json!({
            "id": 1, "status": "COMPLETED", "latest_ack_timestamp": BORN + 1_000 + ack,
            "checkpointed_size": 10 * subtasks, "state_size": 100 * subtasks, "end_to_end_duration": ack,
            "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0,
            "num_subtasks": subtasks, "num_acknowledged_subtasks": subtasks,
        })
    };
    assert_eq!(answer, completed(1, json!({SOURCE: vertex(15, 2), SINK: vertex(33, 1)}), false));
    for id in [0, 2, -1] {
        let refusal = detailed(&job, &history, id).unwrap_err();
        assert_eq!(
            refusal,
            Refusal::not_found(format!("Could not find checkpointing statistics for checkpoint {id}."))
        );
    }
}

#[test]
fn failed_savepoints_say_why_and_pending_checkpoints_count_what_came() {
    let job = job();
    let progress = CheckpointProgress::Failed { at_ms: BORN + 1_003, message: "no room for hunter22".to_owned() };
    let (kind, ended_ms) = (CheckpointType::SyncSavepoint, Some(BORN + 1_003));
    let mut history =
        history([CheckpointRecord { kind, progress, ended_ms, tasks: vec![vec![None]], ..checkpoint(1) }]);
    let mut pending = checkpoint(2);
    pending.tasks[1][0] = None;
    history.begin(CheckpointRecord { progress: CheckpointProgress::InProgress, ended_ms: None, ..pending });
    let answer = listed(&job, &history, BORN + 2_020);
    assert_eq!(answer["counts"], json!({"restored": 0, "total": 2, "in_progress": 1, "completed": 0, "failed": 1}));
    let failed = json!({
        "className": "failed", "id": 1, "status": "FAILED", "is_savepoint": true, "savepointFormat": "CANONICAL",
        "trigger_timestamp": BORN + 1_000, "latest_ack_timestamp": -1,
        "checkpointed_size": 0, "state_size": 0, "end_to_end_duration": 3,
        "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0,
        "num_subtasks": 1, "num_acknowledged_subtasks": 0, "checkpoint_type": "SYNC_SAVEPOINT", "tasks": {},
        "failure_timestamp": BORN + 1_003, "failure_message": "no room for ******",
    });
    assert_eq!(answer["latest"]["failed"], failed);
    let pending = &answer["history"][0];
    assert_eq!((&pending["className"], &pending["status"]), (&json!("in_progress"), &json!("IN_PROGRESS")));
    assert_eq!((&pending["num_acknowledged_subtasks"], &pending["state_size"]), (&json!(2), &json!(200)));
    assert_eq!(pending["end_to_end_duration"], 20);
    assert!(!keys(pending).contains("external_path"));
}

#[test]
fn a_restored_savepoint_is_told_with_its_place() {
    let job = job();
    let mut history = CheckpointHistory::default();
    history.restored(crate::view::checkpoints::RestoredCheckpoint {
        id: 6,
        restored_ms: BORN,
        is_savepoint: true,
        path: "/sp/savepoint-070707-1".into(),
        state_bytes: 9,
    });
    let answer = listed(&job, &history, BORN);
    let expected = json!({
        "id": 6, "restore_timestamp": BORN, "is_savepoint": true, "external_path": "file:/sp/savepoint-070707-1",
    });
    assert_eq!(answer["latest"]["restored"], expected);
    assert_eq!(answer["counts"]["restored"], 1);
}

#[test]
fn the_configuration_is_that_of_the_job() {
    let mut job = job();
    let answer = serde_json::to_value(configuration(&job.facts)).unwrap();
    let expected = json!({
        "mode": "exactly_once", "interval": 2_000, "timeout": 600_000, "min_pause": 0, "max_concurrent": 1,
        "externalization": {"enabled": true, "delete_on_cancellation": false},
        "state_backend": "HashMapStateBackend", "checkpoint_storage": "FileSystemCheckpointStorage",
        "unaligned_checkpoints": false, "tolerable_failed_checkpoints": 0, "aligned_checkpoint_timeout": 0,
        "checkpoints_after_tasks_finish": true, "state_changelog_enabled": false,
        "changelog_periodic_materialization_interval": 600_000, "changelog_storage": "memory",
    });
    assert_eq!(answer, expected);
    job.facts.checkpoints.interval = None;
    assert_eq!(configuration(&job.facts).interval, i64::MAX);
}
