//! What slots and the coordinator tell each other.

use kobel_model::Error;

use crate::channel::Barrier;
use crate::task::TaskState;

/// Everything that can happen.
pub(crate) enum Event {
    /// A subtask has been snapshotted.
    Snapshot(TaskSnapshot),
    /// A slot's sinks have committed a snapshot.
    Committed {
        /// Which snapshot.
        checkpoint_id: u64,
    },
    /// All subtasks of a slot have ended.
    SlotEnded,
    /// A slot failed and has stopped.
    Failed(Error),
    /// The person wants something.
    Control(Control),
}

/// What a person can ask of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Take a checkpoint now.
    Checkpoint,
    /// Take a savepoint and go on.
    Savepoint,
    /// Take a savepoint, then stop.
    StopWithSavepoint,
    /// Stop at once.
    Cancel,
}

/// What the coordinator tells a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    /// Begin a snapshot.
    Trigger(Barrier),
    /// The snapshot is complete: sinks make visible what it prepared.
    Commit(u64),
    /// End the thread.
    Shutdown,
}

/// The snapshot of one subtask.
pub(crate) struct TaskSnapshot {
    pub(crate) checkpoint_id: u64,
    pub(crate) subtask: usize,
    pub(crate) states: TaskState,
}
