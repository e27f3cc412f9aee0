//! A job from the outside: it is made, controlled, and run to its end, through restarts and rescales.
//!
//! ```text
//! attempt 0 -> failed, and the strategy allows it -> wait -> attempt 1 from the last complete snapshot -> ...
//!           -> rescaled                                   -> attempt 1 from the snapshot it stopped with
//!           -> finished, stopped, canceled, or failed for good
//! ```
//! Each attempt has its own slots, queues and counters. What outlives it is the view, the snapshots, and the sinks'
//! committed output.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kobel_dataflow::graph::Graph;
use kobel_model::snapshot::SnapshotKind;
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_rest::states::{ExecutionState, JobStatus};
use kobel_storage::snapshots;

use crate::build::{self, Built};
use crate::control::{Outcome, Request, VertexParallelism};
use crate::coordinator::{AttemptEnd, Coordinator, Memory, Schedule, answer};
use crate::event::{Command, Event, Failure, Reporter};
use crate::ledger::{Ledger, absolute};
use crate::restart::Restarts;
use crate::slot::{Slot, SlotHandle};
use crate::view::checkpoints::RestoredCheckpoint;
use crate::view::job::{CheckpointFacts, FailureRecord, JobFacts, JobState, JobView, RescaleRecord};

pub use crate::control::{Control, StopMode};
pub use crate::controller::Controller;
pub use crate::options::{Clock, JobOptions, RestoreFrom};
pub use crate::progress::{CheckpointStats, JobEnd, Progress, Restart};
pub use crate::restart::{Backoff, RestartStrategy};

/// A job that is ready to run.
pub struct Job {
    graph: Arc<Graph>,
    first: Built,
    events: Receiver<Event>,
    sender: Sender<Event>,
    view: Arc<JobView>,
    options: JobOptions,
}

impl Job {
    /// Makes the subtasks of a job, from the beginning or from a snapshot. Sinks put right what a dead run left behind;
    /// nothing is read or written yet.
    ///
    /// # Errors
    /// Those of sources and sinks that cannot be opened; Invalid if the snapshot does not fit the job; Corrupt if its
    /// state is damaged; Denied if checkpoints cannot be written.
    pub fn new(graph: Graph, options: JobOptions) -> Result<Self> {
        let (sender, events) = channel();
        let graph = Arc::new(graph);
        let created_ms = options.clock.now_ms();
        let first = build::build(&graph, &options, &Reporter { attempt: 0, events: sender.clone() })?;
        let facts = JobFacts {
            id: options.job_id,
            name: options.name.clone(),
            plan: build::plan_view(&graph),
            max_parallelism: first.max_parallelism,
            parallelism: options.parallelism,
            restart_strategy: options.restart.describe(),
            settings: options.settings.clone(),
            checkpoints: CheckpointFacts {
                interval: options.checkpoint_interval,
                timeout: options.checkpoint_timeout,
                min_pause: options.checkpoint_min_pause,
                failures_tolerated: options.checkpoint_failures_tolerated,
                directory: absolute(&options.checkpoint_dir).display().to_string(),
            },
            created_ms,
        };
        let view = JobView::new(facts, Controller::new(sender.clone()), Arc::clone(&first.attempt));
        Ok(Self { graph, first, events, sender, view: Arc::new(view), options })
    }

    /// Makes sure that a job can be made, from the beginning or from a snapshot, without opening or changing anything.
    ///
    /// # Errors
    /// Invalid if the snapshot does not fit the job.
    pub fn check(graph: &Graph, options: &JobOptions) -> Result<()> {
        build::check(graph, options)
    }

    /// A handle to control the job.
    pub fn controller(&self) -> Controller {
        self.view.controller().clone()
    }

    /// What can be seen of the job, now and later.
    pub fn view(&self) -> Arc<JobView> {
        Arc::clone(&self.view)
    }

