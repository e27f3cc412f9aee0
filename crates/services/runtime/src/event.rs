//! What slots and the coordinator tell each other.

use std::sync::mpsc::Sender;
use std::time::Duration;

use kobel_dataflow::state::snapshot::OperatorState;
use kobel_model::Error;

use crate::channel::Barrier;
use crate::control::Request;

/// The states of a task's operators by node.
pub(crate) type TaskState = Vec<(usize, OperatorState)>;

/// Everything that can happen to a job.
pub(crate) enum Event {
    /// A slot of this attempt has something to say.
    Slot(u32, SlotEvent),
    /// The person wants something.
    Control(Request),
}

/// What a slot has to say.
pub(crate) enum SlotEvent {
    /// A subtask has been snapshotted.
    Snapshot(TaskSnapshot),
    /// A slot's sinks have committed a snapshot.
    Committed {
        /// Which snapshot.
        checkpoint_id: u64,
    },
    /// All subtasks of a slot have ended.
    Ended,
    /// A slot failed and has stopped.
    Failed(Failure),
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Why.
    pub(crate) error: Error,
    /// Vertex and subtask, if one task failed.
    pub(crate) task: Option<(usize, usize)>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, task: None }
    }
}

/// How a slot reaches the coordinator.
#[derive(Clone)]
pub(crate) struct Reporter {
    /// Number of the attempt; what an earlier one had to say is of no interest any more.
    pub(crate) attempt: u32,
    /// The events of the job.
    pub(crate) events: Sender<Event>,
}

impl Reporter {
    /// Tells the coordinator something. If it has gone, a shutdown follows.
    pub(crate) fn tell(&self, event: SlotEvent) {
        let _ = self.events.send(Event::Slot(self.attempt, event));
    }
}

/// What the coordinator tells a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    /// Begin a snapshot.
    Trigger(Barrier),
    /// The snapshot is complete: sinks make visible what it prepared.
    Commit(u64),
    /// The snapshot is complete, and is for others: what it prepared becomes visible with the next one of this job.
    Keep(u64),
    /// The snapshot that sources stopped for has failed: they go on.
    Resume,
    /// End the thread.
    Shutdown,
}

/// The snapshot of one subtask.
pub(crate) struct TaskSnapshot {
    pub(crate) checkpoint_id: u64,
    pub(crate) vertex: usize,
    pub(crate) subtask: usize,
    pub(crate) states: TaskState,
    pub(crate) times: SnapshotTimes,
}

/// How long the parts of a snapshot took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SnapshotTimes {
    /// From the trigger to the first barrier.
    pub(crate) start_delay: Duration,
    /// From the first barrier to the last.
    pub(crate) alignment: Duration,
    /// Taking the state.
    pub(crate) sync: Duration,
}
