//! `FlinkStateSnapshot`: a savepoint or a checkpoint, asked for or taken elsewhere.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::SavepointFormatType;
use crate::words::words;

words! {
    /// The kinds of resource that have a job.
    JobKind {
        /// An application.
        FlinkDeployment = "FlinkDeployment",
        /// A job on a session cluster.
        FlinkSessionJob = "FlinkSessionJob",
    }
}

words! {
    /// How far a snapshot is.
    SnapshotState {
        /// It was not asked for yet.
        TriggerPending = "TRIGGER_PENDING",
        /// It is being taken.
        InProgress = "IN_PROGRESS",
        /// It is there.
        Completed = "COMPLETED",
        /// It failed and is not tried again.
        Failed = "FAILED",
        /// Its job is gone.
        Abandoned = "ABANDONED",
    }
}

/// The job that a snapshot is of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobReference {
    /// Kind of the resource: `FlinkDeployment` or `FlinkSessionJob`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<JobKind>,
    /// Name of the resource, in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A savepoint to take, or one that already exists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavepointSpec {
    /// Directory for the savepoint; with `alreadyExists`, where it lies. Default:
    /// `execution.checkpointing.savepoint-dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Format: `CANONICAL` or `NATIVE`. Default: `CANONICAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_type: Option<SavepointFormatType>,
    /// Whether the files go when this resource is deleted. Default: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispose_on_delete: Option<bool>,
    /// Whether the savepoint exists and is only recorded here. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already_exists: Option<bool>,
}

/// A checkpoint to take; there is nothing to choose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointSpec {}

/// Desired snapshot: of which job, and a savepoint or a checkpoint.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flink.apache.org",
    version = "v1beta1",
    kind = "FlinkStateSnapshot",
    plural = "flinkstatesnapshots",
    shortname = "flinksnp",
    namespaced,
    status = "FlinkStateSnapshotStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A savepoint or a checkpoint of a job.",
    printcolumn = r#"{
        "name": "Path",
        "type": "string",
        "jsonPath": ".status.path",
        "description": "Final path of the snapshot."
    }"#,
    printcolumn = r#"{
        "name": "Result Timestamp",
        "type": "string",
        "jsonPath": ".status.resultTimestamp",
        "description": "Timestamp of when the snapshot was created or failed."
    }"#,
    printcolumn = r#"{
        "name": "Snapshot State",
        "type": "string",
        "jsonPath": ".status.state",
        "description": "Current state of the snapshot."
    }"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    category = "all",
    category = "flink"
)]
#[serde(rename_all = "camelCase")]
pub struct FlinkStateSnapshotSpec {
    /// The job; not needed for a savepoint that already exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_reference: Option<JobReference>,
    /// Takes or records a savepoint. Exactly one of `savepoint` and `checkpoint` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<SavepointSpec>,
    /// Takes a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointSpec>,
    /// How often a failed snapshot is tried again: -1 for ever, 0 never. Default: -1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_limit: Option<i32>,
}

/// Observed state of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkStateSnapshotStatus {
    /// How far the snapshot is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SnapshotState>,
    /// Identifier under which Flink takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
    /// When it was asked for, as an RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_timestamp: Option<String>,
    /// When it was completed or failed, as an RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_timestamp: Option<String>,
    /// Where it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<i32>,
}
