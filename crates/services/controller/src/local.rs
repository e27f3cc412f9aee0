//! This machine as the place where deployments run: processes, the programs they run, and their REST API.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kobel_flink_client::{Endpoint, FlinkClient};
use kobel_lifecycle::decision::Start;
use kobel_lifecycle::facts::{Cluster, Launched};
use kobel_manifest::engine::{Engine, engine};
use kobel_manifest::launch::{JobStart, Launch};
use kobel_manifest::place::{Place, Ports, Standbys};
use kobel_manifest::session_job::{JarRun, session_job};
use kobel_model::deployment::{ArtifactKind, Deployment, Identity, Job, SessionJob};
use kobel_model::{Error, ErrorKind, Result, chain};
use kobel_processes::{Label, ProcessState, Seen, SeenProcess};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::host::Host;
use crate::revivals::Revivals;
use crate::sight::{Found, Search, Sight};
use crate::surroundings::{Surroundings, apart};

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

/// This machine as a substrate.
#[derive(Clone)]
pub(crate) struct Local {
    flink: FlinkClient,
    host: Arc<dyn Host>,
    surroundings: Arc<dyn Surroundings>,
    /// The program that native applications run.
    kobel: PathBuf,
    revivals: Arc<Mutex<Revivals>>,
}

/// The newest snapshot on a disk.
fn newest(search: &Search, host: &dyn Host) -> Result<Found> {
    let directory = search.checkpoints.as_deref();
    let checkpoint =
        directory.map(|directory| host.newest_checkpoint(directory, &search.job_id)).transpose()?.flatten();
    if let Some((directories, since_ms)) = &search.savepoints {
        let since = checkpoint.as_ref().map_or(*since_ms, |(_, at_ms)| *since_ms.max(at_ms));
        let looked = directories.iter().map(|directory| host.savepoint_since(directory, &search.job_id, since));
        let (found, failed): (Vec<_>, Vec<_>) = looked.partition(Result::is_ok);
        let found = found.into_iter().filter_map(Result::ok).flatten();
        if let Some((path, at_ms)) = found.max_by_key(|(_, at_ms)| *at_ms) {
            return Ok(Found::Savepoint(path, at_ms));
        }
        // It may lie where nobody could look.
        failed.into_iter().find_map(Result::err).map_or(Ok(()), Err)?;
    }
    Ok(checkpoint.map_or(Found::Nothing, |(path, at_ms)| Found::Checkpoint(path, at_ms)))
}

/// Whether what is seen is also looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    Look,
    Tend,
}

impl Local {
    /// A host as a substrate; processes that run already are found.
    pub(crate) fn new(
        host: Arc<dyn Host>,
        surroundings: Arc<dyn Surroundings>,
        flink: FlinkClient,
        kobel: PathBuf,
    ) -> Self {
        Self { flink, host, surroundings, kobel, revivals: Arc::default() }
    }

    /// Does with the host what may block.
    async fn apart<T, F>(&self, what: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Host) -> Result<T> + Send + 'static,
    {
        let host = Arc::clone(&self.host);
        apart(&*self.surroundings, what, move || work(&*host)).await
    }

    /// Every deployment that has processes here, or had them when last looked.
    ///
    /// # Errors
    /// Unavailable if it cannot be listed.
    pub(crate) async fn all(&self) -> Result<Vec<Identity>> {
        self.apart("listing processes", |host| host.all()).await
    }

