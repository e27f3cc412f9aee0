//! A machine with `kobel up` on it, which can be killed and started again, and what runs there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// The count of one group at which all groups have been seen.
const ENOUGH: u64 = 100;

/// Which process of Apache Flink is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that answers for an application.
    JobManager,
    /// The one that does the work.
    TaskManager,
}

impl Role {
    /// A part of the name of its class.
    fn class(self) -> &'static str {
        match self {
            Self::JobManager => "ClusterEntry",
            Self::TaskManager => ".TaskManagerRunner",
        }
    }
}

/// What an application was before something was taken from it.
#[derive(Debug)]
pub(crate) struct Before {
    name: String,
    counted: u64,
    written: usize,
    /// The processes that ran.
    pub(crate) processes: Vec<u32>,
}

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
        let log = self.place(name).join("log");
        let files = ["application.out", "taskmanager-1.out"].map(|file| log.join(file));
        files.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default()
    }

    /// Where everything of an application lies.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.data.join("applications/default").join(name)
    }

    /// Waits until an application has counted and a checkpoint holds the counts; answers what there is to lose.
    pub(crate) async fn before(&self, name: &str) -> Before {
        self.held(name, &self.place(name)).await
    }

    /// The same for a job in a session, whose task managers print what it counts.
    pub(crate) async fn before_in_session(&self, session: &str, job: &str) -> Before {
        self.held(session, &self.place(session).join("jobs").join(job)).await
    }

    async fn held(&self, name: &str, of_job: &Path) -> Before {
        let counted = self.counts(name, 0, ENOUGH).await;
        // The next one may be under way already; the one after it begins later than the count.
        let wanted = newest_checkpoint(of_job) + 2;
        until(&format!("`{name}` has checkpoint {wanted}"), || newest_checkpoint(of_job) >= wanted).await;
        let (written, processes) = (self.printed(name).len(), processes_of(&self.place(name)));
        assert!(!processes.is_empty(), "nothing of `{name}` runs");
        Before { name: name.to_owned(), counted, written, processes }
    }

    /// Waits until an application counts on from where it was. The processes that counted before must be gone, if they
    /// were to go.
    pub(crate) async fn goes_on(&self, before: &Before) {
        let printed = self.printed(&before.name).len();
        self.counts(&before.name, printed, before.counted).await;
        // Neither has what was printed in between begun anew.
        self.counts(&before.name, before.written, before.counted).await;
    }

    /// Waits until processes are gone.
    pub(crate) async fn gone(&self, processes: &[u32]) {
        let is_gone = || !processes_of(&self.data).iter().any(|process| processes.contains(process));
        until(&format!("{processes:?} are gone"), is_gone).await;
    }

    /// Kills everything that runs here, the controller too.
    pub(crate) async fn kill_everything(&mut self) {
        let processes = processes_of(&self.data);
        self.kill_controller();
        processes.iter().for_each(|process| kill(*process));
        self.gone(&processes).await;
    }

    /// Waits until a count that was printed behind `written` is larger than `count`; answers it. A count that begins
    /// anew is a lost state.
    pub(crate) async fn counts(&self, name: &str, written: usize, count: u64) -> u64 {
        let begun = Instant::now();
        loop {
            let output = self.printed(name);
            let new = output.get(written..).unwrap_or_default();
            let first: Vec<&str> = new.lines().filter(|line| begins(line)).take(9).collect();
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

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not yet: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The number of the newest complete checkpoint below the folder of a job; zero if there is none. Numbers go on when a
/// job goes on from a snapshot of another.
fn newest_checkpoint(of_job: &Path) -> u64 {
    let jobs = fs::read_dir(of_job.join("checkpoints")).into_iter().flatten().flatten();
    let checkpoints = jobs.flat_map(|job| fs::read_dir(job.path()).into_iter().flatten().flatten());
    let complete = checkpoints.filter(|checkpoint| checkpoint.path().join("_metadata").is_file());
    let number = |name: &str| name.strip_prefix("chk-")?.parse::<u64>().ok();
    complete.filter_map(|checkpoint| number(checkpoint.file_name().to_str()?)).max().unwrap_or_default()
}

/// The count of a line such as `+U[1, 250]` of SQL, or `(1,250)` of a jar.
fn counted(line: &str) -> Option<u64> {
    let of_sql = line.split_once("+U[").or_else(|| line.split_once("+I[")).map(|(_, row)| row.trim_end_matches(']'));
    let of_jar = || line.strip_suffix(')')?.rsplit_once('(').map(|(_, row)| row).filter(|row| row.contains(','));
    of_sql.or_else(of_jar)?.rsplit(',').next()?.trim_start().parse().ok()
}

/// Whether a line tells of the first row of a group.
fn begins(line: &str) -> bool {
    line.contains("+I[") || (line.ends_with(",1)") && counted(line).is_some())
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Kills a process; one that has ended by itself is as good.
pub(crate) fn kill(process: u32) {
    let _ = Command::new("kill").args(["-KILL", &process.to_string()]).output();
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

/// The ids of the processes of one role among them.
pub(crate) fn processes_as(role: Role, folder: &Path) -> Vec<u32> {
    let command_line = |process: &u32| fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let is_its = |process: &u32| String::from_utf8_lossy(&command_line(process)).contains(role.class());
    processes_of(folder).into_iter().filter(is_its).collect()
}
