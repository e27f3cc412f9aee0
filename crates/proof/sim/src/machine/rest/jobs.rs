//! Jobs as a JobManager tells them, and their cancellation.

use kobel_model::deployment::Identity;
use kobel_rest::cluster::{DashboardConfiguration, EmptyBody, Features};
use kobel_rest::exceptions::{ExceptionInfo, JobExceptionHistory, JobExceptionsInfoWithHistory, RootExceptionInfo};
use kobel_rest::jobs::{JobDetails, JobExecutionResultResponseBody, JobResult, MultipleJobsDetails, TaskCounts};
use kobel_rest::metrics::Metric;
use kobel_rest::operations::QueueStatus;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::states::{ApplicationStatus, JobStatus, JobType, SchedulerType};
use kobel_rest::throwable::SerializedThrowable;
use serde_json::json;

use super::reply::{Reply, answer, no_job, refusal};
use crate::machine::exceptions::{NOT_MADE, REST_HANDLER};
use crate::machine::job::{Job, Tasks};
use crate::machine::jobs;
use crate::machine::schedule::time_of_day;
use crate::world::World;

/// Which Flink it is.
pub fn config(world: &World, cluster: &Identity) -> Reply {
    let line = world.machine.launches.get(cluster).map(|launched| launched.started.line.to_string());
    answer(
        200,
        &json!(DashboardConfiguration {
            refresh_interval: world.knobs.statistics_behind_ms.max(1_000),
            timezone_name: "UTC".to_owned(),
            timezone_offset: 0,
            flink_version: format!("{}.0", line.unwrap_or_default()),
            flink_revision: "0000000 @ 1970-01-01T00:00:00+00:00".to_owned(),
            features: Features::default(),
        }),
    )
}

/// The jobs.
pub fn overview(world: &World, cluster: &Identity) -> Reply {
    let now_ms = time_of_day(world);
    let jobs = world.machine.known_jobs(cluster).into_iter().map(|job| details(job, now_ms)).collect();
    answer(200, &json!(MultipleJobsDetails { jobs }))
}

/// The job of this id, if the cluster knows it.
pub fn known<'a>(world: &'a World, cluster: &Identity, id: &str) -> Option<&'a Job> {
    world.machine.jobs.get(id).filter(|job| job.is_known && job.cluster == *cluster)
}

fn details(job: &Job, now_ms: i64) -> JobDetails {
    let end_time = job.ended_ms.unwrap_or(-1);
    JobDetails {
        jid: job.id.clone(),
        name: job.name.clone(),
        job_type: Some(JobType::Streaming),
        scheduler_type: Some(SchedulerType::Default),
        start_time: job.started_ms,
        end_time,
        duration: job.ended_ms.unwrap_or(now_ms).saturating_sub(job.started_ms),
        state: job.status,
        last_modification: job.changed_ms,
        tasks: tasks(job),
        pending_operators: 0,
    }
}

/// The tasks of a job: none while it is made, while it waits for resources, and for ever if it ended then.
fn tasks(job: &Job) -> TaskCounts {
    let total = job.settings.tasks;
    let none = TaskCounts::default();
    match (job.tasks, job.status) {
        (Tasks::None, _) => none,
        (_, JobStatus::Finished) => TaskCounts { finished: total, total, ..none },
        (_, JobStatus::Canceled) => TaskCounts { canceled: total, total, ..none },
        (_, JobStatus::Cancelling) => TaskCounts { canceling: total, total, ..none },
        (_, JobStatus::Failed) => TaskCounts { failed: total, total, ..none },
        (Tasks::Initializing, _) => {
            // The first one is always the first.
            TaskCounts { running: (total - 1).min(1), initializing: total - (total - 1).min(1), total, ..none }
        }
        (Tasks::Running, _) => TaskCounts { running: total, total, ..none },
    }
}

/// Why a job failed, the latest failure first. One that could not even be made has none.
pub fn exceptions(world: &World, cluster: &Identity, id: &str) -> Reply {
    let Some(job) = known(world, cluster, id) else { return no_job(id) };
    let latest = job.memory.failures.last().filter(|_| job.doomed.is_none());
    let entries = latest.map(|(timestamp, why)| RootExceptionInfo {
        exception: ExceptionInfo {
            exception_name: "java.lang.RuntimeException".to_owned(),
            stacktrace: format!("java.lang.RuntimeException: {why}\n\tat org.example.Job.run(Job.java:1)\n"),
            timestamp: *timestamp,
            ..ExceptionInfo::default()
        },
        concurrent_exceptions: Vec::new(),
    });
    let truncated = job.memory.failures.len() > 1;
    let exception_history = JobExceptionHistory { entries: entries.into_iter().collect(), truncated };
    answer(200, &json!(JobExceptionsInfoWithHistory { exception_history }))
}

/// How a job ended.
pub fn result(world: &World, cluster: &Identity, id: &str) -> Reply {
    let Some(job) = known(world, cluster, id) else { return no_job(id) };
    let application_status = match job.status {
        JobStatus::Finished => ApplicationStatus::Succeeded,
        JobStatus::Canceled => ApplicationStatus::Canceled,
        JobStatus::Failed => ApplicationStatus::Failed,
        _ => {
            let body = JobExecutionResultResponseBody { status: QueueStatus::IN_PROGRESS, job_execution_result: None };
            return answer(200, &json!(body));
        }
    };
    let why = job.memory.failures.last().filter(|_| job.status == JobStatus::Failed);
    let failure_cause = why.map(|(_, why)| SerializedThrowable::of(NOT_MADE, why, &format!("{why}\n")));
    let job_execution_result = Some(JobResult {
        id: job.id.clone(),
        name: job.name.clone(),
        application_status,
        accumulator_results: OrderedMap::new(),
        net_runtime: job.ended_ms.unwrap_or(job.started_ms).saturating_sub(job.started_ms),
        failure_cause,
        application_id: None,
        start_time: job.started_ms,
        end_time: job.ended_ms.unwrap_or(-1),
    });
    answer(200, &json!(JobExecutionResultResponseBody { status: QueueStatus::COMPLETED, job_execution_result }))
}

/// How a job does; nothing is told of one that is not known.
pub fn metrics(world: &World, cluster: &Identity, id: &str) -> Reply {
    let told = known(world, cluster, id).map(|job| {
        vec![
            Metric::new("numRestarts", job.memory.restarts),
            Metric::new("fullRestarts", job.memory.restarts),
            Metric::new("numberOfCompletedCheckpoints", job.memory.completed),
        ]
    });
    answer(200, &json!(told.unwrap_or_default()))
}

/// A job is cancelled, unless it has ended.
pub fn cancel(world: &mut World, cluster: &Identity, id: &str) -> Reply {
    let status = known(world, cluster, id).map(|job| job.status);
    let Some(status) = status else { return refusal(404, "Job could not be found.") };
    match status {
        JobStatus::Canceled => {}
        _ if status.is_globally_terminal() => {
            let ended = "Job cancellation failed because the job has already reached another terminal state";
            return refusal(409, format!("{REST_HANDLER}: {ended} ({status})."));
        }
        _ => jobs::cancel(world, id),
    }
    answer(202, &json!(EmptyBody::default()))
}
