//! What clients of compiled jobs send: job graphs, coordination requests, heartbeats, and cached data sets.
//!
//! Invariant: what is serialized on a Java machine is text of base 64 here, and is never interpreted.

use serde::{Deserialize, Serialize};

/// Submits a job; the files themselves are parts of the same request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct JobSubmitRequestBody {
    /// The name of the part that holds the job.
    #[serde(alias = "jobGraphFileName")]
    pub execution_plan_file_name: Option<String>,
    /// The names of the parts that hold code.
    pub job_jar_file_names: Option<Vec<String>>,
    /// The files that tasks read.
    pub job_artifact_file_names: Option<Vec<DistributedCacheFile>>,
}

/// A file that tasks read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DistributedCacheFile {
    /// The name under which tasks find it.
    pub entry_name: String,
    /// The name of the part that holds it.
    pub file_name: String,
}

/// The answer to a request that submitted a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSubmitResponseBody {
    /// The path of the job in this API.
    pub job_url: String,
}

/// Says that the client of a job is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobClientHeartbeatRequestBody {
    /// When the job is to be cancelled unless the client says so again, in milliseconds.
    pub expired_timestamp: i64,
}

/// Asks the coordinator of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCoordinationRequestBody {
    /// The serialized request in base 64.
    pub serialized_coordination_request: String,
}

/// The answer of the coordinator of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCoordinationResponseBody {
    /// The serialized answer in base 64.
    pub serialized_coordination_result: String,
}

/// The answer to a request for the data sets that the cluster keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDataSetListResponseBody {
    /// The data sets.
    pub data_sets: Vec<ClusterDataSetEntry>,
}

/// A data set that the cluster keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDataSetEntry {
    /// The id.
    pub id: String,
    /// Whether all parts of it are there.
    pub is_complete: bool,
}

/// The answer to a request for the programs that were uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JarListInfo {
    /// The address of the server.
    pub address: String,
    /// The programs.
    pub files: Vec<JarFileInfo>,
}

/// A program that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JarFileInfo {
    /// The id.
    pub id: String,
    /// The name of the file.
    pub name: String,
    /// When it was uploaded, in milliseconds.
    pub uploaded: i64,
    /// The classes with which it can be started.
    pub entry: Vec<JarEntryInfo>,
}

/// A class with which a program can be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JarEntryInfo {
    /// The name.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{
        ClientCoordinationRequestBody, ClientCoordinationResponseBody, ClusterDataSetListResponseBody, JarListInfo,
        JobClientHeartbeatRequestBody, JobSubmitRequestBody, JobSubmitResponseBody,
    };
    use crate::round_trip::{printed_back, refusal};

    #[test]
    fn a_job_may_be_named_as_older_clients_name_it() {
        let request: JobSubmitRequestBody = printed_back(
            r#"{"executionPlanFileName":"p","jobJarFileNames":["a.jar"],
            "jobArtifactFileNames":[{"entryName":"e","fileName":"f"}]}"#,
        );
        let older: JobSubmitRequestBody = serde_json::from_str(r#"{"jobGraphFileName":"p"}"#).unwrap();
        assert_eq!(older.execution_plan_file_name, request.execution_plan_file_name);
        assert!(refusal::<JobSubmitRequestBody>(r#"{"jobJarFileNames":"a.jar"}"#).contains("expected a sequence"));
        let answer: JobSubmitResponseBody = printed_back(r#"{"jobUrl":"/jobs/j0"}"#);
        assert_eq!(answer.job_url, "/jobs/j0");
    }

    #[test]
    fn a_heartbeat_must_say_when_it_expires() {
        let heartbeat: JobClientHeartbeatRequestBody = printed_back(r#"{"expiredTimestamp":9}"#);
        assert_eq!(heartbeat.expired_timestamp, 9);
        assert!(refusal::<JobClientHeartbeatRequestBody>("{}").contains("expiredTimestamp"));
    }

    #[test]
    fn coordination_is_text() {
        let request: ClientCoordinationRequestBody = printed_back(r#"{"serializedCoordinationRequest":"rO0A"}"#);
        let answer: ClientCoordinationResponseBody = printed_back(r#"{"serializedCoordinationResult":"rO0A"}"#);
        assert_eq!(request.serialized_coordination_request, answer.serialized_coordination_result);
    }

    #[test]
    fn lists_of_data_sets_and_programs_may_be_empty() {
        let none: ClusterDataSetListResponseBody = printed_back(r#"{"dataSets":[]}"#);
        assert_eq!(none, ClusterDataSetListResponseBody::default());
        let one: ClusterDataSetListResponseBody = printed_back(r#"{"dataSets":[{"id":"d0","isComplete":true}]}"#);
        assert_eq!(one.data_sets.len(), 1);
        let jars: JarListInfo = printed_back(
            r#"{"address":"http://localhost:8081","files":[{"id":"i.jar","name":"n.jar","uploaded":9,
            "entry":[{"name":"Main","description":null}]}]}"#,
        );
        assert_eq!(jars.files.len(), 1);
    }
}
