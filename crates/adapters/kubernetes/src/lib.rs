//! The Kubernetes API as a client: contexts, discovery, objects as JSON, and manifests read from files.
//!
//! The same calls go to the embedded API and to a cluster. Objects stay JSON values, so that no field is lost that this
//! version does not know. Every request has a time limit, and every refusal keeps its code and its causes.

pub mod cluster;
pub mod context;
pub mod failure;
pub mod kinds;
pub mod manifests;
pub mod objects;
mod patch;
pub mod tables;
pub mod watch;
