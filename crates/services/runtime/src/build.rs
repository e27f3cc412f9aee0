//! From the graph to slots: a subtask of every vertex for each slot, queues between them, state put in.

use std::sync::Arc;
use std::sync::mpsc::channel as commands;
use std::time::Instant;

use kobel_dataflow::graph::{Calc, Exchange, Graph, Node, NodeKind};
use kobel_dataflow::operator::{Operator, Restore};
use kobel_dataflow::operators::calc::CalcOperator;
use kobel_dataflow::operators::group::GroupAggregate;
use kobel_dataflow::operators::source::{SourceOperator, SourceState};
use kobel_dataflow::operators::window::{AssignWindow, WindowAggregate};
use kobel_dataflow::partition::HashPartitioner;
use kobel_dataflow::ports::{RestoredSink, Sink, WriterContext};
use kobel_model::ids::OperatorId;
use kobel_model::keygroup::MaxParallelism;
use kobel_model::{Error, Result};
use kobel_storage::snapshots::CheckpointStore;

use crate::channel::{Sender as QueueSender, Waker, channel};
use crate::checkpoint::{CheckpointWriter, JobFacts, OperatorFacts};
use crate::event::Reporter;
use crate::gate::{Gate, GateInput};
use crate::metrics::{JobMetrics, OperatorMetrics, OperatorRole, SubtaskMetrics, TaskMetrics, TaskTime};
use crate::options::JobOptions;
use crate::restore::{self, RestoredStates};
use crate::slot::{Slot, SlotHandle};
use crate::task::{Head, Output, Route, Step, Target, Task, TaskNode};
use crate::vertex::{Vertex, vertices};
use crate::view::job::Attempt;
use crate::view::plan::{EdgeView, OperatorView, PlanView, VertexView};

/// A job's parts.
pub(crate) struct Built {
    pub(crate) slots: Vec<Slot>,
    pub(crate) handles: Vec<SlotHandle>,
    pub(crate) writer: CheckpointWriter,
    pub(crate) attempt: Arc<Attempt>,
    pub(crate) max_parallelism: usize,
}

/// What building needs to know.
struct Plan<'a> {
    graph: &'a Graph,
    options: &'a JobOptions,
    max_parallelism: MaxParallelism,
    vertices: Vec<Vertex>,
    /// Subtasks by vertex.
    parallelism: Vec<usize>,
    restored: RestoredStates,
    /// By node: the states of its source subtasks.
    sources: Vec<Vec<SourceState>>,
    metrics: Arc<JobMetrics>,
    wakers: Vec<Waker>,
}

/// The senders of one exchange.
type EdgeSenders = Vec<QueueSender>;
/// Things by vertex and subtask.
type BySubtask<T> = Vec<Vec<Vec<T>>>;

/// Makes the slots of an attempt.
pub(crate) fn build(graph: &Graph, options: &JobOptions, reporter: &Reporter) -> Result<Built> {
    let max_parallelism = max_parallelism(options)?;
    let fingerprints = restore::fingerprints(graph)?;
    let restored = match &options.restore {
        Some(from) => restore::load(graph, &fingerprints, from)?,
        None => RestoredStates::default(),
    };
    let vertices = vertices(graph);
    let parallelism = parallelism(options, vertices.len(), max_parallelism)?;
    let slots = parallelism.iter().copied().max().unwrap_or(1);
    let now_ms = options.clock.now_ms();
    let mut plan = Plan {
        graph,
        options,
        max_parallelism,
        sources: Vec::new(),
        metrics: Arc::new(metrics(graph, &vertices, &parallelism, now_ms)),
        wakers: std::iter::repeat_with(Waker::default).take(slots).collect(),
        vertices,
        parallelism,
        restored,
    };
    plan.sources = (0..graph.nodes.len()).map(|node| plan.source_states(node)).collect::<Result<_>>()?;
    // The lock comes first, then what may refuse the snapshot, then what invalidates later ones.
    let mut store = open_store(options)?;
    plan.open_sinks()?;
    if let (Some(store), Some(from)) = (&mut store, &options.restore) {
        store.rewind(from.manifest.checkpoint_id)?;
    }
    let store = store.filter(|_| options.checkpoint_interval.is_some());
    let (slots, handles) = plan.slots(reporter)?;
    let facts = JobFacts {
        job_id: options.job_id,
        lineage: options.lineage,
        job_name: options.name.clone(),
        statement: options.statement,
        max_parallelism: max_parallelism.get() as u32,
        operators: plan.operator_facts(&fingerprints),
        tasks: plan.parallelism.iter().sum(),
    };
    let next_id = options.restore.as_ref().map_or(1, |from| from.manifest.checkpoint_id + 1);
    let next_id = next_id.max(options.next_checkpoint_id);
    let writer = CheckpointWriter::new(facts, store, options.savepoint_dir.clone(), next_id);
    let attempt = Attempt { number: reporter.attempt, parallelism: plan.parallelism, metrics: plan.metrics };
    Ok(Built { slots, handles, writer, attempt: Arc::new(attempt), max_parallelism: max_parallelism.get() })
}

