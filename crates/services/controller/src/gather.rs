//! Gathering: everything that a decision asks for, in one look. What cannot be seen is a fact of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kobel_flink_client::{Endpoint, JobSeen, OperationSeen};
use kobel_lifecycle::decision::{Event, EventKind};
use kobel_lifecycle::facts::{Cluster, Dependents, Facts, FoundJob, Job, Newest, Operation, Samples, SessionCluster};
use kobel_lifecycle::record::{Pending, Record, Trigger};
use kobel_lifecycle::state::JobState;
use kobel_model::deployment::FlinkVersion;
use kobel_model::{Result, chain};
use serde_json::Value;
use tokio::time::sleep;

use crate::declared::{Declaration, What, with_spec};
use crate::key::{Key, Kind};
use crate::sight::{Found, Search, Sight};
use crate::world::World;

/// Why nothing is said of the snapshots of a job that has just ended.
const OLD: &str = "the REST API may still tell what was before the job ended (`web.refresh-interval`)";
/// By how many milliseconds the clock of a disk may be behind ours: a savepoint may seem to have been taken before it was
/// asked for.
const SKEW_MS: i64 = 60_000;
/// How long is waited at most until it does not.
const OLD_MAX: Duration = Duration::from_secs(10);

/// What was seen, and where.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// For the lifecycle.
    pub(crate) facts: Facts,
    /// Where the job's REST API is, if it answers.
    pub(crate) endpoint: Option<Endpoint>,
    /// The version of Flink that answers.
    pub(crate) version: Option<String>,
    /// For a session job: what its session cluster is.
    pub(crate) session: Option<Session>,
}

/// The session cluster of a session job.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its line of Flink.
    pub(crate) flink_version: FlinkVersion,
    /// Whether another job manager can take over.
    pub(crate) is_highly_available: bool,
    /// What it declares.
    pub(crate) declaration: Arc<Declaration>,
}

/// Gathers the facts about a deployment or session job, of which it is known what it declares.
///
/// # Errors
/// Unavailable if the API does not answer; everything else that fails is a fact.
pub(crate) async fn gather(
    world: &World,
    key: &Key,
    object: &Value,
    record: &Record,
    declaration: &Declaration,
) -> Result<Gathered> {
    let before = before(world, key, object, record);
    let deployed = before.as_deref().unwrap_or(declaration);
    let (sight, session, session_facts) = match key.kind {
        Kind::SessionJob => session(world, key, object).await?,
        _ => (tended(world, key, object).await, None, None),
    };
    let mut facts = Facts {
        now_ms: world.now().as_millisecond(),
        fresh_id: world.fresh_id(),
        cluster: sight.cluster.clone(),
        silence: sight.silence.clone(),
        job: Job::NotAsked,
        savepoint: None,
        checkpoint: None,
        newest: Newest::None,
        stopped_with: None,
        health: None,
        session: session_facts,
        dependents: Dependents::default(),
    };
    let (asker, turn) = (Asker { world, sight: &sight }, &world.turn);
    facts.job = turn.patiently(asker.job(record)).await;
    // Options of the operator are not carried out, so those count that are declared now.
    if key.kind == Kind::Deployment && declaration.options.health_check.is_some() {
        facts.health = turn.patiently(asker.health(&facts.job)).await;
    }
    let (savepoint, checkpoint) = (&record.job.savepoints.pending, &record.job.checkpoints.pending);
    facts.savepoint = turn.patiently(asker.operation(record, savepoint.as_ref(), Asked::Savepoint)).await;
    facts.checkpoint = turn.patiently(asker.operation(record, checkpoint.as_ref(), Asked::Checkpoint)).await;
    let of_cluster = session.as_ref().map(|session| &session.declaration.what);
    let newest = asker.newest(key, object, (record, &facts.job), (&deployed.what, of_cluster));
    (facts.newest, facts.stopped_with) = turn.patiently(newest).await;
    let is_deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if is_deleting && key.kind == Kind::Deployment && deployed.what.job().is_none() {
        facts.dependents = asker.dependents(key).await?;
    }
    if key.kind == Kind::SessionJob {
        // A session job has no processes of its own.
        facts.cluster = Cluster::Absent;
    }
    Ok(Gathered { facts, endpoint: sight.endpoint, version: sight.version, session })
}

/// What is seen of a deployment's own processes, which are looked after. Which of them had ended is told at once, since
/// nobody sees it again.
async fn tended(world: &World, key: &Key, object: &Value) -> Sight {
    let sight = world.turn.patiently(world.substrate.tend(&key.identity())).await;
    for why in &sight.ended {
        let event = Event { kind: EventKind::Warning, reason: lost(why), message: why.clone() };
        world.objects.tell(key, object, &event).await;
    }
    sight
}

