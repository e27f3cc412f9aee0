//! Every endpoint and who answers it.
//!
//! The table is the list of Flink 2.3 without what Flink registers only on request: the profiler
//! (`rest.profiling.enabled`).

use crate::rest::call::{Call, Reply};
use crate::rest::path::{Patterns, Verb};
use crate::rest::{
    applications, cancellation, checkpoint_subtasks, checkpoints, cluster, disposal, exceptions, jobs, logs, metrics,
    plan, pressure, rescales, resources, snapshots, submissions, taskmanagers, vertices,
};

/// Answers a request.
type Handler = fn(&Call<'_>) -> Reply;

/// Answers a request with the address of the server, such as `http://localhost:8081`.
type AddressHandler = fn(&Call<'_>, &str) -> Reply;

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Somebody who needs only the request.
    Plain(Handler),
    /// Somebody who needs to know where the server is.
    WithAddress(AddressHandler),
}

impl Target {
    /// Has it answered.
    pub(crate) fn answer(self, call: &Call<'_>, address: &str) -> Reply {
        match self {
            Self::Plain(handler) => handler(call),
            Self::WithAddress(handler) => handler(call, address),
        }
    }
}

type Route = (Verb, &'static str, Target);

const fn get(path: &'static str, handler: Handler) -> Route {
    (Verb::Get, path, Target::Plain(handler))
}

const fn get_at(path: &'static str, handler: AddressHandler) -> Route {
    (Verb::Get, path, Target::WithAddress(handler))
}

const fn post(path: &'static str, handler: Handler) -> Route {
    (Verb::Post, path, Target::Plain(handler))
}

const fn put(path: &'static str, handler: Handler) -> Route {
    (Verb::Put, path, Target::Plain(handler))
}

const fn patch(path: &'static str, handler: Handler) -> Route {
    (Verb::Patch, path, Target::Plain(handler))
}

const fn delete(path: &'static str, handler: Handler) -> Route {
    (Verb::Delete, path, Target::Plain(handler))
}

/// The routes, ready to be searched.
pub(crate) fn routes() -> Patterns<Target> {
    Patterns::new(CLUSTER.iter().chain(JOBS).chain(VERTICES).copied())
}

/// The process, its logs, its application, and what is submitted to it.
const CLUSTER: &[Route] = &[
    delete("/cluster", cancellation::cluster),
    get("/overview", cluster::overview),
    get("/config", cluster::config),
    get("/datasets", cluster::data_sets),
    delete("/datasets/:datasetid", disposal::trigger_data_set),
    get("/datasets/delete/:triggerid", disposal::data_set_status),
    get("/applications/overview", applications::overview),
    get("/applications/:applicationid", applications::detail),
    get("/applications/:applicationid/exceptions", applications::exceptions),
    get_at("/applications/:applicationid/jobmanager/config", cluster::application_config),
    post("/applications/:applicationid/cancel", cancellation::application),
    get_at("/jars", submissions::jars),
    post("/jars/upload", submissions::submit),
    delete("/jars/:jarid", submissions::delete),
    get("/jars/:jarid/plan", submissions::run),
    post("/jars/:jarid/plan", submissions::run),
    post("/jars/:jarid/run", submissions::run),
    post("/jars/:jarid/run-application", submissions::run),
    get_at("/jobmanager/config", cluster::job_manager_config),
    get("/jobmanager/environment", cluster::environment),
    get("/jobmanager/log", logs::main),
    get("/jobmanager/logs", logs::list),
    get("/jobmanager/logs/:filename", logs::named),
    get("/jobmanager/metrics", metrics::job_manager),
    get("/jobmanager/stdout", logs::stdout),
    get("/jobmanager/thread-dump", cluster::thread_dump),
    post("/savepoint-disposal", disposal::trigger_savepoint),
    get("/savepoint-disposal/:triggerid", disposal::savepoint_status),
    get("/taskmanagers", taskmanagers::list),
    get("/taskmanagers/metrics", metrics::task_managers_aggregated),
    get("/taskmanagers/:taskmanagerid", taskmanagers::detail),
    get("/taskmanagers/:taskmanagerid/log", logs::task_main),
    get("/taskmanagers/:taskmanagerid/logs", logs::task_list),
    get("/taskmanagers/:taskmanagerid/logs/:filename", logs::task_named),
    get("/taskmanagers/:taskmanagerid/metrics", metrics::task_manager),
    get("/taskmanagers/:taskmanagerid/stdout", logs::task_stdout),
    get("/taskmanagers/:taskmanagerid/thread-dump", taskmanagers::thread_dump),
];

/// Jobs.
const JOBS: &[Route] = &[
    get("/jobs", jobs::ids),
    post("/jobs", submissions::submit),
    get("/jobs/metrics", metrics::jobs_aggregated),
    get("/jobs/overview", jobs::overview),
    get("/jobs/:jobid", jobs::detail),
    patch("/jobs/:jobid", cancellation::job),
    get("/jobs/:jobid/accumulators", jobs::accumulators),
    get("/jobs/:jobid/checkpoints", checkpoints::list),
    post("/jobs/:jobid/checkpoints", snapshots::trigger_checkpoint),
    get("/jobs/:jobid/checkpoints/config", checkpoints::config),
    get("/jobs/:jobid/checkpoints/details/:checkpointid", checkpoints::detail),
    get("/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid", checkpoint_subtasks::detail),
    get("/jobs/:jobid/checkpoints/:triggerid", snapshots::checkpoint_status),
    patch("/jobs/:jobid/clientHeartbeat", jobs::client_heartbeat),
    get("/jobs/:jobid/config", jobs::config),
    post("/jobs/:jobid/coordinators/:operatorUid", submissions::coordinate),
    get("/jobs/:jobid/exceptions", exceptions::history),
    get("/jobs/:jobid/execution-result", jobs::execution_result),
    get_at("/jobs/:jobid/jobmanager/config", cluster::job_config),
    get("/jobs/:jobid/jobmanager/environment", cluster::job_environment),
    get_at("/jobs/:jobid/jobmanager/log-url", logs::url),
    get("/jobs/:jobid/metrics", metrics::job),
    get("/jobs/:jobid/plan", plan::plan),
    get("/jobs/:jobid/rescales/config", rescales::config),
    get("/jobs/:jobid/rescales/details/:rescaleuuid", rescales::detail),
    get("/jobs/:jobid/rescales/history", rescales::history),
    get("/jobs/:jobid/rescales/overview", rescales::overview),
    get("/jobs/:jobid/rescales/summary", rescales::summary),
    patch("/jobs/:jobid/rescaling", submissions::rescale),
    get("/jobs/:jobid/rescaling/:triggerid", submissions::rescaling_status),
    get("/jobs/:jobid/resource-requirements", resources::get),
    put("/jobs/:jobid/resource-requirements", resources::put),
    post("/jobs/:jobid/savepoints", snapshots::trigger_savepoint),
    get("/jobs/:jobid/savepoints/:triggerid", snapshots::savepoint_status),
    get("/jobs/:jobid/status", jobs::status),
    post("/jobs/:jobid/stop", snapshots::trigger_stop),
    get_at("/jobs/:jobid/taskmanagers/:taskmanagerid/log-url", logs::task_url),
    get("/jobs/:jobid/yarn-cancel", cancellation::yarn_cancel),
    get("/jobs/:jobid/yarn-stop", cancellation::yarn_stop),
];

/// Vertices and their subtasks.
const VERTICES: &[Route] = &[
    get("/jobs/:jobid/vertices/:vertexid", vertices::detail),
    get("/jobs/:jobid/vertices/:vertexid/accumulators", vertices::accumulators),
    get("/jobs/:jobid/vertices/:vertexid/backpressure", pressure::back_pressure),
    get("/jobs/:jobid/vertices/:vertexid/flamegraph", pressure::flame_graph),
    get("/jobs/:jobid/vertices/:vertexid/jm-operator-metrics", metrics::jm_operator),
    get("/jobs/:jobid/vertices/:vertexid/metrics", metrics::vertex),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/accumulators", vertices::subtask_accumulators),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/metrics", metrics::subtasks_aggregated),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex", vertices::subtask),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt", vertices::attempt),
    get(
        "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators",
        vertices::attempt_accumulators,
    ),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics", metrics::subtask),
    get("/jobs/:jobid/vertices/:vertexid/subtasktimes", vertices::subtask_times),
    get("/jobs/:jobid/vertices/:vertexid/taskmanagers", vertices::task_managers),
    get("/jobs/:jobid/vertices/:vertexid/watermarks", metrics::watermarks),
];

#[cfg(test)]
mod tests;
