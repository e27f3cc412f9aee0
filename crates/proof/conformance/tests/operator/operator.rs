//! `kobel operator` as a process that can be killed and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use kobel_testkit::process::Running;
use serde_json::Value;
use tempfile::TempDir;

/// How long the process may take to start or to end.
const START: Duration = Duration::from_secs(300);
/// The file that says who it is, which is JSON and so YAML.
const KUBECONFIG: &str = "kubeconfig.yaml";
/// How many lines of its log a failing check shows.
const LINES: usize = 60;

/// The operator.
#[derive(Debug)]
pub(crate) struct Operator {
    // The process comes first: it must have ended before its folder is removed.
    process: Running,
    folder: TempDir,
    arguments: Vec<String>,
    starts: usize,
}

impl Operator {
    /// Starts it as who a kubeconfig says.
    pub(crate) fn start(kubeconfig: &Value) -> Self {
        Self::start_with(kubeconfig, Vec::new())
    }

    /// Starts it as who a kubeconfig says, with further arguments.
    pub(crate) fn start_with(kubeconfig: &Value, arguments: Vec<String>) -> Self {
        let folder = TempDir::new().expect("a folder");
        write(kubeconfig, folder.path());
        let process = launch(folder.path(), &arguments, 1);
        Self { process, folder, arguments, starts: 1 }
    }

    /// Starts it from now on as who a kubeconfig says.
    pub(crate) fn become_another(&self, kubeconfig: &Value) {
        write(kubeconfig, self.folder.path());
    }

    /// Kills it; whatever it was doing stays undone.
    pub(crate) fn kill(&mut self) {
        self.process.signal("KILL").expect("the operator is killed");
        self.process.wait(START).expect("the operator ends");
    }

    /// Starts it again.
    pub(crate) fn start_again(&mut self) {
        self.starts += 1;
        self.process = launch(self.folder.path(), &self.arguments, self.starts);
    }

    /// Asks it to end, and waits until it has, which it is to do well.
    pub(crate) fn end(&mut self) {
        self.process.signal("TERM").expect("the operator is asked to end");
        let ended = self.process.wait(START).expect("the operator ends");
        assert!(ended.success(), "{ended}: {}", self.last_words());
    }

    /// Waits until it ends by itself; answers with which code, and how its log ends.
    pub(crate) fn ends(&mut self) -> (Option<i32>, String) {
        let ended = self.process.wait(START).expect("the operator ends");
        (ended.code(), self.last_words())
    }

    /// Waits until it says something.
    pub(crate) fn says(&mut self, text: &str) {
        self.process.wait_for_line(text, START).expect("the operator says it");
    }

    /// How its log ends.
    fn last_words(&self) -> String {
        let log = self.process.stderr();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of start {} of the operator ends with\n{}", self.starts, self.last_words());
        }
    }
}

fn write(kubeconfig: &Value, folder: &Path) {
    fs::write(folder.join(KUBECONFIG), kubeconfig.to_string()).expect("the kubeconfig is written");
}

fn launch(folder: &Path, arguments: &[String], number: usize) -> Running {
    let mut command = Command::new(kobel());
    let kubeconfig = folder.join(KUBECONFIG);
    command.args(["operator", "--by-address", "--kubeconfig"]).arg(kubeconfig).args(arguments).env_remove("KUBECONFIG");
    let mut process = Running::start(&mut command, folder, &format!("operator-{number}")).expect("the operator starts");
    process.wait_for_line("operating", START).expect("the operator operates");
    process
}

/// The binary, which lies beside the folder of the test.
pub(crate) fn kobel() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let folder = test.parent().and_then(Path::parent).expect("the test lies in `deps`");
    let binary = folder.join(format!("kobel{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "no `{}`: run `cargo test --workspace`", binary.display());
    binary
}
