//! This machine as the place where deployments run: processes, the programs they run, and their REST API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kobel_distributions::{Distributions, java};
use kobel_flink_client::{Endpoint, FlinkClient};
use kobel_lifecycle::decision::Start;
use kobel_lifecycle::facts::{Cluster, Launched};
use kobel_manifest::engine::{Engine, engine};
use kobel_manifest::launch::JobStart;
use kobel_manifest::place::{FlinkHome, Place, Ports};
use kobel_manifest::session_job::{JarRun, session_job};
use kobel_model::deployment::{ArtifactKind, Deployment, Identity, Job, SessionJob};
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_processes::{Label, ProcessState, Processes, Seen};
use kobel_storage::artifacts::{Artifacts, Limits};
use tokio::task::spawn_blocking;

/// How long processes may take to end before they are killed.
const GRACE: Duration = Duration::from_secs(10);
/// The pause before a process is started a second time; each further one is twice as long, up to 64 times.
const REVIVAL_PAUSE: Duration = Duration::from_secs(1);
/// How long a process must have stayed for its earlier ends to be forgotten.
const REVIVAL_STAYS: Duration = Duration::from_secs(60);
/// How long a check may take.
const ASK_PATIENCE: Duration = Duration::from_secs(60);
/// The id of a job that is only checked.
const NO_JOB: &str = "00000000000000000000000000000000";
/// The role of the process that answers for a native application.
const APPLICATION: &str = "application";
/// The role of the process that answers for a cluster of Flink.
const JOB_MANAGER: &str = "jobmanager";

/// Where this machine keeps what runs on it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The data directory.
    pub data: PathBuf,
    /// The program of this process, which native applications run.
    pub kobel: PathBuf,
}

/// This machine as a substrate.
#[derive(Clone)]
pub(crate) struct Local {
    /// What runs.
    pub(crate) processes: Processes,
    /// Who asks what runs.
    pub(crate) flink: FlinkClient,
    distributions: Arc<Distributions>,
    artifacts: Arc<Artifacts>,
    kobel: PathBuf,
    revivals: Arc<Mutex<BTreeMap<(Identity, String), Revival>>>,
}

/// What is seen of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// For the lifecycle.
    pub(crate) cluster: Cluster,
    /// Where its REST API is, if it answers.
    pub(crate) endpoint: Option<Endpoint>,
    /// The version of Flink that it says it is.
    pub(crate) version: Option<String>,
    /// Processes that had ended and are started again, each with how it ended.
    pub(crate) ended: Vec<String>,
}

impl Sight {
    /// What is seen of a cluster whose REST API does not answer.
    fn silent(cluster: Cluster) -> Self {
        Self { cluster, endpoint: None, version: None, ended: Vec::new() }
    }

    /// There is none.
    pub(crate) fn nothing() -> Self {
        Self::silent(Cluster::Absent)
    }
}

/// When a process was started again last, and how often without staying.
type Revival = (u32, Instant);

impl Local {
    /// Opens what the data directory holds; processes that run already are found.
    pub(crate) fn open(machine: &Machine) -> Result<Self> {
        let limits = Limits::default();
        Ok(Self {
            processes: Processes::open(&machine.data.join("applications"))?,
            flink: FlinkClient::new(),
            distributions: Arc::new(Distributions::open(&machine.data.join("flink"))),
            artifacts: Arc::new(Artifacts::new(&machine.data.join("artifacts"), limits)),
            kobel: machine.kobel.clone(),
            revivals: Arc::default(),
        })
    }

    /// Looks at the processes of a deployment; a task manager that has ended is started again.
    pub(crate) async fn look(&self, of: &Identity) -> Sight {
        let seen = match self.processes.observe(of) {
            Ok(Some(seen)) => seen,
            Ok(None) => return Sight::nothing(),
            Err(error) => {
                return Sight::silent(Cluster::Unknown(chain(&error)));
            }
        };
        let launched = Launched { generation: seen.label.generation, job_id: seen.label.job_id.clone() };
        if seen.is_ending {
            // Ending goes on only when it is asked for again.
            let cluster = match self.end(of) {
                Ok(true) => Cluster::Absent,
                Ok(false) => Cluster::Ending,
                Err(error) => Cluster::Unknown(chain(&error)),
            };
            return Sight::silent(cluster);
        }
        if let Some(why) = ended(&seen) {
            return Sight::silent(Cluster::Failed(launched, why));
        }
        let ended = self.revive(of, &seen);
        let endpoint = Endpoint { url: format!("http://127.0.0.1:{}", seen.rest_port), token: None };
        match self.flink.config(&endpoint).await {
            Ok(config) => {
                let version = Some(config.version);
                Sight { cluster: Cluster::Ready(launched), endpoint: Some(endpoint), version, ended }
            }
            Err(_) => Sight { ended, ..Sight::silent(Cluster::Starting(launched)) },
        }
    }

