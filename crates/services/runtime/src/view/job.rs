//! One job as everybody but its coordinator sees it: what it is, what state it is in, how to ask something of it.
//!
//! # Invariants
//! Only the thread that runs the job changes its state. A state that ends a job is never left.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kobel_model::ids::JobId;
use kobel_rest::states::JobStatus;

use crate::control::VertexParallelism;
use crate::controller::Controller;
use crate::metrics::JobMetrics;
use crate::view::checkpoints::CheckpointHistory;
use crate::view::plan::PlanView;

/// What never changes about a job.
#[derive(Debug, Clone)]
pub struct JobFacts {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its graph.
    pub plan: PlanView,
    /// Key groups.
    pub max_parallelism: usize,
    /// The parallelism that it was started with.
    pub parallelism: usize,
    /// What happens when it fails, for people.
    pub restart_strategy: String,
    /// What the user set for it, secrets redacted, in order of key.
    pub settings: Vec<(String, String)>,
    /// How its checkpoints are taken.
    pub checkpoints: CheckpointFacts,
    /// When it was made, in epoch milliseconds.
    pub created_ms: i64,
}

/// How a job's checkpoints are taken.
#[derive(Debug, Clone, Default)]
pub struct CheckpointFacts {
    /// Time between checkpoints; `None` takes none on its own.
    pub interval: Option<Duration>,
    /// Time after which one fails.
    pub timeout: Duration,
    /// Least time between two.
    pub min_pause: Duration,
    /// How many may fail in a row.
    pub failures_tolerated: u32,
    /// Where they go.
    pub directory: String,
}

/// One attempt at running a job; a restart or a rescale begins the next.
#[derive(Debug)]
pub struct Attempt {
    /// 0, 1, …
    pub number: u32,
    /// Number of subtasks by vertex.
    pub parallelism: Vec<usize>,
    /// Counters and states of its tasks.
    pub metrics: Arc<JobMetrics>,
}

/// A failure that the job restarted after, or ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRecord {
    /// When, in epoch milliseconds.
    pub at_ms: i64,
    /// The error's kind as a name: `Invalid`.
    pub kind: String,
    /// The error, its causes after it, and what to do, a line each.
    pub text: String,
    /// Where it happened, if one task failed: vertex, and subtask of it.
    pub task: Option<(usize, usize)>,
}

/// A rescale of the running job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescaleRecord {
    /// 32 hexadecimal digits.
    pub id: String,
    /// When it was asked for, in epoch milliseconds.
    pub started_ms: i64,
    /// When the job ran again, or the rescale failed; `None` while it is under way.
    pub ended_ms: Option<i64>,
    /// Number of subtasks by vertex before.
    pub before: Vec<usize>,
    /// Number of subtasks by vertex that was asked for.
    pub wanted: Vec<VertexParallelism>,
    /// Why it failed, if it did; the job then runs as before.
    pub failure: Option<String>,
}

/// What changes about a job.
#[derive(Debug, Clone)]
pub struct JobState {
    /// Its status.
    pub status: JobStatus,
    /// Epoch milliseconds at which each status began last, in the order of [`JobStatus::ALL`]; 0 if it has not.
    pub since_ms: [i64; JobStatus::ALL.len()],
    /// Restarts after failures.
    pub restarts: u64,
    /// The attempt that runs, or ran last.
    pub attempt: Arc<Attempt>,
    /// Those before it, the newest first; at most [`JobState::ATTEMPTS_KEPT`].
    pub earlier: VecDeque<Arc<Attempt>>,
    /// Its checkpoints.
    pub checkpoints: CheckpointHistory,
    /// Its failures, the newest first; at most [`JobState::FAILURES_KEPT`].
    pub failures: VecDeque<FailureRecord>,
    /// What was asked for, by vertex.
    pub wanted: Vec<VertexParallelism>,
    /// Its rescales, the newest first; at most [`JobState::RESCALES_KEPT`].
    pub rescales: VecDeque<RescaleRecord>,
}

impl JobState {
    /// Attempts remembered (Flink `jobmanager.execution.attempts-history-size`).
    pub const ATTEMPTS_KEPT: usize = 16;
    /// Failures remembered (Flink `web.exception-history-size`).
    pub const FAILURES_KEPT: usize = 16;
    /// Rescales remembered (Flink `web.adaptive-scheduler.rescale-history.size`).
    pub const RESCALES_KEPT: usize = 16;

    /// When a status began last in epoch milliseconds, 0 if it has not.
    pub fn since(&self, status: JobStatus) -> i64 {
        let index = JobStatus::ALL.iter().position(|known| *known == status).unwrap_or_default();
        self.since_ms[index]
    }

    /// When the job ended in epoch milliseconds, if it has.
    pub fn ended_ms(&self) -> Option<i64> {
        self.status.is_globally_terminal().then(|| self.since(self.status))
    }
}

/// A job.
pub struct JobView {
    /// What never changes.
    pub facts: JobFacts,
    controller: Controller,
    state: RwLock<JobState>,
}

impl JobView {
    /// A job that is about to run its first attempt.
    pub(crate) fn new(facts: JobFacts, controller: Controller, attempt: Arc<Attempt>) -> Self {
        let wanted = attempt.parallelism.iter().map(|upper| VertexParallelism { lower: 1, upper: *upper }).collect();
        let state = JobState {
            status: JobStatus::Initializing,
            since_ms: Default::default(),
            restarts: 0,
            attempt,
            earlier: VecDeque::new(),
            checkpoints: CheckpointHistory::default(),
            failures: VecDeque::new(),
            wanted,
            rescales: VecDeque::new(),
        };
        let view = Self { controller, state: RwLock::new(state), facts };
        view.enter(JobStatus::Initializing, view.facts.created_ms);
        view
    }

    /// Looks at what changes; the job waits meanwhile, so not for long.
    pub fn read<T>(&self, look: impl FnOnce(&JobState) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes it.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut JobState) -> T) -> T {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a status begins.
    pub(crate) fn enter(&self, status: JobStatus, now_ms: i64) {
        self.update(|state| {
            if state.status.is_globally_terminal() {
                return;
            }
            state.status = status;
            if let Some(index) = JobStatus::ALL.iter().position(|known| *known == status) {
                state.since_ms[index] = now_ms;
            }
        });
    }

    /// Asks something of the job.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }
}