/// Makes sure that a job can be made, as far as that is known without touching anything.
///
/// # Errors
/// Invalid if the snapshot does not fit the job, or the parallelism its key groups.
pub(crate) fn check(graph: &Graph, options: &JobOptions) -> Result<()> {
    let fingerprints = restore::fingerprints(graph)?;
    if let Some(from) = &options.restore {
        restore::check(graph, &fingerprints, from)?;
    }
    parallelism(options, vertices(graph).len(), max_parallelism(options)?).map(drop)
}

fn max_parallelism(options: &JobOptions) -> Result<MaxParallelism> {
    match &options.restore {
        Some(from) => MaxParallelism::new(from.manifest.max_parallelism),
        None => Ok(options.max_parallelism),
    }
}

/// Subtasks by vertex.
fn parallelism(options: &JobOptions, vertices: usize, max: MaxParallelism) -> Result<Vec<usize>> {
    let parallelism = match &options.vertex_parallelism {
        Some(parallelism) if parallelism.len() == vertices => parallelism.clone(),
        Some(_) => return Err(Error::bug("the parallelism is not given for every vertex")),
        None => vec![options.parallelism; vertices],
    };
    match parallelism.iter().find(|parallelism| !(1..=max.get()).contains(*parallelism)) {
        None => Ok(parallelism),
        Some(wrong) => {
            let message = format!("the parallelism must be between 1 and {}, got `{wrong}`", max.get());
            Err(Error::invalid(message).with_hint("the upper bound is 'pipeline.max-parallelism'"))
        }
    }
}

fn open_store(options: &JobOptions) -> Result<Option<CheckpointStore>> {
    // A job without checkpoints of its own still invalidates those that an earlier run of it took after the snapshot.
    let has_checkpoints = options.checkpoint_dir.join(options.job_id.to_string()).is_dir();
    if options.checkpoint_interval.is_none() && !(options.restore.is_some() && has_checkpoints) {
        return Ok(None);
    }
    CheckpointStore::open(&options.checkpoint_dir, options.job_id, options.checkpoints_retained).map(Some)
}

/// Fresh counters.
fn metrics(graph: &Graph, vertices: &[Vertex], parallelism: &[usize], now_ms: i64) -> JobMetrics {
    let subtasks = |node: usize| {
        let vertex = vertices.iter().position(|vertex| vertex.nodes.contains(&node));
        vertex.and_then(|vertex| parallelism.get(vertex)).copied().unwrap_or(1)
    };
    let operator = |(index, node): (usize, &Node)| OperatorMetrics {
        name: node.name.clone(),
        role: match node.kind {
            NodeKind::Source(_) => OperatorRole::Source,
            NodeKind::Sink(_) => OperatorRole::Sink,
            _ => OperatorRole::Inner,
        },
        subtasks: (0..subtasks(index)).map(|_| SubtaskMetrics::default()).collect(),
    };
    let tasks = |subtasks: &usize| (0..*subtasks).map(|_| TaskMetrics::new(now_ms)).collect();
    JobMetrics {
        operators: graph.nodes.iter().enumerate().map(operator).collect(),
        tasks: parallelism.iter().map(tasks).collect(),
    }
}

