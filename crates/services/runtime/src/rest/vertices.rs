//! Vertices: their subtasks and attempts, their times, their TaskManager, their accumulators.

use std::slice;
use std::sync::Arc;

use kobel_rest::accumulators::{
    JobVertexAccumulatorsInfo, SubtaskAccumulatorsInfo, SubtaskExecutionAttemptAccumulatorsInfo,
    SubtasksAllAccumulatorsInfo,
};
use kobel_rest::vertices::{
    AggregatedTaskDetails, JobVertexDetailsInfo, JobVertexTaskManagersInfo, SubtaskAttemptDetails, SubtaskTimeInfo,
    SubtasksTimesInfo, VertexOnTaskManager,
};

use crate::metrics::TaskMetrics;
use crate::rest::call::{Answer, Call, Refusal, Reply};
use crate::rest::identity::endpoint;
use crate::rest::tasks::{counters, span, states, status_durations, summed_state, timestamps};
use crate::view::job::{Attempt, JobFacts, JobState, JobView};
use crate::view::plan::VertexView;

/// A vertex in one attempt, and who looks at it when.
struct Look<'a> {
    job: &'a JobFacts,
    vertex: &'a VertexView,
    attempt: u32,
    tasks: &'a [TaskMetrics],
    task_manager_id: &'a str,
    now_ms: i64,
}

impl<'a> Look<'a> {
    /// The vertex that the path names, to look at a part of it.
    fn new(call: &'a Call<'_>, job: &'a JobView, attempt: &'a Attempt) -> Result<Self, Refusal> {
        Ok(Self::at(call, job, attempt, call.vertex(job)?))
    }

    /// The vertex that the path names, to look at it as a whole.
    fn whole(call: &'a Call<'_>, job: &'a JobView, attempt: &'a Attempt) -> Result<Self, Refusal> {
        Ok(Self::at(call, job, attempt, call.whole_vertex(job)?))
    }

    fn at(call: &'a Call<'_>, job: &'a JobView, attempt: &'a Attempt, vertex: usize) -> Self {
        Self {
            job: &job.facts,
            vertex: &job.facts.plan.vertices[vertex],
            attempt: attempt.number,
            tasks: attempt.metrics.tasks.get(vertex).map(Vec::as_slice).unwrap_or_default(),
            task_manager_id: &call.cluster.facts.task_manager_id,
            now_ms: call.now_ms,
        }
    }

    fn endpoint(&self) -> String {
        endpoint(self.task_manager_id).to_owned()
    }

    /// The subtask that the path names, and its number.
    fn subtask(&self, call: &Call<'_>) -> Result<(usize, &'a TaskMetrics), Refusal> {
        let subtask: usize = call.path_value("subtaskindex")?;
        let task = self.tasks.get(subtask);
        let unknown = || Refusal::not_found(format!("Invalid subtask index for vertex {}", self.vertex.id));
        task.map(|task| (subtask, task)).ok_or_else(unknown)
    }
}

/// The attempt that runs, or ran last.
fn current(job: &JobView) -> Arc<Attempt> {
    job.read(|state| Arc::clone(&state.attempt))
}

/// The attempt with this number, as long as it is remembered.
fn numbered(state: &JobState, number: i64) -> Option<Arc<Attempt>> {
    let mut attempts = std::iter::once(&state.attempt).chain(&state.earlier);
    attempts.find(|attempt| i64::from(attempt.number) == number).cloned()
}

