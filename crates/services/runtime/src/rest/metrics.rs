//! Metrics: of the JobManager, the TaskManager, jobs, vertices and subtasks; by name, or summed up.
//!
//! As in Flink, what does not exist has no metrics, which is not an error: the list is empty. Only a path or a query
//! that cannot be read is refused.

mod aggregation;
mod query;

use std::collections::{HashMap, HashSet};

use kobel_model::ids::JobId;
use kobel_rest::metrics::{Metric, MetricCollectionResponseBody};

use crate::monitor::Component;
use crate::rest::call::{Answer, Call, Reply};
use aggregation::aggregated;
use query::{aggregations, job_ids, list, subtasks};

/// `GET /jobmanager/metrics`
pub(crate) fn job_manager(call: &Call<'_>) -> Reply {
    answer(call, Some(&call.monitor.job_manager()))
}

/// `GET /taskmanagers/:taskmanagerid/metrics`
pub(crate) fn task_manager(call: &Call<'_>) -> Reply {
    if call.path("taskmanagerid") == call.cluster.facts.task_manager_id {
        answer(call, Some(&call.monitor.task_manager()))
    } else {
        answer(call, None)
    }
}

/// `GET /taskmanagers/metrics`
pub(crate) fn task_managers_aggregated(call: &Call<'_>) -> Reply {
    let wanted = list(&call.query, "taskmanagers");
    let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&call.cluster.facts.task_manager_id));
    let components = if is_wanted { vec![call.monitor.task_manager()] } else { Vec::new() };
    answer_aggregated(call, &components)
}

/// `GET /jobs/:jobid/metrics`
pub(crate) fn job(call: &Call<'_>) -> Reply {
    let id: JobId = call.path_value("jobid")?;
    let component = call.cluster.job(id).and_then(|job| call.monitor.job(&job, call.now_ms));
    answer(call, component.as_ref())
}

/// `GET /jobs/metrics`
pub(crate) fn jobs_aggregated(call: &Call<'_>) -> Reply {
    let jobs = match job_ids(&call.query)? {
        Some(wanted) => wanted.into_iter().filter_map(|id| call.cluster.job(id)).collect(),
        None => call.cluster.jobs(),
    };
    let components: Vec<_> = jobs.iter().filter_map(|job| call.monitor.job(job, call.now_ms)).collect();
    answer_aggregated(call, &components)
}

/// `GET /jobs/:jobid/vertices/:vertexid/metrics`
pub(crate) fn vertex(call: &Call<'_>) -> Reply {
    let Some((job, vertex)) = call.known_vertex()? else { return answer(call, None) };
    let Some(names) = list(&call.query, "get") else {
        let subtasks = call.monitor.subtasks(&job, vertex, call.now_ms);
        let names = subtasks.iter().flat_map(|(subtask, component)| {
            component.names().into_iter().map(move |name| Metric::name(format!("{subtask}.{name}")))
        });
        return Answer::json(&names.collect::<MetricCollectionResponseBody>());
    };
    let mut subtasks: HashMap<usize, Option<Component>> = HashMap::new();
    let metric = |name: String| {
        let (subtask, rest) = name.split_once('.')?;
        let subtask: usize = subtask.parse().ok()?;
        let component = subtasks
            .entry(subtask)
            .or_insert_with(|| call.monitor.subtask(&job, vertex, subtask, call.now_ms))
            .as_ref()?;
        let value = component.value(rest)?;
        Some(Metric::new(name, value))
    };
    Answer::json(&without_repetition(names).filter_map(metric).collect::<MetricCollectionResponseBody>())
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics`
pub(crate) fn subtask(call: &Call<'_>) -> Reply {
    let known = call.known_vertex()?;
    let subtask: usize = call.path_value("subtaskindex")?;
    let component = known.and_then(|(job, vertex)| call.monitor.subtask(&job, vertex, subtask, call.now_ms));
    answer(call, component.as_ref())
}

/// `GET /jobs/:jobid/vertices/:vertexid/subtasks/metrics`
pub(crate) fn subtasks_aggregated(call: &Call<'_>) -> Reply {
    let wanted = subtasks(&call.query);
    let components: Vec<Component> = match call.known_vertex()? {
        Some((job, vertex)) => call
            .monitor
            .subtasks(&job, vertex, call.now_ms)
            .into_iter()
            .filter(|(subtask, _)| {
                wanted.as_ref().is_none_or(|ranges| ranges.iter().any(|range| range.contains(subtask)))
            })
            .map(|(_, component)| component)
            .collect(),
        None => Vec::new(),
    };
    answer_aggregated(call, &components)
}

/// `GET /jobs/:jobid/vertices/:vertexid/watermarks`
pub(crate) fn watermarks(call: &Call<'_>) -> Reply {
    const NAME: &str = "currentInputWatermark";
    let job = call.job()?;
    let vertex = call.vertex(&job)?;
    let subtasks = call.monitor.subtasks(&job, vertex, call.now_ms);
    let watermark = |(subtask, component): &(usize, Component)| {
        Some(Metric::new(format!("{subtask}.{NAME}"), component.value(NAME)?))
    };
    Answer::json(&subtasks.iter().filter_map(watermark).collect::<MetricCollectionResponseBody>())
}

/// `GET /jobs/:jobid/vertices/:vertexid/jm-operator-metrics`
///
/// No operator has a part in the JobManager.
pub(crate) fn jm_operator(call: &Call<'_>) -> Reply {
    call.known_vertex()?;
    answer(call, None)
}

/// The names of a component's metrics, or the values of those that were asked for.
fn answer(call: &Call<'_>, component: Option<&Component>) -> Reply {
    Answer::json(&listed(component, list(&call.query, "get")))
}

fn listed(component: Option<&Component>, names: Option<Vec<String>>) -> MetricCollectionResponseBody {
    let Some(component) = component else { return Vec::new() };
    match names {
        Some(names) => {
            let value = |name: String| component.value(&name).map(|value| Metric::new(name, value));
            without_repetition(names).filter_map(value).collect()
        }
        None => component.names().into_iter().map(Metric::name).collect(),
    }
}

/// The names of the metrics of all components, or what those that were asked for sum up to.
fn answer_aggregated(call: &Call<'_>, components: &[Component]) -> Reply {
    let aggregations = aggregations(&call.query)?;
    Answer::json(&aggregated(components, list(&call.query, "get").as_deref(), &aggregations))
}

/// Each name once, where it came first.
fn without_repetition(names: Vec<String>) -> impl Iterator<Item = String> {
    let mut seen = HashSet::with_capacity(names.len());
    names.into_iter().filter(move |name| seen.insert(name.clone()))
}

#[cfg(test)]
mod tests;
