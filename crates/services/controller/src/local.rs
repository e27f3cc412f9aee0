//! This machine as the place where deployments run: processes, the programs they run, and their REST API.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kobel_distributions::{Distributions, java};
use kobel_flink_client::{Endpoint, FlinkClient};
use kobel_lifecycle::decision::Start;
use kobel_lifecycle::facts::{Cluster, Launched};
use kobel_manifest::engine::{Engine, engine};
use kobel_manifest::launch::{JobStart, Launch};
use kobel_manifest::place::{FlinkHome, Place, Ports, Standbys};
use kobel_manifest::session_job::{JarRun, session_job};
use kobel_model::deployment::{ArtifactKind, Deployment, Identity, Job, SessionJob};
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_processes::{Label, ProcessState, Processes, Seen, SeenProcess};
use kobel_storage::artifacts::{Artifacts, Limits};

use crate::blocking::apart;
use crate::revivals::Revivals;

/// How long processes may take to end before they are killed.
const GRACE: Duration = Duration::from_secs(10);
/// How long a check may take.
const ASK_PATIENCE: Duration = Duration::from_secs(60);
/// The id of a job that is only checked.
const NO_JOB: &str = "00000000000000000000000000000000";
/// How a process ended that ended by itself and well; whoever is asked to end by a signal ends otherwise.
const WELL: &str = "exit code 0";
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
    revivals: Arc<Mutex<Revivals>>,
}

/// What is seen of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// For the lifecycle.
    pub(crate) cluster: Cluster,
    /// Where its REST API is, if it answers.
    pub(crate) endpoint: Option<Endpoint>,
    /// Why the REST API of a cluster that runs does not answer.
    pub(crate) silence: Option<String>,
    /// The version of Flink that it says it is.
    pub(crate) version: Option<String>,
    /// Processes that had ended and are started again, each with how it ended.
    pub(crate) ended: Vec<String>,
}

impl Sight {
    /// What is seen of a cluster whose REST API does not answer.
    fn silent(cluster: Cluster) -> Self {
        Self { cluster, endpoint: None, silence: None, version: None, ended: Vec::new() }
    }

    /// There is none.
    pub(crate) fn nothing() -> Self {
        Self::silent(Cluster::Absent)
    }
}

