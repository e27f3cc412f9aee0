//! What is declared, as far as the lifecycle asks.

use kobel_model::deployment::{FlinkVersion, Job};
use serde_json::Value;

use crate::options::Options;

/// A declaration that is known to be valid.
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    /// The generation of the resource.
    pub generation: i64,
    /// Its spec as it is stored; it is compared with what was carried out last, and written down.
    pub spec: &'a Value,
    /// The job; absent for a session cluster.
    pub job: Option<&'a Job>,
    /// The line of Flink, for a session job that of its cluster.
    pub flink_version: FlinkVersion,
    /// Whether another job manager can take over, for a session job that of its cluster.
    pub is_highly_available: bool,
    /// Options of the operator.
    pub options: &'a Options,
    /// Where savepoints go by default (`execution.checkpointing.savepoint-dir`), if anywhere.
    pub savepoint_directory: Option<&'a str>,
    /// Whether the resource is being deleted.
    pub is_deleting: bool,
}
