//! What can be asked of a running job, from any thread.

use std::path::PathBuf;

use kobel_model::{Error, ErrorKind, Result};

/// What a person can ask of a running job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Take a checkpoint now.
    Checkpoint,
    /// Take a savepoint in this directory (`None`: the configured one) and go on.
    Savepoint(Option<PathBuf>),
    /// Take a savepoint, then stop.
    StopWithSavepoint {
        /// Where; `None` is the configured directory.
        directory: Option<PathBuf>,
        /// What follows from the input so far.
        end: StopMode,
    },
    /// Give each vertex so many subtasks, by vertex.
    Rescale(Vec<VertexParallelism>),
    /// Stop at once.
    Cancel,
}

/// The parallelism that is asked for a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VertexParallelism {
    /// At least.
    pub lower: usize,
    /// At the most; the vertex gets it.
    pub upper: usize,
}

/// What becomes of windows that are open when a job is stopped with a savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// They stay open in the savepoint: the job can go on as if nothing had happened.
    Suspend,
    /// They are closed and written: event time ends, the job is not meant to go on (Flink `--drain`).
    Drain,
}

/// What came of a control.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Id of the snapshot that was taken, if one was.
    pub checkpoint_id: Option<u64>,
    /// Where it lies.
    pub directory: Option<PathBuf>,
}

/// Is called once when a control has been carried out or refused.
pub type Reply = Box<dyn FnOnce(Result<Outcome>) + Send>;

/// A control and who wants to know what came of it.
pub(crate) struct Request {
    pub(crate) control: Control,
    pub(crate) reply: Option<Reply>,
}

impl Request {
    /// Tells what came of it.
    pub(crate) fn answer(&mut self, result: Result<Outcome>) {
        if let Some(reply) = self.reply.take() {
            reply(result);
        }
    }
}

impl Drop for Request {
    /// One that nobody answered was overtaken by the end of the job.
    fn drop(&mut self) {
        self.answer(Err(Error::new(ErrorKind::Conflict, "the job ended or failed before it could be done")));
    }
}
