//! What is known of a running job and of the work done for it, as the Apache operator records it.
//!
//! Another operator must be able to take over in the middle of an upgrade, so names and words are exact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// State of a job as Flink tells it.
    JobStatusState {
        /// The job manager of the job starts.
        Initializing = "INITIALIZING",
        /// The job is made and no task runs.
        Created = "CREATED",
        /// Tasks are scheduled or run.
        Running = "RUNNING",
        /// The job failed and its tasks are being cancelled.
        Failing = "FAILING",
        /// The job failed for good.
        Failed = "FAILED",
        /// The job is being cancelled.
        Cancelling = "CANCELLING",
        /// The job was cancelled.
        Canceled = "CANCELED",
        /// The job ended of itself.
        Finished = "FINISHED",
        /// The job restarts after a failure.
        Restarting = "RESTARTING",
        /// The job was stopped and another job manager may take it up.
        Suspended = "SUSPENDED",
        /// A restarted job manager gathers what runs.
        Reconciling = "RECONCILING",
    }
}

words! {
    /// State of a resource as a whole.
    LifecycleState {
        /// Nothing was deployed yet.
        Created = "CREATED",
        /// The job is stopped as asked.
        Suspended = "SUSPENDED",
        /// A change is being carried out.
        Upgrading = "UPGRADING",
        /// The change is carried out and not yet proven.
        Deployed = "DEPLOYED",
        /// The deployed version has run.
        Stable = "STABLE",
        /// The previous version is being brought back.
        RollingBack = "ROLLING_BACK",
        /// The previous version runs again.
        RolledBack = "ROLLED_BACK",
        /// The job failed for good.
        Failed = "FAILED",
        /// The resource is being deleted.
        Deleting = "DELETING",
        /// The resource is deleted.
        Deleted = "DELETED",
    }
}

words! {
    /// How far the last change is carried out.
    ReconciliationState {
        /// It is carried out.
        Deployed = "DEPLOYED",
        /// It is being carried out.
        Upgrading = "UPGRADING",
        /// It is being undone.
        RollingBack = "ROLLING_BACK",
        /// It was undone.
        RolledBack = "ROLLED_BACK",
    }
}

words! {
    /// Who or what asked for a snapshot.
    SnapshotTriggerType {
        /// A user.
        Manual = "MANUAL",
        /// The schedule.
        Periodic = "PERIODIC",
        /// A change of the job.
        Upgrade = "UPGRADE",
        /// It is not known.
        Unknown = "UNKNOWN",
    }
}

words! {
    /// Format of a savepoint.
    SavepointFormatType {
        /// The same for every state backend.
        Canonical = "CANONICAL",
        /// That of the state backend; faster.
        Native = "NATIVE",
        /// It is not known.
        Unknown = "UNKNOWN",
    }
}

words! {
    /// Format of a checkpoint.
    CheckpointFormatType {
        /// It stands for itself.
        Full = "FULL",
        /// It refers to earlier ones.
        Incremental = "INCREMENTAL",
        /// It is not known.
        Unknown = "UNKNOWN",
    }
}

/// A savepoint that was taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Savepoint {
    /// When it was taken, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_stamp: Option<i64>,
    /// Where it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Who or what asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_type: Option<SavepointFormatType>,
    /// The value of `savepointTriggerNonce` that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_nonce: Option<i64>,
}

/// Savepoints of a job; kept for older tools, which do not know FlinkStateSnapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavepointInfo {
    /// The last savepoint that was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_savepoint: Option<Savepoint>,
    /// Identifier of the savepoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
    /// When the savepoint in progress was asked for, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_timestamp: Option<i64>,
    /// Who or what asked for the savepoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Format of the savepoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_type: Option<SavepointFormatType>,
    /// Savepoints that are kept, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_history: Option<Vec<Savepoint>>,
    /// When the last savepoint of the schedule was taken, in milliseconds since the epoch; 0 if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_periodic_savepoint_timestamp: Option<i64>,
}

/// A checkpoint that was asked for and taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// When it was taken, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_stamp: Option<i64>,
    /// Who or what asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_type: Option<CheckpointFormatType>,
    /// The value of `checkpointTriggerNonce` that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_nonce: Option<i64>,
}

/// Checkpoints that were asked for; kept for older tools, which do not know FlinkStateSnapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointInfo {
    /// The last of them that was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_checkpoint: Option<Checkpoint>,
    /// Identifier of the checkpoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
    /// When the checkpoint in progress was asked for, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_timestamp: Option<i64>,
    /// Who or what asked for the checkpoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Format of the checkpoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format_type: Option<CheckpointFormatType>,
    /// When the last checkpoint of the schedule was taken, in milliseconds since the epoch; 0 if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_periodic_checkpoint_timestamp: Option<i64>,
}

/// What is known of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Name of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// Identifier of the job: 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// State of the job as Flink tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobStatusState>,
    /// When the job started, in milliseconds since the epoch, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When the state of the job last changed, in milliseconds since the epoch, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
    /// Where the next version starts from; `KUBERNETES_OPERATOR_LAST_STATE` means the metadata of high availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_savepoint_path: Option<String>,
    /// Savepoints of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_info: Option<SavepointInfo>,
    /// Checkpoints of the job that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_info: Option<CheckpointInfo>,
}

/// Which version of the spec was carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconciliationStatus {
    /// When the last change was begun, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_timestamp: Option<i64>,
    /// The version that was last carried out, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconciled_spec: Option<String>,
    /// The last version that ran, as JSON text; a rollback returns to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_stable_spec: Option<String>,
    /// How far the last change is carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ReconciliationState>,
}

/// One observation about a resource, in the form that Kubernetes uses everywhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is observed, for example `Running`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// One word for the cause, in camel case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The cause for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When `status` last changed, as an RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// Generation of the resource that was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