    /// Runs the job to its end; the calling thread coordinates.
    ///
    /// # Errors
    /// The failure after which it is not started again.
    pub fn run(self, observer: &mut dyn FnMut(&Progress<'_>)) -> Result<JobEnd> {
        let run = Run {
            restarts: Restarts::new(self.options.restart.clone()),
            memory: Memory::default(),
            started: Instant::now(),
            scratch: self.options.checkpoint_dir.join(format!("{}-rescale", self.options.job_id)),
            graph: self.graph,
            events: self.events,
            sender: self.sender,
            view: self.view,
            options: self.options,
            observer,
            attempts: 1,
        };
        run.finish(self.first)
    }

    /// The parts that [`crate::stepping`] drives by itself.
    pub(crate) fn into_parts(self) -> (Vec<Slot>, Vec<SlotHandle>, Receiver<Event>) {
        (self.first.slots, self.first.handles, self.events)
    }
}

/// A job that runs.
struct Run<'a> {
    graph: Arc<Graph>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    view: Arc<JobView>,
    options: JobOptions,
    restarts: Restarts,
    memory: Memory,
    started: Instant,
    observer: &'a mut dyn FnMut(&Progress<'_>),
    scratch: PathBuf,
    /// Attempts made so far.
    attempts: u32,
}

/// What follows an attempt.
enum Next {
    /// Another.
    Attempt(Box<Built>),
    /// Nothing.
    End(Result<JobEnd>),
}

