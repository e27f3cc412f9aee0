//! `FlinkSessionJob`: a job on a session cluster.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job::JobSpec;
use crate::shapes::free_object;
use crate::status::{Condition, JobStatus, LifecycleState, ReconciliationStatus};

/// Desired state of a job on a session cluster.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flink.apache.org",
    version = "v1beta1",
    kind = "FlinkSessionJob",
    plural = "flinksessionjobs",
    shortname = "sessionjob",
    namespaced,
    status = "FlinkSessionJobStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A job that runs on a session cluster.",
    printcolumn = r#"{
        "name": "Job Status",
        "type": "string",
        "jsonPath": ".status.jobStatus.state",
        "description": "Last observed state of the job."
    }"#,
    printcolumn = r#"{
        "name": "Lifecycle State",
        "type": "string",
        "jsonPath": ".status.lifecycleState",
        "description": "Lifecycle state of the resource."
    }"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    category = "all",
    category = "flink"
)]
#[serde(rename_all = "camelCase")]
pub struct FlinkSessionJobSpec {
    /// Name of the FlinkDeployment, in the same namespace, that the job runs on. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_name: Option<String>,
    /// The job; a session job has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobSpec>,
    /// Restarts the job whenever this number changes to another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_nonce: Option<i64>,
    /// Flink configuration: keys with their values, flat (`state.backend.type: rocksdb`) or nested. Values may be
    /// texts, numbers or booleans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub flink_configuration: Option<Value>,
}

/// Observed state of a job on a session cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkSessionJobStatus {
    /// What is known of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<JobStatus>,
    /// The last error, as JSON text with `type`, `message` and more; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Generation of the spec that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// State of the resource as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_state: Option<LifecycleState>,
    /// Which version of the spec was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_status: Option<ReconciliationStatus>,
    /// Observations about the resource; `Running` tells whether the job runs. Source: Kobel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Option<Vec<Condition>>,
}
