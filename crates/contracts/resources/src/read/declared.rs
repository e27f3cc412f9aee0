//! What a manifest declares once it is known to be valid.

use kobel_model::deployment::{BlueGreen, Deployment, SessionJob, StateSnapshot};

/// What a manifest declares.
#[derive(Debug, Clone, PartialEq)]
pub enum Declared {
    /// A cluster with one job, or a session cluster.
    Deployment(Box<Deployment>),
    /// A job of a session cluster.
    SessionJob(Box<SessionJob>),
    /// A snapshot.
    Snapshot(StateSnapshot),
    /// Two deployments, one of which is replaced by the other.
    BlueGreen(Box<BlueGreen>),
    /// A resource that only shows that resources are noticed; nothing is deployed and its spec may be empty.
    Canary,
}

/// A manifest that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it declares.
    pub declared: Declared,
    /// What a person should know about it all the same.
    pub warnings: Vec<String>,
}
