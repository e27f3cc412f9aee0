//! Gathering: everything that a decision asks for, in one look. What cannot be seen is a fact of its own.

use std::path::PathBuf;

use jiff::Timestamp;
use kobel_flink_client::{Endpoint, JobSeen, OperationSeen};
use kobel_lifecycle::facts::{Cluster, Dependents, Facts, FoundJob, Job, Newest, Operation, SessionCluster};
use kobel_lifecycle::record::{Pending, Record, Trigger};
use kobel_lifecycle::state::JobState;
use kobel_model::deployment::FlinkVersion;
use kobel_model::{Result, chain};
use kobel_storage::checkpoints::{newest_of_job, savepoint_since};
use serde_json::Value;

use crate::declared::{Declaration, with_spec};
use crate::key::{Key, Kind};
use crate::local::Sight;
use crate::world::World;

/// What was seen, and where.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// For the lifecycle.
    pub(crate) facts: Facts,
    /// Where the job's REST API is, if it answers.
    pub(crate) endpoint: Option<Endpoint>,
    /// The version of Flink that answers.
    pub(crate) version: Option<String>,
    /// Processes that had ended and are started again, each with how it ended.
    pub(crate) ended: Vec<String>,
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
    pub(crate) declaration: Declaration,
}

/// Gathers the facts about a deployment or session job.
///
/// # Errors
/// Unavailable if the API does not answer; everything else that fails is a fact.
pub(crate) async fn gather(world: &World, key: &Key, object: &Value, record: &Record) -> Result<Gathered> {
    let deployed = deployed(object, record);
    let (sight, session, session_facts) = match key.kind {
        Kind::SessionJob => session(world, key, object).await?,
        _ => (world.local.look(&key.identity()).await, None, None),
    };
    let mut facts = Facts {
        now_ms: Timestamp::now().as_millisecond(),
        fresh_id: format!("{:032x}", u128::from_be_bytes(rand::random())),
        cluster: sight.cluster.clone(),
        job: Job::NotAsked,
        savepoint: None,
        checkpoint: None,
        newest: Newest::None,
        session: session_facts,
        dependents: Dependents::default(),
    };
    let asker = Asker { world, sight: &sight };
    facts.job = asker.job(record).await;
    facts.savepoint = asker.operation(record, record.job.savepoints.pending.as_ref(), Asked::Savepoint).await;
    facts.checkpoint = asker.operation(record, record.job.checkpoints.pending.as_ref(), Asked::Checkpoint).await;
    facts.newest = asker.newest(key, object, record, deployed.as_ref()).await;
    let is_deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if is_deleting && key.kind == Kind::Deployment && deployed.is_none_or(|deployed| deployed.what.job().is_none()) {
        facts.dependents = asker.dependents(key).await?;
    }
    if key.kind == Kind::SessionJob {
        // A session job has no processes of its own.
        facts.cluster = Cluster::Absent;
    }
    let ended = if key.kind == Kind::Deployment { sight.ended } else { Vec::new() };
    Ok(Gathered { facts, endpoint: sight.endpoint, version: sight.version, ended, session })
}

/// What the spec declares that was carried out last; else what the object declares.
fn deployed(object: &Value, record: &Record) -> Option<Declaration> {
    let last = record.last.as_ref().and_then(|spec| Declaration::read(&with_spec(object, spec)).ok().flatten());
    last.or_else(|| Declaration::read(object).ok().flatten())
}

