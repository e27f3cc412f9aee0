//! Operations that take their time: checkpoints, savepoints, stop and disposal; how they are asked for and asked about.
//!
//! Invariant: what a request leaves out, or says with null, has the default that Flink gives it.

use serde::{Deserialize, Serialize};

use crate::request_fields::{or_default, switch, text, trigger_id};
use crate::throwable::SerializedThrowable;
use crate::words::words;

words! {
    /// The format of a savepoint.
    #[derive(Default)]
    SavepointFormatType means "a savepoint format" {
        /// The format that every state backend reads.
        #[default]
        Canonical = "CANONICAL",
        /// The format of the state backend.
        Native = "NATIVE",
    }
}

words! {
    /// What a triggered checkpoint holds.
    #[derive(Default)]
    CheckpointType means "a checkpoint type" {
        /// What the configuration says.
        #[default]
        Configured = "CONFIGURED",
        /// The whole state.
        Full = "FULL",
        /// What has changed since the last one.
        Incremental = "INCREMENTAL",
    }
}

words! {
    /// Whether an operation has ended.
    QueueStatusId means "a queue status" {
        /// It goes on.
        InProgress = "IN_PROGRESS",
        /// It has ended, well or not.
        Completed = "COMPLETED",
    }
}

/// Asks for a savepoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SavepointTriggerRequestBody {
    /// Where it goes; the configured folder when it is absent.
    #[serde(rename = "target-directory", deserialize_with = "text")]
    pub target_directory: Option<String>,
    /// Whether the job is cancelled after it.
    #[serde(rename = "cancel-job", deserialize_with = "switch")]
    pub cancel_job: bool,
    /// Its format.
    #[serde(rename = "formatType", deserialize_with = "or_default")]
    pub format_type: SavepointFormatType,
    /// The id of the operation, when the client chooses it.
    #[serde(rename = "triggerId", deserialize_with = "trigger_id")]
    pub trigger_id: Option<String>,
}

/// Asks for a savepoint after which the job stops.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StopWithSavepointRequestBody {
    /// Where it goes; the configured folder when it is absent.
    #[serde(deserialize_with = "text")]
    pub target_directory: Option<String>,
    /// Whether time is brought to its end before, so that every window fires.
    #[serde(deserialize_with = "switch")]
    pub drain: bool,
    /// Its format.
    #[serde(deserialize_with = "or_default")]
    pub format_type: SavepointFormatType,
    /// The id of the operation, when the client chooses it.
    #[serde(deserialize_with = "trigger_id")]
    pub trigger_id: Option<String>,
}

/// Asks for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CheckpointTriggerRequestBody {
    /// What it holds.
    #[serde(deserialize_with = "or_default")]
    pub checkpoint_type: CheckpointType,
    /// The id of the operation, when the client chooses it.
    #[serde(deserialize_with = "trigger_id")]
    pub trigger_id: Option<String>,
}

/// Asks for the removal of a savepoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct SavepointDisposalRequest {
    /// Where it lies; a request without it is well-formed and refused later.
    #[serde(deserialize_with = "text")]
    pub savepoint_path: Option<String>,
}

/// The answer to a request that began an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TriggerResponse {
    /// The id with which the operation is asked about.
    pub request_id: String,
}

/// Whether an operation has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Whether it has ended.
    pub id: QueueStatusId,
}

impl QueueStatus {
    /// The operation goes on.
    pub const IN_PROGRESS: Self = Self { id: QueueStatusId::InProgress };
    /// The operation has ended.
    pub const COMPLETED: Self = Self { id: QueueStatusId::Completed };
}

/// The answer to a question about an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AsynchronousOperationResult<T> {
    /// Whether it has ended.
    pub status: QueueStatus,
    /// How it ended.
    pub operation: Option<T>,
}

impl<T> AsynchronousOperationResult<T> {
    /// Returns the answer while the operation goes on.
    pub const fn in_progress() -> Self {
        Self { status: QueueStatus::IN_PROGRESS, operation: None }
    }

    /// Returns the answer after the operation has ended.
    pub const fn completed(operation: T) -> Self {
        Self { status: QueueStatus::COMPLETED, operation: Some(operation) }
    }
}

/// How a savepoint, or a stop with one, ended: one of the two fields is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavepointInfo {
    /// Where it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<SerializedThrowable>,
}

/// How a triggered checkpoint ended: one of the two fields is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointInfo {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_id: Option<i64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<SerializedThrowable>,
}

/// How an operation without a result ended, such as the removal of a savepoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AsynchronousOperationInfo {
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<SerializedThrowable>,
}

#[cfg(test)]
mod tests;
