//! One subtask of a vertex: a head that rows enter by, a tree of operators, and the outputs to other vertices.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use kobel_dataflow::Batch;
use kobel_dataflow::operator::{Element, Operator};
use kobel_dataflow::operators::source::{SourceOperator, SourceStep};
use kobel_dataflow::partition::HashPartitioner;
use kobel_dataflow::ports::SinkWriter;
use kobel_dataflow::state::snapshot::OperatorState;
use kobel_model::{Error, Result};
use kobel_rest::states::ExecutionState;

use crate::channel::{Barrier, Control, Message, Sender};
use crate::control::StopMode;
use crate::event::{Failure, SnapshotTimes, TaskState};
use crate::gate::{Gate, GateEvent};
use crate::metrics::{JobMetrics, SubtaskMetrics, TaskMetrics, TaskTime};

/// Where rows enter.
pub(crate) enum Head {
    /// A table; the number of its node.
    Source(Box<SourceOperator>, usize),
    /// Literal rows, `None` once they are out; the number of their node.
    Values(Option<RecordBatch>, usize),
    /// Other subtasks.
    Gate(Gate),
}

/// What an operator does with what it gets.
pub(crate) enum Step {
    /// Passes on.
    Operator(Box<dyn Operator>),
    /// Ends here.
    Sink(Box<dyn SinkWriter>),
}

/// An operator of the tree.
pub(crate) struct TaskNode {
    /// Its number in the graph.
    pub(crate) node: usize,
    /// What it does.
    pub(crate) step: Step,
    /// Who gets what it yields.
    pub(crate) targets: Arc<[Target]>,
}

/// Who gets what an operator yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The operator at this index of the task.
    Node(usize),
    /// The output at this index of the task.
    Output(usize),
}

/// How an output chooses among its senders.
pub(crate) enum Route {
    /// There is one.
    Forward,
    /// By key group.
    Hash(Box<HashPartitioner>),
    /// Always the same one, so that no row overtakes one that it takes back.
    To(usize),
    /// One batch each in turn.
    Rebalance(usize),
}

/// The sending side of an exchange.
pub(crate) struct Output {
    /// How it chooses.
    pub(crate) route: Route,
    /// By downstream subtask.
    pub(crate) senders: Vec<Sender>,
}

/// What a step of a task did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskStep {
    /// Something; there may be more at once.
    Progress,
    /// Nothing: there is no input. The time after which a source wants to be asked again.
    Waiting(Option<Duration>),
    /// Nothing: there is no room for output.
    Blocked,
    /// A barrier was aligned; the task has been snapshotted.
    Snapshot(Barrier),
    /// The task ended in this step.
    Ended,
}

/// The time of a task that has ended is not counted any more.
const UNCOUNTED: Option<TaskTime> = None;

/// One subtask of a vertex.
pub(crate) struct Task {
    /// Number of the vertex.
    pub(crate) vertex: usize,
    /// Number of the subtask.
    pub(crate) subtask: usize,
    pub(crate) head: Head,
    pub(crate) head_targets: Arc<[Target]>,
    pub(crate) nodes: Vec<TaskNode>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) metrics: Arc<JobMetrics>,
    /// The state that the last snapshot took, until the slot fetches it.
    pub(crate) snapshot: Option<(TaskState, SnapshotTimes)>,
    /// The barrier that a source must inject next.
    pub(crate) trigger: Option<Barrier>,
    /// A stopping barrier went out: the head yields nothing any more.
    pub(crate) is_stopped: bool,
    pub(crate) has_ended: bool,
    /// Rows went to a sink that has not been flushed since.
    pub(crate) is_unflushed: bool,
    /// What the time outside of steps is spent with.
    pub(crate) between: Option<TaskTime>,
    /// When the last step ended.
    pub(crate) stepped: Instant,
}

impl Task {
    /// The slot begins to run it.
    pub(crate) fn start(&mut self, now_ms: i64) {
        self.counters().enter(ExecutionState::Initializing, now_ms);
        self.counters().enter(ExecutionState::Running, now_ms);
        self.stepped = Instant::now();
    }

    fn counters(&self) -> &TaskMetrics {
        &self.metrics.tasks[self.vertex][self.subtask]
    }

    /// Notes that the task has failed.
    pub(crate) fn failed(&self, error: Error, now_ms: i64) -> Failure {
        self.counters().enter(ExecutionState::Failed, now_ms);
        Failure { error, task: Some((self.vertex, self.subtask)) }
    }

    /// The snapshot for which it stopped has failed: it goes on.
    pub(crate) fn resume(&mut self) {
        self.is_stopped = false;
    }

