//! What the subtasks of one vertex did for a checkpoint.

use kobel_model::ids::OperatorId;
use kobel_rest::checkpoint_subtasks::{
    CheckpointAlignment, CheckpointAlignmentSummary, CheckpointDuration, CheckpointDurationSummary,
    CompletedSubtaskCheckpoint, SubtaskCheckpointStatistics, SubtaskCheckpointSummary,
    TaskCheckpointStatisticsWithSubtaskDetails,
};
use kobel_rest::statistics::StatsSummary;

use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::checkpoints::{asked, asked_id, of_vertex};
use crate::view::checkpoints::{CheckpointHistory, CheckpointRecord, SubtaskCheckpoint};
use crate::view::plan::PlanView;

/// `GET /jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    let (id, vertex): (i64, OperatorId) = (asked_id(call)?, call.path_value("vertexid")?);
    let job = call.job()?;
    let found = job.read(|state| details(&job.facts.plan, &state.checkpoints, id, vertex));
    Answer::json(&found?)
}

fn details(
    plan: &PlanView,
    history: &CheckpointHistory,
    id: i64,
    vertex: OperatorId,
) -> Result<TaskCheckpointStatisticsWithSubtaskDetails, Refusal> {
    let record = asked(history, id)?;
    let subtasks = plan.vertex(&vertex.to_string()).and_then(|(index, _)| record.tasks.get(index));
    let unknown = || Refusal::missing(format!("There is no checkpoint statistics for task {vertex}."));
    let subtasks = subtasks.ok_or_else(unknown)?;
    let entry = |(index, subtask): (usize, &Option<SubtaskCheckpoint>)| match subtask {
        Some(subtask) => SubtaskCheckpointStatistics::Completed(completed(record, index, subtask)),
        None => SubtaskCheckpointStatistics::pending(index as i64),
    };
    Ok(TaskCheckpointStatisticsWithSubtaskDetails {
        task: of_vertex(record, subtasks),
        summary: summary(record, subtasks),
        subtasks: subtasks.iter().enumerate().map(entry).collect(),
    })
}

/// Milliseconds from the trigger to the acknowledgement.
fn duration(record: &CheckpointRecord, subtask: &SubtaskCheckpoint) -> i64 {
    (subtask.ack_ms - record.triggered_ms).max(0)
}

fn completed(record: &CheckpointRecord, index: usize, subtask: &SubtaskCheckpoint) -> CompletedSubtaskCheckpoint {
    CompletedSubtaskCheckpoint {
        index: index as i64,
        ack_timestamp: subtask.ack_ms,
        end_to_end_duration: duration(record, subtask),
        checkpointed_size: subtask.written_bytes as i64,
        state_size: subtask.state_bytes as i64,
        checkpoint: CheckpointDuration { sync: subtask.sync_ms as i64, asynchronous: subtask.async_ms as i64 },
        alignment: CheckpointAlignment { duration: subtask.alignment_ms as i64, ..CheckpointAlignment::default() },
        start_delay: subtask.start_delay_ms as i64,
        unaligned_checkpoint: false,
        aborted: false,
        status: "completed".to_owned(),
    }
}

fn summary(record: &CheckpointRecord, subtasks: &[Option<SubtaskCheckpoint>]) -> SubtaskCheckpointSummary {
    let of = |value: fn(&SubtaskCheckpoint) -> u64| {
        let values: Vec<i64> = subtasks.iter().flatten().map(|subtask| value(subtask) as i64).collect();
        ends_and_mean(&values)
    };
    let durations: Vec<i64> = subtasks.iter().flatten().map(|subtask| duration(record, subtask)).collect();
    SubtaskCheckpointSummary {
        checkpointed_size: of(|subtask| subtask.written_bytes),
        state_size: of(|subtask| subtask.state_bytes),
        end_to_end_duration: ends_and_mean(&durations),
        checkpoint_duration: CheckpointDurationSummary {
            sync: of(|subtask| subtask.sync_ms),
            asynchronous: of(|subtask| subtask.async_ms),
        },
        alignment: CheckpointAlignmentSummary {
            // Flink keeps the key only, and its percentiles alone are known.
            buffered: StatsSummary::of(&[0]),
            processed: ends_and_mean(&[]),
            persisted: ends_and_mean(&[]),
            duration: of(|subtask| subtask.alignment_ms),
        },
        start_delay: of(|subtask| subtask.start_delay_ms),
    }
}