    /// The deployments of processes that have ended. Asked for once.
    pub(crate) fn ends(&self) -> UnboundedReceiver<Identity> {
        self.host.ends()
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
        let whose = of.clone();
        let seen = match self.apart("looking at processes", move |host| host.observe(&whose)).await {
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
                    let (endpoint, version, behind_ms) = (Some(endpoint), Some(config.version), config.refresh_ms);
                    return Sight { endpoint, version, behind_ms, ended, ..Sight::silent(Cluster::Ready(launched)) };
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
            let (whose, which) = (of.clone(), role.clone());
            let revived = self.apart("starting a process again", move |host| host.revive(&whose, &which)).await;
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
        let work = move |host: &dyn Host| {
            let launch = local.launch(&deployment, &label, restore.as_deref())?;
            // Whoever gave up waiting may have decided otherwise since.
            if waiting.strong_count() == 0 {
                return Err(Error::new(ErrorKind::Unavailable, "nobody waits for the start any more"));
            }
            host.start(&deployment.identity, &label, &launch)
        };
        let started = self.apart("starting a deployment", work).await;
        drop(awaited);
        started
    }

    fn launch(&self, deployment: &Deployment, label: &Label, restore: Option<&str>) -> Result<Launch> {
        let of = &deployment.identity;
        let job = deployment.cluster.job.as_ref();
        let flink = match engine(&deployment.cluster) {
            Engine::Native => None,
            Engine::Flink => Some(self.host.flink_home(deployment.cluster.flink_version, kind_of(job))?),
        };
        let artifact = job.map(|job| self.artifact(job)).transpose()?.flatten();
        let place = Place {
            folder: self.host.folder(of),
            ports: self.host.free_ports()?,
            standbys: self.host.free_standbys(kobel_manifest::standbys(&deployment.cluster))?,
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
    fn artifact(&self, job: &Job) -> Result<Option<PathBuf>> {
        job.artifact.as_ref().map(|artifact| self.host.program(artifact)).transpose()
    }

    /// A session job as its cluster is asked for it.
    ///
    /// # Errors
    /// What the program, the distribution, or the machine lacks.
    pub(crate) async fn jar_run(&self, job: &SessionJob, cluster: &Deployment, start: &Start) -> Result<JarRun> {
        let (local, job, cluster, start) = (self.clone(), job.clone(), cluster.clone(), start.clone());
        self.apart("preparing a session job", move |_| local.jar_run_blocking(&job, &cluster, &start)).await
    }

    fn jar_run_blocking(&self, job: &SessionJob, cluster: &Deployment, start: &Start) -> Result<JarRun> {
        let place = Place {
            folder: self.job_folder(&cluster.identity, &job.identity.name),
            // Its cluster has ports already.
            ports: Ports { rest: 0, rpc: 0, blob: 0 },
            standbys: Standbys::default(),
            kobel: self.kobel.clone(),
            artifact: self.artifact(&job.job)?,
            flink: Some(self.host.flink_home(cluster.cluster.flink_version, kind_of(Some(&job.job)))?),
        };
        let job_id = start.job_id.as_deref().unwrap_or_default();
        let start = JobStart { job_id, restore: start.restore.as_deref() };
        Ok(session_job(job, &cluster.cluster, &start, &place))
    }

    /// The folder of a session job, below that of its cluster.
    pub(crate) fn job_folder(&self, cluster: &Identity, job: &str) -> PathBuf {
        self.host.folder(cluster).join("jobs").join(job)
    }

    /// What this machine lacks to start a deployment on Apache Flink; none if it has everything.
    pub(crate) async fn lacks(&self, deployment: &Deployment) -> Option<String> {
        let (local, deployment) = (self.clone(), deployment.clone());
        let looked = self.apart("looking for what is needed", move |host| {
            let job = deployment.cluster.job.as_ref();
            host.flink_home(deployment.cluster.flink_version, kind_of(job))?;
            host.can_stand_by(kobel_manifest::standbys(&deployment.cluster))?;
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
        self.apart("checking a change", move |_| local.refusal_blocking(&deployment, snapshot.as_deref())).await
    }

    fn refusal_blocking(&self, deployment: &Deployment, snapshot: Option<&str>) -> Result<Option<String>> {
        let of = &deployment.identity;
        let Some(job) = &deployment.cluster.job else { return Ok(None) };
        let place = Place {
            folder: self.host.folder(of).join("check"),
            ports: self.host.free_ports()?,
            standbys: Standbys::default(),
            kobel: self.kobel.clone(),
            artifact: self.artifact(job)?,
            flink: None,
        };
        let start = JobStart { job_id: NO_JOB, restore: None };
        let launch = kobel_manifest::application(deployment, &start, &place);
        let question: Vec<&str> = std::iter::once("--check").chain(snapshot).collect();
        let answer = self.host.ask(&place.folder, &launch, &question, ASK_PATIENCE)?;
        let told = |words: String| format!("the change cannot be carried out, and nothing was stopped: {words}");
        Ok(answer.err().map(told))
    }

    /// Asks every process of a deployment to end; says whether nothing of it is left.
    ///
    /// # Errors
    /// Unavailable if they cannot be asked.
    pub(crate) async fn end(&self, of: &Identity) -> Result<bool> {
        let whose = of.clone();
        let is_over = self.apart("ending processes", move |host| host.end(&whose, GRACE)).await?;
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
        let of = of.clone();
        self.apart("removing files", move |host| host.forget(&of)).await
    }

    /// The newest complete snapshot of a job on the disk.
    ///
    /// # Errors
    /// Unsupported if it would lie elsewhere, Unavailable if it cannot be looked for.
    pub(crate) async fn newest(&self, search: Search) -> Result<Found> {
        self.apart("looking for checkpoints", move |host| newest(&search, host)).await
    }

    /// Whether the files of a savepoint are there.
    ///
    /// # Errors
    /// Unsupported if it lies elsewhere.
    pub(crate) async fn has_snapshot(&self, path: String) -> Result<bool> {
        self.apart("looking for a savepoint", move |host| host.has_snapshot(&path)).await
    }

    /// Deletes the files of a savepoint on this machine.
    ///
    /// # Errors
    /// Unsupported if it lies elsewhere, Invalid if it is none.
    pub(crate) async fn dispose(&self, path: String) -> Result<()> {
        self.apart("deleting a savepoint", move |host| host.dispose(&path)).await
    }

    /// The folder of a deployment.
    pub(crate) fn folder(&self, of: &Identity) -> PathBuf {
        self.host.folder(of)
    }

    /// Where the state of a deployment is written that a change is only checked with: among its scratch files, which its
    /// next launch clears away. Nothing goes on from there.
    pub(crate) fn checked_state(&self, of: &Identity) -> String {
        format!("file://{}", self.host.folder(of).join("tmp").join("checked-state").display())
    }

    /// Where the logs of a deployment are.
    pub(crate) fn logs(&self, of: &Identity) -> PathBuf {
        self.host.folder(of).join("log")
    }
}

fn kind_of(job: Option<&Job>) -> Option<ArtifactKind> {
    job.and_then(|job| job.artifact.as_ref()).map(|artifact| artifact.kind)
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
}