    /// Notes where the time went up to the end of a step. Time in which a task could work but the slot runs another
    /// one counts as back-pressure: it is those behind it that hold it up.
    pub(crate) fn spend(&mut self, step: TaskStep, begin: Instant, end: Instant) {
        if let Some(time) = self.between {
            self.counters().spend(time, nanoseconds(begin.saturating_duration_since(self.stepped)));
        }
        let (during, after) = match step {
            _ if self.has_ended => (TaskTime::Busy, UNCOUNTED),
            TaskStep::Progress | TaskStep::Snapshot(_) => (TaskTime::Busy, Some(self.when_runnable())),
            TaskStep::Ended => (TaskTime::Busy, UNCOUNTED),
            TaskStep::Blocked => (TaskTime::BackPressured, Some(TaskTime::BackPressured)),
            TaskStep::Waiting(_) => (TaskTime::Idle, Some(TaskTime::Idle)),
        };
        if self.between.is_some() {
            self.counters().spend(during, nanoseconds(end.saturating_duration_since(begin)));
        }
        (self.between, self.stepped) = (after, end);
    }

    fn when_runnable(&self) -> TaskTime {
        match &self.head {
            Head::Gate(gate) if !gate.has_input() => TaskTime::Idle,
            _ => TaskTime::BackPressured,
        }
    }

    /// Does a small piece of work.
    ///
    /// # Errors
    /// The first error of an operator; the task must not be stepped again.
    pub(crate) fn step(&mut self, batch_rows: usize, now_ms: i64) -> Result<TaskStep> {
        if !self.flush_outputs() {
            return Ok(TaskStep::Blocked);
        }
        if self.is_stopped || self.has_ended {
            return Ok(TaskStep::Waiting(None));
        }
        if let (Some(barrier), Head::Source(..) | Head::Values(..)) = (self.trigger, &self.head) {
            self.trigger = None;
            let times = SnapshotTimes { start_delay: barrier.triggered.elapsed(), ..SnapshotTimes::default() };
            return self.pass_barrier(barrier, times, now_ms);
        }
        let mut out = Vec::new();
        let step = match &mut self.head {
            Head::Source(source, node) => {
                let step = source.step(batch_rows, now_ms, &mut out)?;
                note_source(&self.metrics.operators[*node].subtasks[self.subtask], source, &out);
                step
            }
            Head::Values(rows, _) => match rows.take() {
                Some(rows) => {
                    out.push(Element::Batch(Batch::insert_only(rows)));
                    SourceStep::More
                }
                None => SourceStep::End,
            },
            Head::Gate(gate) => match gate.poll() {
                GateEvent::Rows(batch, bytes) => {
                    note_input(&self.metrics.tasks[self.vertex][self.subtask], &batch, bytes);
                    out.push(Element::Batch(batch));
                    SourceStep::More
                }
                GateEvent::Control(element) => {
                    out.push(element);
                    SourceStep::More
                }
                GateEvent::Aligned(barrier) => {
                    let first = gate.first_barrier();
                    let times = SnapshotTimes {
                        start_delay: first.saturating_duration_since(barrier.triggered),
                        alignment: first.elapsed(),
                        ..SnapshotTimes::default()
                    };
                    return self.pass_barrier(barrier, times, now_ms);
                }
                GateEvent::End => SourceStep::End,
                GateEvent::Progress => SourceStep::More,
                GateEvent::Nothing => return self.wait(None),
            },
        };
        let targets = Arc::clone(&self.head_targets);
        for element in out {
            self.deliver(&targets, element)?;
        }
        match step {
            SourceStep::More => Ok(TaskStep::Progress),
            SourceStep::Idle(wait) => self.wait(Some(wait)),
            SourceStep::End => self.end(now_ms).map(|()| TaskStep::Ended),
        }
    }

    /// There is no input: sinks hand on what they hold.
    fn wait(&mut self, wait: Option<Duration>) -> Result<TaskStep> {
        if self.is_unflushed {
            self.is_unflushed = false;
            for node in &mut self.nodes {
                if let Step::Sink(writer) = &mut node.step {
                    writer.flush()?;
                }
            }
        }
        Ok(TaskStep::Waiting(wait))
    }

    fn flush_outputs(&mut self) -> bool {
        // Every sender is tried, so none waits for another.
        let mut is_empty = true;
        for sender in self.outputs.iter_mut().flat_map(|output| &mut output.senders) {
            is_empty &= sender.flush();
        }
        is_empty
    }

