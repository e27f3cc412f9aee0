//! Which object is meant.

use std::fmt;

use kobel_model::deployment::Identity;
use kube::{Resource, ResourceExt};

/// A kind that is looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A cluster, with a job or without.
    Deployment,
    /// A job of a session cluster.
    SessionJob,
    /// A savepoint or checkpoint of a job.
    Snapshot,
    /// A pair of deployments, one of which takes over from the other.
    BlueGreen,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Deployment, Self::SessionJob, Self::Snapshot, Self::BlueGreen];

    /// The name of the kind.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "FlinkDeployment",
            Self::SessionJob => "FlinkSessionJob",
            Self::Snapshot => "FlinkStateSnapshot",
            Self::BlueGreen => "FlinkBlueGreenDeployment",
        }
    }

    /// The finalizer that the Apache operator puts on objects of the kind, which is kept so that either can take over.
    pub(crate) const fn finalizer(self) -> &'static str {
        match self {
            Self::Deployment => "flinkdeployments.flink.apache.org/finalizer",
            Self::SessionJob => "flinksessionjobs.flink.apache.org/finalizer",
            Self::Snapshot => "flinkstatesnapshots.flink.apache.org/finalizer",
            // None is put on a pair: what belongs to it goes with it.
            Self::BlueGreen => "flinkbluegreendeployments.flink.apache.org/finalizer",
        }
    }
}

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
}

impl Key {
    /// The key of an object.
    pub(crate) fn of(kind: Kind, object: &impl Resource) -> Self {
        Self { kind, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    /// Another object of the same namespace.
    pub(crate) fn beside(&self, kind: Kind, name: &str) -> Self {
        Self { kind, namespace: self.namespace.clone(), name: name.to_owned() }
    }

    /// The identity of what the object declares.
    pub(crate) fn identity(&self) -> Identity {
        Identity { namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.name(), self.namespace, self.name)
    }
}
