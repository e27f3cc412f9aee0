//! What the job manager and the task managers are given.

use std::collections::BTreeMap;

use serde_json::Value;

/// A resource that is neither memory nor CPU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherResource {
    /// Its name: `ephemeral-storage`, `nvidia.com/gpu`.
    pub name: String,
    /// What is asked for, as it was written.
    pub request: Option<String>,
    /// What may not be exceeded, as it was written.
    pub limit: Option<String>,
}

/// What one process is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Amounts {
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of memory that may not be exceeded, if more than `memory`.
    pub memory_limit: Option<u64>,
    /// Thousandths of a CPU.
    pub cpu_millis: u32,
    /// Thousandths of a CPU that may not be exceeded, if more than `cpu_millis`.
    pub cpu_limit_millis: Option<u32>,
    /// Everything else, in order of name.
    pub others: Vec<OtherResource>,
}

/// The job manager.
#[derive(Debug, Clone, PartialEq)]
pub struct JobManager {
    /// What each replica is given.
    pub amounts: Amounts,
    /// How many there are, one of which leads.
    pub replicas: u32,
    /// The pod that it runs in, over the common one.
    pub pod_template: Option<Value>,
    /// Labels of the nodes that its pods may run on.
    pub node_selector: BTreeMap<String, String>,
}

/// The task managers.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskManager {
    /// What each replica is given.
    pub amounts: Amounts,
    /// How many there are; absent if the parallelism decides.
    pub replicas: Option<u32>,
    /// How many slots each has.
    pub slots: u32,
    /// The pod that each runs in, over the common one.
    pub pod_template: Option<Value>,
    /// Labels of the nodes that their pods may run on.
    pub node_selector: BTreeMap<String, String>,
}

/// Whether another job manager can take over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HighAvailability {
    /// The job ends with its job manager, unless someone starts it again.
    Off,
    /// What a successor needs is kept.
    On {
        /// Where it is kept; absent if the configuration names a kind that needs no directory.
        storage_dir: Option<String>,
    },
}

impl HighAvailability {
    /// Whether another job manager can take over.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On { .. })
    }
}
