//! Counters that slots write and everybody may read: relaxed atomics, no lock on the way of a row.
//!
//! Two levels, as in Flink: an operator's subtask counts rows and event time, a task (the subtask of a vertex) counts
//! what crosses its edges, where its time goes, and which states it has been in. All of them begin anew with each
//! attempt.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};

use kobel_rest::states::ExecutionState;

/// Counters of one subtask of an operator.
#[derive(Debug, Default)]
pub struct SubtaskMetrics {
    /// Rows taken (of a source: read).
    pub rows_in: AtomicU64,
    /// Rows yielded (of a sink: written).
    pub rows_out: AtomicU64,
    /// Bytes read or written, if the connector counts them.
    pub bytes: AtomicU64,
    /// Groups in keyed state.
    pub groups: AtomicU64,
    /// Rows dropped because they were late.
    pub late_rows: AtomicU64,
    /// The last watermark taken (of a source: made).
    pub watermark: Gauge,
    /// Rows that a source knows it has still to read.
    pub pending_rows: Gauge,
    /// Bytes that a source knows it has still to read.
    pub pending_bytes: Gauge,
}

/// A number that is not there from the start.
#[derive(Debug)]
pub struct Gauge(AtomicI64);

/// Stands for "not there": no gauge has this value.
const ABSENT: i64 = i64::MIN;

impl Default for Gauge {
    fn default() -> Self {
        Self(AtomicI64::new(ABSENT))
    }
}

impl Gauge {
    /// Notes a value; `None` takes it away.
    pub(crate) fn set(&self, value: impl Into<Option<i64>>) {
        self.0.store(value.into().unwrap_or(ABSENT), Ordering::Relaxed);
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|value| *value != ABSENT)
    }
}

/// What an operator is, as far as progress cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorRole {
    /// Reads a table.
    Source,
    /// Writes a table.
    Sink,
    /// In between.
    Inner,
}

/// Counters of one operator.
#[derive(Debug)]
pub struct OperatorMetrics {
    /// Name, for people.
    pub name: String,
    /// What it is.
    pub role: OperatorRole,
    /// By subtask.
    pub subtasks: Vec<SubtaskMetrics>,
}

/// Where a task's time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskTime {
    /// It works.
    Busy,
    /// It could work, but those behind it do not take what it has, or use the slot.
    BackPressured,
    /// It has no input.
    Idle,
}

/// The number of states that a task can be in.
const STATES: usize = ExecutionState::ALL.len();

/// Counters of one task: a subtask of a vertex.
#[derive(Debug)]
pub struct TaskMetrics {
    /// Rows that came from other tasks.
    pub rows_in: AtomicU64,
    /// Rows that went to other tasks.
    pub rows_out: AtomicU64,
    /// Bytes of these rows in memory.
    pub bytes_in: AtomicU64,
    /// Bytes of these rows in memory.
    pub bytes_out: AtomicU64,
    /// Batches that came from other tasks (Flink counts buffers).
    pub batches_in: AtomicU64,
    /// Batches that went to other tasks.
    pub batches_out: AtomicU64,
    /// Nanoseconds by [`TaskTime`].
    times: [AtomicU64; 3],
    /// Duration of the last alignment, in nanoseconds.
    pub alignment_ns: AtomicU64,
    /// Time from the trigger of the last checkpoint to its barrier here, in nanoseconds.
    pub start_delay_ns: AtomicU64,
    state: AtomicU8,
    /// Epoch milliseconds at which each state began, 0 if it has not.
    since: [AtomicI64; STATES],
}

impl TaskMetrics {
    /// A task that is made now.
    pub(crate) fn new(now_ms: i64) -> Self {
        let task = Self {
            rows_in: AtomicU64::default(),
            rows_out: AtomicU64::default(),
            bytes_in: AtomicU64::default(),
            bytes_out: AtomicU64::default(),
            batches_in: AtomicU64::default(),
            batches_out: AtomicU64::default(),
            times: Default::default(),
            alignment_ns: AtomicU64::default(),
            start_delay_ns: AtomicU64::default(),
            state: AtomicU8::default(),
            since: std::array::from_fn(|_| AtomicI64::new(0)),
        };
        task.enter(ExecutionState::Created, now_ms);
        task
    }

    /// Notes how a stretch of time was spent.
    pub(crate) fn spend(&self, time: TaskTime, nanoseconds: u64) {
        self.times[time as usize].fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Nanoseconds spent that way.
    pub fn spent_ns(&self, time: TaskTime) -> u64 {
        self.times[time as usize].load(Ordering::Relaxed)
    }

    /// Notes that a state begins. A state that ends a task is never left.
    pub(crate) fn enter(&self, state: ExecutionState, now_ms: i64) {
        let index = place(state);
        let enter = |current: u8| (!state_at(current).is_terminal()).then_some(index as u8);
        if self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, enter).is_ok() {
            self.since[index].store(now_ms.max(1), Ordering::Relaxed);
        }
    }

    /// The state that the task is in.
    pub fn state(&self) -> ExecutionState {
        state_at(self.state.load(Ordering::Acquire))
    }

    /// When a state began in epoch milliseconds, 0 if it has not.
    pub fn since_ms(&self, state: ExecutionState) -> i64 {
        self.since[place(state)].load(Ordering::Relaxed)
    }
}

fn place(state: ExecutionState) -> usize {
    ExecutionState::ALL.iter().position(|known| *known == state).unwrap_or_default()
}

fn state_at(place: u8) -> ExecutionState {
    ExecutionState::ALL[usize::from(place) % STATES]
}

/// Counters of one attempt of a job.
#[derive(Debug)]
pub struct JobMetrics {
    /// In the order of the graph.
    pub operators: Vec<OperatorMetrics>,
    /// By vertex and subtask.
    pub tasks: Vec<Vec<TaskMetrics>>,
}

impl JobMetrics {
    fn sum(&self, role: Option<OperatorRole>, counter: impl Fn(&SubtaskMetrics) -> &AtomicU64) -> u64 {
        let operators = self.operators.iter().filter(|operator| role.is_none_or(|role| operator.role == role));
        operators.flat_map(|operator| &operator.subtasks).map(|subtask| counter(subtask).load(Ordering::Relaxed)).sum()
    }

    /// Rows that sources have read.
    pub fn rows_in(&self) -> u64 {
        self.sum(Some(OperatorRole::Source), |subtask| &subtask.rows_in)
    }

    /// Rows that sinks have taken.
    pub fn rows_out(&self) -> u64 {
        self.sum(Some(OperatorRole::Sink), |subtask| &subtask.rows_in)
    }

    /// Rows dropped because they were late.
    pub fn late_rows(&self) -> u64 {
        self.sum(None, |subtask| &subtask.late_rows)
    }

    /// Groups in keyed state.
    pub fn groups(&self) -> u64 {
        self.sum(None, |subtask| &subtask.groups)
    }

    /// The least watermark of the sources' subtasks that have one and have not ended; `i64::MAX` once all have.
    pub fn watermark(&self) -> Option<i64> {
        let sources = self.operators.iter().filter(|operator| operator.role == OperatorRole::Source);
        let known: Vec<_> =
            sources.flat_map(|operator| &operator.subtasks).map(|subtask| subtask.watermark.get()).collect();
        if !known.is_empty() && known.iter().all(|watermark| *watermark == Some(i64::MAX)) {
            return Some(i64::MAX);
        }
        known.into_iter().flatten().filter(|watermark| *watermark < i64::MAX).min()
    }
}
