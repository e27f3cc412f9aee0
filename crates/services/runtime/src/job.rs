//! A job from the outside: options, controls, progress, end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use kobel_dataflow::graph::Graph;
use kobel_model::ids::JobId;
use kobel_model::keygroup::MaxParallelism;
use kobel_model::snapshot::Manifest;
use kobel_model::{Error, Result};

use crate::build::{self, SlotHandle};
use crate::coordinator::{Coordinator, Event};
use crate::metrics::JobMetrics;
use crate::slot::{Command, Slot};

/// Processing time.
pub trait Clock: Send + Sync {
    /// Epoch milliseconds.
    fn now_ms(&self) -> i64;
}

/// How a job is run.
pub struct JobOptions {
    /// Name.
    pub name: String,
    /// Position of its statement in the script.
    pub statement: usize,
    /// Lineage: new on a fresh start, that of the snapshot on restore.
    pub job_id: JobId,
    /// Slots, each with a subtask of every vertex.
    pub parallelism: usize,
    /// Key groups; of a restored job those of the snapshot count.
    pub max_parallelism: MaxParallelism,
    /// Rows of a batch at the most.
    pub batch_rows: usize,
    /// Time between checkpoints; `None` takes none on its own.
    pub checkpoint_interval: Option<Duration>,
    /// Least time between the end of a checkpoint and the beginning of the next.
    pub checkpoint_min_pause: Duration,
    /// Time after which a checkpoint that is not complete fails the job.
    pub checkpoint_timeout: Duration,
    /// Checkpoints that may fail in a row.
    pub checkpoint_failures_tolerated: u32,
    /// Directory of checkpoints; used if there is an interval.
    pub checkpoint_dir: PathBuf,
    /// Complete checkpoints that are kept.
    pub checkpoints_retained: usize,
    /// Directory of savepoints.
    pub savepoint_dir: PathBuf,
    /// The snapshot to go on from.
    pub restore: Option<RestoreFrom>,
    /// Processing time.
    pub clock: Arc<dyn Clock>,
}

/// A snapshot to go on from.
#[derive(Debug, Clone)]
pub struct RestoreFrom {
    /// Its directory.
    pub directory: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// State of operators that the job no longer has is left behind instead of refused (Flink
    /// `execution.state-recovery.ignore-unclaimed-state`).
    pub ignore_unclaimed_state: bool,
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

/// Sends controls to a job from any thread.
#[derive(Clone)]
pub struct Controller {
    events: Sender<Event>,
}

impl Controller {
    /// Asks; a job that has ended does not hear it.
    pub fn send(&self, control: Control) {
        // An ended job has closed its queue, which is what the caller wants to achieve.
        let _ = self.events.send(Event::Control(control));
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Its input ended and all of it was processed.
    Finished,
    /// It was stopped with a savepoint.
    Stopped {
        /// Directory of the savepoint.
        savepoint: PathBuf,
    },
    /// It was canceled.
    Canceled,
}

/// What is known of a job's checkpoints.
#[derive(Debug, Clone, Default)]
pub struct CheckpointStats {
    /// Snapshots completed in this run.
    pub completed: u64,
    /// Checkpoints that failed in this run.
    pub failed: u64,
    /// Id of the last complete one.
    pub last_id: Option<u64>,
    /// How long it took.
    pub last_duration: Duration,
    /// Bytes of the whole state in it.
    pub last_bytes: u64,
    /// Bytes that it wrote itself.
    pub last_written_bytes: u64,
    /// Why the last failed one did.
    pub last_failure: Option<String>,
    /// The last savepoint.
    pub last_savepoint: Option<PathBuf>,
}

/// A look at a running job, about once a second and once at its end.
pub struct Progress<'a> {
    /// Counters.
    pub metrics: &'a JobMetrics,
    /// Time since the start.
    pub elapsed: Duration,
    /// Checkpoints.
    pub checkpoints: &'a CheckpointStats,
    /// The job has ended.
    pub is_last: bool,
}

/// A job that is ready to run.
pub struct Job {
    slots: Vec<Slot>,
    handles: Vec<SlotHandle>,
    events: std::sync::mpsc::Receiver<Event>,
    controller: Controller,
    writer: crate::checkpoint::CheckpointWriter,
    metrics: Arc<JobMetrics>,
    options: JobOptions,
}

impl Job {
    /// Makes the subtasks of a job, from the beginning or from a snapshot. Sinks put right what a dead run left behind;
    /// nothing is read or written yet.
    ///
    /// # Errors
    /// Those of sources and sinks that cannot be opened; Invalid if the snapshot does not fit the job; Corrupt if its
    /// state is damaged; Denied if checkpoints cannot be written.
    pub fn new(graph: &Graph, options: JobOptions) -> Result<Self> {
        let (sender, events) = channel();
        let built = build::build(graph, &options, &sender)?;
        Ok(Self {
            slots: built.slots,
            handles: built.handles,
            events,
            controller: Controller { events: sender },
            writer: built.writer,
            metrics: built.metrics,
            options,
        })
    }

    /// A handle to control the job.
    pub fn controller(&self) -> Controller {
        self.controller.clone()
    }

    /// The counters of the job.
    pub fn metrics(&self) -> Arc<JobMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Runs the job to its end; the calling thread coordinates.
    ///
    /// # Errors
    /// The first failure of an operator or connector, or of a checkpoint.
    pub fn run(self, observer: &mut dyn FnMut(&Progress<'_>)) -> Result<JobEnd> {
        let mut threads = Vec::new();
        for slot in self.slots {
            let clock = Arc::clone(&self.options.clock);
            let name = format!("slot-{}", slot.index);
            let thread = std::thread::Builder::new().name(name).spawn(move || slot.run(clock));
            threads.push(thread.map_err(|error| Error::io("cannot start the thread of a slot", error))?);
        }
        let mut coordinator = Coordinator {
            slots: self.handles,
            events: self.events,
            writer: self.writer,
            metrics: self.metrics,
            clock: self.options.clock,
            interval: self.options.checkpoint_interval,
            min_pause: self.options.checkpoint_min_pause,
            timeout: self.options.checkpoint_timeout,
            failures_tolerated: self.options.checkpoint_failures_tolerated,
            observer,
        };
        let end = coordinator.run();
        coordinator.slots.iter().for_each(|slot| slot.send(Command::Shutdown));
        for thread in threads {
            // A panic of a slot has been caught and reported in it.
            let _ = thread.join();
        }
        end
    }

    /// The parts that [`crate::stepping`] drives by itself.
    pub(crate) fn into_parts(self) -> (Vec<Slot>, Vec<SlotHandle>, std::sync::mpsc::Receiver<Event>) {
        (self.slots, self.handles, self.events)
    }
}
