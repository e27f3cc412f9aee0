//! The agent against services that speak as those of AWS do: what Flink writes arrives there, once, over rotation,
//! restarts and outages.

mod aws;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kobel_logship::{CloudWatch, Rotation, S3, Settings, run};
use kobel_model::Result;
use kobel_storage::artifacts::{Artifacts, Limits};
use kobel_storage::aws::cloudwatch::LogGroup;
use kobel_storage::objects::ObjectFolder;
use kobel_testkit::or_skip;
use kobel_testkit::process::free_port;

use crate::aws::{Aws, BUCKET, KEY};

/// How long something may take on a slow machine.
const SOON: Duration = Duration::from_secs(300);

/// An agent that runs in this process.
struct Agent {
    end: Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Agent {
    /// Starts an agent with both destinations behind one port.
    fn start(directory: &Path, variables: &[(&str, String)], rotation: Rotation) -> Self {
        let variable = |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone());
        let address = format!("s3://{BUCKET}/logs");
        let folder = ObjectFolder::from_environment(&address, Some(KEY), variable).expect("a folder");
        let group = LogGroup::from_environment("/flink", variable).expect("a group");
        let settings = Settings {
            directory: directory.to_owned(),
            pod: "orders-1".to_owned(),
            s3: Some(S3 { folder, every: Duration::from_millis(200) }),
            cloudwatch: Some(CloudWatch { group, prefix: "team".to_owned() }),
            rotation,
        };
        let (end, ended) = mpsc::channel();
        Self { end, thread: thread::spawn(move || run(settings, &ended)) }
    }

    /// The pod ends.
    fn end(self) -> Result<()> {
        self.end.send(()).expect("the agent runs");
        self.thread.join().expect("the agent does not panic")
    }
}

fn append(directory: &Path, name: &str, text: &str) {
    let mut file = File::options().append(true).create(true).open(directory.join(name)).expect("a log");
    file.write_all(text.as_bytes()).expect("the log is written");
}

fn wait_until(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < SOON, "no {what} within {SOON:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

const LARGE: Rotation = Rotation { size: 1 << 30, files: 10 };

#[test]
fn what_flink_writes_arrives_once_over_rotation_and_restarts_and_the_rest_at_the_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let aws = or_skip!(Aws::start(or_skip!(free_port())));
    let variables = aws.keys();
    append(path, "flink-a.log", "one\n");
    let agent = Agent::start(path, &variables, LARGE);
    wait_until("first line", || aws.object("logs/orders-1/log.gz").as_deref() == Some("one\n"));
    wait_until("first event", || aws.events("team/orders-1/log") == ["one"]);
    append(path, "flink-a.log", "two\n");
    fs::rename(path.join("flink-a.log"), path.join("flink-a.log.1")).expect("rotated");
    append(path, "flink-a.log", "three\n");
    append(path, "flink-a.out", "printed, and not ended");
    agent.end().expect("all is shipped");
    assert_eq!(aws.object("logs/orders-1/log.gz").as_deref(), Some("one\ntwo\nthree\n"));
    assert_eq!(aws.object("logs/orders-1/stdout.gz").as_deref(), Some("printed, and not ended"));
    assert_eq!(aws.events("team/orders-1/log"), ["one", "two", "three"]);
    assert_eq!(aws.events("team/orders-1/stdout"), ["printed, and not ended"]);
    assert_eq!(aws.key_of("logs/orders-1/log.gz").as_deref(), Some(KEY));

    let agent = Agent::start(path, &variables, LARGE);
    append(path, "flink-a.log", "four\n");
    agent.end().expect("all is shipped");
    assert_eq!(aws.object("logs/orders-1/log.gz").as_deref(), Some("one\ntwo\nthree\nfour\n"));
    assert_eq!(aws.events("team/orders-1/log"), ["one", "two", "three", "four"]);
}

#[test]
fn a_large_stream_is_closed_at_its_size_and_every_line_is_in_one_object() {
    let directory = tempfile::tempdir().expect("a directory");
    let aws = or_skip!(Aws::start(or_skip!(free_port())));
    let lines: Vec<String> = (0..1000).map(|line| format!("line {line:04}")).collect();
    append(directory.path(), "flink-a.log", &format!("{}\n", lines.join("\n")));
    let agent = Agent::start(directory.path(), &aws.keys(), Rotation { size: 4000, files: 10 });
    agent.end().expect("all is shipped");
    let mut objects = aws.objects("logs/orders-1/log_");
    objects.sort();
    assert_eq!(objects.len(), 2, "{objects:?}");
    objects.push("logs/orders-1/log.gz".to_owned());
    let text: String = objects.iter().filter_map(|object| aws.object(object)).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert_eq!(aws.events("team/orders-1/log"), lines);
}

#[test]
fn lines_wait_for_services_that_are_away_and_for_a_role_that_is_taken_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let port = or_skip!(free_port());
    let token = directory.path().join(".token");
    fs::write(&token, "hunter2").expect("a token");
    let variables = aws::role(port, &token);
    append(directory.path(), "flink-a.log", "one\n");
    let agent = Agent::start(directory.path(), &variables, LARGE);
    // Nobody answers yet.
    thread::sleep(Duration::from_secs(1));
    let aws = or_skip!(Aws::start(port));
    wait_until("line in S3", || aws.object("logs/orders-1/log.gz").as_deref() == Some("one\n"));
    wait_until("event", || aws.events("team/orders-1/log") == ["one"]);
    agent.end().expect("all is shipped");
}

#[test]
fn the_end_says_what_did_not_arrive() {
    let directory = tempfile::tempdir().expect("a directory");
    let port = or_skip!(free_port());
    let half = vec![
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "AKIA".to_owned()),
    ];
    append(directory.path(), "flink-a.log", "one\n");
    let error = Agent::start(directory.path(), &half, LARGE).end().expect_err("nothing can be signed");
    assert!(error.to_string().contains("Amazon S3"), "{error:?}");
}

#[test]
fn a_program_is_fetched_from_s3_to_its_path() {
    let directory = tempfile::tempdir().expect("a directory");
    let aws = or_skip!(Aws::start(or_skip!(free_port())));
    aws.put("jobs/a.jar", b"PK jar");
    let path = directory.path().join("usrlib/a.jar");
    let options = [
        ("s3.endpoint", format!("http://127.0.0.1:{}", aws.port())),
        ("s3.access-key", "AKIA".to_owned()),
        ("s3.secret-key", "hunter2".to_owned()),
    ];
    let option = |key: &str| options.iter().find(|(one, _)| *one == key).map(|(_, value)| value.clone());
    let limits = Limits { allow_private: true, ..Limits::default() };
    let artifacts = Artifacts::new(directory.path(), limits).configured(option);
    assert_eq!(artifacts.fetch_to(&format!("s3a://{BUCKET}/jobs/a.jar"), &path).expect("it is there"), 6);
    assert_eq!(fs::read(&path).expect("it can be read"), b"PK jar");
}