    /// Starts processes again that have ended, each after a pause that grows while it does not stay; tells how they ended.
    fn revive(&self, of: &Identity, seen: &Seen) -> Vec<String> {
        let mut told = Vec::new();
        let mut revivals = self.revivals.lock().unwrap_or_else(PoisonError::into_inner);
        for process in &seen.processes {
            let ProcessState::Ended { how, .. } = &process.state else { continue };
            let (times, at) = revivals.entry((of.clone(), process.role.clone())).or_insert((0, Instant::now()));
            let pause = REVIVAL_PAUSE.saturating_mul(1 << (*times).min(6));
            if *times > 0 && at.elapsed() < pause {
                continue;
            }
            *times = if *times > 0 && at.elapsed() > REVIVAL_STAYS + pause { 1 } else { *times + 1 };
            *at = Instant::now();
            told.push(match self.processes.revive(of, &process.role) {
                Ok(()) => format!("{} ended ({how}) and is started again", process.role),
                Err(error) => format!("{} ended ({how}) and cannot be started again: {}", process.role, chain(&error)),
            });
        }
        told
    }

    /// Starts a deployment: its job too, if it has one.
    ///
    /// # Errors
    /// What the program, the distribution, or the machine lacks.
    pub(crate) async fn start(&self, deployment: &Deployment, label: Label, restore: Option<String>) -> Result<()> {
        let (local, deployment) = (self.clone(), deployment.clone());
        let started = spawn_blocking(move || local.start_blocking(&deployment, &label, restore.as_deref())).await;
        started.map_err(|error| Error::bug("starting a deployment broke off").with_source(error))?
    }

    fn start_blocking(&self, deployment: &Deployment, label: &Label, restore: Option<&str>) -> Result<()> {
        let of = &deployment.identity;
        let job = deployment.cluster.job.as_ref();
        let flink = match engine(&deployment.cluster) {
            Engine::Native => None,
            Engine::Flink => Some(self.flink_home(deployment, kind_of(job))?),
        };
        let artifact = job.map(|job| self.artifact(job)).transpose()?.flatten();
        let place = Place {
            folder: self.processes.folder(of),
            ports: self.processes.free_ports()?,
            kobel: self.kobel.clone(),
            artifact,
            flink,
        };
        let launch = match &label.job_id {
            Some(job_id) => kobel_manifest::application(deployment, &JobStart { job_id, restore }, &place),
            None => kobel_manifest::session(deployment, &place),
        };
        self.processes.start(of, label, &launch)
    }

    /// The program of a job, on this machine.
    ///
    /// # Errors
    /// It is not there, too large, or may not be fetched.
    pub(crate) fn artifact(&self, job: &Job) -> Result<Option<PathBuf>> {
        job.artifact.as_ref().map(|artifact| self.artifacts.fetch(artifact, None)).transpose()
    }

    /// A session job as its cluster is asked for it.
    ///
    /// # Errors
    /// What the program, the distribution, or the machine lacks.
    pub(crate) async fn jar_run(&self, job: &SessionJob, cluster: &Deployment, start: &Start) -> Result<JarRun> {
        let (local, job, cluster, start) = (self.clone(), job.clone(), cluster.clone(), start.clone());
        let made = spawn_blocking(move || local.jar_run_blocking(&job, &cluster, &start)).await;
        made.map_err(|error| Error::bug("preparing a session job broke off").with_source(error))?
    }

    fn jar_run_blocking(&self, job: &SessionJob, cluster: &Deployment, start: &Start) -> Result<JarRun> {
        let place = Place {
            folder: self.job_folder(&cluster.identity, &job.identity.name),
            // Its cluster has ports already.
            ports: Ports { rest: 0, rpc: 0, blob: 0 },
            kobel: self.kobel.clone(),
            artifact: self.artifact(&job.job)?,
            flink: Some(self.flink_home(cluster, kind_of(Some(&job.job)))?),
        };
        let job_id = start.job_id.as_deref().unwrap_or_default();
        let start = JobStart { job_id, restore: start.restore.as_deref() };
        Ok(session_job(job, &cluster.cluster, &start, &place))
    }

    /// The folder of a session job, below that of its cluster.
    pub(crate) fn job_folder(&self, cluster: &Identity, job: &str) -> PathBuf {
        self.processes.folder(cluster).join("jobs").join(job)
    }

    /// The distribution of Flink that a deployment asks for.
    fn flink_home(&self, deployment: &Deployment, kind: Option<ArtifactKind>) -> Result<FlinkHome> {
        let line = deployment.cluster.flink_version;
        let installed = self.distributions.find(line)?.ok_or_else(|| {
            Error::new(ErrorKind::Missing, format!("Apache Flink {line} is not on this machine"))
                .with_hint(format!("install it with `kobel flink install {line}`"))
        })?;
        let java = java(line)?;
        let sql_runner = match kind {
            Some(ArtifactKind::Sql) => Some(self.distributions.sql_runner(&installed, &java)?),
            _ => None,
        };
        let (python, python_jar) = match kind {
            Some(ArtifactKind::Python) => (Some(PathBuf::from("python3")), python_jar(&installed.home)),
            _ => (None, None),
        };
        Ok(FlinkHome { home: installed.home, java_home: java.home, sql_runner, python, python_jar })
    }