/// Whether what is seen is also looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    Look,
    Tend,
}

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

    /// Looks at the processes of a deployment, and changes nothing.
    pub(crate) async fn look(&self, of: &Identity) -> Sight {
        self.see(of, Care::Look).await
    }

    /// Looks at the processes of a deployment, goes on with ending them, and starts those again that have ended.
    /// Only the rounds of the deployment do this, so that they alone tell what became of its processes.
    pub(crate) async fn tend(&self, of: &Identity) -> Sight {
        self.see(of, Care::Tend).await
    }

    async fn see(&self, of: &Identity, care: Care) -> Sight {
        let (processes, whose) = (self.processes.clone(), of.clone());
        let seen = match apart("looking at processes", move || processes.observe(&whose)).await {
            Ok(Some(seen)) => seen,
            Ok(None) => {
                self.forget_revivals(of);
                return Sight::nothing();
            }
            Err(error) => return Sight::silent(Cluster::Unknown(chain(&error))),
        };
        let launched = Launched { generation: seen.label.generation, job_id: seen.label.job_id.clone() };
        if seen.is_ending {
            // Ending goes on only when it is asked for again.
            let is_over = if care == Care::Tend { self.end(of).await } else { Ok(false) };
            let cluster = match is_over {
                Ok(true) => Cluster::Absent,
                Ok(false) => Cluster::Ending,
                Err(error) => Cluster::Unknown(chain(&error)),
            };
            return Sight::silent(cluster);
        }
        match ended(&seen) {
            Some((WELL, _)) if launched.job_id.is_some() => return Sight::silent(Cluster::Completed(launched)),
            Some((_, why)) => return Sight::silent(Cluster::Failed(launched, why)),
            None => {}
        }
        let ended = if care == Care::Tend { self.revive(of, &seen).await } else { Vec::new() };
        let mut silence = None;
        for port in seen.rest_ports() {
            let endpoint = Endpoint { url: format!("http://127.0.0.1:{port}"), token: None };
            match self.flink.config(&endpoint).await {
                Ok(config) => {
                    let (endpoint, version) = (Some(endpoint), Some(config.version));
                    return Sight { endpoint, version, ended, ..Sight::silent(Cluster::Ready(launched)) };
                }
                Err(error) => silence = silence.or_else(|| Some(chain(&error))),
            }
        }
        Sight { silence, ended, ..Sight::silent(Cluster::Starting(launched)) }
    }

    /// Starts processes again that have ended, each after a pause that grows while it does not stay; tells how they ended.
    async fn revive(&self, of: &Identity, seen: &Seen) -> Vec<String> {
        let mut told = Vec::new();
        for process in &seen.processes {
            let ProcessState::Ended { how, .. } = &process.state else { continue };
            let role = &process.role;
            if !self.revivals().is_due(of, role, Instant::now()) {
                continue;
            }
            let (processes, whose, which) = (self.processes.clone(), of.clone(), role.clone());
            let revived = apart("starting a process again", move || processes.revive(&whose, &which)).await;
            told.push(match revived {
                Ok(()) => format!("{role} ended ({how}) and is started again"),
                Err(error) => format!("{role} ended ({how}) and cannot be started again: {}", chain(&error)),
            });
        }
        told
    }

    fn revivals(&self) -> MutexGuard<'_, Revivals> {
        // Each of its changes is whole.
        self.revivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The launch whose processes were started again is over.
    fn forget_revivals(&self, of: &Identity) {
        self.revivals().forget(of);
    }

    /// Starts a deployment: its job too, if it has one.
    ///
    /// # Errors
    /// What the program, the distribution, or the machine lacks.
    pub(crate) async fn start(&self, deployment: &Deployment, label: Label, restore: Option<String>) -> Result<()> {
        let (local, deployment) = (self.clone(), deployment.clone());
        let awaited = Arc::new(());
        let waiting = Arc::downgrade(&awaited);
        let work = move || {
            let launch = local.launch(&deployment, &label, restore.as_deref())?;
            // Whoever gave up waiting may have decided otherwise since.
            if waiting.strong_count() == 0 {
                return Err(Error::new(ErrorKind::Unavailable, "nobody waits for the start any more"));
            }
            local.processes.start(&deployment.identity, &label, &launch)
        };
        let started = apart("starting a deployment", work).await;
        drop(awaited);
        started
    }

    fn launch(&self, deployment: &Deployment, label: &Label, restore: Option<&str>) -> Result<Launch> {
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
            standbys: self.processes.free_standbys(kobel_manifest::standbys(&deployment.cluster))?,
            kobel: self.kobel.clone(),
            artifact,
            flink,
        };
        Ok(match &label.job_id {
            Some(job_id) => kobel_manifest::application(deployment, &JobStart { job_id, restore }, &place),
            None => kobel_manifest::session(deployment, &place),
        })
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
        apart("preparing a session job", move || local.jar_run_blocking(&job, &cluster, &start)).await
    }

    fn jar_run_blocking(&self, job: &SessionJob, cluster: &Deployment, start: &Start) -> Result<JarRun> {
        let place = Place {
            folder: self.job_folder(&cluster.identity, &job.identity.name),
            // Its cluster has ports already.
            ports: Ports { rest: 0, rpc: 0, blob: 0 },
            standbys: Standbys::default(),
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
        let looked = apart("looking for what is needed", move || {
            let job = deployment.cluster.job.as_ref();
            local.flink_home(&deployment, kind_of(job))?;
            local.processes.can_stand_by(kobel_manifest::standbys(&deployment.cluster))?;
            job.map(|job| local.artifact(job)).transpose()
        });
        let error = looked.await.err()?;
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        Some(format!("the change cannot be carried out, and nothing was stopped: {}{hint}", chain(&error)))
    }

    /// Why a native application cannot be started, from a snapshot if one is named; none if it can. Nothing is changed.
    ///
    /// # Errors
    /// Unavailable if it cannot be asked.
    pub(crate) async fn refusal(&self, deployment: &Deployment, snapshot: Option<&str>) -> Result<Option<String>> {
        let (local, deployment, snapshot) = (self.clone(), deployment.clone(), snapshot.map(str::to_owned));
        apart("checking a change", move || local.refusal_blocking(&deployment, snapshot.as_deref())).await
    }

    fn refusal_blocking(&self, deployment: &Deployment, snapshot: Option<&str>) -> Result<Option<String>> {
        let of = &deployment.identity;
        let Some(job) = &deployment.cluster.job else { return Ok(None) };
        let place = Place {
            folder: self.processes.folder(of).join("check"),
            ports: self.processes.free_ports()?,
            standbys: Standbys::default(),
            kobel: self.kobel.clone(),
            artifact: self.artifact(job)?,
            flink: None,
        };
        let start = JobStart { job_id: NO_JOB, restore: None };
        let launch = kobel_manifest::application(deployment, &start, &place);
        let question: Vec<&str> = std::iter::once("--check").chain(snapshot).collect();
        let answer = kobel_processes::ask(&place.folder, &launch, &question, ASK_PATIENCE)?;
        let told = |words: String| format!("the change cannot be carried out, and nothing was stopped: {words}");
        Ok(answer.err().map(told))
    }

    /// Asks every process of a deployment to end; says whether nothing of it is left.
    ///
    /// # Errors
    /// Unavailable if they cannot be asked.
    pub(crate) async fn end(&self, of: &Identity) -> Result<bool> {
        let (processes, whose) = (self.processes.clone(), of.clone());
        let is_over = apart("ending processes", move || processes.end(&whose, GRACE)).await?;
        if is_over {
            self.forget_revivals(of);
        }
        Ok(is_over)
    }

    /// Removes the files of a deployment, but for its checkpoints and savepoints.
    ///
    /// # Errors
    /// Conflict while it has processes, Denied or Unavailable if a file cannot be removed.
    pub(crate) async fn forget(&self, of: &Identity) -> Result<()> {
        self.forget_revivals(of);
        let (processes, of) = (self.processes.clone(), of.clone());
        apart("removing files", move || processes.forget(&of)).await
    }

    /// A directory below the scratch files of a deployment, which its next launch clears away.
    pub(crate) fn scratch(&self, of: &Identity, name: &str) -> String {
        format!("file://{}", self.processes.folder(of).join("tmp").join(name).display())
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

/// How the processes that answer for the others have ended, if all of them have, and what one said.
fn ended(seen: &Seen) -> Option<(&str, String)> {
    let answering: Vec<&SeenProcess> = seen.processes.iter().filter(|process| answers(&process.role)).collect();
    if answering.iter().any(|process| process.state == ProcessState::Running) {
        return None;
    }
    let ends = answering.into_iter().filter_map(|process| match &process.state {
        ProcessState::Running => None,
        ProcessState::Ended { how, last_words } if last_words.is_empty() => {
            Some((how.as_str(), format!("{}: {how}", process.role)))
        }
        ProcessState::Ended { how, last_words } => {
            Some((how.as_str(), format!("{}: {how}; it said: {last_words}", process.role)))
        }
    });
    // One that did not end well tells more.
    ends.min_by_key(|(how, _)| *how == WELL)
}

/// Whether a process answers for the others: a native application, a job manager, or one that stands by.
fn answers(role: &str) -> bool {
    let rest = role.strip_prefix(JOB_MANAGER);
    role == APPLICATION || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Deletes the files of a savepoint on this machine.
///
/// # Errors
/// Unsupported if it lies elsewhere, Invalid if it is none.
pub(crate) async fn dispose(path: String) -> Result<()> {
    apart("deleting a savepoint", move || dispose_blocking(&path)).await
}

fn dispose_blocking(path: &str) -> Result<()> {
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
    fn a_deployment_ends_with_the_process_that_answers_for_the_others() {
        let ended_as = |how: &str, last_words: &str| ProcessState::Ended {
            how: how.to_owned(),
            last_words: last_words.to_owned(),
        };
        for (role, state, expected) in [
            ("application", ProcessState::Running, None),
            ("application", ended_as(WELL, ""), Some((WELL, "application: exit code 0"))),
            (
                "jobmanager",
                ended_as("exit code 1", "no"),
                Some(("exit code 1", "jobmanager: exit code 1; it said: no")),
            ),
            ("taskmanager-1", ended_as("exit code 1", ""), None),
        ] {
            let label = Label { generation: 1, job_id: None };
            let process = SeenProcess { role: role.to_owned(), pid: 7, state, rest_port: None };
            let seen = Seen { label, rest_port: 1, is_ending: false, processes: vec![process] };
            let found = ended(&seen);
            assert_eq!(found.as_ref().map(|(how, why)| (*how, why.as_str())), expected, "{role}");
        }
    }

    #[test]
    fn a_cluster_lives_as_long_as_one_of_its_job_managers() {
        let ended_as = |how: &str| ProcessState::Ended { how: how.to_owned(), last_words: String::new() };
        let seen = |first, second| {
            let process = |role: &str, state| SeenProcess { role: role.to_owned(), pid: 7, state, rest_port: None };
            let processes = vec![process("jobmanager", first), process("jobmanager-2", second)];
            Seen { label: Label { generation: 1, job_id: None }, rest_port: 1, is_ending: false, processes }
        };
        assert_eq!(ended(&seen(ended_as("exit code 1"), ProcessState::Running)), None);
        let all = seen(ended_as(WELL), ended_as("exit code 1"));
        assert_eq!(ended(&all), Some(("exit code 1", "jobmanager-2: exit code 1".to_owned())));
    }

    #[test]
    fn only_savepoints_are_disposed_of() {
        let directory = tempfile::tempdir().unwrap();
        let savepoint = directory.path().join("savepoint-1");
        std::fs::create_dir(&savepoint).unwrap();
        let uri = format!("file://{}", savepoint.display());
        assert!(dispose_blocking(&uri).unwrap_err().to_string().contains("is no savepoint"));
        std::fs::write(savepoint.join("_metadata"), "x").unwrap();
        dispose_blocking(&uri).unwrap();
        assert!(!savepoint.exists());
        dispose_blocking(&uri).unwrap();
    }
}
