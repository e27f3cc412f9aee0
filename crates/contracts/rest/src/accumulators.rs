//! Accumulators of a job, of a vertex and of its subtasks.
//!
//! Invariant: an accumulator is shown as text; only the serialized form is the object itself.

use serde::{Deserialize, Serialize};

use crate::cluster::EmptyBody;
use crate::ordered::OrderedMap;

/// An accumulator of user code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserAccumulator {
    /// The name.
    pub name: String,
    /// The class.
    #[serde(rename = "type")]
    pub accumulator_type: String,
    /// The value as text.
    pub value: String,
}

/// The answer to a request for the accumulators of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobAccumulatorsInfo {
    /// Always empty: Flink keeps the key only.
    pub job_accumulators: Vec<EmptyBody>,
    /// The accumulators of all tasks, merged.
    pub user_task_accumulators: Vec<UserAccumulator>,
    /// The same as serialized objects in base 64, when they were asked for.
    pub serialized_user_task_accumulators: OrderedMap<String, String>,
}

/// The answer to a request for the accumulators of a vertex.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobVertexAccumulatorsInfo {
    /// The id of the vertex.
    pub id: String,
    /// The accumulators of its subtasks, merged.
    pub user_accumulators: Vec<UserAccumulator>,
}

/// The answer to a request for the accumulators of each subtask of a vertex.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubtasksAllAccumulatorsInfo {
    /// The id of the vertex.
    pub id: String,
    /// The number of subtasks.
    pub parallelism: i64,
    /// The subtasks.
    pub subtasks: Vec<SubtaskAccumulatorsInfo>,
}

/// The accumulators of a subtask.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubtaskAccumulatorsInfo {
    /// The number of the subtask.
    pub subtask: i64,
    /// The number of the attempt.
    pub attempt: i64,
    /// The host and the port of its task manager.
    pub endpoint: String,
    /// The accumulators.
    pub user_accumulators: Vec<UserAccumulator>,
}

/// The answer to a request for the accumulators of one attempt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubtaskExecutionAttemptAccumulatorsInfo {
    /// The number of the subtask.
    pub subtask: i64,
    /// The number of the attempt.
    pub attempt: i64,
    /// The id of the attempt.
    pub id: String,
    /// The accumulators.
    pub user_accumulators: Vec<UserAccumulator>,
}

#[cfg(test)]
mod tests {
    use super::{
        JobAccumulatorsInfo, JobVertexAccumulatorsInfo, SubtaskExecutionAttemptAccumulatorsInfo,
        SubtasksAllAccumulatorsInfo,
    };
    use crate::round_trip::printed_back;

    #[test]
    fn a_job_without_accumulators_has_all_three_keys() {
        let info: JobAccumulatorsInfo = printed_back(
            r#"{"job-accumulators":[],"user-task-accumulators":[],"serialized-user-task-accumulators":{}}"#,
        );
        assert_eq!(info, JobAccumulatorsInfo::default());
    }

    #[test]
    fn accumulators_stand_with_name_type_and_value() {
        let info: JobAccumulatorsInfo = printed_back(
            r#"{"job-accumulators":[{}],"user-task-accumulators":[{"name":"n","type":"IntCounter","value":"3"}],
            "serialized-user-task-accumulators":{"n":"rO0A"}}"#,
        );
        assert_eq!(info.serialized_user_task_accumulators.get("n").map(String::as_str), Some("rO0A"));
        let vertex: JobVertexAccumulatorsInfo =
            printed_back(r#"{"id":"v0","user-accumulators":[{"name":"n","type":"IntCounter","value":"3"}]}"#);
        assert_eq!(vertex.user_accumulators, info.user_task_accumulators);
    }

    #[test]
    fn subtasks_and_attempts_tell_where_they_are() {
        let all: SubtasksAllAccumulatorsInfo = printed_back(
            r#"{"id":"v0","parallelism":1,"subtasks":[
            {"subtask":0,"attempt":0,"endpoint":"localhost:1","user-accumulators":[]}]}"#,
        );
        assert_eq!(all.subtasks.len(), 1);
        let one: SubtaskExecutionAttemptAccumulatorsInfo =
            printed_back(r#"{"subtask":0,"attempt":1,"id":"e0","user-accumulators":[]}"#);
        assert_eq!(one.attempt, 1);
    }
}
