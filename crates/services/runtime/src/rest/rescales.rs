//! Changes of the parallelism of a running job, as Flink's adaptive scheduler tells of them.
//!
//! The start of a job counts as the first of them. Waiting for slots, which is most of Flink's configuration here, does
//! not happen in one process.

use kobel_model::ids::{JobId, OperatorId};
use kobel_rest::number::Number;
use kobel_rest::ordered::OrderedMap;
use kobel_rest::rescales::{
    JobRescaleConfigInfo, JobRescaleDetails, JobRescalesOverview, JobRescalesSummary, LatestRescales, RescalesCounts,
    SchedulerStateSpan, SlotSharingGroupRescaleInfo, TerminalState, TerminatedReason, TriggerCause,
    VertexParallelismRescaleInfo,
};
use kobel_rest::resources::ResourceProfileInfo;
use kobel_rest::states::{ExecutionState, JobStatus};
use kobel_rest::statistics::StatsSummary;

use crate::control::VertexParallelism;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::identity::{derived, slot_sharing_group};
use crate::view::job::{Attempt, JobFacts, JobState};

/// The name of the one group of vertices that share slots.
const GROUP_NAME: &str = "default";

/// One change of the parallelism.
struct Step {
    id: String,
    cause: TriggerCause,
    started_ms: i64,
    ended_ms: Option<i64>,
    end: Option<(TerminalState, TerminatedReason)>,
    before: Option<Vec<usize>>,
    wanted: Vec<VertexParallelism>,
    failure: Option<String>,
}

/// `GET /jobs/:jobid/rescales/history`.
pub(crate) fn history(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let steps = job.read(|state| steps(&job.facts, state));
    Answer::json(&steps.iter().map(outline).collect::<Vec<_>>())
}

/// `GET /jobs/:jobid/rescales/overview`.
pub(crate) fn overview(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&overview_of(&job.read(|state| steps(&job.facts, state))))
}

/// `GET /jobs/:jobid/rescales/summary`.
pub(crate) fn summary(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&summary_of(&job.read(|state| steps(&job.facts, state))))
}

/// `GET /jobs/:jobid/rescales/details/:rescaleuuid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    let id: OperatorId = call.path_value("rescaleuuid")?;
    let job = call.job()?;
    let id = id.to_string();
    let step = job.read(|state| steps(&job.facts, state)).into_iter().find(|step| step.id == id);
    let unknown = || Refusal::not_found(format!("Could not find rescale details of specified rescaleUuid {id}."));
    let mut step = step.ok_or_else(unknown)?;
    step.failure = step.failure.map(|failure| call.cluster.facts.scrubber.scrub(&failure).into_owned());
    Answer::json(&details(&job.facts, &step))
}

/// `GET /jobs/:jobid/rescales/config`.
pub(crate) fn config(call: &Call<'_>) -> Reply {
    call.job()?;
    Answer::json(&JobRescaleConfigInfo {
        rescale_history_max: Some(JobState::RESCALES_KEPT as i64),
        scheduler_execution_mode: None,
        submission_resource_wait_timeout_in_millis: Some(0),
        submission_resource_stabilization_timeout_in_millis: Some(0),
        slot_idle_timeout_in_millis: Some(0),
        executing_cooldown_timeout_in_millis: Some(0),
        executing_resource_stabilization_timeout_in_millis: Some(0),
        maximum_delay_for_triggering_rescale_in_millis: Some(0),
        rescale_on_failed_checkpoint_count: Some(1),
    })
}

/// What is remembered, the newest first.
fn steps(job: &JobFacts, state: &JobState) -> Vec<Step> {
    let rescales = state.rescales.iter().map(|record| Step {
        id: record.id.clone(),
        cause: TriggerCause::UpdateRequirement,
        started_ms: record.started_ms,
        ended_ms: record.ended_ms,
        end: record.ended_ms.map(|_| match record.failure {
            None => (TerminalState::Completed, TerminatedReason::Succeeded),
            Some(_) => (TerminalState::Failed, TerminatedReason::ExceptionOccurred),
        }),
        before: Some(record.before.clone()),
        wanted: record.wanted.clone(),
        failure: record.failure.clone(),
    });
    let mut steps: Vec<Step> = rescales.chain(start(job, state)).take(JobState::RESCALES_KEPT).collect();
    if let Some((at_ms, end)) = end_of_job(state) {
        for step in steps.iter_mut().filter(|step| step.end.is_none()) {
            step.ended_ms = Some(at_ms);
            step.end = Some(end);
        }
    }
    steps
}

