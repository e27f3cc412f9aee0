//! The failures of a job, with those that happened beside them.
//!
//! Invariant: a failure of the whole job names neither a task nor a place.

use serde::{Deserialize, Serialize};

use crate::ordered::OrderedMap;

/// The answer to a request for the failures of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobExceptionsInfoWithHistory {
    /// The failures.
    pub exception_history: JobExceptionHistory,
}

/// The failures of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JobExceptionHistory {
    /// The failures that were kept, the latest first.
    pub entries: Vec<RootExceptionInfo>,
    /// Whether there were more than were asked for.
    pub truncated: bool,
}

/// A failure that made the job restart or fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RootExceptionInfo {
    /// The failure.
    #[serde(flatten)]
    pub exception: ExceptionInfo,
    /// What failed in other tasks before the restart.
    pub concurrent_exceptions: Vec<ExceptionInfo>,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionInfo {
    /// The full name of the class.
    pub exception_name: String,
    /// The message and the trace.
    pub stacktrace: String,
    /// When it happened, in milliseconds.
    pub timestamp: i64,
    /// What failure enrichers said about it.
    pub failure_labels: OrderedMap<String, String>,
    /// The name of the task with its number, such as `source (1/2) - execution #0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_name: Option<String>,
    /// The host and the port of the task manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The id of the task manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_manager_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::JobExceptionsInfoWithHistory;
    use crate::round_trip::{printed_back, refusal};

    #[test]
    fn a_job_without_failures_has_an_empty_history() {
        let info: JobExceptionsInfoWithHistory =
            printed_back(r#"{"exceptionHistory":{"entries":[],"truncated":false}}"#);
        assert_eq!(info, JobExceptionsInfoWithHistory::default());
        assert!(
            refusal::<JobExceptionsInfoWithHistory>(r#"{"exceptionHistory":{"entries":[]}}"#).contains("truncated")
        );
    }

    #[test]
    fn a_failure_of_a_task_tells_where_and_what_else_failed() {
        let info: JobExceptionsInfoWithHistory = printed_back(
            r#"{"exceptionHistory":{"entries":[{"exceptionName":"E","stacktrace":"E: x","timestamp":9,
            "failureLabels":{"type":"user"},"taskName":"source (1/2)","endpoint":"localhost:1","taskManagerId":"tm",
            "concurrentExceptions":[{"exceptionName":"F","stacktrace":"F: y","timestamp":10,"failureLabels":{},
            "taskName":"source (2/2)","endpoint":"localhost:1","taskManagerId":"tm"}]},
            {"exceptionName":"G","stacktrace":"G: z","timestamp":8,"failureLabels":{},"concurrentExceptions":[]}],
            "truncated":true}}"#,
        );
        let names: Vec<_> =
            info.exception_history.entries.iter().map(|entry| entry.exception.task_name.as_deref()).collect();
        assert_eq!(names, [Some("source (1/2)"), None]);
    }
}
