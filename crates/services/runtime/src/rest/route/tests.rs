//! The table against the endpoints of Flink 2.3.0, as its own dispatcher lists them.

use std::collections::BTreeSet;

use super::{CLUSTER, JOBS, VERTICES, routes};
use crate::rest::path::Verb;

/// Method and path of each endpoint.
const ENDPOINTS: &[&str] = &[
    "DELETE /cluster",
    "DELETE /datasets/:datasetid",
    "DELETE /jars/:jarid",
    "GET /applications/:applicationid",
    "GET /applications/:applicationid/exceptions",
    "GET /applications/:applicationid/jobmanager/config",
    "GET /applications/overview",
    "GET /config",
    "GET /datasets",
    "GET /datasets/delete/:triggerid",
    "GET /jars",
    "GET /jars/:jarid/plan",
    "GET /jobmanager/config",
    "GET /jobmanager/environment",
    "GET /jobmanager/logs",
    "GET /jobmanager/logs/:filename",
    "GET /jobmanager/metrics",
    "GET /jobmanager/profiler",
    "GET /jobmanager/profiler/:filename",
    "GET /jobmanager/thread-dump",
    "GET /jobs",
    "GET /jobs/:jobid",
    "GET /jobs/:jobid/accumulators",
    "GET /jobs/:jobid/checkpoints",
    "GET /jobs/:jobid/checkpoints/:triggerid",
    "GET /jobs/:jobid/checkpoints/config",
    "GET /jobs/:jobid/checkpoints/details/:checkpointid",
    "GET /jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid",
    "GET /jobs/:jobid/config",
    "GET /jobs/:jobid/exceptions",
    "GET /jobs/:jobid/execution-result",
    "GET /jobs/:jobid/jobmanager/config",
    "GET /jobs/:jobid/jobmanager/environment",
    "GET /jobs/:jobid/jobmanager/log-url",
    "GET /jobs/:jobid/metrics",
    "GET /jobs/:jobid/plan",
    "GET /jobs/:jobid/rescales/config",
    "GET /jobs/:jobid/rescales/details/:rescaleuuid",
    "GET /jobs/:jobid/rescales/history",
    "GET /jobs/:jobid/rescales/overview",
    "GET /jobs/:jobid/rescales/summary",
    "GET /jobs/:jobid/rescaling/:triggerid",
    "GET /jobs/:jobid/resource-requirements",
    "GET /jobs/:jobid/savepoints/:triggerid",
    "GET /jobs/:jobid/status",
    "GET /jobs/:jobid/taskmanagers/:taskmanagerid/log-url",
    "GET /jobs/:jobid/vertices/:vertexid",
    "GET /jobs/:jobid/vertices/:vertexid/accumulators",
    "GET /jobs/:jobid/vertices/:vertexid/backpressure",
    "GET /jobs/:jobid/vertices/:vertexid/flamegraph",
    "GET /jobs/:jobid/vertices/:vertexid/jm-operator-metrics",
    "GET /jobs/:jobid/vertices/:vertexid/metrics",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/accumulators",
    "GET /jobs/:jobid/vertices/:vertexid/subtasks/metrics",
    "GET /jobs/:jobid/vertices/:vertexid/subtasktimes",
    "GET /jobs/:jobid/vertices/:vertexid/taskmanagers",
    "GET /jobs/:jobid/vertices/:vertexid/watermarks",
    "GET /jobs/:jobid/yarn-cancel",
    "GET /jobs/:jobid/yarn-stop",
    "GET /jobs/metrics",
    "GET /jobs/overview",
    "GET /overview",
    "GET /savepoint-disposal/:triggerid",
    "GET /taskmanagers",
    "GET /taskmanagers/:taskmanagerid",
    "GET /taskmanagers/:taskmanagerid/log",
    "GET /taskmanagers/:taskmanagerid/logs",
    "GET /taskmanagers/:taskmanagerid/logs/:filename",
    "GET /taskmanagers/:taskmanagerid/metrics",
    "GET /taskmanagers/:taskmanagerid/profiler",
    "GET /taskmanagers/:taskmanagerid/profiler/:filename",
    "GET /taskmanagers/:taskmanagerid/stdout",
    "GET /taskmanagers/:taskmanagerid/thread-dump",
    "GET /taskmanagers/metrics",
    "PATCH /jobs/:jobid",
    "PATCH /jobs/:jobid/clientHeartbeat",
    "PATCH /jobs/:jobid/rescaling",
    "POST /applications/:applicationid/cancel",
    "POST /jars/:jarid/plan",
    "POST /jars/:jarid/run",
    "POST /jars/:jarid/run-application",
    "POST /jars/upload",
    "POST /jobmanager/profiler",
    "POST /jobs",
    "POST /jobs/:jobid/checkpoints",
    "POST /jobs/:jobid/coordinators/:operatorUid",
    "POST /jobs/:jobid/savepoints",
    "POST /jobs/:jobid/stop",
    "POST /savepoint-disposal",
    "POST /taskmanagers/:taskmanagerid/profiler",
    "PUT /jobs/:jobid/resource-requirements",
];

