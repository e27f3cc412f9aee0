//! Applications: the list, one application, and its failures.
//!
//! Invariant: an application counts its jobs by their state and names no state in which it has none.

use serde::{Deserialize, Serialize};

use crate::jobs::JobDetails;
use crate::ordered::OrderedMap;
use crate::per_state::PerState;
use crate::states::{ApplicationState, JobStatus};

/// The answer to a request for all applications.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MultipleApplicationsDetails {
    /// The applications.
    pub applications: Vec<ApplicationDetails>,
}

/// An application in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApplicationDetails {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// When it began, in milliseconds.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
    /// Milliseconds from its beginning to its end or to now.
    pub duration: i64,
    /// Its state.
    pub status: ApplicationState,
    /// The number of jobs in each state that any job has.
    pub jobs: OrderedMap<JobStatus, i64>,
}

/// The answer to a request for one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ApplicationDetailsInfo {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Its state.
    pub status: ApplicationState,
    /// When it began, in milliseconds.
    pub start_time: i64,
    /// When it ended, or -1.
    pub end_time: i64,
    /// Milliseconds from its beginning to its end or to now.
    pub duration: i64,
    /// When it entered each state, in milliseconds; zero for a state that it never had.
    pub timestamps: PerState<ApplicationState>,
    /// Its jobs.
    pub jobs: Vec<JobDetails>,
}

/// The answer to a request for the failures of an application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationExceptionsInfoWithHistory {
    /// The failures.
    pub exception_history: ApplicationExceptionHistory,
}

/// The failures of an application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApplicationExceptionHistory {
    /// The failures, the latest first.
    pub entries: Vec<ApplicationExceptionInfo>,
}

/// A failure of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationExceptionInfo {
    /// The full name of the class.
    pub exception_name: String,
    /// The message and the trace.
    pub stacktrace: String,
    /// When it happened, in milliseconds.
    pub timestamp: i64,
    /// The job in which it happened, when it happened in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{ApplicationDetailsInfo, ApplicationExceptionsInfoWithHistory, MultipleApplicationsDetails};
    use crate::round_trip::{printed_back, refusal};
    use crate::states::{ApplicationState, JobStatus};

    #[test]
    fn an_application_counts_the_jobs_that_it_has() {
        let list: MultipleApplicationsDetails = printed_back(
            r#"{"applications":[{"id":"a0","name":"app","start-time":5,"end-time":-1,"duration":7,"status":"RUNNING",
            "jobs":{"RUNNING":2,"FINISHED":1}}]}"#,
        );
        let counts: Vec<_> = list.applications.iter().map(|app| app.jobs.get(&JobStatus::Running)).collect();
        assert_eq!(counts, [Some(&2)]);
        assert!(refusal::<MultipleApplicationsDetails>(r#"{"applications":[{"id":"a0"}]}"#).contains("name"));
    }

    #[test]
    fn one_application_tells_when_it_entered_its_states() {
        let info: ApplicationDetailsInfo = printed_back(
            r#"{"id":"a0","name":"app","status":"RUNNING","start-time":5,"end-time":-1,"duration":7,
            "timestamps":{"RUNNING":6,"CREATED":5,"FAILING":0,"FINISHED":0,"FAILED":0,"CANCELED":0,"CANCELING":0},
            "jobs":[]}"#,
        );
        assert_eq!(info.timestamps.get(ApplicationState::Running), 6);
    }

    #[test]
    fn a_failure_names_its_job_only_when_it_has_one() {
        let failures: ApplicationExceptionsInfoWithHistory = printed_back(
            r#"{"exceptionHistory":{"entries":[{"exceptionName":"E","stacktrace":"E: x","timestamp":9},
            {"exceptionName":"F","stacktrace":"F: y","timestamp":8,"jobId":"j0"}]}}"#,
        );
        assert_eq!(failures.exception_history.entries.len(), 2);
    }
}
