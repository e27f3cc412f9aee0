//! One subtask of a vertex: a head that rows enter by, a tree of operators, and the outputs to other vertices.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_array::RecordBatch;
use kobel_dataflow::Batch;
use kobel_dataflow::operator::{Element, Operator};
use kobel_dataflow::operators::source::{SourceOperator, SourceStep};
use kobel_dataflow::partition::HashPartitioner;
use kobel_dataflow::ports::SinkWriter;
use kobel_dataflow::state::snapshot::OperatorState;
use kobel_model::Result;

use crate::channel::{Barrier, Message, Sender};
use crate::gate::{Gate, GateEvent};
use crate::metrics::{JobMetrics, SubtaskMetrics};

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
    /// Nothing: no input, or no room for output. The time after which a source wants to be asked again.
    Waiting(Option<Duration>),
    /// A barrier was aligned; the task has been snapshotted.
    Snapshot(Barrier),
    /// The task ended in this step.
    Ended,
}

/// The states of a task's operators by node.
pub(crate) type TaskState = Vec<(usize, OperatorState)>;

/// One subtask of a vertex.
pub(crate) struct Task {
    /// Number of the subtask.
    pub(crate) subtask: usize,
    pub(crate) head: Head,
    pub(crate) head_targets: Arc<[Target]>,
    pub(crate) nodes: Vec<TaskNode>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) metrics: Arc<JobMetrics>,
    /// The state that the last snapshot took, until the slot fetches it.
    pub(crate) snapshot: Option<TaskState>,
    /// The barrier that a source must inject next.
    pub(crate) trigger: Option<Barrier>,
    /// A stopping barrier went out: the head yields nothing any more.
    pub(crate) is_stopped: bool,
    pub(crate) has_ended: bool,
    /// Rows went to a sink that has not been flushed since.
    pub(crate) is_unflushed: bool,
}

impl Task {
    /// Does a small piece of work.
    ///
    /// # Errors
    /// The first error of an operator; the task must not be stepped again.
    pub(crate) fn step(&mut self, batch_rows: usize, now_ms: i64) -> Result<TaskStep> {
        if !self.flush_outputs() || self.is_stopped || self.has_ended {
            return Ok(TaskStep::Waiting(None));
        }
        if let (Some(barrier), Head::Source(..) | Head::Values(..)) = (self.trigger, &self.head) {
            self.trigger = None;
            return self.pass_barrier(barrier, now_ms);
        }
        let mut out = Vec::new();
        let step = match &mut self.head {
            Head::Source(source, node) => {
                let step = source.step(batch_rows, now_ms, &mut out)?;
                let metrics = &self.metrics.operators[*node].subtasks[self.subtask];
                metrics.rows_in.store(source.rows(), Ordering::Relaxed);
                metrics.bytes.store(source.bytes(), Ordering::Relaxed);
                note_watermark(metrics, &out);
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
                GateEvent::Batch(batch) => {
                    out.push(Element::Batch(batch));
                    SourceStep::More
                }
                GateEvent::Control(element) => {
                    out.push(element);
                    SourceStep::More
                }
                GateEvent::Aligned(barrier) => return self.pass_barrier(barrier, now_ms),
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
            SourceStep::End => self.end().map(|()| TaskStep::Ended),
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
            Target::Output(output) => return self.outputs[output].send(element),
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
                subtask.set_watermark(watermark);
                operator.watermark(watermark, &mut out).map_err(|error| in_operator(error, &metrics.name))?;
                note_gauges(subtask, operator.as_ref());
            }
            (Step::Operator(_), Element::Idle) => out.push(Element::Idle),
            (Step::Sink(writer), Element::Batch(batch)) => {
                subtask.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                writer.write(&batch).map_err(|error| in_operator(error, &metrics.name))?;
                subtask.bytes.store(writer.bytes_written(), Ordering::Relaxed);
                self.is_unflushed = true;
            }
            (Step::Sink(_), Element::Watermark(watermark)) => subtask.set_watermark(watermark),
            (Step::Sink(_), Element::Idle) => {}
        }
        let targets = Arc::clone(&self.nodes[index].targets);
        out.into_iter().try_for_each(|element| self.deliver(&targets, element))
    }

    /// Snapshots all operators and sends the barrier on.
    fn pass_barrier(&mut self, barrier: Barrier, now_ms: i64) -> Result<TaskStep> {
        self.take_snapshot(barrier, now_ms)?;
        let senders = self.outputs.iter_mut().flat_map(|output| &mut output.senders);
        senders.for_each(|sender| sender.send(Message::Barrier(barrier)));
        self.is_stopped = barrier.stops && !matches!(self.head, Head::Gate(_));
        Ok(TaskStep::Snapshot(barrier))
    }

    /// Snapshots all operators; what they hold is consistent since nothing is under way inside a task.
    ///
    /// # Errors
    /// Those of operators and sinks.
    pub(crate) fn take_snapshot(&mut self, barrier: Barrier, now_ms: i64) -> Result<()> {
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
        self.snapshot = Some(states);
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
    fn end(&mut self) -> Result<()> {
        if let Head::Source(_, node) = &self.head {
            self.metrics.operators[*node].subtasks[self.subtask].set_watermark(i64::MAX);
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
        Ok(())
    }

    /// Whether the task has ended and all that it sent has left it.
    pub(crate) fn is_done(&mut self) -> bool {
        self.has_ended && self.flush_outputs()
    }
}

impl Output {
    fn send(&mut self, element: Element) -> Result<()> {
        match (&mut self.route, element) {
            (Route::Hash(partitioner), Element::Batch(batch)) => {
                for (subtask, batch) in partitioner.divide(batch)? {
                    self.senders[subtask].send(Message::Element(Element::Batch(batch)));
                }
            }
            (Route::Rebalance(next), element @ Element::Batch(_)) => {
                *next = (*next + 1) % self.senders.len();
                self.senders[*next].send(Message::Element(element));
            }
            (_, element) => {
                self.senders.iter_mut().for_each(|sender| sender.send(Message::Element(element.clone())));
            }
        }
        Ok(())
    }
}

fn in_operator(error: kobel_model::Error, name: &str) -> kobel_model::Error {
    error.context(format!("operator `{name}` failed"))
}

fn note_watermark(metrics: &SubtaskMetrics, elements: &[Element]) {
    if let Some(Element::Watermark(watermark)) =
        elements.iter().rfind(|element| matches!(element, Element::Watermark(_)))
    {
        metrics.set_watermark(*watermark);
    }
}

fn note_gauges(metrics: &SubtaskMetrics, operator: &dyn Operator) {
    let gauges = operator.gauges();
    metrics.groups.store(gauges.groups as u64, Ordering::Relaxed);
    metrics.late_rows.store(gauges.late_rows, Ordering::Relaxed);
}
