//! A job for tests of handlers: a source with a filter at two subtasks, an aggregation with a sink behind it at one.

#![cfg(test)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use kobel_model::ids::JobId;
use kobel_rest::states::{ExecutionState, JobStatus};

use crate::controller::Controller;
use crate::metrics::{JobMetrics, TaskMetrics, TaskTime};
use crate::view::checkpoints::{CheckpointProgress, CheckpointRecord, CheckpointType, SubtaskCheckpoint};
use crate::view::job::{Attempt, CheckpointFacts, JobFacts, JobView};
use crate::view::plan::{EdgeView, OperatorView, PlanView, VertexView};

/// When the job was made, in epoch milliseconds.
pub(crate) const BORN: i64 = 1_700_000_000_000;
/// Id of the job.
pub(crate) const JOB: &str = "07070707070707070707070707070707";
/// Id of the vertex that reads.
pub(crate) const SOURCE: &str = "0000000000000000000000000000000a";
/// Id of the vertex that writes.
pub(crate) const SINK: &str = "0000000000000000000000000000000b";
/// Id of the TaskManager.
pub(crate) const TASK_MANAGER: &str = "localhost:6122-4ebda0";

/// The job, which has run since 30 ms after it was made.
pub(crate) fn job() -> JobView {
    let facts = JobFacts {
        id: JobId::from_bytes([7; 16]),
        name: "totals".to_owned(),
        plan: plan(),
        max_parallelism: 128,
        parallelism: 2,
        restart_strategy: "Restart deactivated.".to_owned(),
        settings: vec![("parallelism.default".to_owned(), "2".to_owned())],
        checkpoints: CheckpointFacts {
            interval: Some(Duration::from_secs(2)),
            timeout: Duration::from_secs(600),
            directory: "/ck".to_owned(),
            ..CheckpointFacts::default()
        },
        created_ms: BORN,
    };
    let job = JobView::new(facts, Controller::new(mpsc::channel().0), attempt(0, BORN + 10));
    job.enter(JobStatus::Running, BORN + 30);
    job
}

fn plan() -> PlanView {
    let operator = |id: &str, name: &str, description: &str| OperatorView {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
    };
    let source = VertexView {
        id: SOURCE.to_owned(),
        name: "Source: flights[1] -> Calc[2]".to_owned(),
        operators: vec![0, 1],
        inputs: Vec::new(),
    };
    let sink = VertexView {
        id: SINK.to_owned(),
        name: "GroupAggregate[4] -> Calc[5] -> hourly: Writer".to_owned(),
        operators: vec![2, 3, 4],
        inputs: vec![EdgeView { from: 0, ship_strategy: "HASH" }],
    };
    PlanView {
        vertices: vec![source, sink],
        operators: vec![
            operator(SOURCE, "Source: flights[1]", "[1]:TableSourceScan(table=[[flights]])"),
            operator("1a", "Calc[2]", "[2]:Calc(where=[(delay > 5)])"),
            operator(SINK, "GroupAggregate[4]", "[4]:GroupAggregate(groupBy=[k])"),
            operator("1b", "Calc[5]", "[5]:Calc(select=[k])"),
            operator("1c", "hourly: Writer", "hourly: Writer"),
        ],
    }
}

/// An attempt whose tasks are made at `born_ms` and run 20 ms later.
pub(crate) fn attempt(number: u32, born_ms: i64) -> Arc<Attempt> {
    let parallelism = vec![2, 1];
    let tasks = parallelism.iter().map(|subtasks| (0..*subtasks).map(|_| task(born_ms)).collect()).collect();
    Arc::new(Attempt { number, parallelism, metrics: Arc::new(JobMetrics { operators: Vec::new(), tasks }) })
}

fn task(born_ms: i64) -> TaskMetrics {
    let task = TaskMetrics::new(born_ms);
    task.enter(ExecutionState::Initializing, born_ms + 5);
    task.enter(ExecutionState::Running, born_ms + 20);
    task.rows_out.store(29, Ordering::Relaxed);
    task.bytes_out.store(1_681, Ordering::Relaxed);
    task.spend(TaskTime::Idle, 5_700_000);
    task
}

/// A completed checkpoint that was triggered `id` seconds after the job was made.
pub(crate) fn checkpoint(id: u64) -> CheckpointRecord {
    let triggered_ms = BORN + 1_000 * id as i64;
    let task = |ack: i64| {
        Some(SubtaskCheckpoint {
            ack_ms: triggered_ms + ack,
            state_bytes: 100,
            written_bytes: 10,
            sync_ms: 1,
            async_ms: 2,
            alignment_ms: 3,
            start_delay_ms: 4,
        })
    };
    CheckpointRecord {
        id,
        kind: CheckpointType::Checkpoint,
        is_incremental: true,
        progress: CheckpointProgress::Completed(Some(PathBuf::from(format!("/ck/{JOB}/chk-{id}")))),
        triggered_ms,
        ended_ms: Some(triggered_ms + 40),
        state_bytes: 300,
        written_bytes: 30,
        tasks: vec![vec![task(11), task(15)], vec![task(33)]],
    }
}
