//! Writing snapshots: collects what subtasks hand in, writes pages, publishes the manifest, keeps the baseline.
//!
//! # Invariants
//! The baseline says where every clean page of keyed state lies; it changes only when a checkpoint is complete. After a
//! failed checkpoint there is no baseline, and the next one takes everything.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use kobel_dataflow::state::snapshot::{OperatorState, SnapshotMode};
use kobel_model::ids::{JobId, OperatorId};
use kobel_model::snapshot::{FORMAT_VERSION, Manifest, OperatorManifest, PageRef, SnapshotKind, SubtaskManifest};
use kobel_model::{Error, Result};
use kobel_storage::pages::PageContent;
use kobel_storage::snapshots::{self, CheckpointStore, SnapshotTarget};

use crate::event::TaskSnapshot;

/// What a manifest says about an operator beside its state.
#[derive(Debug, Clone)]
pub(crate) struct OperatorFacts {
    pub(crate) id: OperatorId,
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    /// Number of its subtasks.
    pub(crate) parallelism: usize,
}

/// What a manifest says about the job.
#[derive(Debug, Clone)]
pub(crate) struct JobFacts {
    pub(crate) job_id: JobId,
    pub(crate) lineage: JobId,
    pub(crate) job_name: String,
    pub(crate) statement: usize,
    pub(crate) max_parallelism: u32,
    /// By node of the graph.
    pub(crate) operators: Vec<OperatorFacts>,
    /// Number of subtasks that must hand in a snapshot.
    pub(crate) tasks: usize,
}

/// Pages of one subtask of an operator by table and number.
type PageMap = HashMap<(i64, u32), PageRef>;

/// A snapshot that is being taken.
pub(crate) struct CheckpointPlan {
    id: u64,
    mode: SnapshotMode,
    kind: SnapshotKind,
    is_final: bool,
    triggered_ms: i64,
    /// `None` if nothing is kept: the job has no checkpoints and only lets its sinks commit.
    target: Option<SnapshotTarget>,
    waiting: usize,
    /// By node and subtask.
    states: BTreeMap<(usize, usize), SubtaskManifest>,
    written_bytes: u64,
}

impl CheckpointPlan {
    /// Id of the snapshot.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// What it should hold.
    pub(crate) fn mode(&self) -> SnapshotMode {
        self.mode
    }

    /// Only what changed is written.
    pub(crate) fn is_incremental(&self) -> bool {
        self.mode == SnapshotMode::Incremental
    }

    /// Whether it is written anywhere.
    pub(crate) fn is_kept(&self) -> bool {
        self.target.is_some()
    }

    /// When it was triggered, in epoch milliseconds.
    pub(crate) fn triggered_ms(&self) -> i64 {
        self.triggered_ms
    }

    /// Notes that a subtask has handed in.
    pub(crate) fn count(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Whether every subtask has handed in.
    pub(crate) fn is_complete(&self) -> bool {
        self.waiting == 0
    }
}

/// A snapshot that is complete.
pub(crate) struct Completed {
    pub(crate) checkpoint_id: u64,
    /// Where it lies, if it was kept.
    pub(crate) directory: Option<PathBuf>,
    /// Bytes of the whole state.
    pub(crate) state_bytes: u64,
    /// Bytes that this snapshot wrote.
    pub(crate) written_bytes: u64,
    pub(crate) manifest: Option<Manifest>,
}

/// Bytes of what one task handed in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    /// Of its whole state.
    pub(crate) state_bytes: u64,
    /// Of what was written now.
    pub(crate) written_bytes: u64,
}

/// Writes the snapshots of one job.
pub(crate) struct CheckpointWriter {
    facts: JobFacts,
    /// `None`: the job takes no checkpoints.
    store: Option<CheckpointStore>,
    savepoints: PathBuf,
    next_id: u64,
    baseline: Option<HashMap<(usize, usize), PageMap>>,
}

impl CheckpointWriter {
    /// A writer whose first snapshot gets the id `next_id`.
    pub(crate) fn new(facts: JobFacts, store: Option<CheckpointStore>, savepoints: PathBuf, next_id: u64) -> Self {
        Self { facts, store, savepoints, next_id, baseline: None }
    }

    fn plan(&mut self, kind: SnapshotKind, target: Option<SnapshotTarget>, triggered_ms: i64) -> CheckpointPlan {
        let mode = match kind {
            SnapshotKind::Savepoint => SnapshotMode::Savepoint,
            SnapshotKind::Checkpoint if self.baseline.is_some() => SnapshotMode::Incremental,
            SnapshotKind::Checkpoint => SnapshotMode::Full,
        };
        let id = self.next_id;
        self.next_id += 1;
        CheckpointPlan {
            id,
            mode,
            kind,
            is_final: false,
            triggered_ms,
            target,
            waiting: self.facts.tasks,
            states: BTreeMap::new(),
            written_bytes: 0,
        }
    }

    /// Begins a checkpoint; without a store it is kept nowhere and only lets the sinks commit.
    pub(crate) fn begin_checkpoint(&mut self, now_ms: i64) -> Result<CheckpointPlan> {
        let target = self.store.as_ref().map(|store| store.target(self.next_id));
        Ok(self.plan(SnapshotKind::Checkpoint, target, now_ms))
    }

    /// Begins the snapshot at the end of the input.
    pub(crate) fn begin_final(&mut self, now_ms: i64) -> Result<CheckpointPlan> {
        Ok(CheckpointPlan { is_final: true, ..self.begin_checkpoint(now_ms)? })
    }

