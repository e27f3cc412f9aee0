//! Metrics of the process and its jobs under Flink's names, for REST and for Prometheus.
//!
//! Once a second somebody calls `Monitor::sample`; rates and figures of the process are those of the last sample,
//! everything else is read from the counters when it is asked for. Nothing here makes a job wait.
//!
//! Which metrics there are stands in [`registry`] and nowhere else.

mod component;
pub mod definition;
pub(crate) mod fixtures;
mod process;
mod prometheus;
mod rates;
mod reference;
pub mod registry;
mod samples;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kobel_model::ids::JobId;
use kobel_rest::states::ExecutionState;

pub(crate) use component::Component;
pub(crate) use rates::TimesPerSecond;

use crate::epoch::now_ms;
use crate::metrics::OperatorMetrics;
use crate::view::cluster::Cluster;
use crate::view::job::{Attempt, JobView};
use crate::view::plan::PlanView;
use component::{operator_name, operator_prefix};
use process::{Probe, ProcessFigures};
use prometheus::{FamilyScope, Labels, write_families};
use registry::cluster::{JobManagerReading, TaskManagerReading};
use registry::job::JobReading;
use registry::operator::{OperatorKind, OperatorReading};
use registry::task::TaskReading;
use samples::JobSamples;

/// Metrics of the process and its jobs.
pub(crate) struct Monitor {
    cluster: Arc<Cluster>,
    /// The zero of the clock of samples.
    began: Instant,
    probe: Mutex<Probe>,
    figures: RwLock<ProcessFigures>,
    /// Of jobs that have not ended.
    samples: RwLock<HashMap<JobId, JobSamples>>,
}

/// A task that has metrics.
struct TaskPlace<'a> {
    plan: &'a PlanView,
    attempt: &'a Attempt,
    /// Those of this very attempt, if there are any yet.
    samples: Option<&'a JobSamples>,
    vertex: usize,
    subtask: usize,
}