/// The graph as people see it.
pub(crate) fn plan_view(graph: &Graph) -> PlanView {
    let vertices = vertices(graph);
    let operators: Vec<OperatorView> = graph.nodes.iter().map(operator_view).collect();
    let mut known: Vec<String> = Vec::new();
    let vertex = |(index, vertex): (usize, &Vertex)| {
        let head = &graph.nodes[vertex.head()];
        let mut id = head.id.to_string();
        if known.contains(&id) {
            // Only heads without state can be alike; nothing is restored by the id of a vertex.
            id = OperatorId::of(&[&id, &index.to_string()]).to_string();
        }
        known.push(id.clone());
        let names: Vec<&str> = vertex.nodes.iter().map(|node| operators[*node].name.as_str()).collect();
        let inputs = head.inputs.iter().filter_map(|input| {
            let from = vertices.iter().position(|vertex| vertex.nodes.contains(&input.from))?;
            let ship_strategy = match input.exchange {
                Exchange::Forward => "FORWARD",
                Exchange::Hash(_) => "HASH",
                Exchange::Rebalance => "REBALANCE",
            };
            Some(EdgeView { from, ship_strategy })
        });
        VertexView { id, name: names.join(" -> "), operators: vertex.nodes.clone(), inputs: inputs.collect() }
    };
    PlanView { vertices: vertices.iter().enumerate().map(vertex).collect(), operators: operators.clone() }
}

fn operator_view(node: &Node) -> OperatorView {
    OperatorView { id: node.id.to_string(), description: node.name.clone(), name: node.name.clone() }
}

