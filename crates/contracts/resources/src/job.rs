//! What a job is: its program, its scale, and whether it should run.
//!
//! Shared by deployments and session jobs; the words are those of the Apache Flink Kubernetes Operator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// Whether a job should run.
    JobState {
        /// The job runs.
        Running = "running",
        /// The job is stopped and its state is kept, as far as the upgrade mode keeps it.
        Suspended = "suspended",
    }
}

words! {
    /// How state passes from one version of a job to the next.
    UpgradeMode {
        /// A savepoint is taken first; the new version starts from it.
        Savepoint = "savepoint",
        /// The new version starts from the last completed checkpoint.
        LastState = "last-state",
        /// The new version starts empty.
        Stateless = "stateless",
    }
}

/// The program of a job, its scale, and how its state survives a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// URI of the job jar, or of a Python or SQL file: `local:///…` inside the image, `s3://…`, `file:///…` or
    /// `https://…`.
    #[serde(rename = "jarURI", skip_serializing_if = "Option::is_none")]
    pub jar_uri: Option<String>,
    /// Number of parallel instances of every operator. Default: `parallelism.default`, or what the task managers offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<i32>,
    /// Fully qualified name of the main class. Default: the main class that the manifest of the jar names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_class: Option<String>,
    /// Arguments of the main method, one entry per argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub args: Option<Vec<String>>,
    /// Desired state: `running` or `suspended`. Default: `running`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Takes a savepoint whenever this number changes to another one. Prefer a FlinkStateSnapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_trigger_nonce: Option<i64>,
    /// Savepoint or checkpoint from which the job starts the first time, and again when `savepointRedeployNonce`
    /// changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_savepoint_path: Option<String>,
    /// Takes a checkpoint whenever this number changes to another one. Prefer a FlinkStateSnapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_trigger_nonce: Option<i64>,
    /// How state passes to the next version: `savepoint`, `last-state` or `stateless`. Default: `stateless`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_mode: Option<UpgradeMode>,
    /// Whether state that no operator of the new version claims may be dropped. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_non_restored_state: Option<bool>,
    /// Redeploys the job from `initialSavepointPath` whenever this number changes to another one; the state since is
    /// given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_redeploy_nonce: Option<i64>,
    /// Clears what the autoscaler has learned and decided whenever this number changes to another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaler_reset_nonce: Option<i64>,
}
