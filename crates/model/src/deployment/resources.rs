//! The four things that can be declared: a deployment, a job of a session, a snapshot, a pair of deployments.

use std::collections::BTreeMap;

use serde_json::Value;

use super::components::{HighAvailability, JobManager, TaskManager};
use super::configuration::FlinkConfiguration;
use super::ingress::Ingress;
use super::job::Job;
use super::monitoring::Monitoring;
use super::version::{FlinkVersion, Mode, ReleaseLabel};

/// Which resource it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The namespace; empty if none was named yet.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Where deployments run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Substrate {
    /// Processes of this machine.
    Local,
    /// Pods of a Kubernetes cluster.
    Kubernetes,
}

/// What a cluster shall be, whichever resource declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The line of Flink.
    pub flink_version: FlinkVersion,
    /// The release of EMR.
    pub release_label: Option<ReleaseLabel>,
    /// Who starts the task managers.
    pub mode: Mode,
    /// The image.
    pub image: Option<String>,
    /// When the image is fetched.
    pub image_pull_policy: Option<String>,
    /// As whom the pods act in Kubernetes.
    pub service_account: Option<String>,
    /// As whom the pods act in AWS.
    pub execution_role_arn: Option<String>,
    /// How the REST API is reached from outside.
    pub ingress: Option<Ingress>,
    /// The pod of job manager and task managers alike.
    pub pod_template: Option<Value>,
    /// The job manager.
    pub job_manager: JobManager,
    /// The task managers.
    pub task_manager: TaskManager,
    /// Files of the log configuration, by name.
    pub log_configuration: BTreeMap<String, String>,
    /// The job; absent for a session cluster.
    pub job: Option<Job>,
    /// A change asks for a restart.
    pub restart_nonce: Option<i64>,
    /// The Flink configuration.
    pub flink_configuration: FlinkConfiguration,
    /// Whether another job manager can take over.
    pub high_availability: HighAvailability,
    /// Where logs go.
    pub monitoring: Option<Monitoring>,
}

/// A cluster with one job, or a session cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Which one.
    pub identity: Identity,
    /// What it shall be.
    pub cluster: Cluster,
}

/// A job that runs in a session cluster of the same namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionJob {
    /// Which one.
    pub identity: Identity,
    /// The name of the session cluster.
    pub deployment_name: String,
    /// The job.
    pub job: Job,
    /// A change asks for a restart.
    pub restart_nonce: Option<i64>,
    /// The Flink configuration, over that of the session cluster.
    pub flink_configuration: FlinkConfiguration,
}

/// A kind that a snapshot can be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReferencedKind {
    /// The job of a deployment.
    FlinkDeployment,
    /// A session job.
    FlinkSessionJob,
}

impl ReferencedKind {
    /// The spelling of a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FlinkDeployment => "FlinkDeployment",
            Self::FlinkSessionJob => "FlinkSessionJob",
        }
    }
}

/// A job of the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobReference {
    /// The kind of the resource that declares it.
    pub kind: ReferencedKind,
    /// The name of the resource.
    pub name: String,
}

/// How a savepoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SavepointFormat {
    /// The same for every state backend.
    Canonical,
    /// The one of the state backend.
    Native,
    /// Not known, for one that was taken elsewhere.
    Unknown,
}

/// What is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SnapshotKind {
    /// A savepoint, which belongs to the user.
    Savepoint {
        /// Where it goes, or lies; absent for the default directory of the job.
        path: Option<String>,
        /// How it is written.
        format: SavepointFormat,
        /// Whether its files go with the resource.
        dispose_on_delete: bool,
        /// Whether it was taken elsewhere and is only recorded.
        already_exists: bool,
    },
    /// A checkpoint, which belongs to the job.
    Checkpoint,
}

/// A snapshot of the state of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StateSnapshot {
    /// Which one.
    pub identity: Identity,
    /// Of which job; absent only for one that already exists.
    pub job: Option<JobReference>,
    /// What is taken.
    pub kind: SnapshotKind,
    /// How often it is tried again; absent for ever.
    pub backoff_limit: Option<u32>,
}

/// Two deployments, one of which is replaced by the other.
#[derive(Debug, Clone, PartialEq)]
pub struct BlueGreen {
    /// Which one.
    pub identity: Identity,
    /// Labels of the deployments.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the deployments.
    pub annotations: BTreeMap<String, String>,
    /// Keys of the pair itself.
    pub configuration: BTreeMap<String, String>,
    /// The ingress that leads to the active one.
    pub ingress: Option<Ingress>,
    /// What each of the two shall be.
    pub cluster: Cluster,
}
