//! A process with one running job, for tests of metrics: a source with a calculation, and a window with a sink.

#![cfg(test)]

use std::sync::Arc;
use std::sync::mpsc::channel;

use kobel_logs::Scrubber;
use kobel_rest::states::{ExecutionState, JobStatus};

use crate::controller::Controller;
use crate::metrics::{JobMetrics, OperatorMetrics, OperatorRole, SubtaskMetrics, TaskMetrics};
use crate::view::cluster::{Cluster, ClusterFacts};
use crate::view::job::{Attempt, CheckpointFacts, JobFacts, JobView};
use crate::view::plan::{EdgeView, OperatorView, PlanView, VertexView};

/// Id of the job.
pub(crate) const JOB_ID: &str = "0123456789abcdef0123456789abcdef";
/// When the job began to run, in epoch milliseconds.
pub(crate) const RUNNING_MS: i64 = 3_000;
/// When its tasks began to run.
pub(crate) const TASKS_RUNNING_MS: i64 = 3_500;

const OPERATORS: [(&str, OperatorRole); 4] = [
    ("Source: flights", OperatorRole::Source),
    ("Calc[2]", OperatorRole::Inner),
    ("TumblingWindow[3]", OperatorRole::Inner),
    ("hourly: Writer", OperatorRole::Sink),
];

/// Counters of an attempt with so many subtasks of each vertex, all of them running.
pub(crate) fn metrics(parallelism: usize) -> JobMetrics {
    let operator = |(name, role): (&str, OperatorRole)| OperatorMetrics {
        name: name.to_owned(),
        role,
        subtasks: std::iter::repeat_with(SubtaskMetrics::default).take(parallelism).collect(),
    };
    let task = || {
        let task = TaskMetrics::new(1_000);
        task.enter(ExecutionState::Initializing, 2_000);
        task.enter(ExecutionState::Running, TASKS_RUNNING_MS);
        task
    };
    let tasks = || std::iter::repeat_with(task).take(parallelism).collect();
    JobMetrics { operators: OPERATORS.map(operator).into(), tasks: vec![tasks(), tasks()] }
}

/// An attempt with so many subtasks of each vertex.
pub(crate) fn attempt(number: u32, parallelism: usize) -> Arc<Attempt> {
    Arc::new(Attempt { number, parallelism: vec![parallelism; 2], metrics: Arc::new(metrics(parallelism)) })
}

/// The running job.
pub(crate) fn job(parallelism: usize) -> Arc<JobView> {
    let facts = JobFacts {
        id: JOB_ID.parse().unwrap(),
        name: "my job".to_owned(),
        plan: plan(),
        max_parallelism: 128,
        parallelism,
        restart_strategy: "none".to_owned(),
        settings: Vec::new(),
        checkpoints: CheckpointFacts::default(),
        created_ms: 1_000,
    };
    let job = JobView::new(facts, Controller::new(channel().0), attempt(0, parallelism));
    job.enter(JobStatus::Created, 2_000);
    job.enter(JobStatus::Running, RUNNING_MS);
    Arc::new(job)
}

/// A process with this job.
pub(crate) fn cluster(job: &Arc<JobView>) -> Arc<Cluster> {
    let cluster = Cluster::new(ClusterFacts {
        application_id: "f".repeat(32),
        application_name: "my application".to_owned(),
        task_manager_id: "localhost:6122-abcdef".to_owned(),
        started_ms: 500,
        slots: 8,
        settings: Vec::new(),
        logs: None,
        scrubber: Arc::new(Scrubber::new()),
    });
    cluster.add(Arc::clone(job));
    Arc::new(cluster)
}

fn plan() -> PlanView {
    let operator = |(index, (name, _)): (usize, (&str, OperatorRole))| OperatorView {
        id: format!("{index}").repeat(32),
        name: name.to_owned(),
        description: name.to_owned(),
    };
    let vertex = |head: usize, inputs: Vec<EdgeView>| VertexView {
        id: format!("{head}").repeat(32),
        name: format!("{} -> {}", OPERATORS[head].0, OPERATORS[head + 1].0),
        operators: vec![head, head + 1],
        inputs,
    };
    let hash = EdgeView { from: 0, ship_strategy: "HASH" };
    PlanView {
        vertices: vec![vertex(0, Vec::new()), vertex(2, vec![hash])],
        operators: OPERATORS.into_iter().enumerate().map(operator).collect(),
    }
}
