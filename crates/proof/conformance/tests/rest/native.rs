//! The native engine as a child process: `kobel run` with a REST API on a free port.
//!
//! The process and the folder with all that it writes end with the value.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kobel_testkit::http::get_json;
use kobel_testkit::process::Running;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take; a busy machine needs a part of it.
const PATIENCE: Duration = Duration::from_secs(600);

/// A run of a script.
#[derive(Debug)]
pub(crate) struct Native {
    // The process comes first: it must have ended before its folder is removed.
    /// The process, which stays when the script has ended, until it is told to shut down.
    pub(crate) process: Running,
    /// Where everything lies that the process writes.
    pub(crate) folder: TempDir,
    /// The port of the REST API.
    pub(crate) port: u16,
}

impl Native {
    /// Runs a script with settings over the defaults, and waits until its REST API listens.
    pub(crate) fn start(script: &str, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder for a run");
        let path = folder.path().join("script.sql");
        std::fs::write(&path, script).expect("the script is written");
        let mut command = Command::new(kobel());
        command.current_dir(folder.path()).env("TZ", "UTC").env_remove("RUST_BACKTRACE").arg("run").arg(&path);
        for (key, value) in with_defaults(folder.path(), settings) {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let mut process = Running::start(&mut command, folder.path(), "kobel").expect("the command starts");
        let line = process.wait_for_line("REST API on ", PATIENCE).expect("the REST API listens");
        let port = line.rsplit(':').next().and_then(|port| port.trim().trim_end_matches('/').parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in `{line}`"));
        Self { process, folder, port }
    }

    /// Waits for the job of the script and returns its id.
    pub(crate) fn job_id(&self) -> String {
        self.wait("a job", |port| {
            let jobs = get_json(port, "/jobs").expect("the list of jobs");
            jobs["jobs"][0]["id"].as_str().map(str::to_owned)
        })
    }

    /// Waits until the job is in a state, and all of its vertices too if that state is `RUNNING`; returns its detail.
    pub(crate) fn wait_for_job(&self, state: &str) -> Value {
        let path = format!("/jobs/{}", self.job_id());
        self.wait(&format!("state `{state}`"), |port| {
            let job = get_json(port, &path).expect("the detail of the job");
            let vertices = job["vertices"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is_there = state != "RUNNING" || vertices.iter().all(|vertex| vertex["status"] == state);
            (job["state"] == state && is_there).then_some(job)
        })
    }

    fn wait<T>(&self, what: &str, look: impl Fn(u16) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look(self.port) {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "no {what} within {PATIENCE:?}: {}", self.process.stderr());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The binary, which lies beside the folder of the test.
pub(crate) fn kobel() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let folder = test.parent().and_then(Path::parent).expect("the test lies in `deps`");
    let binary = folder.join(format!("kobel{}", std::env::consts::EXE_SUFFIX));
    let how = "run `cargo test --workspace`, or `cargo build --bin kobel` first";
    assert!(binary.is_file(), "no `{}`: {how}", binary.display());
    binary
}

fn with_defaults(folder: &Path, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let at = |name: &str| folder.join(name).display().to_string();
    let defaults = [
        ("rest.port", "0".to_owned()),
        ("kobel.data-dir", at("data")),
        ("execution.checkpointing.savepoint-dir", at("savepoints")),
        ("execution.checkpointing.interval", "1 s".to_owned()),
        ("execution.shutdown-on-application-finish", "false".to_owned()),
        ("taskmanager.numberOfTaskSlots", "4".to_owned()),
    ];
    let is_given = |key: &str| settings.iter().any(|(given, _)| *given == key);
    let kept = defaults.into_iter().filter(|(key, _)| !is_given(key)).map(|(key, value)| (key.to_owned(), value));
    kept.chain(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))).collect()
}