    /// Gives an element to operators and outputs, and what they yield to theirs.
    fn deliver(&mut self, targets: &Arc<[Target]>, element: Element) -> Result<()> {
        let (last, others) = match targets.split_last() {
            Some((last, others)) => (*last, others),
            None => return Ok(()),
        };
        for target in others {
            self.deliver_to(*target, element.clone())?;
        }
        self.deliver_to(last, element)
    }

    fn deliver_to(&mut self, target: Target, element: Element) -> Result<()> {
        let index = match target {
            Target::Output(output) => {
                return self.outputs[output].send(element, &self.metrics.tasks[self.vertex][self.subtask]);
            }
            Target::Node(index) => index,
        };
        let node = &mut self.nodes[index];
        let metrics = &self.metrics.operators[node.node];
        let subtask = &metrics.subtasks[self.subtask];
        let mut out = Vec::new();
        match (&mut node.step, element) {
            (Step::Operator(operator), Element::Batch(batch)) => {
                subtask.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                operator.process(batch, &mut out).map_err(|error| in_operator(error, &metrics.name))?;
                note_gauges(subtask, operator.as_ref());
            }
            (Step::Operator(operator), Element::Watermark(watermark)) => {
                subtask.watermark.set(watermark);
                operator.watermark(watermark, &mut out).map_err(|error| in_operator(error, &metrics.name))?;
                note_gauges(subtask, operator.as_ref());
            }
            (Step::Operator(_), Element::Idle) => out.push(Element::Idle),
            (Step::Sink(writer), Element::Batch(batch)) => {
                subtask.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                writer.write(&batch).map_err(|error| in_operator(error, &metrics.name))?;
                subtask.rows_out.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                subtask.bytes.store(writer.bytes_written(), Ordering::Relaxed);
                self.is_unflushed = true;
            }
            (Step::Sink(_), Element::Watermark(watermark)) => subtask.watermark.set(watermark),
            (Step::Sink(_), Element::Idle) => {}
        }
        let yielded: usize = out.iter().map(rows_of).sum();
        if yielded > 0 {
            subtask.rows_out.fetch_add(yielded as u64, Ordering::Relaxed);
        }
        let targets = Arc::clone(&self.nodes[index].targets);
        out.into_iter().try_for_each(|element| self.deliver(&targets, element))
    }

    /// Snapshots all operators and sends the barrier on.
    fn pass_barrier(&mut self, barrier: Barrier, times: SnapshotTimes, now_ms: i64) -> Result<TaskStep> {
        let stops = barrier.stop.is_some() && !matches!(self.head, Head::Gate(_));
        if stops && barrier.stop == Some(StopMode::Drain) {
            // Event time is over: what is open is closed and belongs to the snapshot.
            let targets = Arc::clone(&self.head_targets);
            self.deliver(&targets, Element::Watermark(i64::MAX))?;
        }
        self.take_snapshot(barrier, now_ms)?;
        if let Some((_, taken)) = &mut self.snapshot {
            (taken.start_delay, taken.alignment) = (times.start_delay, times.alignment);
        }
        let counters = self.counters();
        counters.start_delay_ns.store(nanoseconds(times.start_delay), Ordering::Relaxed);
        counters.alignment_ns.store(nanoseconds(times.alignment), Ordering::Relaxed);
        let senders = self.outputs.iter_mut().flat_map(|output| &mut output.senders);
        senders.for_each(|sender| sender.send(Message::Barrier(barrier)));
        self.is_stopped = stops;
        Ok(TaskStep::Snapshot(barrier))
    }

    /// Snapshots all operators; what they hold is consistent since nothing is under way inside a task.
    ///
    /// # Errors
    /// Those of operators and sinks.
    pub(crate) fn take_snapshot(&mut self, barrier: Barrier, now_ms: i64) -> Result<()> {
        let begin = Instant::now();
        let inline = |inline: Vec<u8>| OperatorState { inline, pages: Vec::new() };
        let mut states = TaskState::new();
        match &self.head {
            Head::Source(source, node) => states.push((*node, inline(source.snapshot()?))),
            Head::Values(rows, node) => states.push((*node, inline(vec![u8::from(rows.is_none())]))),
            Head::Gate(_) => {}
        }
        for node in &mut self.nodes {
            match &mut node.step {
                Step::Operator(operator) => {
                    if let Some(state) = operator.snapshot(barrier.mode)? {
                        states.push((node.node, state));
                    }
                }
                Step::Sink(writer) => states.push((node.node, inline(writer.snapshot(barrier.id, now_ms)?))),
            }
        }
        self.snapshot = Some((states, SnapshotTimes { sync: begin.elapsed(), ..SnapshotTimes::default() }));
        Ok(())
    }

