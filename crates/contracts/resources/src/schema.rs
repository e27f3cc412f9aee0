//! Structural schemas: what a custom resource may hold, and the three things an API server does with that.
//!
//! Pruning drops what the schema does not know and tells the paths; defaulting fills in what is absent; validation
//! returns every problem with its path. The texts are those of the Kubernetes API server; the order of problems is
//! that of the schema's names, so that the same object always gets the same answer.
//!
//! # Source
//! Kubernetes `apiextensions-apiserver`, `pkg/apiserver/schema` (structural schemas), `kube-openapi/pkg/validation`.

mod compile;
mod embedded;
mod fill;
mod lists;
mod node;
mod path;
mod prune;
mod validate;

#[cfg(test)]
mod status_cases;
#[cfg(test)]
mod tests;

pub use node::{ListType, MapType, Schema};
