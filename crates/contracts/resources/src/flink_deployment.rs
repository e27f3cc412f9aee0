//! `FlinkDeployment`: an application with its own cluster, or a session cluster.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::components::{IngressSpec, JobManagerSpec, TaskManagerSpec};
use crate::job::JobSpec;
use crate::monitoring::MonitoringConfiguration;
use crate::shapes::free_object;
use crate::status::{Condition, JobStatus, LifecycleState, ReconciliationStatus};
use crate::words::words;

words! {
    /// A minor version of Flink.
    FlinkVersion {
        /// Flink 1.13.
        V1_13 = "v1_13",
        /// Flink 1.14.
        V1_14 = "v1_14",
        /// Flink 1.15.
        V1_15 = "v1_15",
        /// Flink 1.16.
        V1_16 = "v1_16",
        /// Flink 1.17.
        V1_17 = "v1_17",
        /// Flink 1.18.
        V1_18 = "v1_18",
        /// Flink 1.19.
        V1_19 = "v1_19",
        /// Flink 1.20.
        V1_20 = "v1_20",
        /// Flink 2.0.
        V2_0 = "v2_0",
        /// Flink 2.1.
        V2_1 = "v2_1",
        /// Flink 2.2.
        V2_2 = "v2_2",
        /// Flink 2.3.
        V2_3 = "v2_3",
        /// Flink 2.4.
        V2_4 = "v2_4",
    }
}

words! {
    /// Who makes the task managers.
    Mode {
        /// Flink itself asks Kubernetes for them.
        Native = "native",
        /// They stand beside the job manager, in a fixed number.
        Standalone = "standalone",
    }
}

words! {
    /// How far the job manager is up.
    JobManagerDeploymentStatus {
        /// It answers.
        Ready = "READY",
        /// It runs and does not answer yet.
        DeployedNotReady = "DEPLOYED_NOT_READY",
        /// It is being started.
        Deploying = "DEPLOYING",
        /// There is none.
        Missing = "MISSING",
        /// It cannot be started.
        Error = "ERROR",
    }
}

/// Desired state of a Flink application or session cluster.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flink.apache.org",
    version = "v1beta1",
    kind = "FlinkDeployment",
    plural = "flinkdeployments",
    shortname = "flinkdep",
    namespaced,
    status = "FlinkDeploymentStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Flink application with its own cluster, or a session cluster that takes jobs.",
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
    category = "flink",
    scale(
        spec_replicas_path = ".spec.taskManager.replicas",
        status_replicas_path = ".status.taskManager.replicas",
        label_selector_path = ".status.taskManager.labelSelector"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentSpec {
    /// Container image with Flink and the job. Default: the image of `emrReleaseLabel` or of `flinkVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the image is pulled: `Always`, `IfNotPresent` or `Never`. Default: that of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<String>,
    /// Kubernetes service account of job manager and task managers. Needed unless `executionRoleArn` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Minor version of Flink that the job is written for, for example `v2_2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flink_version: Option<FlinkVersion>,
    /// Ingress to the web interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// Template of all pods (a Pod: `metadata` and `spec`). The main container is named `flink-main-container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub pod_template: Option<Value>,
    /// The job manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_manager: Option<JobManagerSpec>,
    /// The task managers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_manager: Option<TaskManagerSpec>,
    /// Logging configuration files: `log4j-console.properties` or `logback-console.xml`, each with its whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<BTreeMap<String, String>>,
    /// Who makes the task managers: `native` (Flink asks Kubernetes) or `standalone`. Default: `native`. It cannot be
    /// changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The job of an application. Absent in a session cluster, which takes jobs from FlinkSessionJob.
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
    /// Amazon EMR release, for example `emr-7.12.0-flink-latest`; names the image when `image` is absent. Source:
    /// Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emr_release_label: Option<String>,
    /// ARN of the IAM role that the job runs as; stands in for `serviceAccount`. Source: Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// Where the logs of the job go. Source: Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring_configuration: Option<MonitoringConfiguration>,
}

/// The task managers that run, as the scale subresource shows them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerInfo {
    /// Selector of the task managers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// Number of task managers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
}

/// Observed state of a Flink application or session cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentStatus {
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
    /// Facts about the cluster: Flink version and revision, CPU, memory and size of the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_info: Option<BTreeMap<String, String>>,
    /// How far the job manager is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_manager_deployment_status: Option<JobManagerDeploymentStatus>,
    /// Which version of the spec was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_status: Option<ReconciliationStatus>,
    /// The task managers that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_manager: Option<TaskManagerInfo>,
    /// Observations about the resource; `Running` tells whether the job runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Option<Vec<Condition>>,
}