    /// Makes visible what snapshots up to `checkpoint_id` prepared.
    ///
    /// # Errors
    /// Those of the sinks.
    pub(crate) fn commit(&mut self, checkpoint_id: u64) -> Result<()> {
        for node in &mut self.nodes {
            if let Step::Sink(writer) = &mut node.step {
                writer.commit(checkpoint_id)?;
            }
        }
        Ok(())
    }

    /// The input has ended: event time is over, sinks finish, consumers are told.
    fn end(&mut self, now_ms: i64) -> Result<()> {
        if let Head::Source(_, node) = &self.head {
            self.metrics.operators[*node].subtasks[self.subtask].watermark.set(i64::MAX);
        }
        let targets = Arc::clone(&self.head_targets);
        self.deliver(&targets, Element::Watermark(i64::MAX))?;
        for node in &mut self.nodes {
            if let Step::Sink(writer) = &mut node.step {
                writer.finish()?;
            }
        }
        let senders = self.outputs.iter_mut().flat_map(|output| &mut output.senders);
        senders.for_each(|sender| sender.send(Message::End));
        self.has_ended = true;
        self.counters().enter(ExecutionState::Finished, now_ms);
        Ok(())
    }

    /// Whether the task has ended and all that it sent has left it.
    pub(crate) fn is_done(&mut self) -> bool {
        self.has_ended && self.flush_outputs()
    }
}

impl Output {
    fn send(&mut self, element: Element, counters: &TaskMetrics) -> Result<()> {
        let control = match element {
            Element::Batch(batch) => return self.send_rows(batch, counters),
            Element::Watermark(watermark) => Control::Watermark(watermark),
            Element::Idle => Control::Idle,
        };
        self.senders.iter_mut().for_each(|sender| sender.send(Message::Control(control)));
        Ok(())
    }

    fn send_rows(&mut self, batch: Batch, counters: &TaskMetrics) -> Result<()> {
        // Measured once: the parts share it by their rows.
        let (bytes, rows) = (batch.memory_bytes(), (batch.num_rows() as u64).max(1));
        let parts = match &mut self.route {
            Route::Hash(partitioner) => partitioner.divide(batch)?,
            Route::Rebalance(next) => {
                *next = (*next + 1) % self.senders.len();
                vec![(*next, batch)]
            }
            Route::Forward => vec![(0, batch)],
            Route::To(subtask) => vec![(*subtask, batch)],
        };
        for (subtask, batch) in parts {
            let bytes = bytes * batch.num_rows() as u64 / rows;
            counters.rows_out.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            counters.bytes_out.fetch_add(bytes, Ordering::Relaxed);
            counters.batches_out.fetch_add(1, Ordering::Relaxed);
            self.senders[subtask].send(Message::Rows(batch, bytes));
        }
        Ok(())
    }
}

fn note_input(counters: &TaskMetrics, batch: &Batch, bytes: u64) {
    counters.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
    counters.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    counters.batches_in.fetch_add(1, Ordering::Relaxed);
}

fn rows_of(element: &Element) -> usize {
    match element {
        Element::Batch(batch) => batch.num_rows(),
        Element::Watermark(_) | Element::Idle => 0,
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn in_operator(error: Error, name: &str) -> Error {
    error.context(format!("operator `{name}` failed"))
}

fn note_source(counters: &SubtaskMetrics, source: &SourceOperator, out: &[Element]) {
    counters.rows_in.store(source.rows(), Ordering::Relaxed);
    counters.bytes.store(source.bytes(), Ordering::Relaxed);
    counters.rows_out.fetch_add(out.iter().map(rows_of).sum::<usize>() as u64, Ordering::Relaxed);
    let pending = source.pending();
    counters.pending_rows.set(pending.rows.and_then(|rows| i64::try_from(rows).ok()));
    counters.pending_bytes.set(pending.bytes.and_then(|bytes| i64::try_from(bytes).ok()));
    let watermark = out.iter().rev().find_map(|element| match element {
        Element::Watermark(watermark) => Some(*watermark),
        _ => None,
    });
    if watermark.is_some() {
        counters.watermark.set(watermark);
    }
}

fn note_gauges(metrics: &SubtaskMetrics, operator: &dyn Operator) {
    let gauges = operator.gauges();
    metrics.groups.store(gauges.groups as u64, Ordering::Relaxed);
    metrics.late_rows.store(gauges.late_rows, Ordering::Relaxed);
}
