//! The reference page of metrics, made from their definitions: `UPDATE_EXPECT=1 cargo test --workspace` writes it anew.

#![cfg(test)]

use expect_test::expect_file;

use crate::monitor::definition::MetricScope;
use crate::monitor::registry::catalogue;

const PREFACE: &str = "<!-- Made by a test from the definitions in crates/services/runtime/src/monitor/registry: edit \
    those, then run `UPDATE_EXPECT=1 cargo test --workspace`. -->\n\
    # Metrics\n\
    \n\
    Names, scopes and units are Flink's. They are read over the REST API (`/jobmanager/metrics`, `/taskmanagers/metrics`,\n\
    `/jobs/metrics`, `/jobs/:jobid/vertices/:vertexid/subtasks/metrics`), and by Prometheus at `/metrics` once\n\
    `metrics.reporter.prom.port` is set, as `flink_jobmanager_…`, `flink_jobmanager_job_…`, `flink_taskmanager_…`,\n\
    `flink_taskmanager_job_task_…` and `flink_taskmanager_job_task_operator_…`.\n";

fn page() -> String {
    let mut page = PREFACE.to_owned();
    for scope in [
        MetricScope::JobManager,
        MetricScope::TaskManager,
        MetricScope::Process,
        MetricScope::Job,
        MetricScope::Task,
        MetricScope::Operator,
    ] {
        let mut entries: Vec<_> = catalogue().iter().filter(|entry| entry.scope == scope).collect();
        if entries.is_empty() {
            continue;
        }
        entries.sort_by_key(|entry| entry.name);
        page.push_str(&format!("\n## {}\n\n| metric | kind | meaning |\n|---|---|---|\n", scope.as_str()));
        for entry in entries {
            page.push_str(&format!("| `{}` | {} | {} |\n", entry.name, entry.kind.as_str(), entry.description));
        }
    }
    page
}

#[test]
fn the_reference_page_says_what_the_definitions_say() {
    expect_file!["../../../../../docs/reference/metrics.md"].assert_eq(&page());
}
