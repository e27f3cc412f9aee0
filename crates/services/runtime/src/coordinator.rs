//! What can happen to a running attempt, and the loop that answers it.
//!
//! Everything is one [`Event`]; the loop is in [`Coordinator::run`]. The coordinator owns no row: it triggers
//! checkpoints, has them written, lets sinks commit, and says how the attempt ends. What comes after that is for
//! [`crate::job`].

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use kobel_model::snapshot::SnapshotKind;
use kobel_model::{Error, ErrorKind, Result, chain};

use crate::channel::Barrier;
use crate::checkpoint::{CheckpointPlan, CheckpointWriter, Completed};
use crate::control::{Control, Outcome, Request, StopMode, VertexParallelism};
use crate::event::{Command, Event, Failure, SlotEvent, TaskSnapshot};
use crate::ledger::{Acknowledgement, Ledger, absolute, savepoint_type};
use crate::metrics::JobMetrics;
use crate::options::RestoreFrom;
use crate::progress::{CheckpointStats, Progress};
use crate::slot::SlotHandle;
use crate::view::checkpoints::CheckpointType;

/// How long slots may take to commit before the job ends; the snapshot is complete all the same.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Why a snapshot is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    /// The interval has passed, or somebody asked.
    Checkpoint,
    /// The user wants one; the job goes on, or stops.
    Savepoint(Option<PathBuf>, Option<StopMode>),
    /// The next attempt goes on from it, with other subtasks.
    Rescale(Vec<VertexParallelism>),
    /// The input has ended.
    Final,
}

impl Purpose {
    fn stop(&self) -> Option<StopMode> {
        match self {
            Self::Savepoint(_, stop) => *stop,
            Self::Rescale(_) => Some(StopMode::Suspend),
            Self::Checkpoint | Self::Final => None,
        }
    }
}

/// A snapshot under way.
struct Pending {
    purpose: Purpose,
    requests: Vec<Request>,
    started: Instant,
    plan: CheckpointPlan,
    /// Why it failed; it stays until every subtask has handed in, so that only one barrier is ever under way.
    failure: Option<Error>,
    /// Where the manifest went, once it is complete and slots are committing.
    completed: Option<Completed>,
    uncommitted: usize,
}

/// How an attempt ended without failing.
pub(crate) enum AttemptEnd {
    /// Its input ended and all of it was processed.
    Finished,
    /// It was stopped with a savepoint; those who asked are told once the job has ended.
    Stopped(PathBuf, Vec<Request>, Outcome),
    /// It was canceled.
    Canceled,
    /// It stopped so that the next one goes on from its last snapshot with other subtasks.
    Rescaled(Vec<VertexParallelism>, Vec<Request>),
}

/// How checkpoints are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) interval: Option<Duration>,
    pub(crate) min_pause: Duration,
    pub(crate) timeout: Duration,
    pub(crate) failures_tolerated: u32,
}

/// What outlives an attempt.
#[derive(Default)]
pub(crate) struct Memory {
    /// The last complete snapshot that a job can go on from.
    pub(crate) last: Option<RestoreFrom>,
    /// The last that is a checkpoint: nobody but the job removes it.
    pub(crate) checkpoint: Option<RestoreFrom>,
    /// Counts for the person.
    pub(crate) stats: CheckpointStats,
}

/// Coordinates one attempt.
pub(crate) struct Coordinator<'a> {
    pub(crate) attempt: u32,
    pub(crate) slots: Vec<SlotHandle>,
    pub(crate) events: &'a Receiver<Event>,
    pub(crate) sender: &'a Sender<Event>,
    pub(crate) writer: CheckpointWriter,
    pub(crate) ledger: Ledger,
    pub(crate) metrics: Arc<JobMetrics>,
    pub(crate) schedule: Schedule,
    pub(crate) memory: &'a mut Memory,
    /// When the job started.
    pub(crate) started: Instant,
    pub(crate) observer: &'a mut dyn FnMut(&Progress<'_>),
    /// Where snapshots go that only a rescale needs.
    pub(crate) scratch: PathBuf,
}

/// What changes while an attempt runs.
struct RunState {
    pending: Option<Pending>,
    /// Asked for while another was under way.
    wanted: VecDeque<(Purpose, Vec<Request>)>,
    next_checkpoint: Option<Instant>,
    next_progress: Instant,
    ended_slots: usize,
    failures: u32,
}

