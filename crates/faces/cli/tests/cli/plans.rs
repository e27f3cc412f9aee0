//! `kobel apply --dry-run`: what would be done, and that nothing is.

use std::fs;
use std::path::Path;

use super::kobel::{kobel, start_kobel};

/// A deployment whose job is `state`, and an object that nothing is planned for.
fn manifest(parallelism: u32, state: &str) -> String {
    format!(
        "apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata:
  name: orders
spec:
  flinkVersion: v2_3
  job:
    jarURI: local:///opt/orders.sql
    parallelism: {parallelism}
    upgradeMode: savepoint
    state: {state}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  region: north
"
    )
}

/// What `kobel apply` says about the manifest with these options.
fn apply(directory: &Path, manifest: &str, options: &[&str]) -> String {
    fs::write(directory.join("orders.yaml"), manifest).expect("a manifest is written");
    let arguments = ["apply", "-f", "orders.yaml", "--kubeconfig", "data/kubeconfig"];
    let ended = kobel(directory, &[&arguments[..], options].concat());
    if ended.code == Some(0) { ended.stdout } else { ended.stderr }
}

#[test]
fn a_dry_run_tells_what_would_be_done() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut up = start_kobel(directory, &["up", "--api-only", "--data-dir", "data", "--listen", "127.0.0.1:0"]);
    let ready = up.error_line();
    let suspended = manifest(1, "suspended");
    let told = [
        (manifest(1, "running"), "--dry-run"),
        (suspended.clone(), "--dry-run"),
        (suspended.clone(), "--force-conflicts"),
        (suspended, "--dry-run"),
        (manifest(2, "suspended"), "--dry-run"),
        (manifest(2, "running"), "--dry-run"),
    ]
    .map(|(manifest, option)| apply(directory, &manifest, &[option]));
    up.interrupt();
    up.end();
    assert!(ready.contains("ready in "), "{ready}");
    let expected = [
        "flinkdeployment.flink.apache.org/orders created (server dry run)
  plan: first start without state
    1. start generation 1 without state with parallelism 1
    - the program itself is not looked at before it is applied
configmap/settings created (server dry run)
",
        "flinkdeployment.flink.apache.org/orders created (server dry run)
  plan: nothing starts, as `job.state: suspended` asks
configmap/settings created (server dry run)
",
        "flinkdeployment.flink.apache.org/orders created
configmap/settings created
",
        "flinkdeployment.flink.apache.org/orders unchanged (server dry run)
  plan: nothing is done; the spec stays as it is
configmap/settings unchanged (server dry run)
",
        "flinkdeployment.flink.apache.org/orders configured (server dry run)
  ~ job.parallelism : 1 -> 2
  plan: nothing starts, as `job.state: suspended` asks
configmap/settings unchanged (server dry run)
",
        "flinkdeployment.flink.apache.org/orders configured (server dry run)
  ~ job.parallelism : 1 -> 2
  ~ job.state : suspended -> running
  plan: first start without state
    1. start generation 2 without state with parallelism 2
    - the program itself is not looked at before it is applied
configmap/settings unchanged (server dry run)
",
    ];
    assert_eq!(told, expected);
}
