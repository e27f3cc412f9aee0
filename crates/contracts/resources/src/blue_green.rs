//! `FlinkBlueGreenDeployment`: two deployments in turn, so that a new version is proven before the old one goes.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::components::IngressSpec;
use crate::flink_deployment::FlinkDeploymentSpec;
use crate::shapes::free_object;
use crate::status::JobStatus;
use crate::words::words;

words! {
    /// Which deployment serves, and what is under way.
    BlueGreenState {
        /// The first version is being started.
        InitializingBlue = "INITIALIZING_BLUE",
        /// Blue serves.
        ActiveBlue = "ACTIVE_BLUE",
        /// Green serves.
        ActiveGreen = "ACTIVE_GREEN",
        /// Green is being proven.
        TransitioningToGreen = "TRANSITIONING_TO_GREEN",
        /// Blue is being proven.
        TransitioningToBlue = "TRANSITIONING_TO_BLUE",
        /// A savepoint of blue is being taken.
        SavepointingBlue = "SAVEPOINTING_BLUE",
        /// A savepoint of green is being taken.
        SavepointingGreen = "SAVEPOINTING_GREEN",
    }
}

/// The deployment that is made twice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentTemplate {
    /// Labels and annotations of the deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub metadata: Option<Value>,
    /// Spec of the deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<FlinkDeploymentSpec>,
}

/// Desired state of an application that is upgraded by standing up the new version beside the old one.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flink.apache.org",
    version = "v1beta1",
    kind = "FlinkBlueGreenDeployment",
    plural = "flinkbluegreendeployments",
    shortname = "flinkbgdep",
    namespaced,
    status = "FlinkBlueGreenDeploymentStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Flink application whose new version is proven beside the old one before it takes over.",
    printcolumn = r#"{
        "name": "Job Status",
        "type": "string",
        "jsonPath": ".status.jobStatus.state",
        "description": "Last observed state of the job."
    }"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    category = "all",
    category = "flink"
)]
#[serde(rename_all = "camelCase")]
pub struct FlinkBlueGreenDeploymentSpec {
    /// Settings of the transition, keys `kubernetes.operator.bluegreen.*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<BTreeMap<String, String>>,
    /// Ingress to the web interface of the deployment that serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// The deployment that is made twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<FlinkDeploymentTemplate>,
}

/// Observed state of an application with two deployments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkBlueGreenDeploymentStatus {
    /// What is known of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<JobStatus>,
    /// Which deployment serves, and what is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blue_green_state: Option<BlueGreenState>,
    /// The version that was last carried out, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconciled_spec: Option<String>,
    /// When a version was last carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reconciled_timestamp: Option<String>,
    /// When the transition in progress is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_timestamp: Option<String>,
    /// When the new version was ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_ready_timestamp: Option<String>,
    /// Identifier of the savepoint in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_trigger_id: Option<String>,
    /// The last error; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
