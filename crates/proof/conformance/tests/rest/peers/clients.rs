//! Two clients of Flink's REST API from the Python package index: every read call, and savepoints.

use std::process::Command;

use kobel_testkit::packages::{CLIENT_PACKAGES, python_environment};
use kobel_testkit::{or_skip, script};
use serde_json::json;
use tempfile::TempDir;

use crate::native::Native;
use crate::peers::applications::{counting, report, turn, wait_for_checkpoints};

/// Fewer calls than this would mean that something was passed over.
const CALLS_MIN: u64 = 120;

#[test]
fn python_clients_read_every_answer_and_take_savepoints() {
    let python = or_skip!(python_environment("clients", &CLIENT_PACKAGES));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut native = Native::start(&counting(folder.path()), &[]);
    native.wait_for_job("RUNNING");
    wait_for_checkpoints(&mut native, 2);
    let mut command = Command::new(python);
    command.arg(script("clients.py"));
    command.arg(format!("http://127.0.0.1:{}", native.port)).arg(native.job_id()).arg(folder.path().join("savepoints"));
    let (status, report) = report(&mut command, folder.path(), "clients");
    assert_eq!(report["failed"], json!([]), "{report:#}");
    assert!(status.success(), "{status}");
    assert!(report["call_count"].as_u64() >= Some(CALLS_MIN), "{report:#}");
    native.wait_for_job("RUNNING");
}
