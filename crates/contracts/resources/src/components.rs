//! The parts of a cluster: job manager, task managers, and the way in from outside.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shapes::{free_object, quantities};

/// CPU, memory and disk of one container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// CPU cores; fractions are allowed. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Memory of the whole process, as Flink (`2048m`, `1g`) or Kubernetes (`2Gi`) writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Ephemeral disk of the container as a Kubernetes quantity, for example `10Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<String>,
}

/// A claim of a device that the pod declares.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceClaim {
    /// Name of an entry in `resourceClaims` of the pod.
    pub name: String,
    /// Name of the request inside the claim. Default: everything that the claim offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Requests and limits of a container, as Kubernetes has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRequirements {
    /// Most of each resource that the container may use, as Kubernetes quantities, for example `memory: 2Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "quantities")]
    pub limits: Option<BTreeMap<String, Value>>,
    /// Amount of each resource that is reserved for the container. Default: the limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "quantities")]
    pub requests: Option<BTreeMap<String, Value>>,
    /// Claims of devices that the container uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub claims: Option<Vec<ResourceClaim>>,
}

/// The job manager: the process that coordinates a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobManagerSpec {
    /// CPU and memory of the main container. Deprecated in favour of `resources`, which wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Requests and limits of the main container, as Kubernetes has them. Wins over `resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Number of job managers; more than one are standbys and need high availability. Default: 1; 2 with Amazon EMR
    /// releases under high availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Template of the job manager pods (a Pod: `metadata` and `spec`), laid over the common `spec.podTemplate`. The
    /// main container is named `flink-main-container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub pod_template: Option<Value>,
    /// Labels that a node must carry to run these pods, for example `eks.amazonaws.com/capacityType: ON_DEMAND`. Wins
    /// over the selector of the pod template. Source: Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Directory, normally `s3://…`, for the metadata of high availability; becomes `high-availability.storageDir`.
    /// Source: Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_dir: Option<String>,
    /// Whether high availability is set up. Default: `true` if `storageDir` or an Amazon EMR release is given. Source:
    /// Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_availability_enabled: Option<bool>,
}

/// The task managers: the processes that do the work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerSpec {
    /// CPU and memory of the main container. Deprecated in favour of `resources`, which wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Requests and limits of the main container, as Kubernetes has them. Wins over `resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Number of task managers. Default: as many as the parallelism needs. In `native` mode it sets the parallelism to
    /// replicas times slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Template of the task manager pods (a Pod: `metadata` and `spec`), laid over the common `spec.podTemplate`. The
    /// main container is named `flink-main-container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "free_object")]
    pub pod_template: Option<Value>,
    /// Labels that a node must carry to run these pods, for example `eks.amazonaws.com/capacityType: ON_DEMAND`. Wins
    /// over the selector of the pod template. Source: Amazon EMR on EKS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
}

/// Hosts of an ingress that are served over TLS with one certificate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressTls {
    /// Host names that the certificate covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub hosts: Option<Vec<String>>,
    /// Name of the Secret with the certificate and its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// An ingress to the web interface of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// Host and path of the web interface; `{{name}}` and `{{namespace}}` are replaced, for example
    /// `{{name}}.example.com` or `example.com/{{namespace}}/{{name}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Name of the ingress class. Default: that of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Annotations of the Ingress object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Labels of the Ingress object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Certificates for the hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub tls: Option<Vec<IngressTls>>,
}