    /// Begins a savepoint in `directory`, or where they go otherwise.
    pub(crate) fn begin_savepoint(&mut self, now_ms: i64, directory: Option<&Path>) -> Result<CheckpointPlan> {
        let suffix = format!("{:012x}", now_ms.max(0));
        let directory = directory.unwrap_or(&self.savepoints);
        let target = snapshots::new_savepoint(directory, self.facts.job_id, &suffix)?;
        Ok(self.plan(SnapshotKind::Savepoint, Some(target), now_ms))
    }

    /// Takes what a subtask has handed in and writes its pages.
    pub(crate) fn add(&mut self, plan: &mut CheckpointPlan, snapshot: TaskSnapshot) -> Result<Written> {
        plan.count();
        let (mut written, before) = (Written::default(), plan.written_bytes);
        for (node, state) in snapshot.states {
            let subtask = self.write_state(plan, (node, snapshot.subtask), state)?;
            written.state_bytes += subtask.state_bytes();
            plan.states.insert((node, snapshot.subtask), subtask);
        }
        written.written_bytes = plan.written_bytes - before;
        Ok(written)
    }

    /// Whether the job keeps checkpoints.
    pub(crate) fn keeps_checkpoints(&self) -> bool {
        self.store.is_some()
    }

    /// The id that the next snapshot will have.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    fn write_state(
        &self,
        plan: &mut CheckpointPlan,
        at: (usize, usize),
        state: OperatorState,
    ) -> Result<SubtaskManifest> {
        let Some(target) = &plan.target else {
            return Ok(SubtaskManifest { inline: state.inline, pages: Vec::new() });
        };
        let content = |page| -> Option<PageContent<'_>> {
            let page: &kobel_dataflow::state::snapshot::Page = page;
            page.content.as_ref().map(|content| PageContent { table: page.table, page: page.page, content })
        };
        let changed: Vec<_> = state.pages.iter().filter_map(content).collect();
        let name = format!("{}-{}-{}", plan.id, at.0, at.1);
        let mut written = target.write_pages(&name, &changed)?.into_iter();
        let clean = self.baseline.as_ref().and_then(|baseline| baseline.get(&at));
        let mut pages = Vec::with_capacity(state.pages.len());
        for page in &state.pages {
            let lies = match page.content {
                Some(_) => written.next(),
                None => clean.and_then(|clean| clean.get(&(page.table, page.page))).cloned(),
            };
            pages.push(lies.ok_or_else(|| Error::bug("a clean page of state is in no earlier checkpoint"))?);
        }
        let fresh = state.pages.iter().zip(&pages).filter(|(page, _)| page.content.is_some());
        plan.written_bytes += fresh.map(|(_, page)| page.length).sum::<u64>();
        Ok(SubtaskManifest { inline: state.inline, pages })
    }

    /// Publishes the manifest. From here on the snapshot exists.
    pub(crate) fn complete(&mut self, plan: &mut CheckpointPlan) -> Result<Completed> {
        let states = std::mem::take(&mut plan.states);
        let Some(target) = &plan.target else {
            return Ok(Completed {
                checkpoint_id: plan.id,
                directory: None,
                state_bytes: 0,
                written_bytes: 0,
                manifest: None,
            });
        };
        let manifest = Manifest {
            format: FORMAT_VERSION,
            kind: plan.kind,
            checkpoint_id: plan.id,
            job_id: self.facts.job_id,
            lineage: Some(self.facts.lineage).filter(|first| *first != self.facts.job_id),
            job_name: self.facts.job_name.clone(),
            statement: self.facts.statement,
            triggered_ms: plan.triggered_ms,
            max_parallelism: self.facts.max_parallelism,
            finished: plan.is_final,
            operators: self.operators(&states),
        };
        target.publish(&manifest)?;
        if plan.kind == SnapshotKind::Checkpoint {
            let pages = |state: &SubtaskManifest| -> PageMap {
                state.pages.iter().map(|page| ((page.table, page.page), page.clone())).collect()
            };
            self.baseline = Some(states.iter().map(|(at, state)| (*at, pages(state))).collect());
        }
        Ok(Completed {
            checkpoint_id: plan.id,
            directory: Some(target.directory().to_owned()),
            state_bytes: manifest.state_bytes(),
            written_bytes: plan.written_bytes,
            manifest: Some(manifest),
        })
    }

    fn operators(&self, states: &BTreeMap<(usize, usize), SubtaskManifest>) -> Vec<OperatorManifest> {
        let with_state = |node: &usize| states.range((*node, 0)..=(*node, usize::MAX)).next().is_some();
        let operator = |node: usize| {
            let facts = &self.facts.operators[node];
            let subtasks =
                (0..facts.parallelism).map(|subtask| states.get(&(node, subtask)).cloned().unwrap_or_default());
            OperatorManifest {
                id: facts.id,
                name: facts.name.clone(),
                fingerprint: facts.fingerprint.clone(),
                subtasks: subtasks.collect(),
            }
        };
        (0..self.facts.operators.len()).filter(with_state).map(operator).collect()
    }

    /// The sinks have committed: older checkpoints may go.
    pub(crate) fn committed(&mut self, completed: &Completed) -> Result<()> {
        match (&mut self.store, &completed.manifest) {
            (Some(store), Some(manifest)) if manifest.kind == SnapshotKind::Checkpoint => store.completed(manifest),
            _ => Ok(()),
        }
    }

    /// A checkpoint failed: what it wrote is not to be relied on.
    pub(crate) fn failed(&mut self) {
        self.baseline = None;
    }
}
