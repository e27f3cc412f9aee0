//! What can happen to a running job, and the loop that answers it.
//!
//! Everything is one [`Event`]; the loop is in [`Coordinator::run`]. The coordinator owns no row: it triggers
//! checkpoints, has them written, lets sinks commit, and decides how the job ends.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use kobel_model::{Error, Result};

use crate::channel::Barrier;
use crate::checkpoint::{CheckpointPlan, CheckpointWriter, Completed};
use crate::event::{Command, Control, Event, TaskSnapshot};
use crate::metrics::JobMetrics;
use crate::options::Clock;
use crate::progress::{CheckpointStats, JobEnd, Progress};
use crate::slot::SlotHandle;

/// How long slots may take to commit before the job ends; the snapshot is complete all the same.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Why a snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The interval has passed, or somebody asked.
    Checkpoint,
    /// The user wants one; the job goes on.
    Savepoint,
    /// The user wants one, then the job stops.
    Stop,
    /// The input has ended.
    Final,
}

/// A snapshot under way.
struct Pending {
    purpose: Purpose,
    started: Instant,
    plan: CheckpointPlan,
    /// Why it failed; it stays until every subtask has handed in, so that only one barrier is ever under way.
    failure: Option<Error>,
    /// Where the manifest went, once it is complete and slots are committing.
    completed: Option<Completed>,
    uncommitted: usize,
}

/// Coordinates one job.
pub(crate) struct Coordinator<'a> {
    pub(crate) slots: Vec<SlotHandle>,
    pub(crate) events: Receiver<Event>,
    pub(crate) writer: CheckpointWriter,
    pub(crate) metrics: Arc<JobMetrics>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) interval: Option<Duration>,
    pub(crate) min_pause: Duration,
    pub(crate) timeout: Duration,
    pub(crate) failures_tolerated: u32,
    pub(crate) observer: &'a mut dyn FnMut(&Progress<'_>),
}

/// What changes while a job runs.
struct RunState {
    pending: Option<Pending>,
    /// Asked for while another was under way.
    wanted: Option<Purpose>,
    next_checkpoint: Option<Instant>,
    next_progress: Instant,
    ended_slots: usize,
    stats: CheckpointStats,
    failures: u32,
    started: Instant,
}