impl Monitor {
    /// A monitor that has not sampled anything yet.
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        let mut probe = Probe::new();
        let figures = RwLock::new(probe.figures(Duration::ZERO));
        Self { cluster, began: Instant::now(), probe: Mutex::new(probe), figures, samples: RwLock::default() }
    }

    /// Takes a sample; rates are as good as these are frequent, and once a second is meant.
    pub(crate) fn sample(&self) {
        self.sample_at(self.began.elapsed());
    }

    fn sample_at(&self, at: Duration) {
        let figures = self.probe.lock().unwrap_or_else(PoisonError::into_inner).figures(at);
        *self.figures.write().unwrap_or_else(PoisonError::into_inner) = figures;

        let jobs: Vec<(JobId, Arc<Attempt>)> = self.cluster.jobs().iter().filter_map(|job| running(job)).collect();
        let mut samples = self.samples.write().unwrap_or_else(PoisonError::into_inner);
        samples.retain(|id, _| jobs.iter().any(|(running, _)| running == id));
        for (id, attempt) in jobs {
            match samples.get_mut(&id) {
                Some(known) if known.attempt() == attempt.number => known.push(&attempt.metrics, at),
                _ => {
                    samples.insert(id, JobSamples::begin(attempt.number, &attempt.metrics, at));
                }
            }
        }
    }

    /// Where the time of a task goes; nowhere if there is no such task, or no rate of the current attempt yet.
    pub(crate) fn times(&self, job: &JobView, vertex: usize, subtask: usize) -> TimesPerSecond {
        let Some((id, attempt)) = running(job) else { return TimesPerSecond::default() };
        let samples = self.samples.read().unwrap_or_else(PoisonError::into_inner);
        let samples = samples.get(&id).filter(|samples| samples.attempt() == attempt.number);
        samples.map(|samples| samples.task(vertex, subtask).times).unwrap_or_default()
    }

    /// Metrics of the JobManager.
    pub(crate) fn job_manager(&self) -> Component {
        Component::of(self.job_manager_reading()).with("", self.figures())
    }

    /// Metrics of the TaskManager.
    pub(crate) fn task_manager(&self) -> Component {
        Component::of(TaskManagerReading).with("", self.figures())
    }

    /// Metrics of a job; one that has ended has none.
    pub(crate) fn job(&self, job: &JobView, now_ms: i64) -> Option<Component> {
        job.read(|state| {
            let lives = !state.status.is_globally_terminal();
            lives.then(|| Component::of(JobReading::new(state, now_ms)))
        })
    }

    /// Metrics of a task and of its operators, whose names go before theirs; a task that does not live has none.
    pub(crate) fn subtask(&self, job: &JobView, vertex: usize, subtask: usize, now_ms: i64) -> Option<Component> {
        let (_, attempt) = running(job)?;
        let samples = self.samples.read().unwrap_or_else(PoisonError::into_inner);
        let samples = samples.get(&job.facts.id).filter(|samples| samples.attempt() == attempt.number);
        let place = TaskPlace { plan: &job.facts.plan, attempt: &attempt, samples, vertex, subtask };
        let mut component = Component::of(place.reading()?);
        for (operator, reading) in place.operators(now_ms) {
            component = component.with(&operator_prefix(place.operator_name(operator)), reading);
        }
        Some(component)
    }

    /// Metrics of the tasks of a vertex that live, by subtask.
    pub(crate) fn subtasks(&self, job: &JobView, vertex: usize, now_ms: i64) -> Vec<(usize, Component)> {
        let count = job.read(|state| state.attempt.parallelism.get(vertex).copied().unwrap_or(0));
        (0..count).filter_map(|subtask| Some((subtask, self.subtask(job, vertex, subtask, now_ms)?))).collect()
    }

    /// All metrics in Prometheus' text format.
    pub(crate) fn prometheus(&self) -> String {
        self.prometheus_at(now_ms())
    }

    fn prometheus_at(&self, now_ms: i64) -> String {
        let task_manager_id = self.cluster.facts.task_manager_id.as_str();
        let host = task_manager_id.split_once(':').map_or("localhost", |(host, _)| host);
        let job_manager = Labels::new(&[("host", host)]);
        let task_manager = job_manager.and(&[("tm_id", task_manager_id)]);
        let figures = self.figures();

        let mut jobs = Vec::new();
        let mut tasks = Vec::new();
        let mut operators = Vec::new();
        for job in self.cluster.jobs() {
            let Some((id, attempt)) = running(&job) else { continue };
            let id = id.to_string();
            let identity = [("job_id", id.as_str()), ("job_name", job.facts.name.as_str())];
            jobs.push((job_manager.and(&identity), job.read(|state| JobReading::new(state, now_ms))));
            let samples = self.samples.read().unwrap_or_else(PoisonError::into_inner);
            let samples = samples.get(&job.facts.id).filter(|samples| samples.attempt() == attempt.number);
            for place in TaskPlace::all(&job.facts.plan, &attempt, samples) {
                let Some(reading) = place.reading() else { continue };
                let labels = place.labels(&task_manager.and(&identity), &id);
                for (operator, reading) in place.operators(now_ms) {
                    operators.push((place.operator_labels(&labels, operator), reading));
                }
                tasks.push((labels, reading));
            }
        }

        let mut out = String::new();
        write_families(&mut out, FamilyScope::JobManager, &[(job_manager.clone(), self.job_manager_reading())]);
        write_families(&mut out, FamilyScope::JobManager, &[(job_manager, figures)]);
        write_families(&mut out, FamilyScope::Job, &jobs);
        write_families(&mut out, FamilyScope::TaskManager, &[(task_manager.clone(), TaskManagerReading)]);
        write_families(&mut out, FamilyScope::TaskManager, &[(task_manager, figures)]);
        write_families(&mut out, FamilyScope::Task, &tasks);
        write_families(&mut out, FamilyScope::Operator, &operators);
        out
    }

    /// What the process used of the machine when the last sample was taken.
    pub(crate) fn figures(&self) -> ProcessFigures {
        *self.figures.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn job_manager_reading(&self) -> JobManagerReading {
        let (used, slots) = self.cluster.slots();
        let jobs = self.cluster.jobs().iter().filter(|job| running(job).is_some()).count();
        JobManagerReading { slots, slots_free: slots.saturating_sub(used), jobs }
    }
}

