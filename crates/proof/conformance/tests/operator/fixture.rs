//! The cluster that the checks run in: the one that the environment names, or the components of Kubernetes themselves,
//! built from their published modules and started once for all checks.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
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
/// What this machine's own addresses stand in.
const ADDRESSES: &str = "/proc/net/fib_trie";
/// Where the version of Kubernetes is told to itself.
const VERSIONS: [&str; 2] = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];

static FOUND: LazyLock<Result<Cluster, String>> = LazyLock::new(Cluster::find);
static TURN: Mutex<()> = Mutex::new(());

/// A cluster that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    kubeconfig: PathBuf,
    /// Where it is written down what accounts of pods ask for, if the cluster is of this machine.
    audit: Option<PathBuf>,
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
            return Ok(Self { kubeconfig: kubeconfig.into(), audit: None, _parts: Vec::new() });
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
        let place = |what: &str| PathBuf::from(said[what].as_str().expect("it says where its files are"));
        let (kubeconfig, audit) = (place("kubeconfig"), place("audit"));
        let mut play = Command::new(program);
        play.arg("play").arg("--kubeconfig").arg(&kubeconfig);
        let (play, _) = start(&mut play);
        Self { kubeconfig, audit: Some(audit), _parts: vec![up, play] }
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The file with every request of an account of a pod, in lines of JSON; or why there is none.
    pub(crate) fn audit(&self) -> Result<&Path, String> {
        self.audit.as_deref().ok_or_else(|| format!("`{CLUSTER}` names a cluster whose pods are not played"))
    }

    /// An address of this machine at which a pod may seem to be: no pod has one of those that only the machine itself
    /// calls. Or why there is none.
    pub(crate) fn address(&self) -> Result<Ipv4Addr, String> {
        self.audit()?;
        let table = fs::read_to_string(ADDRESSES).map_err(|error| format!("cannot read `{ADDRESSES}`: {error}"))?;
        local_addresses(&table).next().ok_or_else(|| "this machine has no address but that of its loopback".to_owned())
    }
}

/// The addresses that are this machine's own, of a routing table of Linux.
fn local_addresses(table: &str) -> impl Iterator<Item = Ipv4Addr> {
    let mut last = None;
    table.lines().filter_map(move |line| {
        if let Some(address) = line.trim_start().strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        }
        let address = last.filter(|_| line.trim() == "/32 host LOCAL")?;
        (!address.is_loopback() && !address.is_link_local()).then_some(address)
    })
}

#[test]
fn the_addresses_of_a_machine_are_those_that_others_call() {
    let table = [
        "  |-- 127.0.0.1",
        "     /32 host LOCAL",
        "  |-- 192.0.2.0",
        "     /24 link UNICAST",
        "  |-- 192.0.2.2",
        "     /32 host LOCAL",
        "  |-- 192.0.2.255",
        "     /32 link BROADCAST",
    ]
    .join("\n");
    assert_eq!(local_addresses(&table).collect::<Vec<_>>(), [Ipv4Addr::new(192, 0, 2, 2)]);
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