/// The reason of an event that a process had ended.
fn lost(why: &str) -> &'static str {
    match why {
        _ if why.starts_with("jobmanager") => "JobManagerLost",
        _ if why.starts_with("taskmanager") => "TaskManagerLost",
        _ => "ProcessLost",
    }
}

/// What was declared by the spec that was carried out last, if it is another one than the object has now.
fn before(world: &World, key: &Key, object: &Value, record: &Record) -> Option<Arc<Declaration>> {
    let last = record.last.as_ref().filter(|last| object.get("spec") != Some(last))?;
    world.declarations.read(key, &with_spec(object, last)).ok().flatten()
}

/// What is seen of the session cluster of a session job.
async fn session(world: &World, key: &Key, object: &Value) -> Result<(Sight, Option<Session>, Option<SessionCluster>)> {
    let nothing = |cluster| (Sight::nothing(), None, Some(cluster));
    let name = object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
    let other = key.beside(Kind::Deployment, name);
    let Some(found) = world.objects.get(&other).await? else { return Ok(nothing(SessionCluster::Absent)) };
    let sight = world.turn.patiently(world.substrate.look(&other.identity())).await;
    let facts = if found.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        SessionCluster::Leaving
    } else {
        match &sight.cluster {
            Cluster::Ready(_) => SessionCluster::Ready,
            Cluster::Starting(_) => SessionCluster::NotReady("its REST API does not answer yet".to_owned()),
            Cluster::Absent | Cluster::Ending | Cluster::Completed(_) => {
                SessionCluster::NotReady("it is not running".to_owned())
            }
            Cluster::Failed(_, why) | Cluster::Unknown(why) => SessionCluster::NotReady(why.clone()),
        }
    };
    let declaration = match world.declarations.read(&other, &found) {
        Ok(Some(declaration)) => declaration,
        _ => return Ok((sight, None, Some(SessionCluster::NotReady(format!("{other} cannot be read"))))),
    };
    let session = declaration.what.flink_version().map(|flink_version| Session {
        flink_version,
        is_highly_available: declaration.what.is_highly_available(),
        declaration,
    });
    Ok((sight, session, Some(facts)))
}

/// The savepoint that the job is being stopped with. Nobody may have heard that it was completed.
fn stopping(record: &Record) -> Option<&Pending> {
    record.job.savepoints.pending.as_ref().filter(|pending| pending.trigger == Trigger::Upgrade)
}

/// Which kind of operation is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Savepoint,
    Checkpoint,
}

/// Asks what runs.
struct Asker<'a> {
    world: &'a World,
    sight: &'a Sight,
}

