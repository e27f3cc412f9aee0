//! Flink's own command line, from its distribution, with a native application where it expects a cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_testkit::flink::{CommandOutput, flink_cli};
use kobel_testkit::or_skip;
use kobel_testkit::packages::{self, debian_binary};
use serde_json::Value;
use tempfile::TempDir;

use crate::engines::FLINK;
use crate::native::Native;
use crate::peers::applications::{COUNTING, counting, turn, wait_for_checkpoints};

/// How long a process may take to end once its job has.
const END_PATIENCE: Duration = Duration::from_secs(600);

/// The command line, told where the native engine listens.
struct Client {
    home: PathBuf,
    address: String,
}

impl Client {
    fn new(home: &Path, native: &Native) -> Self {
        Self { home: home.to_owned(), address: format!("127.0.0.1:{}", native.port) }
    }

    fn run(&self, action: &str, arguments: &[&str]) -> CommandOutput {
        let mut all = vec![action, "-m", self.address.as_str()];
        all.extend(arguments);
        flink_cli(&self.home, &all).expect("the command line runs")
    }

    /// Runs what must go well, and returns what it says.
    fn says(&self, action: &str, arguments: &[&str]) -> String {
        let output = self.run(action, arguments);
        assert_eq!(output.code, Some(0), "`flink {action}` {arguments:?}: {output:?}");
        output.stdout
    }

    /// Runs what must fail, and returns what it complains of.
    fn complains(&self, action: &str, arguments: &[&str]) -> String {
        let output = self.run(action, arguments);
        assert_eq!(output.code, Some(1), "`flink {action}` {arguments:?}: {output:?}");
        output.stderr
    }
}

