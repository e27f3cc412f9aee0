//! Savepoints and checkpoints that somebody asked for, as a JobManager remembers them.
//!
//! # Invariant
//! Who asks again under the same id asks for the same one.

use kobel_model::deployment::Identity;

/// What was asked for; those of different kinds may have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OperationKind {
    /// A savepoint, or a stop with one.
    Savepoint,
    /// A checkpoint.
    Checkpoint,
}

/// Which operation it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationKey {
    /// The cluster that was asked.
    pub cluster: Identity,
    /// What was asked for.
    pub kind: OperationKind,
    /// Of which job.
    pub job: String,
    /// The id that was chosen.
    pub trigger: String,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// It goes on.
    InProgress,
    /// It ended well: the number of the snapshot, and where it lies.
    Completed(u64, String),
    /// It failed: the class of the exception and its message.
    Failed(&'static str, String),
}
