//! The API that the checks talk to: `kobel up` in a folder of its own, or the cluster that the environment names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kobel_testkit::process::Running;
use tempfile::TempDir;

use crate::transcript::Side;

/// How long anything may take; a busy machine needs a part of it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Names the kubeconfig of a cluster to check instead of the embedded API.
const CLUSTER: &str = "KOBEL_TEST_KUBECONFIG";

/// An API with its kubeconfig.
#[derive(Debug)]
pub(crate) struct Server {
    // The process comes first: it must have ended before its folder is removed.
    process: Option<Running>,
    folder: TempDir,
    kubeconfig: PathBuf,
}

impl Server {
    /// Finds the cluster that the environment names, or starts the embedded API alone: on both sides nobody but the
    /// checks writes, so versions and answers are theirs.
    pub(crate) fn find() -> Self {
        let Ok(kubeconfig) = std::env::var(CLUSTER) else { return Self::start(up_alone) };
        let folder = TempDir::new().expect("a folder");
        Self { process: None, folder, kubeconfig: kubeconfig.into() }
    }

    /// Starts `kobel up` with all it runs and waits until it is ready.
    pub(crate) fn embedded() -> Self {
        Self::start(up)
    }

    /// Starts the API and waits until it is ready. It is its second start, so the history before it is forgotten.
    fn start(up: fn(&Path, &Path) -> Running) -> Self {
        let folder = TempDir::new().expect("a folder");
        let data = folder.path().join("data");
        let mut process = up(&data, folder.path());
        process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready");
        process.signal("TERM").expect("the process is told to end");
        let ended = process.wait(PATIENCE).expect("the process ends");
        assert!(ended.success(), "{ended}");
        let mut process = up(&data, folder.path());
        process.wait_for_line("ready in ", PATIENCE).expect("`kobel up` is ready again");
        Self { process: Some(process), kubeconfig: data.join("kubeconfig"), folder }
    }

    /// Which kind of API this is.
    pub(crate) fn side(&self) -> Side {
        if self.process.is_some() { Side::Embedded } else { Side::Cluster }
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A folder for files of the checks.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Starts `kobel up` over a data directory.
pub(crate) fn up(data: &Path, folder: &Path) -> Running {
    start(command(data), folder)
}

/// Starts `kobel up` over a data directory without its control loop.
pub(crate) fn up_alone(data: &Path, folder: &Path) -> Running {
    let mut command = command(data);
    command.arg("--api-only");
    start(command, folder)
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(kobel());
    command.arg("up").arg("--data-dir").arg(data).args(["--listen", "127.0.0.1:0"]).env_remove("KUBECONFIG");
    command
}

fn start(mut command: Command, folder: &Path) -> Running {
    Running::start(&mut command, folder, "up").expect("`kobel up` starts")
}

/// The binary, which lies beside the folder of the test.
pub(crate) fn kobel() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let folder = test.parent().and_then(Path::parent).expect("the test lies in `deps`");
    let binary = folder.join(format!("kobel{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "no `{}`: run `cargo test --workspace`", binary.display());
    binary
}