impl Run<'_> {
    fn finish(mut self, first: Built) -> Result<JobEnd> {
        let mut built = first;
        self.note_restored();
        let mut stopped = None;
        let end = loop {
            let next = match self.attempt(built) {
                Ok(AttemptEnd::Finished) => Next::End(Ok(JobEnd::Finished)),
                Ok(AttemptEnd::Stopped(savepoint, requests, outcome)) => {
                    stopped = Some((requests, outcome));
                    Next::End(Ok(JobEnd::Stopped { savepoint }))
                }
                Ok(AttemptEnd::Canceled) => Next::End(Ok(JobEnd::Canceled)),
                Ok(AttemptEnd::Rescaled(wanted, requests)) => self.rescale(wanted, requests),
                Err(failure) => self.restart(failure),
            };
            match next {
                Next::Attempt(next) => built = *next,
                Next::End(end) => break end,
            }
        };
        let status = match &end {
            Ok(JobEnd::Finished | JobEnd::Stopped { .. }) => JobStatus::Finished,
            Ok(JobEnd::Canceled) => JobStatus::Canceled,
            Err(_) => JobStatus::Failed,
        };
        self.enter(status);
        if let Some((mut requests, outcome)) = stopped {
            answer(&mut requests, &Ok(outcome));
        }
        // What nobody restores any more goes; if it cannot, it is in nobody's way.
        let _ = fs::remove_dir_all(&self.scratch);
        end
    }

    fn enter(&self, status: JobStatus) {
        switch(&self.view, self.options.clock.as_ref(), status);
    }

    fn note_restored(&self) {
        let Some(from) = &self.options.restore else { return };
        let restored = RestoredCheckpoint {
            id: from.manifest.checkpoint_id,
            restored_ms: self.options.clock.now_ms(),
            is_savepoint: from.manifest.kind == SnapshotKind::Savepoint,
            path: absolute(&from.directory),
            state_bytes: from.manifest.state_bytes(),
        };
        let directory = from.directory.display();
        tracing::info!(target: "kobel.job", checkpoint = restored.id, %directory, "going on from a snapshot");
        self.view.update(|state| state.checkpoints.restored(restored));
    }

    /// Runs one attempt; all of its threads have ended when it returns.
    fn attempt(&mut self, built: Built) -> Result<AttemptEnd, Failure> {
        let attempt = Arc::clone(&built.attempt);
        self.enter(JobStatus::Created);
        let enter = |tasks: ExecutionState, now_ms| {
            attempt.metrics.tasks.iter().flatten().for_each(|task| task.enter(tasks, now_ms));
        };
        enter(ExecutionState::Scheduled, self.options.clock.now_ms());
        enter(ExecutionState::Deploying, self.options.clock.now_ms());
        let mut coordinator = Coordinator {
            attempt: attempt.number,
            slots: built.handles,
            events: &self.events,
            sender: &self.sender,
            writer: built.writer,
            ledger: Ledger { view: Arc::clone(&self.view), clock: Arc::clone(&self.options.clock) },
            metrics: Arc::clone(&attempt.metrics),
            schedule: Schedule {
                interval: self.options.checkpoint_interval,
                min_pause: self.options.checkpoint_min_pause,
                timeout: self.options.checkpoint_timeout,
                failures_tolerated: self.options.checkpoint_failures_tolerated,
            },
            memory: &mut self.memory,
            started: self.started,
            observer: self.observer,
            scratch: self.scratch.clone(),
        };
        let (threads, failed) = start(built.slots, &self.options.clock);
        switch(&self.view, self.options.clock.as_ref(), JobStatus::Running);
        let end = match failed {
            None => coordinator.run(),
            Some(error) => Err(error.into()),
        };
        if matches!(end, Ok(AttemptEnd::Canceled)) {
            switch(&self.view, self.options.clock.as_ref(), JobStatus::Cancelling);
            enter(ExecutionState::Canceling, self.options.clock.now_ms());
        }
        self.options.next_checkpoint_id = coordinator.writer.next_id();
        coordinator.slots.iter().for_each(|slot| slot.send(Command::Shutdown));
        for thread in threads {
            // A panic of a slot has been caught and reported in it.
            let _ = thread.join();
        }
        let last = match &end {
            Ok(AttemptEnd::Finished | AttemptEnd::Stopped(..)) => ExecutionState::Finished,
            Ok(AttemptEnd::Canceled | AttemptEnd::Rescaled(..)) | Err(_) => ExecutionState::Canceled,
        };
        enter(last, self.options.clock.now_ms());
        end
    }

    /// The attempt has failed: another from the last snapshot, or the end.
    fn restart(&mut self, failure: Failure) -> Next {
        let mut failure = failure;
        loop {
            self.note_failure(&failure);
            let chance = rand::random::<f64>();
            let delay = self.restarts.on_failure(self.started.elapsed(), chance);
            let (Some(delay), true) = (delay, self.find_snapshot()) else {
                self.enter(JobStatus::Failing);
                return Next::End(Err(failure.error));
            };
            self.enter(JobStatus::Restarting);
            let wanted = self.view.read(|state| state.wanted.iter().map(|vertex| vertex.upper).collect());
            self.options.vertex_parallelism = Some(wanted);
            self.tell_restart(&failure.error, delay);
            if let Some(end) = self.wait(delay) {
                return Next::End(Ok(end));
            }
            match self.build() {
                Ok(built) => {
                    self.view.update(|state| state.restarts += 1);
                    return Next::Attempt(Box::new(built));
                }
                Err(error) => failure = error.into(),
            }
        }
    }

    fn tell_restart(&mut self, failure: &Error, delay: Duration) {
        let checkpoint = self.options.restore.as_ref().map(|from| from.manifest.checkpoint_id);
        let attempt = self.view.read(|state| Arc::clone(&state.attempt));
        (self.observer)(&Progress {
            metrics: &attempt.metrics,
            attempt: attempt.number,
            elapsed: self.started.elapsed(),
            checkpoints: &self.memory.stats,
            restart: Some(Restart { failure, delay, checkpoint }),
            is_last: false,
        });
    }

    /// Finds the last snapshot that is whole; a savepoint may have been moved. The answer is no if the job has taken
    /// checkpoints and none of them is there, since output has been committed that goes with them.
    fn find_snapshot(&mut self) -> bool {
        let is_whole = |from: &&RestoreFrom| snapshots::load(&from.directory).is_ok();
        let known = [&self.memory.last, &self.memory.checkpoint];
        match known.into_iter().flatten().find(is_whole) {
            Some(from) => self.options.restore = Some(from.clone()),
            None if self.memory.last.is_some() => return false,
            None => {}
        }
        true
    }

    /// Waits before a restart; the answer is set if the job is to end instead.
    fn wait(&mut self, delay: Duration) -> Option<JobEnd> {
        let deadline = Instant::now() + delay;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Control(mut request)) => match request.control.clone() {
                    Control::Cancel => {
                        request.answer(Ok(Outcome::default()));
                        return Some(JobEnd::Canceled);
                    }
                    // Nobody waits for an answer but the person at the terminal, who wants it to end.
                    Control::StopWithSavepoint { .. } if request.reply.is_none() => return Some(JobEnd::Canceled),
                    Control::Rescale(wanted) => {
                        self.options.vertex_parallelism = Some(wanted.iter().map(|vertex| vertex.upper).collect());
                        self.view.update(|state| state.wanted = wanted);
                        request.answer(Ok(Outcome::default()));
                    }
                    Control::Checkpoint | Control::Savepoint(_) | Control::StopWithSavepoint { .. } => {
                        let error = Error::new(ErrorKind::Conflict, "the job is restarting");
                        request.answer(Err(error.with_hint("try again when it is running")));
                    }
                },
                Ok(Event::Slot(..)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// The attempt stopped so that the next has other subtasks. If that cannot be, the next is like the last.
    fn rescale(&mut self, wanted: Vec<VertexParallelism>, mut requests: Vec<Request>) -> Next {
        let before = self.view.read(|state| state.attempt.parallelism.clone());
        let after: Vec<usize> = wanted.iter().map(|vertex| vertex.upper).collect();
        tracing::info!(target: "kobel.job", ?before, ?after, "rescaling");
        let id = u128::from_be_bytes(rand::random());
        let record = RescaleRecord {
            id: format!("{id:032x}"),
            started_ms: self.options.clock.now_ms(),
            ended_ms: None,
            before: before.clone(),
            wanted,
            failure: None,
        };
        self.view.update(|state| {
            state.rescales.push_front(record);
            state.rescales.truncate(JobState::RESCALES_KEPT);
        });
        self.enter(JobStatus::Restarting);
        self.options.restore = self.memory.last.clone();
        self.options.vertex_parallelism = Some(after);
        let built = self.build();
        let now_ms = self.options.clock.now_ms();
        self.view.update(|state| {
            if let Some(record) = state.rescales.front_mut() {
                record.ended_ms = Some(now_ms);
                record.failure = built.as_ref().err().map(|error| chain(error));
            }
        });
        match built {
            Ok(built) => {
                answer(&mut requests, &Ok(Outcome::default()));
                Next::Attempt(Box::new(built))
            }
            Err(error) => {
                tracing::warn!(target: "kobel.job", cause = %chain(&error), "cannot rescale");
                answer(&mut requests, &Err(error));
                let one = |upper: &usize| VertexParallelism { lower: 1, upper: *upper };
                self.view.update(|state| state.wanted = before.iter().map(one).collect());
                self.options.vertex_parallelism = Some(before);
                match self.build() {
                    Ok(built) => Next::Attempt(Box::new(built)),
                    Err(error) => self.restart(error.into()),
                }
            }
        }
    }

    /// Makes the next attempt.
    fn build(&mut self) -> Result<Built> {
        let reporter = Reporter { attempt: self.attempts, events: self.sender.clone() };
        let built = build::build(&self.graph, &self.options, &reporter)?;
        self.attempts += 1;
        self.note_restored();
        self.view.update(|state| {
            let attempt = Arc::clone(&built.attempt);
            state.earlier.push_front(std::mem::replace(&mut state.attempt, attempt));
            state.earlier.truncate(JobState::ATTEMPTS_KEPT);
        });
        Ok(built)
    }

    fn note_failure(&self, failure: &Failure) {
        let text = chain(&failure.error);
        tracing::error!(target: "kobel.job", job = %self.view.facts.id, cause = %text, "failed");
        let record = FailureRecord {
            at_ms: self.options.clock.now_ms(),
            kind: format!("{:?}", failure.error.kind()),
            text: lines(&failure.error),
            task: failure.task,
        };
        self.view.update(|state| {
            state.failures.push_front(record);
            state.failures.truncate(JobState::FAILURES_KEPT);
        });
    }
}

/// Notes that a status of the job begins.
fn switch(view: &JobView, clock: &dyn Clock, status: JobStatus) {
    let (job, name, from) = (view.facts.id, &view.facts.name, view.read(|state| state.status));
    tracing::info!(target: "kobel.job", %job, %name, %from, to = %status, "job switched state");
    view.enter(status, clock.now_ms());
}

/// Starts the thread of every slot, up to the first that cannot be started.
fn start(slots: Vec<Slot>, clock: &Arc<dyn Clock>) -> (Vec<JoinHandle<()>>, Option<Error>) {
    let mut threads = Vec::with_capacity(slots.len());
    for slot in slots {
        let (clock, name) = (Arc::clone(clock), format!("slot-{}", slot.index));
        match std::thread::Builder::new().name(name).spawn(move || slot.run(clock)) {
            Ok(thread) => threads.push(thread),
            Err(error) => return (threads, Some(Error::io("cannot start the thread of a slot", error))),
        }
    }
    (threads, None)
}

/// An error, each of its causes, and what to do, a line each.
fn lines(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("\nCaused by: {error}"));
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nHint: {hint}"));
    }
    text
}
