//! One start of a deployment in a cluster, and the names that everything which belongs to it has.

use std::collections::BTreeMap;

use kobel_model::deployment::{Deployment, Mode};
use serde_json::{Value, json};

use crate::launch::JobStart;

/// The container that Flink runs in, in every pod.
pub const MAIN_CONTAINER: &str = "flink-main-container";
/// The savepoint path that says: the state is in the metadata of high availability.
pub const LAST_STATE: &str = "KUBERNETES_OPERATOR_LAST_STATE";
/// The annotation of a job manager's Deployment with the generation of the resource that it was made of.
pub const GENERATION: &str = "flinkdeployment.flink.apache.org/generation";

/// One start.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What shall run.
    pub deployment: &'a Deployment,
    /// Its job; absent for a session cluster. A `restore` of [`LAST_STATE`] means the metadata of high availability.
    pub job: Option<JobStart<'a>>,
    /// The generation of the resource that is carried out.
    pub generation: i64,
    /// The uid of the resource, which owns what is made.
    pub uid: &'a str,
    /// What the operator says where the resource is silent, by key of the Flink configuration.
    pub defaults: &'a BTreeMap<String, String>,
    /// 32 hexadecimal digits that no other start has: its part of the job result store.
    pub fresh: &'a str,
    /// The image of this program, in which artifacts are fetched and logs are shipped.
    pub kobel_image: &'a str,
}

impl Start<'_> {
    /// The name of the resource, which is the id of the cluster.
    pub fn name(&self) -> &str {
        &self.deployment.identity.name
    }

    /// The namespace of the resource.
    pub fn namespace(&self) -> &str {
        &self.deployment.identity.namespace
    }

    /// What `type` is among the labels of everything that belongs to the cluster.
    pub fn kind(&self) -> &'static str {
        match self.deployment.cluster.mode {
            Mode::Native => "flink-native-kubernetes",
            Mode::Standalone => "flink-standalone-kubernetes",
        }
    }

    /// The labels of everything that belongs to the cluster.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [("type", self.kind()), ("app", self.name())].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    /// The labels of a component, `jobmanager` or `taskmanager`; they select its pods.
    pub fn component(&self, name: &str) -> BTreeMap<String, String> {
        let mut labels = self.labels();
        labels.insert("component".to_owned(), name.to_owned());
        labels
    }

    /// The resource as an owner: it does not control, and is not deleted before what it owns.
    pub fn owner(&self) -> Value {
        json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "name": self.name(),
            "uid": self.uid,
            "controller": false,
            "blockOwnerDeletion": true,
        })
    }

    /// The Deployment of the job manager as an owner.
    pub fn manager_owner(&self, uid: &str) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": self.name(),
            "uid": uid,
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }
}