/// `GET /jobs/:jobid/vertices/:vertexid`.
pub(crate) fn detail(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&details(&Look::whole(call, &job, &current(&job))?))
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasktimes`.
pub(crate) fn subtask_times(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&times(&Look::new(call, &job, &current(&job))?))
}

/// `GET /jobs/:jobid/vertices/:vertexid/taskmanagers`.
pub(crate) fn task_managers(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&on_task_managers(&Look::whole(call, &job, &current(&job))?))
}

/// `GET /jobs/:jobid/vertices/:vertexid/accumulators`.
pub(crate) fn accumulators(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let id = Look::new(call, &job, &current(&job))?.vertex.id.clone();
    Answer::json(&JobVertexAccumulatorsInfo { id, user_accumulators: Vec::new() })
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/accumulators`.
pub(crate) fn subtask_accumulators(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&accumulators_of_subtasks(&Look::new(call, &job, &current(&job))?))
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex`.
pub(crate) fn subtask(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let attempt = current(&job);
    let look = Look::new(call, &job, &attempt)?;
    let (subtask, task) = look.subtask(call)?;
    Answer::json(&attempt_details(&look, subtask, task))
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt`.
pub(crate) fn attempt(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let attempt = asked_attempt(call, &job)?;
    let look = Look::new(call, &job, &attempt)?;
    let (subtask, task) = look.subtask(call)?;
    Answer::json(&attempt_details(&look, subtask, task))
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators`.
pub(crate) fn attempt_accumulators(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let attempt = asked_attempt(call, &job)?;
    let look = Look::new(call, &job, &attempt)?;
    let (subtask, _) = look.subtask(call)?;
    Answer::json(&accumulators_of_attempt(&look, subtask))
}

/// The attempt that the path names; vertex and subtask must be known first, as Flink asks for them first.
fn asked_attempt(call: &Call<'_>, job: &JobView) -> Result<Arc<Attempt>, Refusal> {
    let number: i64 = call.path_value("attempt")?;
    Look::new(call, job, &current(job))?.subtask(call)?;
    let attempt = job.read(|state| numbered(state, number));
    attempt.ok_or_else(|| Refusal::not_found(format!("Invalid attempt num {number}")))
}

fn attempt_details(look: &Look<'_>, subtask: usize, task: &TaskMetrics) -> SubtaskAttemptDetails {
    let tasks = slice::from_ref(task);
    let span = span(tasks, look.now_ms);
    SubtaskAttemptDetails {
        subtask: subtask as i64,
        status: task.state(),
        attempt: i64::from(look.attempt),
        endpoint: look.endpoint(),
        start_time: span.start,
        end_time: span.end,
        duration: span.duration,
        metrics: counters(tasks),
        taskmanager_id: look.task_manager_id.to_owned(),
        status_duration: status_durations(task, look.now_ms),
        other_concurrent_attempts: Vec::new(),
        start_time_again: span.start,
    }
}

fn all_attempt_details(look: &Look<'_>) -> Vec<SubtaskAttemptDetails> {
    look.tasks.iter().enumerate().map(|(subtask, task)| attempt_details(look, subtask, task)).collect()
}

fn details(look: &Look<'_>) -> JobVertexDetailsInfo {
    let subtasks = all_attempt_details(look);
    JobVertexDetailsInfo {
        id: look.vertex.id.clone(),
        name: look.vertex.name.clone(),
        parallelism: look.tasks.len() as i64,
        max_parallelism: look.job.max_parallelism as i64,
        now: look.now_ms,
        aggregated: AggregatedTaskDetails::of(&subtasks),
        subtasks,
    }
}

fn times(look: &Look<'_>) -> SubtasksTimesInfo {
    let entry = |(subtask, task): (usize, &TaskMetrics)| SubtaskTimeInfo {
        subtask: subtask as i64,
        endpoint: look.endpoint(),
        duration: span(slice::from_ref(task), look.now_ms).duration,
        timestamps: timestamps(task),
    };
    SubtasksTimesInfo {
        id: look.vertex.id.clone(),
        name: look.vertex.name.clone(),
        now: look.now_ms,
        subtasks: look.tasks.iter().enumerate().map(entry).collect(),
    }
}

fn on_task_managers(look: &Look<'_>) -> JobVertexTaskManagersInfo {
    let (span, states) = (span(look.tasks, look.now_ms), states(look.tasks));
    let only = VertexOnTaskManager {
        endpoint: look.endpoint(),
        status: summed_state(&states),
        start_time: span.start,
        end_time: span.end,
        duration: span.duration,
        metrics: counters(look.tasks),
        status_counts: states,
        taskmanager_id: look.task_manager_id.to_owned(),
        aggregated: AggregatedTaskDetails::of(&all_attempt_details(look)),
    };
    JobVertexTaskManagersInfo {
        id: look.vertex.id.clone(),
        name: look.vertex.name.clone(),
        now: look.now_ms,
        taskmanagers: vec![only],
    }
}

fn accumulators_of_subtasks(look: &Look<'_>) -> SubtasksAllAccumulatorsInfo {
    let entry = |subtask: usize| SubtaskAccumulatorsInfo {
        subtask: subtask as i64,
        attempt: i64::from(look.attempt),
        endpoint: look.endpoint(),
        user_accumulators: Vec::new(),
    };
    SubtasksAllAccumulatorsInfo {
        id: look.vertex.id.clone(),
        parallelism: look.tasks.len() as i64,
        subtasks: (0..look.tasks.len()).map(entry).collect(),
    }
}

fn accumulators_of_attempt(look: &Look<'_>, subtask: usize) -> SubtaskExecutionAttemptAccumulatorsInfo {
    SubtaskExecutionAttemptAccumulatorsInfo {
        subtask: subtask as i64,
        attempt: i64::from(look.attempt),
        id: format!("{}_{}_{subtask}_{}", look.job.id, look.vertex.id, look.attempt),
        user_accumulators: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