impl Plan<'_> {
    /// Subtasks of the vertex that a node belongs to.
    fn parallelism_of(&self, node: usize) -> usize {
        let vertex = self.vertices.iter().position(|vertex| vertex.nodes.contains(&node));
        vertex.map_or(1, |vertex| self.parallelism[vertex])
    }

    fn operator_facts(&self, fingerprints: &[String]) -> Vec<OperatorFacts> {
        let facts = |(index, fingerprint): (usize, &String)| OperatorFacts {
            id: self.graph.nodes[index].id,
            name: self.graph.nodes[index].name.clone(),
            fingerprint: fingerprint.clone(),
            parallelism: self.parallelism_of(index),
        };
        fingerprints.iter().enumerate().map(facts).collect()
    }

    fn source_states(&self, node: usize) -> Result<Vec<SourceState>> {
        let NodeKind::Source(spec) = &self.graph.nodes[node].kind else { return Ok(Vec::new()) };
        let states = match self.restored.of(node) {
            Some(states) => states.iter().map(|state| SourceState::decode(&state.inline)).collect::<Result<_>>()?,
            None => vec![SourceState::fresh(spec.source.splits(self.parallelism_of(node))?)],
        };
        Ok(SourceState::divide(states, self.parallelism_of(node)))
    }

    /// What the files of a sink carry: its own in every run and for every sink, so that two sinks may share a directory.
    fn lineage(&self, node: usize) -> String {
        OperatorId::of(&[&self.options.lineage.to_string(), &self.graph.nodes[node].id.to_string()]).to_string()
    }

    fn open_sinks(&self) -> Result<()> {
        for (index, node) in self.graph.nodes.iter().enumerate() {
            if let NodeKind::Sink(sink) = &node.kind {
                let restored = self.options.restore.as_ref().zip(self.restored.of(index));
                let restored = restored.map(|(from, states)| RestoredSink {
                    checkpoint_id: from.manifest.checkpoint_id,
                    triggered_ms: from.manifest.triggered_ms,
                    states: states.iter().map(|state| state.inline.clone()).collect(),
                });
                sink.open(&self.lineage(index), restored.as_ref())
                    .map_err(|error| error.context(format!("cannot open sink `{}`", node.name)))?;
            }
        }
        Ok(())
    }

    /// The slots: each with a subtask of every vertex that has so many.
    fn slots(&self, reporter: &Reporter) -> Result<(Vec<Slot>, Vec<SlotHandle>)> {
        let mut tasks: Vec<Vec<Task>> = Vec::new();
        tasks.resize_with(self.wakers.len(), Vec::new);
        let (mut senders, mut receivers) = self.exchanges();
        for (vertex, parallelism) in self.parallelism.iter().enumerate() {
            for (subtask, tasks) in tasks.iter_mut().enumerate().take(*parallelism) {
                let outputs = std::mem::take(&mut senders[vertex][subtask]);
                let inputs = std::mem::take(&mut receivers[vertex][subtask]);
                tasks.push(self.task(vertex, subtask, outputs, inputs)?);
            }
        }
        let mut handles = Vec::new();
        let slot = |(index, tasks): (usize, Vec<Task>)| {
            let (sender, receiver) = commands();
            handles.push(SlotHandle { commands: sender, waker: self.wakers[index].clone() });
            Slot {
                index,
                taken: vec![false; tasks.len()],
                tasks,
                commands: receiver,
                reporter: reporter.clone(),
                waker: self.wakers[index].clone(),
                batch_rows: self.options.batch_rows,
                barrier: None,
                has_ended: false,
                current: None,
            }
        };
        let slots = tasks.into_iter().enumerate().map(slot).collect();
        Ok((slots, handles))
    }

    /// The edges that leave a vertex: producing node, consuming node, how rows travel.
    fn edges(&self, vertex: &Vertex) -> Vec<(usize, usize, &Exchange)> {
        let mut edges = Vec::new();
        for (to, node) in self.graph.nodes.iter().enumerate() {
            for input in &node.inputs {
                if vertex.nodes.contains(&input.from) && !vertex.nodes.contains(&to) {
                    edges.push((input.from, to, &input.exchange));
                }
            }
        }
        edges
    }

    /// Whether a subtask of a vertex will never send a row: a source without splits, literal rows elsewhere.
    fn is_empty(&self, vertex: &Vertex, subtask: usize) -> bool {
        match &self.graph.nodes[vertex.head()].kind {
            NodeKind::Source(_) => self.sources[vertex.head()][subtask].is_empty(),
            NodeKind::Values(_) => subtask > 0,
            _ => false,
        }
    }

    /// The queues of all exchanges: by vertex and subtask, senders per edge, and inputs.
    fn exchanges(&self) -> (BySubtask<EdgeSenders>, BySubtask<GateInput>) {
        let mut senders: BySubtask<EdgeSenders> = self.by_subtask();
        let mut receivers: BySubtask<GateInput> = self.by_subtask();
        for (producer, vertex) in self.vertices.iter().enumerate() {
            for (_, to, exchange) in self.edges(vertex) {
                let Some(consumer) = self.vertices.iter().position(|vertex| vertex.head() == to) else { continue };
                let pairs = *exchange == Exchange::Forward && self.pairs(producer, consumer);
                for (from, outputs) in senders[producer].iter_mut().enumerate() {
                    let reached = if pairs { from..from + 1 } else { 0..self.parallelism[consumer] };
                    let mut edge = Vec::new();
                    for to in reached {
                        let (sender, receiver) = channel(self.wakers[from].clone(), self.wakers[to].clone());
                        edge.push(sender);
                        receivers[consumer][to].push(GateInput { receiver, is_empty: self.is_empty(vertex, from) });
                    }
                    outputs.push(edge);
                }
            }
        }
        (senders, receivers)
    }

    /// Whether each subtask of one vertex has its partner in the other; else rows that go forward are dealt out.
    fn pairs(&self, producer: usize, consumer: usize) -> bool {
        self.parallelism[producer] == self.parallelism[consumer]
    }

    /// An empty list for each subtask of each vertex.
    fn by_subtask<T>(&self) -> BySubtask<T> {
        let subtasks = |parallelism: &usize| std::iter::repeat_with(Vec::new).take(*parallelism).collect();
        self.parallelism.iter().map(subtasks).collect()
    }

    fn task(
        &self,
        vertex: usize,
        subtask: usize,
        outputs: Vec<Vec<QueueSender>>,
        inputs: Vec<GateInput>,
    ) -> Result<Task> {
        let nodes = &self.vertices[vertex].nodes;
        let edges = self.edges(&self.vertices[vertex]);
        let head_node = self.vertices[vertex].head();
        let head = self.head(head_node, subtask, inputs)?;
        let inner = if matches!(head, Head::Gate(_)) { &nodes[..] } else { &nodes[1..] };
        let targets = |node: usize| -> Arc<[Target]> {
            let chained = inner.iter().enumerate().filter(|(_, other)| {
                **other != node && self.graph.nodes[**other].inputs.iter().any(|input| input.from == node)
            });
            let chained = chained.map(|(index, _)| Target::Node(index));
            let leaving = edges.iter().enumerate().filter(|(_, (from, _, _))| *from == node);
            chained.chain(leaving.map(|(index, _)| Target::Output(index))).collect()
        };
        let head_targets =
            if matches!(head, Head::Gate(_)) { Arc::from([Target::Node(0)]) } else { targets(head_node) };
        let task_nodes = inner
            .iter()
            .map(|node| Ok(TaskNode { node: *node, step: self.step(*node, subtask)?, targets: targets(*node) }));
        let task_nodes = task_nodes.collect::<Result<_>>()?;
        let outputs = edges
            .iter()
            .zip(outputs)
            .map(|(edge, senders)| Ok(Output { route: self.route(edge, subtask, senders.len())?, senders }));
        Ok(Task {
            vertex,
            subtask,
            head,
            head_targets,
            nodes: task_nodes,
            outputs: outputs.collect::<Result<_>>()?,
            metrics: Arc::clone(&self.metrics),
            snapshot: None,
            trigger: None,
            is_stopped: false,
            has_ended: false,
            is_unflushed: false,
            between: Some(TaskTime::Idle),
            stepped: Instant::now(),
        })
    }

    fn head(&self, node: usize, subtask: usize, inputs: Vec<GateInput>) -> Result<Head> {
        match &self.graph.nodes[node].kind {
            NodeKind::Source(spec) => {
                let state = self.sources[node][subtask].clone();
                let source = SourceOperator::new(spec, state)
                    .map_err(|error| error.context(format!("cannot start source `{}`", self.graph.nodes[node].name)))?;
                Ok(Head::Source(Box::new(source), node))
            }
            NodeKind::Values(rows) => {
                let states = self.restored.of(node);
                let is_out = states.and_then(|states| states.first()).is_some_and(|state| state.inline == [1]);
                let rows = (subtask == 0 && !is_out).then(|| rows.clone());
                Ok(Head::Values(rows, node))
            }
            _ => Ok(Head::Gate(Gate::new(inputs))),
        }
    }

    /// How the rows of a subtask travel along an edge that reaches so many subtasks.
    fn route(&self, (from, to, exchange): &(usize, usize, &Exchange), subtask: usize, reached: usize) -> Result<Route> {
        Ok(match exchange {
            Exchange::Forward if self.parallelism_of(*from) == self.parallelism_of(*to) => Route::Forward,
            Exchange::Forward => Route::To(subtask * reached / self.parallelism_of(*from)),
            Exchange::Rebalance => Route::Rebalance(0),
            Exchange::Hash(columns) => {
                let schema = &self.graph.nodes[*from].schema;
                let partitioner = HashPartitioner::new(schema, columns, self.max_parallelism, reached)?;
                Route::Hash(Box::new(partitioner))
            }
        })
    }

    fn step(&self, index: usize, subtask: usize) -> Result<Step> {
        let node = &self.graph.nodes[index];
        let input = || {
            let input = node.inputs.first().ok_or_else(|| Error::bug(format!("`{}` has no input", node.name)))?;
            Ok::<_, Error>(self.graph.nodes[input.from].schema.clone())
        };
        let schema = node.schema.clone();
        let mut operator: Box<dyn Operator> = match &node.kind {
            NodeKind::Calc(calc) => Box::new(CalcOperator::new(calc.clone())),
            NodeKind::Union => Box::new(CalcOperator::new(Calc { predicate: None, projection: None, schema })),
            NodeKind::AssignWindow(spec) => Box::new(AssignWindow::new(spec.clone(), schema)),
            NodeKind::GroupAggregate(spec) => Box::new(GroupAggregate::new(input()?, spec.clone(), schema)?),
            NodeKind::WindowAggregate(spec, window) => {
                Box::new(WindowAggregate::new(input()?, spec.clone(), window.clone(), schema)?)
            }
            NodeKind::Sink(sink) => return self.writer(index, sink, subtask).map(Step::Sink),
            NodeKind::Source(_) | NodeKind::Values(_) => {
                return Err(Error::bug(format!("source `{}` has an input", node.name)));
            }
        };
        if let Some(states) = self.restored.of(index) {
            let (max, parallelism) = (self.max_parallelism, self.parallelism_of(index));
            let owned = |hash: u64| max.subtask(max.key_group(hash), parallelism) == subtask;
            operator
                .restore(&Restore { states, owned: &owned })
                .map_err(|error| error.context(format!("cannot restore operator `{}`", node.name)))?;
        }
        Ok(Step::Operator(operator))
    }

    fn writer(
        &self,
        index: usize,
        sink: &Arc<dyn Sink>,
        subtask: usize,
    ) -> Result<Box<dyn kobel_dataflow::ports::SinkWriter>> {
        let parallelism = self.parallelism_of(index);
        let context = WriterContext {
            subtask,
            parallelism,
            lineage: self.lineage(index),
            last_checkpoint_id: self.options.restore.as_ref().map_or(0, |from| from.manifest.checkpoint_id),
        };
        let states = self.restored.of(index).unwrap_or_default().iter().enumerate();
        let mine = states.filter(|(old, _)| old % parallelism == subtask).map(|(_, state)| state.inline.clone());
        sink.writer(context, mine.collect())
            .map_err(|error| error.context(format!("cannot open sink `{}`", self.graph.nodes[index].name)))
    }
}