impl RunState {
    /// Whether the subtasks are about to change.
    fn is_being_rescaled(&self) -> bool {
        let pending = self.pending.iter().map(|pending| &pending.purpose);
        let mut purposes = pending.chain(self.wanted.iter().map(|(purpose, _)| purpose));
        purposes.any(|purpose| matches!(purpose, Purpose::Rescale(_)))
    }
}

/// How an event changes the course of an attempt.
type Step<T> = Result<T, Failure>;

impl Coordinator<'_> {
    /// Runs the attempt to its end.
    ///
    /// # Errors
    /// The first failure of a slot, or of a checkpoint if no more are tolerated.
    pub(crate) fn run(&mut self) -> Step<AttemptEnd> {
        let now = Instant::now();
        let mut state = RunState {
            pending: None,
            wanted: VecDeque::new(),
            next_checkpoint: self.schedule.interval.map(|interval| now + interval),
            next_progress: now + PROGRESS_INTERVAL,
            ended_slots: 0,
            failures: 0,
        };
        let end = loop {
            let deadline = state.next_checkpoint.map_or(state.next_progress, |at| at.min(state.next_progress));
            let mut end = match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.on_event(event, &mut state),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(Error::bug("all slots have gone").into()),
            };
            // What is due does not wait for a quiet moment.
            if matches!(end, Ok(None)) && Instant::now() >= deadline {
                end = self.on_time(&mut state).map(|()| None);
            }
            match end {
                Ok(None) => {}
                Ok(Some(end)) => break Ok(end),
                Err(failure) => break Err(failure),
            }
        };
        if let Some(pending) = &state.pending
            && pending.completed.is_none()
        {
            self.ledger.failed(pending.plan.id(), "the attempt ended before it was complete");
        }
        self.hand_on(&end, state);
        let is_last = !matches!(end, Ok(AttemptEnd::Rescaled(..)) | Err(_));
        self.show(is_last);
        end
    }

    /// What was asked for and not done is asked again of the next attempt: all of it after a rescale; after a failure
    /// what nobody waits for, who else would be told that it came to nothing.
    fn hand_on(&self, end: &Step<AttemptEnd>, mut state: RunState) {
        let is_rescaled = matches!(end, Ok(AttemptEnd::Rescaled(..)));
        if !is_rescaled && end.is_ok() {
            return;
        }
        let pending = state.pending.take().map(|pending| pending.requests).unwrap_or_default();
        let queued = state.wanted.drain(..).flat_map(|(_, requests)| requests);
        for request in pending.into_iter().chain(queued).filter(|request| is_rescaled || request.reply.is_none()) {
            // The receiver is ours, so it is there.
            let _ = self.sender.send(Event::Control(request));
        }
    }

    fn on_event(&mut self, event: Event, state: &mut RunState) -> Step<Option<AttemptEnd>> {
        match event {
            Event::Control(request) => return self.on_control(request, state),
            Event::Slot(attempt, _) if attempt != self.attempt => {}
            Event::Slot(_, SlotEvent::Failed(failure)) => return Err(failure),
            Event::Slot(_, SlotEvent::Ended) => {
                state.ended_slots += 1;
                if state.ended_slots == self.slots.len() {
                    self.want(Purpose::Final, None, state)?;
                }
            }
            Event::Slot(_, SlotEvent::Snapshot(snapshot)) => self.on_snapshot(snapshot, state)?,
            Event::Slot(_, SlotEvent::Committed { checkpoint_id }) => return self.on_committed(checkpoint_id, state),
        }
        Ok(None)
    }

    fn on_control(&mut self, mut request: Request, state: &mut RunState) -> Step<Option<AttemptEnd>> {
        let purpose = match request.control.clone() {
            Control::Cancel => {
                request.answer(Ok(Outcome::default()));
                return Ok(Some(AttemptEnd::Canceled));
            }
            Control::Checkpoint if request.reply.is_some() && !self.writer.keeps_checkpoints() => {
                let error = Error::new(ErrorKind::Conflict, "the job keeps no checkpoints");
                request.answer(Err(error.with_hint("set 'execution.checkpointing.interval', or take a savepoint")));
                return Ok(None);
            }
            Control::Checkpoint => Purpose::Checkpoint,
            Control::Savepoint(directory) => Purpose::Savepoint(directory, None),
            Control::StopWithSavepoint { directory, end } => Purpose::Savepoint(directory, Some(end)),
            Control::Rescale(wanted) => {
                let uppers: Vec<_> = wanted.iter().map(|vertex| vertex.upper).collect();
                let is_same = self.ledger.view.update(|state| {
                    state.wanted.clone_from(&wanted);
                    state.attempt.parallelism == uppers
                });
                if is_same && !state.is_being_rescaled() {
                    request.answer(Ok(Outcome::default()));
                    return Ok(None);
                }
                Purpose::Rescale(wanted)
            }
        };
        self.want(purpose, Some(request), state)?;
        Ok(None)
    }

    fn on_time(&mut self, state: &mut RunState) -> Step<()> {
        let now = Instant::now();
        if now >= state.next_progress {
            state.next_progress = now + PROGRESS_INTERVAL;
            self.show(false);
        }
        if let Some(pending) = &mut state.pending {
            self.check_time(pending)?;
        }
        if state.next_checkpoint.is_some_and(|at| now >= at) {
            // One that is due while another is under way comes right after it.
            state.next_checkpoint =
                self.schedule.interval.filter(|_| state.pending.is_none()).map(|interval| now + interval);
            if state.pending.is_none() {
                self.begin(Purpose::Checkpoint, Vec::new(), state)?;
            }
        }
        Ok(())
    }

    /// Fails a snapshot that takes too long. A savepoint fails alone, once every subtask has handed in; if that does not
    /// happen in the same time again, the attempt fails with it.
    fn check_time(&self, pending: &mut Pending) -> Step<()> {
        let timeout = self.schedule.timeout;
        let limit = if pending.completed.is_some() { timeout.max(COMMIT_TIMEOUT) } else { timeout };
        let elapsed = pending.started.elapsed();
        if elapsed <= limit {
            return Ok(());
        }
        let id = pending.plan.id();
        let error = Error::new(ErrorKind::Unavailable, format!("checkpoint {id} timed out"))
            .with_hint("a sink or the checkpoint directory is too slow; see 'execution.checkpointing.timeout'");
        let is_alone = matches!(pending.purpose, Purpose::Savepoint(_, None)) && pending.completed.is_none();
        if is_alone && elapsed <= limit * 2 {
            pending.failure.get_or_insert(error);
            return Ok(());
        }
        self.ledger.failed(id, "timed out");
        Err(error.into())
    }

    /// The next checkpoint comes when it is due, but not before the pause.
    fn rearm(&self, state: &mut RunState) {
        let now = Instant::now();
        let due = state.next_checkpoint.unwrap_or(now).max(now + self.schedule.min_pause);
        state.next_checkpoint = self.schedule.interval.map(|_| due);
    }

    /// Begins a snapshot now or, if one is under way, after it; who wants the same as somebody else gets the same.
    fn want(&mut self, purpose: Purpose, request: Option<Request>, state: &mut RunState) -> Step<()> {
        if state.pending.is_none() {
            return self.begin(purpose, request.into_iter().collect(), state);
        }
        match state.wanted.iter_mut().find(|(wanted, _)| *wanted == purpose) {
            Some((_, requests)) => requests.extend(request),
            // Whatever else is wanted, the job is done.
            None if purpose == Purpose::Final => state.wanted.push_front((purpose, Vec::new())),
            None => state.wanted.push_back((purpose, request.into_iter().collect())),
        }
        Ok(())
    }

    fn begin(&mut self, purpose: Purpose, mut requests: Vec<Request>, state: &mut RunState) -> Step<()> {
        let now_ms = self.ledger.clock.now_ms();
        let keeps = self.writer.keeps_checkpoints();
        let plan = match &purpose {
            Purpose::Checkpoint => self.writer.begin_checkpoint(now_ms),
            Purpose::Rescale(_) if keeps => self.writer.begin_checkpoint(now_ms),
            Purpose::Rescale(_) => self.writer.begin_savepoint(now_ms, Some(&self.scratch)),
            Purpose::Final => self.writer.begin_final(now_ms),
            Purpose::Savepoint(directory, _) => self.writer.begin_savepoint(now_ms, directory.as_deref()),
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) if matches!(purpose, Purpose::Checkpoint | Purpose::Final) => return Err(error.into()),
            Err(error) => {
                self.refused(error, &mut requests);
                return self.next(state);
            }
        };
        let barrier = Barrier { id: plan.id(), mode: plan.mode(), stop: purpose.stop(), triggered: Instant::now() };
        let kind = match &purpose {
            Purpose::Savepoint(_, stop) => savepoint_type(*stop),
            Purpose::Checkpoint | Purpose::Rescale(_) | Purpose::Final => CheckpointType::Checkpoint,
        };
        if keeps || !matches!(purpose, Purpose::Rescale(_)) {
            // What only a rescale needs goes with it, and is nobody's business.
            self.ledger.begin(&plan, kind);
        }
        state.pending = Some(Pending {
            purpose,
            requests,
            started: barrier.triggered,
            plan,
            failure: None,
            completed: None,
            uncommitted: self.slots.len(),
        });
        self.slots.iter().for_each(|slot| slot.send(Command::Trigger(barrier)));
        Ok(())
    }

    fn on_snapshot(&mut self, snapshot: TaskSnapshot, state: &mut RunState) -> Step<()> {
        let Some(pending) = &mut state.pending else { return Ok(()) };
        let id = pending.plan.id();
        if snapshot.checkpoint_id != id {
            return Ok(());
        }
        if pending.failure.is_some() {
            pending.plan.count();
        } else {
            let (task, times, begin) = ((snapshot.vertex, snapshot.subtask), snapshot.times, Instant::now());
            match self.writer.add(&mut pending.plan, snapshot) {
                Ok(written) => {
                    let writing = begin.elapsed();
                    self.ledger.acknowledged(id, &Acknowledgement { task, times, writing, written });
                }
                Err(error) => pending.failure = Some(error),
            }
        }
        if !pending.plan.is_complete() {
            return Ok(());
        }
        let completed = match pending.failure.take() {
            Some(error) => Err(error),
            None => self.writer.complete(&mut pending.plan),
        };
        match completed {
            Ok(completed) => {
                self.on_complete(completed, state);
                Ok(())
            }
            Err(error) => self.on_write_failure(error, state),
        }
    }

    /// The snapshot exists: sinks may commit, unless it is a savepoint after which the job goes on. Such a one is for others:
    /// the job never comes back from it, so what it goes with must not become visible (as with Flink since 1.15, FLIP-203).
    fn on_complete(&mut self, completed: Completed, state: &mut RunState) {
        let Some(pending) = &mut state.pending else { return };
        state.failures = 0;
        let stats = &mut self.memory.stats;
        if pending.purpose != Purpose::Final || completed.directory.is_some() {
            stats.completed += 1;
            stats.last_id = Some(completed.checkpoint_id);
            stats.last_duration = pending.started.elapsed();
            stats.last_bytes = completed.state_bytes;
            stats.last_written_bytes = completed.written_bytes;
        }
        self.ledger.completed(&completed);
        let is_drained = pending.purpose.stop() == Some(StopMode::Drain);
        let is_for_others = matches!(pending.purpose, Purpose::Savepoint(_, None));
        if let (Some(directory), Some(manifest)) = (&completed.directory, &completed.manifest)
            && !is_drained
            && !is_for_others
        {
            let (directory, manifest) = (directory.clone(), manifest.clone());
            let from = RestoreFrom { directory, manifest, ignore_unclaimed_state: false };
            if from.manifest.kind == SnapshotKind::Checkpoint {
                self.memory.checkpoint = Some(from.clone());
            }
            self.memory.last = Some(from);
        }
        let id = completed.checkpoint_id;
        pending.completed = Some(completed);
        let command = if is_for_others { Command::Keep(id) } else { Command::Commit(id) };
        self.slots.iter().for_each(|slot| slot.send(command));
    }

    fn on_write_failure(&mut self, error: Error, state: &mut RunState) -> Step<()> {
        let Some(mut pending) = state.pending.take() else { return Err(error.into()) };
        let error = error.context(format!("checkpoint {} could not be written", pending.plan.id()));
        self.ledger.failed(pending.plan.id(), &chain(&error));
        let is_drained = pending.purpose.stop() == Some(StopMode::Drain);
        match pending.purpose {
            Purpose::Final => return Err(error.into()),
            Purpose::Savepoint(..) | Purpose::Rescale(_) if is_drained => {
                let failed = Err(error);
                answer(&mut pending.requests, &failed);
                return failed.map_err(Failure::from).map(|_: Outcome| ());
            }
            Purpose::Savepoint(..) | Purpose::Rescale(_) => {
                // The job stays as it was, and the person is told.
                self.writer.failed();
                self.slots.iter().for_each(|slot| slot.send(Command::Resume));
                self.refused(error, &mut pending.requests);
                self.rearm(state);
                return self.next(state);
            }
            Purpose::Checkpoint => {}
        }
        state.failures += 1;
        self.memory.stats.failed += 1;
        self.memory.stats.last_failure = Some(chain(&error));
        let failed = Err(error);
        answer(&mut pending.requests, &failed);
        if state.failures > self.schedule.failures_tolerated {
            return failed.map_err(Failure::from).map(|_: Outcome| ());
        }
        self.writer.failed();
        self.rearm(state);
        self.next(state)
    }

    /// Something that somebody asked for could not be done; the job goes on as it is, and the person is told.
    fn refused(&mut self, error: Error, requests: &mut [Request]) {
        if requests.iter().any(|request| matches!(request.control, Control::Rescale(_))) {
            self.ledger.view.update(|state| {
                let as_it_is = |upper: &usize| VertexParallelism { lower: 1, upper: *upper };
                state.wanted = state.attempt.parallelism.iter().map(as_it_is).collect();
            });
        }
        self.memory.stats.failed += 1;
        self.memory.stats.last_failure = Some(chain(&error));
        answer(requests, &Err(error));
        self.show(false);
    }

    fn on_committed(&mut self, checkpoint_id: u64, state: &mut RunState) -> Step<Option<AttemptEnd>> {
        let Some(pending) = &mut state.pending else { return Ok(None) };
        if pending.plan.id() != checkpoint_id || pending.completed.is_none() {
            return Ok(None);
        }
        pending.uncommitted -= 1;
        if pending.uncommitted > 0 {
            return Ok(None);
        }
        let (purpose, mut requests, completed) = match state.pending.take() {
            Some(Pending { purpose, requests, completed: Some(completed), .. }) => (purpose, requests, completed),
            _ => return Ok(None),
        };
        self.writer.committed(&completed)?;
        let directory = completed.directory;
        let outcome = Outcome { checkpoint_id: Some(checkpoint_id), directory: directory.as_deref().map(absolute) };
        match purpose {
            Purpose::Final => return Ok(Some(AttemptEnd::Finished)),
            Purpose::Rescale(wanted) => return Ok(Some(AttemptEnd::Rescaled(wanted, requests))),
            Purpose::Savepoint(_, Some(_)) => {
                let directory = directory.ok_or_else(|| Error::bug("a savepoint has no directory"))?;
                return Ok(Some(AttemptEnd::Stopped(directory, requests, outcome)));
            }
            Purpose::Savepoint(_, None) => self.memory.stats.last_savepoint = directory,
            Purpose::Checkpoint => {}
        }
        answer(&mut requests, &Ok(outcome));
        self.rearm(state);
        self.next(state)?;
        Ok(None)
    }

    /// Begins what was asked for in the meantime.
    fn next(&mut self, state: &mut RunState) -> Step<()> {
        match state.wanted.pop_front() {
            Some((purpose, requests)) => self.begin(purpose, requests, state),
            None => Ok(()),
        }
    }

    fn show(&mut self, is_last: bool) {
        let progress = Progress {
            metrics: &self.metrics,
            elapsed: self.started.elapsed(),
            checkpoints: &self.memory.stats,
            attempt: self.attempt,
            restart: None,
            is_last,
        };
        (self.observer)(&progress);
    }
}

/// Tells everybody who wanted it what came of it.
pub(crate) fn answer(requests: &mut [Request], result: &Result<Outcome>) {
    for request in requests {
        request.answer(match result {
            Ok(outcome) => Ok(outcome.clone()),
            Err(error) => {
                let error_again = Error::new(error.kind(), chain(error));
                Err(match error.hint() {
                    Some(hint) => error_again.with_hint(hint),
                    None => error_again,
                })
            }
        });
    }
}