/// Flink keeps no percentiles over subtasks.
fn ends_and_mean(values: &[i64]) -> StatsSummary {
    let all = StatsSummary::of(values);
    StatsSummary::without_percentiles(all.min, all.max, all.avg)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rest::fixtures::{BORN, SINK, SOURCE, checkpoint, job};

    fn history(tasks: Option<Vec<Vec<Option<SubtaskCheckpoint>>>>) -> CheckpointHistory {
        let mut history = CheckpointHistory::default();
        let record = checkpoint(1);
        history.begin(CheckpointRecord { tasks: tasks.unwrap_or_else(|| record.tasks.clone()), ..record });
        history
    }

    fn answer(history: &CheckpointHistory, vertex: &str) -> serde_json::Value {
        let found = details(&job().facts.plan, history, 1, vertex.parse().unwrap());
        serde_json::to_value(found.unwrap()).unwrap()
    }

    #[test]
    fn a_vertex_tells_of_each_subtask_and_sums_them_up() {
        let answer = answer(&history(None), SOURCE);
        assert_eq!((&answer["id"], &answer["num_acknowledged_subtasks"]), (&json!(1), &json!(2)));
        let subtask = |index: i64, ack: i64| {
            json!({
                "className": "completed", "index": index, "ack_timestamp": BORN + 1_000 + ack,
                "end_to_end_duration": ack, "checkpointed_size": 10, "state_size": 100,
                "checkpoint": {"sync": 1, "async": 2},
                "alignment": {"buffered": 0, "processed": 0, "persisted": 0, "duration": 3},
                "start_delay": 4, "unaligned_checkpoint": false, "aborted": false, "status": "completed",
            })
        };
        assert_eq!(answer["subtasks"], json!([subtask(0, 11), subtask(1, 15)]));
        let ends = |min: i64, max: i64| {
            json!({"min": min, "max": max, "avg": (min + max) / 2, "p50": "NaN", "p90": "NaN", "p95": "NaN",
                "p99": "NaN", "p999": "NaN"})
        };
        let zero = json!({"min": 0, "max": 0, "avg": 0, "p50": 0.0, "p90": 0.0, "p95": 0.0, "p99": 0.0, "p999": 0.0});
        let summary = json!({
            "checkpointed_size": ends(10, 10), "state_size": ends(100, 100), "end_to_end_duration": ends(11, 15),
            "checkpoint_duration": {"sync": ends(1, 1), "async": ends(2, 2)},
            "alignment": {"buffered": zero, "processed": ends(0, 0), "persisted": ends(0, 0), "duration": ends(3, 3)},
            "start_delay": ends(4, 4),
        });
        assert_eq!(answer["summary"], summary);
    }

    #[test]
    fn subtasks_that_have_not_acknowledged_are_pending() {
        let answer = answer(&history(Some(vec![vec![], vec![None]])), SINK);
        let pending = json!({"className": "pending", "index": 0, "status": "pending_or_failed"});
        assert_eq!(answer["subtasks"], json!([pending]));
        assert_eq!((&answer["latest_ack_timestamp"], &answer["end_to_end_duration"]), (&json!(-1), &json!(-1)));
        assert_eq!(answer["summary"]["state_size"]["max"], 0);
    }

    #[test]
    fn a_vertex_that_is_unknown_has_no_statistics() {
        let nowhere = OperatorId::of(&["nowhere"]);
        let refusal = details(&job().facts.plan, &history(None), 1, nowhere).unwrap_err();
        assert_eq!(refusal, Refusal::missing(format!("There is no checkpoint statistics for task {nowhere}.")));
    }
}