/// The start of the job, as long as its first attempt is remembered.
fn start(job: &JobFacts, state: &JobState) -> Option<Step> {
    let first: &Attempt = state.earlier.back().unwrap_or(&state.attempt);
    if first.number != 0 {
        return None;
    }
    let began = first.metrics.tasks.iter().flatten().map(|task| task.since_ms(ExecutionState::Running));
    let ended_ms = began.reduce(|one, other| if one == 0 || other == 0 { 0 } else { one.max(other) });
    let ended_ms = ended_ms.filter(|at| *at > 0);
    let wanted = first.parallelism.iter().map(|upper| VertexParallelism { lower: 1, upper: *upper });
    Some(Step {
        id: start_id(job.id),
        cause: TriggerCause::InitialSchedule,
        started_ms: job.created_ms,
        ended_ms,
        end: ended_ms.map(|_| (TerminalState::Completed, TerminatedReason::Succeeded)),
        before: None,
        wanted: wanted.collect(),
        failure: None,
    })
}

fn start_id(job: JobId) -> String {
    derived("initial schedule", &job.to_string())
}

/// When and why everything under way was given up, if the job has ended.
fn end_of_job(state: &JobState) -> Option<(i64, (TerminalState, TerminatedReason))> {
    let reason = match state.status {
        JobStatus::Finished => TerminatedReason::JobFinished,
        JobStatus::Canceled => TerminatedReason::JobCanceled,
        _ => TerminatedReason::JobFailed,
    };
    state.ended_ms().map(|at_ms| (at_ms, (TerminalState::Ignored, reason)))
}

/// A change without its vertices, slots and states.
fn outline(step: &Step) -> JobRescaleDetails {
    JobRescaleDetails {
        rescale_uuid: step.id.clone(),
        resource_requirements_uuid: derived("resource requirements", &step.id),
        rescale_attempt_id: 1,
        vertices: OrderedMap::new(),
        slots: OrderedMap::new(),
        scheduler_states: Vec::new(),
        start_timestamp_in_millis: Some(step.started_ms),
        end_timestamp_in_millis: step.ended_ms,
        terminal_state: step.end.map(|(state, _)| state),
        trigger_cause: Some(step.cause),
        terminated_reason: step.end.map(|(_, reason)| reason),
    }
}

fn details(job: &JobFacts, step: &Step) -> JobRescaleDetails {
    let group = slot_sharing_group(job.id);
    JobRescaleDetails {
        vertices: vertices(job, step, &group),
        slots: [(group.clone(), slots(step, group))].into_iter().collect(),
        scheduler_states: vec![scheduler_state(step)],
        ..outline(step)
    }
}

fn is_completed(step: &Step) -> bool {
    step.end.is_some_and(|(state, _)| state == TerminalState::Completed)
}

fn vertices(job: &JobFacts, step: &Step, group: &str) -> OrderedMap<String, VertexParallelismRescaleInfo> {
    let entry = |index: usize, wanted: &VertexParallelism| {
        let vertex = job.plan.vertices.get(index)?;
        let before = step.before.as_ref().and_then(|before| before.get(index));
        let info = VertexParallelismRescaleInfo {
            job_vertex_id: vertex.id.clone(),
            job_vertex_name: Some(vertex.name.clone()),
            slot_sharing_group_id: Some(group.to_owned()),
            slot_sharing_group_name: Some(GROUP_NAME.to_owned()),
            desired_parallelism: Some(wanted.upper as i64),
            sufficient_parallelism: Some(wanted.lower as i64),
            pre_rescale_parallelism: before.map(|subtasks| *subtasks as i64),
            post_rescale_parallelism: is_completed(step).then_some(wanted.upper as i64),
        };
        Some((vertex.id.clone(), info))
    };
    step.wanted.iter().enumerate().filter_map(|(index, wanted)| entry(index, wanted)).collect()
}

