//! The cluster as a whole: overview, configuration, environment, logs and threads.
//!
//! Invariant: an answer that says nothing is an empty object and not an empty body.

use serde::{Deserialize, Serialize};

/// The answer that says only that the request was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmptyBody {}

/// The answer to a request for the overview of the cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusterOverview {
    /// The number of task managers.
    pub taskmanagers: i64,
    /// The number of slots.
    pub slots_total: i64,
    /// The number of slots that are free.
    pub slots_available: i64,
    /// The number of task managers that get no work, printed when there are any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub taskmanagers_blocked: i64,
    /// The number of free slots on them, printed when there are any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slots_free_and_blocked: i64,
    /// The number of jobs that are not ended.
    pub jobs_running: i64,
    /// The number of jobs that ended well.
    pub jobs_finished: i64,
    /// The number of jobs that were cancelled.
    pub jobs_cancelled: i64,
    /// The number of jobs that failed.
    pub jobs_failed: i64,
    /// The version of Flink.
    pub flink_version: String,
    /// The commit of that version.
    pub flink_commit: String,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

/// The answer to a request for the configuration of the Web UI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DashboardConfiguration {
    /// Milliseconds between two refreshes of the Web UI.
    pub refresh_interval: i64,
    /// The name of the zone of the server.
    pub timezone_name: String,
    /// The offset of that zone in milliseconds.
    pub timezone_offset: i64,
    /// The version of Flink.
    pub flink_version: String,
    /// The commit and its date.
    pub flink_revision: String,
    /// What the Web UI may do.
    pub features: Features,
}

/// What the Web UI may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Features {
    /// Whether jobs may be submitted.
    pub web_submit: bool,
    /// Whether jobs may be cancelled.
    pub web_cancel: bool,
    /// Whether jobs may be rescaled.
    pub web_rescale: bool,
    /// Whether this is a history server.
    pub web_history: bool,
}

/// The answer to a request for the configuration of the cluster, of a job or of an application.
pub type ConfigurationInfo = Vec<ConfigurationInfoEntry>;

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationInfoEntry {
    /// The key.
    pub key: String,
    /// The value, hidden when it is a secret.
    pub value: String,
}

/// The answer to a request for the environment of the process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EnvironmentInfo {
    /// The machine that runs the process.
    pub jvm: JvmInfo,
    /// The parts from which the process was loaded.
    pub classpath: Vec<String>,
}

/// The machine that runs the process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JvmInfo {
    /// Name and version.
    pub version: String,
    /// The processor.
    pub arch: String,
    /// The arguments with which it was started.
    pub options: Vec<String>,
}

/// The answer to a request for the list of logs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LogListInfo {
    /// The files.
    pub logs: Vec<LogInfo>,
}

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInfo {
    /// The name without a folder.
    pub name: String,
    /// The length in bytes.
    pub size: i64,
    /// The time of the last change, in milliseconds.
    pub mtime: i64,
}

/// The answer to a request for the address of logs that are kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogUrlResponse {
    /// The address.
    pub url: String,
}

/// The answer to a request for the threads of a process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadDumpInfo {
    /// The threads.
    pub thread_infos: Vec<ThreadInfo>,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadInfo {
    /// The name.
    pub thread_name: String,
    /// The state and the trace as text.
    pub stringified_thread_info: String,
}

#[cfg(test)]
mod tests;