impl<'a> TaskPlace<'a> {
    /// All tasks of an attempt.
    fn all(
        plan: &'a PlanView,
        attempt: &'a Attempt,
        samples: Option<&'a JobSamples>,
    ) -> impl Iterator<Item = TaskPlace<'a>> {
        let places = attempt.parallelism.iter().enumerate();
        let places = places.flat_map(|(vertex, count)| (0..*count).map(move |subtask| (vertex, subtask)));
        places.map(move |(vertex, subtask)| TaskPlace { plan, attempt, samples, vertex, subtask })
    }

    /// The metrics of the task itself, if it lives.
    fn reading(&self) -> Option<TaskReading> {
        let task = self.attempt.metrics.tasks.get(self.vertex)?.get(self.subtask)?;
        if matches!(task.state(), ExecutionState::Created | ExecutionState::Canceled | ExecutionState::Failed) {
            return None;
        }
        let vertex = self.plan.vertices.get(self.vertex)?;
        let head = vertex.operators.first().and_then(|head| self.attempt.metrics.operators.get(*head));
        let watermark = head.and_then(|head| head.subtasks.get(self.subtask)?.watermark.get());
        let watermark_in = (!vertex.inputs.is_empty()).then_some(watermark);
        let rates = self.samples.map(|samples| samples.task(self.vertex, self.subtask)).unwrap_or_default();
        Some(TaskReading::new(task, watermark_in, rates))
    }

    /// The metrics of the task's operators, by their index in the graph.
    fn operators(&self, now_ms: i64) -> impl Iterator<Item = (usize, OperatorReading)> {
        let operators = self.plan.vertices.get(self.vertex).into_iter().flat_map(|vertex| &vertex.operators);
        operators.filter_map(move |operator| {
            let metrics: &OperatorMetrics = self.attempt.metrics.operators.get(*operator)?;
            let subtask = metrics.subtasks.get(self.subtask)?;
            let rates = self.samples.map(|samples| samples.operator(*operator, self.subtask)).unwrap_or_default();
            let kind = OperatorKind::of(metrics.role, self.operator_name(*operator));
            Some((*operator, OperatorReading::new(kind, subtask, rates, now_ms)))
        })
    }

    fn operator_name(&self, operator: usize) -> &str {
        self.plan.operators.get(operator).map_or("", |operator| operator.name.as_str())
    }

    fn labels(&self, job: &Labels, job_id: &str) -> Labels {
        let (id, name) = match self.plan.vertices.get(self.vertex) {
            Some(vertex) => (vertex.id.as_str(), vertex.name.as_str()),
            None => ("", ""),
        };
        let (attempt, subtask) = (self.attempt.number.to_string(), self.subtask.to_string());
        let attempt_id = format!("{job_id}_{id}_{subtask}_{attempt}");
        job.and(&[
            ("task_id", id),
            ("task_name", name),
            ("task_attempt_id", attempt_id.as_str()),
            ("task_attempt_num", attempt.as_str()),
            ("subtask_index", subtask.as_str()),
        ])
    }

    fn operator_labels(&self, task: &Labels, operator: usize) -> Labels {
        let id = self.plan.operators.get(operator).map_or("", |operator| operator.id.as_str());
        let name = operator_name(self.operator_name(operator));
        task.and(&[("operator_id", id), ("operator_name", name.as_str())])
    }
}

/// A job's id and attempt, if it has not ended.
fn running(job: &JobView) -> Option<(JobId, Arc<Attempt>)> {
    job.read(|state| (!state.status.is_globally_terminal()).then(|| (job.facts.id, Arc::clone(&state.attempt))))
}

#[cfg(test)]
mod tests;