/// Endpoints that have no route, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("GET /jobmanager/profiler", "Flink has it only with `rest.profiling.enabled`"),
    ("GET /jobmanager/profiler/:filename", "Flink has it only with `rest.profiling.enabled`"),
    ("GET /taskmanagers/:taskmanagerid/profiler", "Flink has it only with `rest.profiling.enabled`"),
    ("GET /taskmanagers/:taskmanagerid/profiler/:filename", "Flink has it only with `rest.profiling.enabled`"),
    ("POST /jobmanager/profiler", "Flink has it only with `rest.profiling.enabled`"),
    ("POST /taskmanagers/:taskmanagerid/profiler", "Flink has it only with `rest.profiling.enabled`"),
];

/// Routes that the list lacks, and why they are there.
const BESIDES: &[(&str, &str)] = &[
    ("GET /jobmanager/log", "Flink's Web UI asks for it; the dispatcher adds it outside of the list"),
    ("GET /jobmanager/stdout", "Flink's Web UI asks for it; the dispatcher adds it outside of the list"),
];

fn shown(verb: Verb, path: &str) -> String {
    format!("{} {path}", format!("{verb:?}").to_uppercase())
}

#[test]
fn the_table_has_each_endpoint_once_and_no_other() {
    let table: Vec<String> =
        CLUSTER.iter().chain(JOBS).chain(VERTICES).map(|(verb, path, _)| shown(*verb, path)).collect();
    let found: BTreeSet<&str> = table.iter().map(String::as_str).collect();
    assert_eq!(found.len(), table.len(), "an endpoint stands there twice");
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(endpoint, _)| *endpoint).collect();
    let besides = BESIDES.iter().map(|(endpoint, _)| *endpoint);
    let expected: BTreeSet<&str> =
        ENDPOINTS.iter().copied().filter(|endpoint| !left_out.contains(endpoint)).chain(besides).collect();
    assert_eq!(found, expected);
}

#[test]
fn each_endpoint_is_found_by_a_path_of_its_form_with_and_without_the_version() {
    let routes = routes();
    for (verb, path, _) in CLUSTER.iter().chain(JOBS).chain(VERTICES) {
        let names: Vec<&str> = path.split('/').filter_map(|segment| segment.strip_prefix(':')).collect();
        let asked: Vec<&str> =
            path.split('/').map(|segment| segment.strip_prefix(':').map_or(segment, |_| "x1")).collect();
        for prefix in ["", "/v1"] {
            let asked = format!("{prefix}{}", asked.join("/"));
            let (_, values) = routes.find(*verb, &asked).expect(&asked);
            let found: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
            assert_eq!(found, names, "for {asked}");
            assert!(values.iter().all(|(_, value)| value == "x1"));
        }
    }
}

#[test]
fn words_win_over_ids() {
    let routes = routes();
    for (path, placeholders) in [
        ("/jobs/overview", 0),
        ("/jobs/metrics", 0),
        ("/jobs/anything", 1),
        ("/taskmanagers/metrics", 0),
        ("/applications/overview", 0),
        ("/jobs/a/checkpoints/config", 1),
        ("/jobs/a/checkpoints/other", 2),
        ("/jobs/a/vertices/b/subtasks/metrics", 2),
        ("/jobs/a/vertices/b/subtasks/0", 3),
    ] {
        let (_, values) = routes.find(Verb::Get, path).expect(path);
        assert_eq!(values.len(), placeholders, "for {path}");
    }
}
