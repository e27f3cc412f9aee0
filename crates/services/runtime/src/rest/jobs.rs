//! Jobs: the lists, one in detail, its configuration, its state and its result.

use kobel_logs::Scrubber;
use kobel_model::ids::JobId;
use kobel_rest::accumulators::JobAccumulatorsInfo;
use kobel_rest::cluster::EmptyBody;
use kobel_rest::jobs::{
    ExecutionConfigInfo, JobConfigInfo, JobDetails, JobDetailsInfo, JobExecutionResultResponseBody, JobIdWithStatus,
    JobIdsWithStatusOverview, JobResult, JobStatusInfo, MultipleJobsDetails, TaskCounts, VertexOverview,
};
use kobel_rest::operations::QueueStatus;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::per_state::PerState;
use kobel_rest::states::{ApplicationStatus, JobStatus, JobType, SchedulerType};
use kobel_rest::submissions::JobClientHeartbeatRequestBody;

use crate::metrics::TaskMetrics;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::identity::{exception_name, slot_sharing_group};
use crate::rest::java_exceptions::no_job;
use crate::rest::plan::graph;
use crate::rest::refusals::job_of_master;
use crate::rest::tasks::{counters, span, states, summed_state};
use crate::rest::throwable::throwable;
use crate::view::job::{FailureRecord, JobFacts, JobState};
use crate::view::plan::VertexView;

/// `GET /jobs`.
pub(crate) fn ids(call: &Call<'_>) -> Reply {
    let jobs = call.cluster.jobs();
    let entry = |job: &JobFacts, state: &JobState| JobIdWithStatus { id: job.id.to_string(), status: state.status };
    let jobs = jobs.iter().rev().map(|job| job.read(|state| entry(&job.facts, state))).collect();
    Answer::json(&JobIdsWithStatusOverview { jobs })
}

/// `GET /jobs/overview`.
pub(crate) fn overview(call: &Call<'_>) -> Reply {
    let jobs = call.cluster.jobs();
    let jobs = jobs.iter().rev().map(|job| job.read(|state| summary(&job.facts, state, call.now_ms))).collect();
    Answer::json(&MultipleJobsDetails { jobs })
}

/// `GET /jobs/:jobid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let mut info = job.read(|state| details(&job.facts, state, call.now_ms));
    info.application_id = Some(call.cluster.facts.application_id.clone());
    Answer::json(&info)
}

/// `GET /jobs/:jobid/status`.
pub(crate) fn status(call: &Call<'_>) -> Reply {
    let job = job_of_master(call)?;
    Answer::json(&JobStatusInfo { status: job.read(|state| state.status) })
}

/// `GET /jobs/:jobid/config`.
pub(crate) fn config(call: &Call<'_>) -> Reply {
    Answer::json(&configuration(&call.job()?.facts))
}

/// `GET /jobs/:jobid/accumulators`: there are none, since there is no user code that could make one.
pub(crate) fn accumulators(call: &Call<'_>) -> Reply {
    call.job()?;
    Answer::json(&JobAccumulatorsInfo::default())
}

/// `GET /jobs/:jobid/execution-result`.
pub(crate) fn execution_result(call: &Call<'_>) -> Reply {
    let id: JobId = call.path_value("jobid")?;
    let job = call.cluster.job(id).ok_or_else(|| Refusal::not_found(no_job(id)))?;
    let end = job.read(|state| end(&job.facts, state));
    let mut body = result(&job.facts, end, &call.cluster.facts.scrubber);
    if let Some(result) = &mut body.job_execution_result {
        result.application_id = Some(call.cluster.facts.application_id.clone());
    }
    Answer::json(&body)
}

/// `PATCH /jobs/:jobid/clientHeartbeat`: no job here ends because its client goes away, so it means nothing.
pub(crate) fn client_heartbeat(call: &Call<'_>) -> Reply {
    call.path_value::<JobId>("jobid")?;
    call.body::<JobClientHeartbeatRequestBody>()?;
    Answer::accepted(&EmptyBody {})
}

/// When a job ended, or -1, and how long it has run, or ran.
fn ended(job: &JobFacts, state: &JobState, now_ms: i64) -> (i64, i64) {
    let ended = state.ended_ms();
    (ended.unwrap_or(-1), (ended.unwrap_or(now_ms) - job.created_ms).max(0))
}

