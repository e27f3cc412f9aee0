//! A slot: one subtask of every vertex, run cooperatively by one thread, consumers before producers.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use kobel_model::{Error, Result};

use crate::channel::{Barrier, Waker};
use crate::event::{Command, Failure, Reporter, SlotEvent, TaskSnapshot};
use crate::options::Clock;
use crate::task::{Head, Task, TaskStep};

/// The longest sleep of an idle slot; a lost wake-up costs no more.
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// How the coordinator reaches a slot.
pub(crate) struct SlotHandle {
    pub(crate) commands: Sender<Command>,
    pub(crate) waker: Waker,
}

impl SlotHandle {
    /// Tells a slot something; one that has failed does not hear it.
    pub(crate) fn send(&self, command: Command) {
        // The failure of the slot is an event of its own.
        let _ = self.commands.send(command);
        self.waker.wake();
    }
}

/// What a slot did in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotStep {
    /// Something.
    Progress,
    /// Nothing; sleep at most this long.
    Idle(Duration),
    /// It was told to shut down.
    Shutdown,
}

/// A slot.
pub(crate) struct Slot {
    pub(crate) index: usize,
    /// In the order of the graph.
    pub(crate) tasks: Vec<Task>,
    pub(crate) commands: Receiver<Command>,
    pub(crate) reporter: Reporter,
    pub(crate) waker: Waker,
    pub(crate) batch_rows: usize,
    /// The snapshot that is under way here.
    pub(crate) barrier: Option<Barrier>,
    /// Which tasks have taken it.
    pub(crate) taken: Vec<bool>,
    pub(crate) has_ended: bool,
    /// The task that is being stepped.
    pub(crate) current: Option<usize>,
}

impl Slot {
    /// Runs the slot until it is told to shut down or fails; errors and panics become events.
    pub(crate) fn run(mut self, clock: Arc<dyn Clock>) {
        self.waker.attach();
        let reporter = self.reporter.clone();
        let run = std::panic::AssertUnwindSafe(|| {
            self.tasks.iter_mut().for_each(|task| task.start(clock.now_ms()));
            loop {
                match self.step(clock.now_ms())? {
                    SlotStep::Progress => {}
                    SlotStep::Idle(wait) => std::thread::park_timeout(wait.min(SLEEP_MAX)),
                    SlotStep::Shutdown => return Ok(()),
                }
            }
        });
        let failure = match std::panic::catch_unwind(run) {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(panic) => {
                let error = Error::bug(format!("a slot panicked: {}", panic_text(panic.as_ref())));
                match self.current.and_then(|index| self.tasks.get(index)) {
                    Some(task) => task.failed(error, clock.now_ms()),
                    None => error.into(),
                }
            }
        };
        reporter.tell(SlotEvent::Failed(failure));
    }

    /// Steps every task once.
    ///
    /// # Errors
    /// The first error of a task; the slot must not be stepped again.
    pub(crate) fn step(&mut self, now_ms: i64) -> Result<SlotStep, Failure> {
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) => break,
                // Nobody coordinates any more.
                Err(TryRecvError::Disconnected) => return Ok(SlotStep::Shutdown),
            };
            match command {
                Command::Trigger(barrier) => self.trigger(barrier),
                Command::Commit(id) => self.commit(id)?,
                Command::Keep(id) => self.reporter.tell(SlotEvent::Committed { checkpoint_id: id }),
                Command::Resume => self.tasks.iter_mut().for_each(Task::resume),
                Command::Shutdown => return Ok(SlotStep::Shutdown),
            }
        }
        let (mut progressed, mut sleep) = (false, SLEEP_MAX);
        let mut begin = Instant::now();
        for index in (0..self.tasks.len()).rev() {
            self.current = Some(index);
            let task = &mut self.tasks[index];
            let step = task.step(self.batch_rows, now_ms).map_err(|error| task.failed(error, now_ms))?;
            let end = Instant::now();
            task.spend(step, begin, end);
            begin = end;
            match step {
                TaskStep::Progress | TaskStep::Ended => progressed = true,
                TaskStep::Waiting(wait) => sleep = sleep.min(wait.unwrap_or(SLEEP_MAX)),
                TaskStep::Blocked => {}
                TaskStep::Snapshot(barrier) => {
                    progressed = true;
                    self.report(index, barrier);
                }
            }
        }
        self.current = None;
        self.snapshot_ended(now_ms)?;
        if !self.has_ended && self.tasks.iter_mut().all(Task::is_done) {
            self.has_ended = true;
            self.reporter.tell(SlotEvent::Ended);
        }
        Ok(if progressed { SlotStep::Progress } else { SlotStep::Idle(sleep) })
    }

    fn commit(&mut self, id: u64) -> Result<(), Failure> {
        for task in &mut self.tasks {
            task.commit(id).map_err(|error| Failure { error, task: Some((task.vertex, task.subtask)) })?;
        }
        self.reporter.tell(SlotEvent::Committed { checkpoint_id: id });
        Ok(())
    }

    fn trigger(&mut self, barrier: Barrier) {
        // A barrier may have come through a channel before the command.
        if self.barrier.is_none_or(|current| current.id != barrier.id) {
            self.begin(barrier);
        }
        for task in &mut self.tasks {
            if !matches!(task.head, Head::Gate(_)) {
                task.trigger = Some(barrier);
            }
        }
    }

    fn begin(&mut self, barrier: Barrier) {
        self.barrier = Some(barrier);
        self.taken = vec![false; self.tasks.len()];
    }

    /// Sends on what a task has snapshotted.
    fn report(&mut self, index: usize, barrier: Barrier) {
        if self.barrier.is_none_or(|current| current.id != barrier.id) {
            self.begin(barrier);
        }
        self.taken[index] = true;
        let task = &mut self.tasks[index];
        let (states, times) = task.snapshot.take().unwrap_or_default();
        let (vertex, subtask) = (task.vertex, task.subtask);
        let snapshot = TaskSnapshot { checkpoint_id: barrier.id, vertex, subtask, states, times };
        self.reporter.tell(SlotEvent::Snapshot(snapshot));
    }

    /// Tasks that have ended never see a barrier; they are snapshotted as they are.
    fn snapshot_ended(&mut self, now_ms: i64) -> Result<(), Failure> {
        let Some(barrier) = self.barrier else { return Ok(()) };
        for index in 0..self.tasks.len() {
            if self.tasks[index].has_ended && !self.taken[index] {
                self.tasks[index].trigger = None;
                let task = &mut self.tasks[index];
                task.take_snapshot(barrier, now_ms).map_err(|error| task.failed(error, now_ms))?;
                self.report(index, barrier);
            }
        }
        Ok(())
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
