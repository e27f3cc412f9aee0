//! Flink's Web UI in headless Chromium: its own files, laid over the REST API of a native application.
//!
//! The screenshots stay in the folder for temporary files of tests, for people to look at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use kobel_testkit::http::get_json;
use kobel_testkit::packages::{self, BROWSER_PACKAGES, debian_binary};
use kobel_testkit::{or_skip, script};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engines::FLINK;
use crate::native::Native;
use crate::peers::applications::{BUSY, FAILING, PATIENCE, busy, failing, report, turn, wait_for_checkpoints};

/// Views of a job and of the processes, without those of a job that fails.
const VIEWS_MIN: usize = 40;

/// Milliseconds for which a view stays open: the graph has its measures when it has been refreshed once.
const LINGER_MS: &str = "3500";

/// What a walk through the Web UI needs beside a server.
struct Browser {
    python: PathBuf,
    files: PathBuf,
}

impl Browser {
    fn find() -> Result<Self, String> {
        debian_binary("chromium")?;
        let files = packages::flink_web_ui(FLINK)?;
        Ok(Self { python: packages::python_environment("browser", &BROWSER_PACKAGES)?, files })
    }

    /// Walks through the views; there must be no fault. Returns what the walk reports.
    fn walk(&self, native: &Native, name: &str, arguments: &[&str]) -> Value {
        let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-ui").join(name);
        let mut command = Command::new(&self.python);
        command.arg(script("web_ui.py")).arg("--base").arg(format!("http://127.0.0.1:{}", native.port));
        command.arg("--web").arg(&self.files).arg("--out").arg(&shots).args(arguments);
        let (status, report) = report(&mut command, native.folder.path(), "web-ui");
        assert_eq!(report["faults"], json!([]), "screenshots in `{}`: {report:#}", shots.display());
        assert!(status.success(), "{status}");
        eprintln!("screenshots in `{}`", shots.display());
        report
    }
}

/// The percentage that a node of the graph says behind some words, if it does.
fn percentage(node: &Value, words: &str) -> Option<u32> {
    let (_, rest) = node["text"].as_str()?.split_once(words)?;
    let (number, _) = rest.split_once('%')?;
    number.trim().parse().ok()
}

#[test]
fn the_web_ui_shows_a_busy_application_and_its_processes() {
    let browser = or_skip!(Browser::find());
    let _turn = turn();
    // As an operator has it who sends standard output to a file; the file is named after the script.
    let logs = TempDir::new().unwrap();
    std::fs::write(logs.path().join("kobel-script.out"), "said on standard output\n").unwrap();
    let directory = logs.path().display().to_string();
    let mut native = Native::start(&busy(), &[("env.log.dir", directory.as_str())]);
    native.wait_for_job("RUNNING");
    // Times per second are known after some seconds.
    wait_for_checkpoints(&mut native, 5);
    let job = ["--job", BUSY, "--vertex", "Source: clicks", "--vertex", "GroupAggregate", "--linger", LINGER_MS];
    let report = browser.walk(&native, "busy", &job);

    let nodes = report["graph"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{nodes:#?}");
    let most = |words: &str| nodes.iter().filter_map(|node| percentage(node, words)).max();
    assert!(most("Busy (max):") > Some(0), "{nodes:#?}");
    assert!(most("Backpressured (max):") > Some(0), "{nodes:#?}");
    let colours = nodes.iter().map(|node| node["colour"].to_string());
    let colours: BTreeSet<String> = colours.collect();
    assert!(colours.len() > 1, "busy and back-pressured nodes look the same: {nodes:#?}");
    let views = report["views"].as_array().map_or(0, Vec::len);
    assert!(views >= VIEWS_MIN, "{views} views: {report:#}");
}

#[test]
fn the_web_ui_shows_why_an_application_was_restarted() {
    let browser = or_skip!(Browser::find());
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut native = Native::start(&failing(folder.path()), &[]);
    let (port, path) = (native.port, format!("/jobs/{}/exceptions", native.job_id()));
    let has_failed_twice = || {
        let failures = get_json(port, &path).ok()?;
        (failures["exceptionHistory"]["entries"].as_array()?.len() >= 2).then_some(())
    };
    native.process.wait_until("failures", PATIENCE, has_failed_twice).unwrap();
    browser.walk(&native, FAILING, &["--failing-job", FAILING, "--exception", "Invalid"]);
}
