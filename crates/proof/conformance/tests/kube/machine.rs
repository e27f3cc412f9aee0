//! A machine with `kobel up` on it, which can be killed and started again, and what runs there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kobel_resources::flink_deployment::FlinkDeployment;
use kobel_resources::session_job::FlinkSessionJob;
use kobel_resources::state_snapshot::FlinkStateSnapshot;
use kobel_testkit::process::Running;
use kube::api::{Api, ApiResource, DynamicObject};
use tempfile::TempDir;

use crate::client::connect;
use crate::server::up;

/// How long anything may take; a busy machine needs a part of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

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

    /// The session jobs of the default namespace.
    pub(crate) async fn session_jobs(&self) -> Api<DynamicObject> {
        let client = connect(&self.data.join("kubeconfig")).await;
        Api::namespaced_with(client, "default", &ApiResource::erase::<FlinkSessionJob>(&()))
    }

    /// The snapshots of the default namespace.
    pub(crate) async fn snapshots(&self) -> Api<DynamicObject> {
        let client = connect(&self.data.join("kubeconfig")).await;
        Api::namespaced_with(client, "default", &ApiResource::erase::<FlinkStateSnapshot>(&()))
    }

    /// A folder for files of the test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a script is written");
        path
    }

    /// What an application has printed so far.
    pub(crate) fn printed(&self, name: &str) -> String {
        let log = self.data.join("applications/default").join(name).join("log");
        let files = ["application.out", "taskmanager-1.out"].map(|file| log.join(file));
        files.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default()
    }

    /// Whether an application has completed a checkpoint.
    pub(crate) fn has_checkpoint(&self, name: &str) -> bool {
        let folder = self.data.join("applications/default").join(name).join("checkpoints");
        let jobs = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut checkpoints = jobs.flat_map(|job| fs::read_dir(job.path()).into_iter().flatten().flatten());
        checkpoints.any(|checkpoint| checkpoint.path().join("_metadata").is_file())
    }

    /// Waits until a count that was printed behind `written` is larger than `count`; answers it. A count that begins
    /// anew is a lost state.
    pub(crate) async fn counts(&self, name: &str, written: usize, count: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let output = self.printed(name);
            let new = output.get(written..).unwrap_or_default();
            let first: Vec<&str> = new.lines().filter(|line| line.contains("+I[")).take(9).collect();
            assert!(written == 0 || first.is_empty(), "the counts begin anew: {first:?}");
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
        processes_of(&self.data).into_iter().for_each(kill);
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

/// Kills a process; one that has ended by itself is as good.
pub(crate) fn kill(process: u32) {
    let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).output();
}

/// The ids of the processes of applications whose files lie in a directory, in order.
pub(crate) fn processes_of(folder: &Path) -> Vec<u32> {
    let place = format!("{}/", folder.display());
    let is_its = |process: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let names = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).contains(&place);
        // The controller itself names the directory without anything below it.
        String::from_utf8_lossy(&read("environ")).contains("KOBEL_PROCESS=") && names(read("cmdline"))
    };
    let entries = fs::read_dir("/proc").expect("the processes are listed");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut processes: Vec<u32> = names.filter(is_its).collect();
    processes.sort_unstable();
    processes
}