/// The directory of the savepoint that the command line says it has taken.
fn savepoint_in(said: &str) -> PathBuf {
    let path = said.lines().find_map(|line| line.strip_prefix("Savepoint completed. Path: file:"));
    let path = PathBuf::from(path.unwrap_or_else(|| panic!("no path of a savepoint in `{said}`")));
    assert!(path.join("_metadata").is_file(), "no savepoint in `{}`", path.display());
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

#[test]
fn flink_lists_saves_and_checkpoints_a_native_application() {
    or_skip!(debian_binary("java"));
    let home = or_skip!(packages::flink(FLINK));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut native = Native::start(&counting(folder.path()), &[]);
    let client = Client::new(&home, &native);
    let job = native.job_id();
    let job = job.as_str();
    native.wait_for_job("RUNNING");

    let ways: [&[&str]; 3] = [&[], &["-a"], &["-r"]];
    for arguments in ways {
        let said = client.says("list", arguments);
        let line = said.lines().find(|line| line.contains(job)).unwrap_or_else(|| panic!("no job in `{said}`"));
        assert!(line.ends_with(&format!(" : {job} : {COUNTING} (RUNNING)")), "{line}");
    }

    let directory = folder.path().join("savepoints");
    let saved = savepoint_in(&client.says("savepoint", &[job, text(&directory)]));
    assert!(saved.starts_with(&directory), "{}", saved.display());
    let address = format!("file:{}", saved.display());
    let said = client.says("savepoint", &["-dispose", address.as_str()]);
    assert!(said.contains(&format!("Savepoint '{address}' disposed.")), "{said}");
    assert!(!saved.exists());
    let complaint = client.complains("savepoint", &["-dispose", address.as_str()]);
    let reason = "is no snapshot: it has no file `_metadata`";
    assert!(complaint.contains(text(&saved)) && complaint.contains(reason), "{complaint}");

    let said = client.says("checkpoint", &[job]);
    assert!(said.lines().any(|line| is_checkpoint_of(job, line)), "{said}");

    let before = wait_for_checkpoints(&mut native, 1)["counts"]["completed"].as_u64().unwrap();
    wait_for_checkpoints(&mut native, before + 1);
}

/// Whether the command line says that it has taken a checkpoint: `Checkpoint 7 for job 0a1b… completed.`
fn is_checkpoint_of(job: &str, line: &str) -> bool {
    let id = line.strip_prefix("Checkpoint ").and_then(|rest| rest.strip_suffix(&format!(" for job {job} completed.")));
    id.is_some_and(|id| id.parse::<u64>().is_ok())
}

#[test]
fn flink_says_why_there_is_no_savepoint_and_the_job_goes_on() {
    or_skip!(debian_binary("java"));
    let home = or_skip!(packages::flink(FLINK));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut native = Native::start(&counting(folder.path()), &[]);
    let client = Client::new(&home, &native);
    let job = native.job_id();
    let job = job.as_str();
    native.wait_for_job("RUNNING");

    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let impossible = file.join("savepoints");
    for action in ["savepoint", "stop"] {
        let arguments: Vec<&str> = match action {
            "savepoint" => vec![job, text(&impossible)],
            _ => vec!["--savepointPath", text(&impossible), job],
        };
        let complaint = client.complains(action, &arguments);
        for part in [text(&impossible), "not a directory"] {
            assert!(complaint.contains(part), "no `{part}` after `flink {action}`: {complaint}");
        }
        let before = wait_for_checkpoints(&mut native, 1)["counts"]["completed"].as_u64().unwrap();
        wait_for_checkpoints(&mut native, before + 1);
        native.wait_for_job("RUNNING");
    }

    let nobody = "0123456789abcdef0123456789abcdef";
    let complaint = client.complains("savepoint", &[nobody, text(folder.path())]);
    assert!(complaint.contains(&format!("Could not find Flink job ({nobody})")), "{complaint}");
}

#[test]
fn flink_stops_a_native_application_with_a_savepoint_that_resumes_it() {
    or_skip!(debian_binary("java"));
    let home = or_skip!(packages::flink(FLINK));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let script = counting(folder.path());
    let mut native = Native::start(&script, &[("execution.shutdown-on-application-finish", "true")]);
    let job = native.job_id();
    let job = job.as_str();
    wait_for_checkpoints(&mut native, 1);

    let directory = folder.path().join("savepoints");
    let said = Client::new(&home, &native).says("stop", &["--savepointPath", text(&directory), job]);
    let saved = savepoint_in(&said);
    assert!(saved.starts_with(&directory), "{}", saved.display());
    let end = native.process.wait(END_PATIENCE).expect("the process ends with its job");
    assert_eq!(end.code(), Some(0), "{}", native.process.stderr());

    let mut resumed = Native::start(&script, &[("execution.state-recovery.path", text(&saved))]);
    resumed.wait_for_job("RUNNING");
    let statistics = wait_for_checkpoints(&mut resumed, 1);
    let restored = &statistics["latest"]["restored"];
    assert_eq!(restored["external_path"], format!("file:{}", saved.display()), "{statistics}");
    assert_eq!(restored["is_savepoint"], Value::Bool(true), "{statistics}");
}

#[test]
fn flink_cancels_a_native_application_and_lists_it_among_those_that_ended() {
    or_skip!(debian_binary("java"));
    let home = or_skip!(packages::flink(FLINK));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    // The process stays, so that there is somebody to ask.
    let native = Native::start(&counting(folder.path()), &[("execution.shutdown-on-application-finish", "false")]);
    let client = Client::new(&home, &native);
    let job = native.job_id();
    let job = job.as_str();
    native.wait_for_job("RUNNING");

    let said = client.says("cancel", &[job]);
    assert!(said.contains(&format!("Cancelled job {job}.")), "{said}");
    native.wait_for_job("CANCELED");
    let said = client.says("list", &["-a"]);
    let (running, ended) = said.split_once("Terminated Jobs").unwrap_or_else(|| panic!("no job has ended in `{said}`"));
    assert!(ended.contains(&format!("{job} : {COUNTING} (CANCELED)")), "{said}");
    assert!(!running.contains(job) && running.contains("No running jobs."), "{said}");
}
