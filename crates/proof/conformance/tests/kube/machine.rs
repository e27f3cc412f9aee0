//! A machine with `kobel up` on it, which can be killed and started again, and what runs there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kobel_resources::flink_deployment::FlinkDeployment;
use kobel_testkit::process::Running;
use kube::api::{Api, ApiResource, DynamicObject};
use tempfile::TempDir;

use crate::client::connect;
use crate::server::up;

/// How long anything may take; a busy machine needs a part of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A machine with `kobel up` on it.
#[derive(Debug)]
pub(crate) struct Machine {
    // The process comes first: it must have ended before its folder is removed.
    controller: Running,
    data: PathBuf,
    folder: TempDir,
}

impl Machine {
    /// Starts `kobel up` over an empty data directory.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        let controller = ready(&data, folder.path());
        Self { controller, data, folder }
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Kills the controller; whatever it was doing stays undone.
    pub(crate) fn kill_controller(&mut self) {
        self.controller.signal("KILL").expect("the controller is killed");
        self.controller.wait(PATIENCE).expect("the controller ends");
    }

    /// Starts the controller again.
    pub(crate) fn start_again(&mut self) {
        self.controller = ready(&self.data, self.folder.path());
    }

    /// The deployments of the default namespace.
    pub(crate) async fn deployments(&self) -> Api<DynamicObject> {
        let client = connect(&self.data.join("kubeconfig")).await;
        Api::namespaced_with(client, "default", &ApiResource::erase::<FlinkDeployment>(&()))
    }

    /// Writes a script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a script is written");
        path
    }

    /// What the application `orders` has printed so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.data.join("applications/default/orders/log/application.out")).unwrap_or_default()
    }

    /// Waits until a count that was printed behind `written` is larger than `count`; answers it. A count that begins
    /// anew is a lost state.
    pub(crate) async fn counts_beyond(&self, written: usize, count: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let output = self.output();
            let new = output.get(written..).unwrap_or_default();
            if written > 0 && count > 0 {
                assert!(
                    !new.contains("+I["),
                    "the counts begin anew:\n{}",
                    new.lines().take(9).collect::<Vec<_>>().join("\n")
                );
            }
            let last = new.lines().filter_map(counted).max();
            if let Some(last) = last.filter(|last| *last > count) {
                return last;
            }
            assert!(begun.elapsed() < PATIENCE, "no count beyond {count}, the last is {last:?}; {}", tail(&output));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Applications outlive their controller, but not the test.
        for process in processes_of(&self.data) {
            let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).output();
        }
    }
}

fn ready(data: &Path, folder: &Path) -> Running {
    let mut process = up(data, folder);
    process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
    process
}

/// The count of a line such as `+U[1, 250]`.
fn counted(line: &str) -> Option<u64> {
    let (_, row) = line.split_once("+U[").or_else(|| line.split_once("+I["))?;
    row.trim_end_matches(']').rsplit(", ").next()?.parse().ok()
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// The ids of the processes of applications whose files lie in a data directory, in order.
pub(crate) fn processes_of(data: &Path) -> Vec<u32> {
    let applications = data.join("applications").display().to_string();
    let is_its = |process: &u32| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&applications)
    };
    let entries = fs::read_dir("/proc").expect("the processes are listed");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut processes: Vec<u32> = names.filter(is_its).collect();
    processes.sort_unstable();
    processes
}
