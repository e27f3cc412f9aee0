//! What the subtasks of one vertex did for a checkpoint.
//!
//! Invariant: the class name of a subtask repeats its status.

use serde::{Deserialize, Serialize};

use crate::checkpoints::TaskCheckpointStatistics;
use crate::statistics::StatsSummary;

/// The answer to a request for one vertex of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskCheckpointStatisticsWithSubtaskDetails {
    /// What the vertex did.
    #[serde(flatten)]
    pub task: TaskCheckpointStatistics,
    /// The summary over its subtasks; absent values are zero with unknown percentiles.
    pub summary: SubtaskCheckpointSummary,
    /// The subtasks.
    pub subtasks: Vec<SubtaskCheckpointStatistics>,
}

/// The summary of a checkpoint over the subtasks of a vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtaskCheckpointSummary {
    /// Bytes written by the checkpoint itself.
    pub checkpointed_size: StatsSummary,
    /// Bytes of the whole state.
    pub state_size: StatsSummary,
    /// Milliseconds from the trigger to the acknowledgement.
    pub end_to_end_duration: StatsSummary,
    /// Milliseconds of the two parts of the snapshot.
    pub checkpoint_duration: CheckpointDurationSummary,
    /// What happened while barriers were aligned.
    pub alignment: CheckpointAlignmentSummary,
    /// Milliseconds from the trigger to the first barrier.
    pub start_delay: StatsSummary,
}

/// The summary of the two parts of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointDurationSummary {
    /// The part during which no record is processed.
    pub sync: StatsSummary,
    /// The part beside the processing of records.
    #[serde(rename = "async")]
    pub asynchronous: StatsSummary,
}

/// The summary of the alignment of barriers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointAlignmentSummary {
    /// Always zero: Flink keeps the key only.
    pub buffered: StatsSummary,
    /// Bytes processed.
    pub processed: StatsSummary,
    /// Bytes persisted.
    pub persisted: StatsSummary,
    /// Milliseconds.
    pub duration: StatsSummary,
}

/// What one subtask did for a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "className", rename_all = "snake_case")]
pub enum SubtaskCheckpointStatistics {
    /// The subtask acknowledged.
    Completed(CompletedSubtaskCheckpoint),
    /// The subtask has not acknowledged.
    Pending(PendingSubtaskCheckpoint),
}

impl SubtaskCheckpointStatistics {
    /// Returns the entry of a subtask that has not acknowledged.
    pub fn pending(index: i64) -> Self {
        Self::Pending(PendingSubtaskCheckpoint { index, status: "pending_or_failed".to_owned() })
    }
}

/// What a subtask that acknowledged did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedSubtaskCheckpoint {
    /// The number of the subtask.
    pub index: i64,
    /// When it acknowledged, in milliseconds.
    pub ack_timestamp: i64,
    /// Milliseconds from the trigger to the acknowledgement.
    pub end_to_end_duration: i64,
    /// Bytes written by the checkpoint itself.
    pub checkpointed_size: i64,
    /// Bytes of the whole state.
    pub state_size: i64,
    /// Milliseconds of the two parts of the snapshot.
    pub checkpoint: CheckpointDuration,
    /// What happened while barriers were aligned.
    pub alignment: CheckpointAlignment,
    /// Milliseconds from the trigger to the first barrier.
    pub start_delay: i64,
    /// Whether barriers overtook records.
    pub unaligned_checkpoint: bool,
    /// Whether the subtask gave the checkpoint up.
    pub aborted: bool,
    /// Always `completed`.
    pub status: String,
}

/// The two parts of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckpointDuration {
    /// The part during which no record is processed.
    pub sync: i64,
    /// The part beside the processing of records.
    #[serde(rename = "async")]
    pub asynchronous: i64,
}

/// The alignment of barriers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckpointAlignment {
    /// Always zero: Flink keeps the key only.
    pub buffered: i64,
    /// Bytes processed.
    pub processed: i64,
    /// Bytes persisted.
    pub persisted: i64,
    /// Milliseconds.
    pub duration: i64,
}

/// A subtask that has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSubtaskCheckpoint {
    /// The number of the subtask.
    pub index: i64,
    /// Always `pending_or_failed`.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::{SubtaskCheckpointStatistics, TaskCheckpointStatisticsWithSubtaskDetails};
    use crate::round_trip::{printed_back, refusal};

    #[test]
    fn a_vertex_shows_what_each_subtask_did() {
        let series = r#"{"min":0,"max":0,"avg":0,"p50":"NaN","p90":"NaN","p95":"NaN","p99":"NaN","p999":"NaN"}"#;
        let json = format!(
            r#"{{"id":3,"status":"IN_PROGRESS","latest_ack_timestamp":12,"checkpointed_size":5,"state_size":6,
            "end_to_end_duration":2,"alignment_buffered":0,"processed_data":1,"persisted_data":0,"num_subtasks":2,
            "num_acknowledged_subtasks":1,"summary":{{"checkpointed_size":{series},"state_size":{series},
            "end_to_end_duration":{series},"checkpoint_duration":{{"sync":{series},"async":{series}}},
            "alignment":{{"buffered":{series},"processed":{series},"persisted":{series},"duration":{series}}},
            "start_delay":{series}}},"subtasks":[{{"className":"completed","index":0,"ack_timestamp":12,
            "end_to_end_duration":2,"checkpointed_size":5,"state_size":6,"checkpoint":{{"sync":0,"async":1}},
            "alignment":{{"buffered":0,"processed":1,"persisted":0,"duration":0}},"start_delay":1,
            "unaligned_checkpoint":false,"aborted":false,"status":"completed"}},
            {{"className":"pending","index":1,"status":"pending_or_failed"}}]}}"#
        );
        let vertex: TaskCheckpointStatisticsWithSubtaskDetails = printed_back(&json);
        assert_eq!(vertex.task.num_acknowledged_subtasks, 1);
        assert_eq!(vertex.subtasks.last(), Some(&SubtaskCheckpointStatistics::pending(1)));
    }

    #[test]
    fn a_subtask_without_a_class_is_refused() {
        assert!(refusal::<SubtaskCheckpointStatistics>(r#"{"index":0}"#).contains("className"));
    }
}