/// What is seen of the session cluster of a session job.
async fn session(world: &World, key: &Key, object: &Value) -> Result<(Sight, Option<Session>, Option<SessionCluster>)> {
    let nothing = |cluster| (Sight::nothing(), None, Some(cluster));
    let name = object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
    let other = key.beside(Kind::Deployment, name);
    let Some(found) = world.objects.get(&other).await? else { return Ok(nothing(SessionCluster::Absent)) };
    let sight = world.local.look(&other.identity()).await;
    let facts = if found.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        SessionCluster::Leaving
    } else {
        match &sight.cluster {
            Cluster::Ready(_) => SessionCluster::Ready,
            Cluster::Starting(_) => SessionCluster::NotReady("its REST API does not answer yet".to_owned()),
            Cluster::Absent | Cluster::Ending => SessionCluster::NotReady("it is not running".to_owned()),
            Cluster::Failed(_, why) | Cluster::Unknown(why) => SessionCluster::NotReady(why.clone()),
        }
    };
    let declaration = match Declaration::read(&found) {
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
        match self.world.local.flink.job(at, id).await {
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
                self.world.local.flink.failure(at, &seen.id).await.ok().flatten()
            }
            _ => None,
        };
        Job::Found(FoundJob { id: seen.id, name: seen.name, state, start_ms: seen.start_ms, failure })
    }

    async fn operation(&self, record: &Record, pending: Option<&Pending>, asked: Asked) -> Option<Operation> {
        let pending = pending?;
        let (Some(at), Some(id)) = (&self.sight.endpoint, &record.job.id) else {
            return Some(match &self.sight.cluster {
                Cluster::Absent | Cluster::Failed(..) => Operation::Unheard,
                _ => Operation::Unknown("the REST API does not answer".to_owned()),
            });
        };
        let flink = &self.world.local.flink;
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
    /// places.
    async fn newest(&self, key: &Key, object: &Value, record: &Record, deployed: Option<&Declaration>) -> Newest {
        let Some(id) = &record.job.id else { return Newest::None };
        let directory = deployed.and_then(|deployed| deployed.what.checkpoint_directory()).map(str::to_owned);
        let directory = directory.unwrap_or_else(|| self.usual(key, object, "checkpoints"));
        let mut newest = newest_of_job(&directory, id);
        if let (Ok(checkpoint), Some(pending)) = (&newest, stopping(record)) {
            let directory = deployed.and_then(|deployed| deployed.what.savepoint_directory()).map(str::to_owned);
            let directory = directory.unwrap_or_else(|| self.usual(key, object, "savepoints"));
            let since = checkpoint.as_ref().map_or(pending.since_ms, |(_, at_ms)| pending.since_ms.max(*at_ms));
            newest = match savepoint_since(&directory, id, since) {
                Ok(None) => newest,
                savepoint => savepoint,
            };
        }
        match newest {
            Ok(Some((path, at_ms))) => Newest::Snapshot { path, at_ms },
            Ok(None) => Newest::None,
            Err(error) => match &self.sight.endpoint {
                Some(at) => self.told(at, id).await,
                None => Newest::Unknown(chain(&error)),
            },
        }
    }

    async fn told(&self, at: &Endpoint, id: &str) -> Newest {
        match self.world.local.flink.newest_snapshot(at, id).await {
            Ok(Some((path, at_ms))) => Newest::Snapshot { path, at_ms },
            Ok(None) => Newest::None,
            Err(error) => Newest::Unknown(chain(&error)),
        }
    }

    /// A directory of its own that a job was given where nothing was said.
    fn usual(&self, key: &Key, object: &Value, name: &str) -> String {
        let folder: PathBuf = match key.kind {
            Kind::SessionJob => {
                let cluster = object.pointer("/spec/deploymentName").and_then(Value::as_str).unwrap_or_default();
                self.world.local.job_folder(&key.beside(Kind::Deployment, cluster).identity(), &key.name)
            }
            _ => self.world.local.processes.folder(&key.identity()),
        };
        format!("file://{}", folder.join(name).display())
    }

    async fn dependents(&self, key: &Key) -> Result<Dependents> {
        let jobs = self.world.objects.session_jobs_of(key).await?;
        let mut unmanaged = Vec::new();
        if let Some(at) = &self.sight.endpoint {
            let is_alive = |job: &JobSeen| JobState::parse(&job.state).is_none_or(|state| !state.is_terminal());
            let is_managed = |job: &JobSeen| jobs.iter().any(|(_, id)| id.as_deref() == Some(job.id.as_str()));
            let seen = self.world.local.flink.jobs(at).await?;
            unmanaged = seen.into_iter().filter(|job| is_alive(job) && !is_managed(job)).map(|job| job.id).collect();
        }
        Ok(Dependents { session_jobs: jobs.into_iter().map(|(name, _)| name).collect(), unmanaged_jobs: unmanaged })
    }
}
