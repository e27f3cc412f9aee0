//! The cluster that the checks run in: the one that the environment names, or the components of Kubernetes themselves,
//! built from their published modules and started once for all checks.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use kobel_testkit::packages::go_program;
use serde_json::Value;
use tempfile::TempDir;

/// Names the kubeconfig of a cluster to run the checks in.
const CLUSTER: &str = "KOBEL_TEST_KUBECONFIG";
/// How long the components may take to come up, as they are told; they end by themselves if it is not enough.
const READY_TIMEOUT: &str = "240s";
/// How long their word is waited for, which is longer.
const PATIENCE: Duration = Duration::from_secs(300);
/// Runs the cluster; its folder goes with it, which is after this process: nothing is dropped then.
const UP: &str = r#""$1" up --dir "$2" --ready-timeout "$3"; rm -rf "$2""#;
/// Where the version of Kubernetes is told to itself.
const VERSIONS: [&str; 2] = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];

static FOUND: LazyLock<Result<Cluster, String>> = LazyLock::new(Cluster::find);
static TURN: Mutex<()> = Mutex::new(());

/// A cluster that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    kubeconfig: PathBuf,
    /// They end when their standard input does, which is at the latest when this process ends.
    _parts: Vec<Child>,
}

/// The cluster of all checks; or why there is none, which is that it cannot be built here.
pub(crate) fn cluster() -> Result<&'static Cluster, String> {
    FOUND.as_ref().map_err(Clone::clone)
}

/// Waits until nobody else uses the cluster, and keeps others from it.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cluster {
    fn find() -> Result<Self, String> {
        if let Some(kubeconfig) = std::env::var_os(CLUSTER) {
            return Ok(Self { kubeconfig: kubeconfig.into(), _parts: Vec::new() });
        }
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kube-fixture");
        let program = go_program(&sources, &link_flags(&sources))?;
        Ok(Self::start(&program))
    }

    fn start(program: &Path) -> Self {
        let folder = TempDir::new().expect("a folder").keep();
        let mut up = Command::new("sh");
        up.args(["-c", UP, "sh"]).arg(program).arg(&folder).arg(READY_TIMEOUT);
        let (up, said) = start(&mut up);
        let kubeconfig = PathBuf::from(said["kubeconfig"].as_str().expect("it says where its kubeconfig is"));
        let mut play = Command::new(program);
        play.arg("play").arg("--kubeconfig").arg(&kubeconfig);
        let (play, _) = start(&mut play);
        Self { kubeconfig, _parts: vec![up, play] }
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

/// How the versions are linked in, which are that of the module.
fn link_flags(sources: &Path) -> String {
    let modules = fs::read_to_string(sources.join("go.mod")).expect("the modules are read");
    let version = modules.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    let version = version.expect("a version of Kubernetes");
    let mut numbers = version.trim_start_matches('v').split('.');
    let mut number = || numbers.next().expect("a version has three numbers");
    let (major, minor) = (number(), number());
    let values = [
        ("gitVersion", version),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitCommit", "fixture"),
        ("gitTreeState", "clean"),
    ];
    let set = |place: &str| values.map(|(name, value)| format!(" -X {place}.{name}={value}")).concat();
    format!("-s -w{}", VERSIONS.map(set).concat())
}

/// Starts a part of the cluster and waits for the line that says that it is ready. What it complains of is seen at once:
/// it is not captured.
fn start(command: &mut Command) -> (Child, Value) {
    // In a group of its own, so that what ends this process by its terminal leaves it the time to clean up.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().expect("a part of the cluster starts");
    let output = child.stdout.take().expect("it has an output");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        // Nobody listens any more if it took too long.
        drop(tell.send(read.map(|_| line)));
    });
    let line = told.recv_timeout(PATIENCE).expect("a part of the cluster is ready in time");
    let line = line.expect("its output is read");
    let said =
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready; it ended with {:?}", child.try_wait()));
    (child, said)
}