    /// What this machine lacks to start a deployment on Apache Flink; none if it has everything.
    pub(crate) async fn lacks(&self, deployment: &Deployment) -> Option<String> {
        let (local, deployment) = (self.clone(), deployment.clone());
        let looked = spawn_blocking(move || {
            let job = deployment.cluster.job.as_ref();
            local.flink_home(&deployment, kind_of(job))?;
            job.map(|job| local.artifact(job)).transpose()
        });
        let error = match looked.await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => error,
            Err(error) => Error::bug("looking for what is needed broke off").with_source(error),
        };
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        Some(format!("the change cannot be carried out, and nothing was stopped: {}{hint}", chain(&error)))
    }

    /// Why a native application cannot go on from a snapshot; none if it can. Nothing is changed.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked.
    pub(crate) async fn refusal(&self, deployment: &Deployment, snapshot: &str) -> Result<Option<String>> {
        let (local, deployment, snapshot) = (self.clone(), deployment.clone(), snapshot.to_owned());
        let asked = spawn_blocking(move || local.refusal_blocking(&deployment, &snapshot)).await;
        asked.map_err(|error| Error::bug("checking a change broke off").with_source(error))?
    }

    fn refusal_blocking(&self, deployment: &Deployment, snapshot: &str) -> Result<Option<String>> {
        let of = &deployment.identity;
        let Some(job) = &deployment.cluster.job else { return Ok(None) };
        let place = Place {
            folder: self.processes.folder(of).join("check"),
            ports: self.processes.free_ports()?,
            kobel: self.kobel.clone(),
            artifact: self.artifact(job)?,
            flink: None,
        };
        let start = JobStart { job_id: NO_JOB, restore: None };
        let launch = kobel_manifest::application(deployment, &start, &place);
        let answer = kobel_processes::ask(&place.folder, &launch, &["--check", snapshot], ASK_PATIENCE)?;
        let told = |words: String| format!("the change cannot be carried out, and nothing was stopped: {words}");
        Ok(answer.err().map(told))
    }

    /// Asks every process of a deployment to end.
    ///
    /// # Errors
    /// Unavailable if they cannot be asked.
    pub(crate) fn end(&self, of: &Identity) -> Result<bool> {
        self.processes.end(of, GRACE)
    }

    /// Where the logs of a deployment are.
    pub(crate) fn logs(&self, of: &Identity) -> PathBuf {
        self.processes.folder(of).join("log")
    }
}

fn kind_of(job: Option<&Job>) -> Option<ArtifactKind> {
    job.and_then(|job| job.artifact.as_ref()).map(|artifact| artifact.kind)
}

/// The jar with the driver of PyFlink, if the distribution has it.
fn python_jar(home: &Path) -> Option<PathBuf> {
    let mut jars = std::fs::read_dir(home.join("opt")).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    jars.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("flink-python-")))
}

/// Why the process that answers for the others has ended, if it has.
fn ended(seen: &Seen) -> Option<String> {
    let mut answering =
        seen.processes.iter().filter(|process| [APPLICATION, JOB_MANAGER].contains(&process.role.as_str()));
    answering.find_map(|process| match &process.state {
        ProcessState::Running => None,
        ProcessState::Ended { how, last_words } if last_words.is_empty() => Some(format!("{}: {how}", process.role)),
        ProcessState::Ended { how, last_words } => Some(format!("{}: {how}; it said: {last_words}", process.role)),
    })
}

/// Deletes the files of a savepoint on this machine.
///
/// # Errors
/// Unsupported if it lies elsewhere, Invalid if it is none.
pub(crate) fn dispose(path: &str) -> Result<()> {
    let directory = kobel_storage::location::local_path("savepoint", path)?;
    if !directory.exists() {
        return Ok(());
    }
    if !is_snapshot(&directory) {
        return Err(Error::invalid(format!("`{}` is no savepoint, so it is not deleted", directory.display())));
    }
    std::fs::remove_dir_all(&directory)
        .map_err(|error| Error::io(format!("cannot delete the savepoint `{}`", directory.display()), error))
}

fn is_snapshot(directory: &Path) -> bool {
    directory.join("_metadata").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_savepoints_are_disposed_of() {
        let directory = tempfile::tempdir().unwrap();
        let savepoint = directory.path().join("savepoint-1");
        std::fs::create_dir(&savepoint).unwrap();
        let uri = format!("file://{}", savepoint.display());
        assert!(dispose(&uri).unwrap_err().to_string().contains("is no savepoint"));
        std::fs::write(savepoint.join("_metadata"), "x").unwrap();
        dispose(&uri).unwrap();
        assert!(!savepoint.exists());
        dispose(&uri).unwrap();
    }
}
