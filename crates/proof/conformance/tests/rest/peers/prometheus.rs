//! Prometheus, as Debian has it: its linter reads the metrics, and a server scrapes them.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use kobel_testkit::http::{Request, ask, get_json};
use kobel_testkit::or_skip;
use kobel_testkit::packages::debian_binary;
use kobel_testkit::process::{Running, free_port};
use serde_json::Value;
use tempfile::TempDir;

use crate::native::Native;
use crate::peers::applications::{COUNTING, PATIENCE, counting, turn, wait_for_checkpoints};

/// The labels of a metric of a task, which are Flink's and those that the server adds.
const LABELS: [&str; 12] = [
    "__name__",
    "host",
    "instance",
    "job",
    "job_id",
    "job_name",
    "subtask_index",
    "task_attempt_id",
    "task_attempt_num",
    "task_id",
    "task_name",
    "tm_id",
];

/// What the linter says of every second name that Flink has.
const CAMEL_CASE: &str = "metric names should be written in 'snake_case' not 'camelCase'";

/// How the linter ends if it has read everything and has something to say.
const HAS_REMARKS: i32 = 3;

/// A native application that tells its metrics, and the port on which it does.
fn measured(folder: &Path) -> (Native, u16) {
    let mut native = Native::start(&counting(folder), &[("metrics.reporter.prom.port", "0")]);
    native.wait_for_job("RUNNING");
    let line = native.process.wait_for_line("metrics on ", PATIENCE).expect("the metrics have a place");
    let port = line.strip_suffix("/metrics").and_then(|address| address.rsplit(':').next()?.parse().ok());
    let port = port.unwrap_or_else(|| panic!("no port in `{line}`"));
    (native, port)
}

/// The linter wants other names than Flink has, and Flink's have to be kept; it must not find anything else.
#[test]
fn promtool_finds_nothing_but_that_flink_writes_names_in_camel_case() {
    let promtool = or_skip!(debian_binary("promtool"));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let (mut native, port) = measured(folder.path());
    wait_for_checkpoints(&mut native, 2);
    let metrics = ask(port, &Request::get("/metrics")).unwrap();
    assert_eq!(metrics.status, 200, "{}", metrics.text());
    for family in ["jobmanager_job_numRestarts", "taskmanager_job_task_numRecordsOut", "jobmanager_Status_JVM_CPU_Load"]
    {
        assert!(metrics.text().contains(&format!("\n# TYPE flink_{family} ")), "no `{family}` in {}", metrics.text());
    }
    let file = folder.path().join("metrics.txt");
    std::fs::write(&file, &metrics.body).unwrap();
    let output = Command::new(promtool).args(["check", "metrics"]).stdin(File::open(&file).unwrap()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let is_fault = |line: &&str| !line.trim().is_empty() && !line.ends_with(CAMEL_CASE);
    let faults: Vec<&str> = said.lines().filter(is_fault).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert!([Some(0), Some(HAS_REMARKS)].contains(&output.status.code()), "{}", output.status);
}

/// A Prometheus server that scrapes one target every five seconds, and its port.
fn server(folder: &Path, target: u16) -> Result<(Running, u16), String> {
    let program = debian_binary("prometheus")?;
    let port = free_port()?;
    let config = folder.join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 5s\n  scrape_timeout: 5s\n\
         scrape_configs:\n  - job_name: native\n    static_configs:\n      - targets: ['127.0.0.1:{target}']\n"
    );
    std::fs::write(&config, text).map_err(|error| format!("cannot write `{}`: {error}", config.display()))?;
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut server = Running::start(&mut command, folder, "prometheus")?;
    server.wait_for_port(port, PATIENCE)?;
    Ok((server, port))
}

/// What the server knows of a metric now; nothing if it is not ready.
fn samples(port: u16, metric: &str) -> Vec<Value> {
    let answer = get_json(port, &format!("/api/v1/query?query={metric}")).unwrap_or_default();
    answer["data"]["result"].as_array().cloned().unwrap_or_default()
}

fn number(sample: &Value) -> f64 {
    sample["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no number in {sample}"))
}

fn sum(samples: &[Value]) -> f64 {
    samples.iter().map(number).sum()
}

#[test]
fn a_prometheus_server_scrapes_the_metrics() {
    or_skip!(debian_binary("prometheus"));
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let (native, target) = measured(folder.path());
    let (mut server, port) = server(folder.path(), target).unwrap();
    let metric = "flink_taskmanager_job_task_numRecordsOut";
    let some = || Some(samples(port, metric)).filter(|samples| !samples.is_empty());
    let first = server.wait_until("samples", PATIENCE, some).unwrap();
    let up = samples(port, "up");
    assert_eq!(up.iter().map(number).collect::<Vec<_>>(), [1.0], "{up:?}");

    let job = native.job_id();
    for sample in &first {
        let mut labels: Vec<&str> = sample["metric"].as_object().unwrap().keys().map(String::as_str).collect();
        labels.sort_unstable();
        assert_eq!(labels, LABELS, "{sample}");
        assert_eq!(sample["metric"]["job_id"], job.as_str(), "{sample}");
        assert_eq!(sample["metric"]["job_name"], COUNTING, "{sample}");
    }
    let tasks: Vec<&str> = first.iter().filter_map(|sample| sample["metric"]["task_name"].as_str()).collect();
    assert!(tasks.iter().any(|task| task.starts_with("Source:_clicks")), "{tasks:?}");

    let before = sum(&first);
    let more = || Some(samples(port, metric)).filter(|samples| sum(samples) > before);
    server.wait_until("more records", PATIENCE, more).unwrap();
}