/// A slot for each subtask of the widest vertex.
fn slots(step: &Step, group: String) -> SlotSharingGroupRescaleInfo {
    let widest = |of: fn(&VertexParallelism) -> usize| step.wanted.iter().map(of).max().unwrap_or(0) as i64;
    let desired = widest(|wanted| wanted.upper);
    let before = step.before.as_ref().and_then(|before| before.iter().max());
    SlotSharingGroupRescaleInfo {
        slot_sharing_group_id: group,
        slot_sharing_group_name: Some(GROUP_NAME.to_owned()),
        request_resource_profile: Some(any_slot()),
        desired_slots: Some(desired),
        minimal_required_slots: Some(widest(|wanted| wanted.lower)),
        pre_rescale_slots: before.map(|slots| *slots as i64),
        post_rescale_slots: is_completed(step).then_some(desired),
        acquired_resource_profile: Some(any_slot()),
    }
}

/// A slot of which nothing is said, in Flink's numbers.
fn any_slot() -> ResourceProfileInfo {
    ResourceProfileInfo {
        cpu_cores: Number(-1.0),
        task_heap_memory: -1,
        task_off_heap_memory: -1,
        managed_memory: -1,
        network_memory: -1,
        extended_resources: OrderedMap::new(),
    }
}

/// The one state between the decision and the end: nothing here waits for slots.
fn scheduler_state(step: &Step) -> SchedulerStateSpan {
    let state = if step.cause == TriggerCause::InitialSchedule { "CreatingExecutionGraph" } else { "Restarting" };
    SchedulerStateSpan {
        state: state.to_owned(),
        enter_timestamp_in_millis: Some(step.started_ms),
        leave_timestamp_in_millis: step.ended_ms,
        duration_in_millis: duration(step),
        stringified_exception: step.failure.clone(),
    }
}

fn duration(step: &Step) -> Option<i64> {
    step.ended_ms.map(|ended| (ended - step.started_ms).max(0))
}

fn counts(steps: &[Step]) -> RescalesCounts {
    let of =
        |end: Option<TerminalState>| steps.iter().filter(|step| step.end.map(|(state, _)| state) == end).count() as i64;
    RescalesCounts {
        ignored: of(Some(TerminalState::Ignored)),
        in_progress: of(None),
        completed: of(Some(TerminalState::Completed)),
        failed: of(Some(TerminalState::Failed)),
    }
}

fn overview_of(steps: &[Step]) -> JobRescalesOverview {
    let latest =
        |end: TerminalState| steps.iter().find(|step| step.end.is_some_and(|(state, _)| state == end)).map(outline);
    JobRescalesOverview {
        rescales_counts: counts(steps),
        latest: LatestRescales {
            completed: latest(TerminalState::Completed),
            failed: latest(TerminalState::Failed),
            ignored: latest(TerminalState::Ignored),
        },
    }
}

fn summary_of(steps: &[Step]) -> JobRescalesSummary {
    let durations = |ends: &[TerminalState]| {
        let ended = steps.iter().filter(|step| step.end.is_some_and(|(state, _)| ends.contains(&state)));
        StatsSummary::of(&ended.filter_map(duration).collect::<Vec<_>>())
    };
    JobRescalesSummary {
        rescales_counts: counts(steps),
        rescales_duration_stats_in_millis: durations(TerminalState::ALL),
        completed_rescales_duration_stats_in_millis: durations(&[TerminalState::Completed]),
        ignored_rescales_duration_stats_in_millis: durations(&[TerminalState::Ignored]),
        failed_rescales_duration_stats_in_millis: durations(&[TerminalState::Failed]),
    }
}

#[cfg(test)]
mod tests;