/// A job in the overview of all jobs.
pub(crate) fn summary(job: &JobFacts, state: &JobState, now_ms: i64) -> JobDetails {
    let (end_time, duration) = ended(job, state, now_ms);
    let tasks = || state.attempt.metrics.tasks.iter().flatten();
    let last_change = tasks().map(|task| task.since_ms(task.state())).max().unwrap_or(0);
    JobDetails {
        jid: job.id.to_string(),
        name: job.name.clone(),
        job_type: Some(JobType::Streaming),
        scheduler_type: Some(SchedulerType::Adaptive),
        start_time: job.created_ms,
        end_time,
        duration,
        state: state.status,
        last_modification: last_change.max(end_time),
        tasks: TaskCounts::from(&PerState::count(tasks().map(TaskMetrics::state))),
        pending_operators: 0,
    }
}

fn details(job: &JobFacts, state: &JobState, now_ms: i64) -> JobDetailsInfo {
    let (end_time, duration) = ended(job, state, now_ms);
    let vertices = vertices(job, state, now_ms);
    let mut timestamps = PerState::zero();
    for status in JobStatus::ALL {
        timestamps.set(*status, state.since(*status));
    }
    JobDetailsInfo {
        jid: job.id.to_string(),
        application_id: None,
        name: job.name.clone(),
        is_stoppable: false,
        state: state.status,
        job_type: Some(JobType::Streaming),
        scheduler_type: Some(SchedulerType::Adaptive),
        start_time: job.created_ms,
        end_time,
        duration,
        max_parallelism: configured_max_parallelism(&job.settings),
        now: now_ms,
        timestamps,
        status_counts: PerState::count(vertices.iter().map(|vertex| vertex.status)),
        vertices,
        plan: graph(job, &state.attempt.parallelism),
        stream_graph: None,
        pending_operators: 0,
    }
}

fn vertices(job: &JobFacts, state: &JobState, now_ms: i64) -> Vec<VertexOverview> {
    let slot_sharing_group_id = slot_sharing_group(job.id);
    let vertices = job.plan.vertices.iter().zip(&state.attempt.metrics.tasks);
    let overview = |(vertex, tasks): (&VertexView, &Vec<TaskMetrics>)| {
        let (span, states) = (span(tasks, now_ms), states(tasks));
        VertexOverview {
            id: vertex.id.clone(),
            slot_sharing_group_id: slot_sharing_group_id.clone(),
            name: vertex.name.clone(),
            max_parallelism: job.max_parallelism as i64,
            parallelism: tasks.len() as i64,
            status: summed_state(&states),
            start_time: span.start,
            end_time: span.end,
            duration: span.duration,
            tasks: states,
            metrics: counters(tasks),
        }
    };
    vertices.map(overview).collect()
}

/// The largest parallelism that the user set, or -1.
fn configured_max_parallelism(settings: &[(String, String)]) -> i64 {
    let set = settings.iter().find(|(key, _)| key == "pipeline.max-parallelism");
    set.and_then(|(_, value)| value.parse().ok()).unwrap_or(-1)
}

fn configuration(job: &JobFacts) -> JobConfigInfo {
    JobConfigInfo {
        jid: job.id.to_string(),
        name: job.name.clone(),
        execution_config: Some(ExecutionConfigInfo {
            restart_strategy: job.restart_strategy.clone(),
            job_parallelism: job.parallelism as i64,
            object_reuse_mode: false,
            user_config: job.settings.iter().cloned().collect(),
        }),
    }
}

/// How a job ended, taken out of it so that it does not wait while this is made texts.
struct JobEnd {
    status: ApplicationStatus,
    end_time: i64,
    net_runtime: i64,
    cause: Option<FailureRecord>,
}

fn end(job: &JobFacts, state: &JobState) -> Option<JobEnd> {
    let status = match state.status {
        JobStatus::Finished => ApplicationStatus::Succeeded,
        JobStatus::Canceled => ApplicationStatus::Canceled,
        JobStatus::Failed => ApplicationStatus::Failed,
        _ => return None,
    };
    let (end_time, net_runtime) = ended(job, state, job.created_ms);
    let cause = state.failures.front().filter(|_| status == ApplicationStatus::Failed).cloned();
    Some(JobEnd { status, end_time, net_runtime, cause })
}

fn result(job: &JobFacts, end: Option<JobEnd>, scrubber: &Scrubber) -> JobExecutionResultResponseBody {
    let Some(JobEnd { status, end_time, net_runtime, cause }) = end else {
        return JobExecutionResultResponseBody { status: QueueStatus::IN_PROGRESS, job_execution_result: None };
    };
    let result = JobResult {
        id: job.id.to_string(),
        name: job.name.clone(),
        application_status: status,
        accumulator_results: OrderedMap::new(),
        net_runtime,
        failure_cause: cause.map(|failure| throwable(&exception_name(&failure.kind), &scrubber.scrub(&failure.text))),
        application_id: None,
        start_time: job.created_ms,
        end_time,
    };
    JobExecutionResultResponseBody { status: QueueStatus::COMPLETED, job_execution_result: Some(result) }
}

#[cfg(test)]
mod tests;
