//! How many processes there are, and what each may use.

use kobel_model::deployment::{Amounts, Cluster};

/// How many task managers there are: as many as the spec says, or as the job needs; one for a session.
pub(crate) fn task_managers(cluster: &Cluster) -> u32 {
    let needed = || cluster.job.as_ref().map(|job| job.parallelism.div_ceil(cluster.task_manager.slots.max(1)));
    cluster.task_manager.replicas.or_else(needed).unwrap_or(1)
}

/// The bytes of memory that a process may use.
pub(crate) fn memory(amounts: &Amounts) -> u64 {
    amounts.memory_limit.unwrap_or(amounts.memory)
}

/// The thousandths of a CPU that a process may use.
pub(crate) fn cpu_millis(amounts: &Amounts) -> u32 {
    amounts.cpu_limit_millis.unwrap_or(amounts.cpu_millis)
}