impl Asker<'_> {
    async fn job(&self, record: &Record) -> Job {
        let (Some(at), Some(id)) = (&self.sight.endpoint, &record.job.id) else { return Job::NotAsked };
        match self.world.flink.job(at, id).await {
            Ok(None) => Job::Absent,
            Ok(Some(seen)) => self.found(at, seen).await,
            Err(error) => Job::Unknown(chain(&error)),
        }
    }

    async fn found(&self, at: &Endpoint, seen: JobSeen) -> Job {
        let Some(state) = JobState::parse(&seen.state) else {
            return Job::Unknown(format!("the state `{}` of job `{}` is not known", seen.state, seen.id));
        };
        let state = if state == JobState::Running && !seen.all_running { JobState::Created } else { state };
        let failure = match state {
            JobState::Failed | JobState::Failing | JobState::Restarting => {
                // Why it failed is worth telling, and nothing depends on it.
                self.world.flink.failure(at, &seen.id).await.ok().flatten()
            }
            _ => None,
        };
        Job::Found(FoundJob { id: seen.id, name: seen.name, state, start_ms: seen.start_ms, failure })
    }

    /// What the job tells of how it fares; whatever fails tells nothing.
    async fn health(&self, job: &Job) -> Option<Samples> {
        let (Some(at), Job::Found(job)) = (&self.sight.endpoint, job) else { return None };
        if job.state.is_terminal() {
            return None;
        }
        let told = self.world.flink.health(at, &job.id).await.ok()?;
        Some(Samples { restarts: told.restarts, completed_checkpoints: told.completed_checkpoints })
    }

    async fn operation(&self, record: &Record, pending: Option<&Pending>, asked: Asked) -> Option<Operation> {
        let pending = pending?;
        let (Some(at), Some(id)) = (&self.sight.endpoint, &record.job.id) else {
            return Some(match &self.sight.cluster {
                Cluster::Absent | Cluster::Failed(..) | Cluster::Completed(_) => Operation::Unheard,
                _ => Operation::Unknown("the REST API does not answer".to_owned()),
            });
        };
        let flink = &self.world.flink;
        let answer = match asked {
            Asked::Savepoint => flink.savepoint_status(at, id, &pending.trigger_id).await,
            Asked::Checkpoint => flink.checkpoint_status(at, id, &pending.trigger_id).await,
        };
        Some(match answer {
            Ok(OperationSeen::InProgress) => Operation::InProgress,
            Ok(OperationSeen::Completed(path)) => Operation::Completed(path),
            Ok(OperationSeen::Failed(why)) => Operation::Failed(why),
            Ok(OperationSeen::Unheard) => Operation::Unheard,
            Err(error) => Operation::Unknown(chain(&error)),
        })
    }

    /// What lies on a disk that can be read is the truth; the REST API may be seconds behind it. It is asked about other
    /// places. Tells too where the savepoint lies that the job was stopped with, if it is the newest.
    async fn newest(
        &self,
        key: &Key,
        object: &Value,
        (record, job): (&Record, &Job),
        (what, of_cluster): (&What, Option<&What>),
    ) -> (Newest, Option<String>) {
        let Some(id) = &record.job.id else { return (Newest::None, None) };
        // A job of a session cluster goes by what its cluster says where it is silent.
        let said = |directory: fn(&What) -> Option<&str>| directory(what).or_else(|| directory(of_cluster?));
        let place =
            |said: Option<&str>, usual: &str| said.map(str::to_owned).or_else(|| self.usual(key, object, usual));
        let savepoints = || place(said(What::savepoint_directory), "savepoints");
        let search = Search {
            job_id: id.clone(),
            checkpoints: place(said(What::checkpoint_directory), "checkpoints"),
            savepoints: stopping(record)
                .and_then(|pending| Some((savepoints()?, pending.since_ms.saturating_sub(SKEW_MS)))),
        };
        let newest = match self.world.substrate.newest(&key.identity(), self.sight, search).await {
            Ok(Found::Savepoint(path, at_ms)) => {
                return (Newest::Snapshot { path: path.clone(), at_ms }, Some(path));
            }
            Ok(Found::Checkpoint(path, at_ms)) => Newest::Snapshot { path, at_ms },
            Ok(Found::Nothing) => Newest::None,
            Err(error) => match &self.sight.endpoint {
                Some(at) => match self.old_for(record, job) {
                    Some(wait) if wait > OLD_MAX => Newest::Unknown(OLD.to_owned()),
                    wait => {
                        sleep(wait.unwrap_or_default()).await;
                        self.told(key, at, id).await
                    }
                },
                None => Newest::Unknown(chain(&error)),
            },
        };
        (newest, None)
    }

    /// For how long what is told of a job that has ended may be older than its end.
    fn old_for(&self, record: &Record, job: &Job) -> Option<Duration> {
        let ended = |state: JobState| state.is_terminal();
        let Job::Found(job) = job else { return None };
        let now_ms = self.world.now().as_millisecond();
        let since_ms =
            if record.job.state.is_some_and(ended) { record.job.update_ms.unwrap_or_default() } else { now_ms };
        let left_ms = since_ms.saturating_add(self.sight.behind_ms).saturating_sub(now_ms).min(self.sight.behind_ms);
        u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0 && ended(job.state)).map(Duration::from_millis)
    }

    async fn told(&self, key: &Key, at: &Endpoint, id: &str) -> Newest {
        let aside = self.world.substrate.checked_state(&key.identity());
        match self.world.flink.newest_snapshot(at, id, aside.as_deref()).await {
            Ok(Some((path, at_ms))) => Newest::Snapshot { path, at_ms },
            Ok(None) => Newest::None,
            Err(error) => Newest::Unknown(chain(&error)),
        }
    }

    /// A directory of its own that a job was given where nothing was said, if it was given one.
    fn usual(&self, key: &Key, object: &Value, name: &str) -> Option<String> {
        let folder: Option<PathBuf> = match key.kind {
            Kind::SessionJob => {
                let cluster = object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
                self.world.substrate.job_folder(&key.beside(Kind::Deployment, cluster).identity(), &key.name)
            }
            _ => self.world.substrate.folder(&key.identity()),
        };
        folder.map(|folder| format!("file://{}", folder.join(name).display()))
    }

    async fn dependents(&self, key: &Key) -> Result<Dependents> {
        let jobs = self.world.objects.session_jobs_of(key).await?;
        let mut unmanaged = Vec::new();
        if let Some(at) = &self.sight.endpoint {
            let is_alive = |job: &JobSeen| JobState::parse(&job.state).is_none_or(|state| !state.is_terminal());
            let is_managed = |job: &JobSeen| jobs.iter().any(|(_, id)| id.as_deref() == Some(job.id.as_str()));
            let seen = self.world.flink.jobs(at).await?;
            unmanaged = seen.into_iter().filter(|job| is_alive(job) && !is_managed(job)).map(|job| job.id).collect();
        }
        Ok(Dependents { session_jobs: jobs.into_iter().map(|(name, _)| name).collect(), unmanaged_jobs: unmanaged })
    }
}