impl Coordinator<'_> {
    /// Runs the job to its end.
    ///
    /// # Errors
    /// The first failure of a slot, or of a checkpoint if no more are tolerated.
    pub(crate) fn run(&mut self) -> Result<JobEnd> {
        let now = Instant::now();
        let mut state = RunState {
            pending: None,
            wanted: None,
            next_checkpoint: self.interval.map(|interval| now + interval),
            next_progress: now + PROGRESS_INTERVAL,
            ended_slots: 0,
            stats: CheckpointStats::default(),
            failures: 0,
            started: now,
        };
        let end = loop {
            let deadline = state.next_checkpoint.map_or(state.next_progress, |at| at.min(state.next_progress));
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    if let Some(end) = self.on_event(event, &mut state)? {
                        break end;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.on_time(&mut state)?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::bug("all slots have gone")),
            }
        };
        self.show(&state, true);
        Ok(end)
    }

    fn on_event(&mut self, event: Event, state: &mut RunState) -> Result<Option<JobEnd>> {
        match event {
            Event::Failed(error) => return Err(error),
            Event::Control(Control::Cancel) => return Ok(Some(JobEnd::Canceled)),
            Event::Control(Control::StopWithSavepoint) => self.want(Purpose::Stop, state)?,
            Event::Control(Control::Savepoint) => self.want(Purpose::Savepoint, state)?,
            Event::Control(Control::Checkpoint) => self.want(Purpose::Checkpoint, state)?,
            Event::SlotEnded => {
                state.ended_slots += 1;
                if state.ended_slots == self.slots.len() {
                    self.want(Purpose::Final, state)?;
                }
            }
            Event::Snapshot(snapshot) => self.on_snapshot(snapshot, state)?,
            Event::Committed { checkpoint_id, .. } => return self.on_committed(checkpoint_id, state),
        }
        Ok(None)
    }

    fn on_time(&mut self, state: &mut RunState) -> Result<()> {
        let now = Instant::now();
        if now >= state.next_progress {
            state.next_progress = now + PROGRESS_INTERVAL;
            self.show(state, false);
        }
        if let Some(pending) = &state.pending
            && now - pending.started > self.limit(pending)
        {
            let id = pending.plan.id();
            return Err(Error::new(kobel_model::ErrorKind::Unavailable, format!("checkpoint {id} timed out"))
                .with_hint("a sink or the checkpoint directory is too slow; see 'execution.checkpointing.timeout'"));
        }
        if state.next_checkpoint.is_some_and(|at| now >= at) {
            state.next_checkpoint = self.interval.map(|interval| now + interval);
            if state.pending.is_none() {
                self.begin(Purpose::Checkpoint, state)?;
            }
        }
        Ok(())
    }

    /// How long a snapshot may take in the phase that it is in.
    fn limit(&self, pending: &Pending) -> Duration {
        if pending.completed.is_some() { self.timeout.max(COMMIT_TIMEOUT) } else { self.timeout }
    }

    /// Begins a snapshot now or, if one is under way, right after it; a more final purpose wins.
    fn want(&mut self, purpose: Purpose, state: &mut RunState) -> Result<()> {
        if state.pending.is_none() {
            return self.begin(purpose, state);
        }
        let rank = |purpose: Purpose| match purpose {
            Purpose::Checkpoint => 0,
            Purpose::Savepoint => 1,
            Purpose::Stop => 2,
            Purpose::Final => 3,
        };
        if state.wanted.is_none_or(|wanted| rank(wanted) < rank(purpose)) {
            state.wanted = Some(purpose);
        }
        Ok(())
    }

    fn begin(&mut self, purpose: Purpose, state: &mut RunState) -> Result<()> {
        let now_ms = self.clock.now_ms();
        let plan = match purpose {
            Purpose::Checkpoint => self.writer.begin_checkpoint(now_ms)?,
            Purpose::Final => self.writer.begin_final(now_ms)?,
            Purpose::Savepoint | Purpose::Stop => match self.writer.begin_savepoint(now_ms) {
                Ok(plan) => plan,
                Err(error) => return self.savepoint_failed(error, state),
            },
        };
        let barrier = Barrier { id: plan.id(), mode: plan.mode(), stops: purpose == Purpose::Stop };
        let uncommitted = self.slots.len();
        state.pending =
            Some(Pending { purpose, started: Instant::now(), plan, failure: None, completed: None, uncommitted });
        self.slots.iter().for_each(|slot| slot.send(Command::Trigger(barrier)));
        Ok(())
    }

    fn on_snapshot(&mut self, snapshot: TaskSnapshot, state: &mut RunState) -> Result<()> {
        let Some(pending) = &mut state.pending else { return Ok(()) };
        if snapshot.checkpoint_id != pending.plan.id() {
            return Ok(());
        }
        if pending.failure.is_some() {
            pending.plan.count();
        } else if let Err(error) = self.writer.add(&mut pending.plan, snapshot) {
            pending.failure = Some(error);
        }
        if !pending.plan.is_complete() {
            return Ok(());
        }
        if let Some(error) = pending.failure.take() {
            return self.on_write_failure(error, state);
        }
        match self.writer.complete(&mut pending.plan) {
            Ok(completed) => {
                state.failures = 0;
                if pending.purpose != Purpose::Final || completed.directory.is_some() {
                    state.stats.completed += 1;
                    state.stats.last_id = Some(completed.checkpoint_id);
                    state.stats.last_duration = pending.started.elapsed();
                    state.stats.last_bytes = completed.state_bytes;
                    state.stats.last_written_bytes = completed.written_bytes;
                }
                let id = completed.checkpoint_id;
                pending.completed = Some(completed);
                self.slots.iter().for_each(|slot| slot.send(Command::Commit(id)));
                Ok(())
            }
            Err(error) => self.on_write_failure(error, state),
        }
    }

    fn on_write_failure(&mut self, error: Error, state: &mut RunState) -> Result<()> {
        let Some(pending) = state.pending.take() else { return Err(error) };
        let message = format!("checkpoint {} could not be written", pending.plan.id());
        state.failures += 1;
        state.stats.failed += 1;
        if pending.purpose == Purpose::Savepoint {
            return self.savepoint_failed(error.context(message), state);
        }
        if pending.purpose != Purpose::Checkpoint || state.failures > self.failures_tolerated {
            return Err(error.context(message));
        }
        self.writer.failed();
        state.stats.last_failure = Some(kobel_model::chain(&error.context(message)));
        self.next(state)
    }

    /// A savepoint could not be written: the job goes on, and the person is told.
    fn savepoint_failed(&mut self, error: Error, state: &mut RunState) -> Result<()> {
        state.stats.failed += 1;
        state.stats.last_failure = Some(kobel_model::chain(&error));
        self.show(state, false);
        self.next(state)
    }

    fn on_committed(&mut self, checkpoint_id: u64, state: &mut RunState) -> Result<Option<JobEnd>> {
        let Some(pending) = &mut state.pending else { return Ok(None) };
        if pending.plan.id() != checkpoint_id || pending.completed.is_none() {
            return Ok(None);
        }
        pending.uncommitted -= 1;
        if pending.uncommitted > 0 {
            return Ok(None);
        }
        let (purpose, completed) = match state.pending.take() {
            Some(Pending { purpose, completed: Some(completed), .. }) => (purpose, completed),
            _ => return Ok(None),
        };
        self.writer.committed(&completed)?;
        match purpose {
            Purpose::Final => return Ok(Some(JobEnd::Finished)),
            Purpose::Stop => {
                let directory = completed.directory.ok_or_else(|| Error::bug("a savepoint has no directory"))?;
                return Ok(Some(JobEnd::Stopped { savepoint: directory }));
            }
            Purpose::Savepoint => state.stats.last_savepoint = completed.directory,
            Purpose::Checkpoint => {}
        }
        if let (Some(at), Some(_)) = (&mut state.next_checkpoint, self.interval) {
            *at = (*at).max(Instant::now() + self.min_pause);
        }
        self.next(state)?;
        Ok(None)
    }

    /// Begins what was asked for in the meantime.
    fn next(&mut self, state: &mut RunState) -> Result<()> {
        match state.wanted.take() {
            Some(purpose) => self.begin(purpose, state),
            None => Ok(()),
        }
    }

    fn show(&mut self, state: &RunState, is_last: bool) {
        let progress =
            Progress { metrics: &self.metrics, elapsed: state.started.elapsed(), checkpoints: &state.stats, is_last };
        (self.observer)(&progress);
    }
}
