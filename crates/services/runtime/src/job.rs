//! A job from the outside: it is made, controlled, and run to its end.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use kobel_dataflow::graph::Graph;
use kobel_model::{Error, Result};

use crate::build;
use crate::coordinator::Coordinator;
use crate::event::{Command, Event};
use crate::metrics::JobMetrics;
use crate::slot::{Slot, SlotHandle};

pub use crate::event::Control;
pub use crate::options::{Clock, JobOptions, RestoreFrom};
pub use crate::progress::{CheckpointStats, JobEnd, Progress};

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
