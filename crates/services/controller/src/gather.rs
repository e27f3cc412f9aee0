//! Gathering: everything that a decision asks for, in one look. What cannot be seen is a fact of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kobel_flink_client::{Endpoint, JobSeen, OperationSeen};
use kobel_lifecycle::change::deployed;
use kobel_lifecycle::decision::{Event, EventKind};
use kobel_lifecycle::facts::{
    Cluster, Dependents, Facts, FoundJob, Job, Newest, Operation, Samples, SessionCluster, Witness,
};
use kobel_lifecycle::record::{Pending, Record, Trigger};
use kobel_lifecycle::state::JobState;
use kobel_model::deployment::FlinkVersion;
use kobel_model::{Error, ErrorKind, Result, chain};
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

/// Why nothing is said of the snapshots of a job whose job manager comes up.
const NOT_LOOKED_FOR: &str = "it was not looked for while the job manager comes up";

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What tells whether there is something to be done: snapshots are not looked for while a job manager comes up.
    Glance,
    /// Everything.
    Whole,
}

/// What was seen, and where.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// How much was looked at.
    pub(crate) depth: Depth,
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
    (declaration, depth): (&Declaration, Depth),
) -> Result<Gathered> {
    let before = before(world, key, object, record);
    let was = before.as_deref().unwrap_or(declaration);
    let (sight, session, session_facts) = match key.kind {
        Kind::SessionJob => session(world, key, object).await?,
        _ => (tended(world, key, object).await, None, None),
    };
    let is_deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    let mut facts = Facts {
        now_ms: world.now().as_millisecond(),
        fresh_id: world.fresh_id(),
        cluster: match &sight.unreached {
            // Nothing is to be asked of what is only to be removed.
            Some(launched) if is_deleting && !declaration.options.savepoint_on_deletion => {
                Cluster::Starting(launched.clone())
            }
            _ => sight.cluster.clone(),
        },
        silence: sight.silence.clone(),
        job: Job::NotAsked,
        savepoint: None,
        checkpoint: None,
        newest: Newest::None,
        witness: Witness::Storage,
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
    let said = Said { deployed: &was.what, declared: &declaration.what, of_cluster };
    let depth = if is_deleting || !asker.may_glance(key, declaration) { Depth::Whole } else { depth };
    (facts.newest, facts.witness, facts.stopped_with) = match depth {
        Depth::Glance => (Newest::Unknown(NOT_LOOKED_FOR.to_owned()), Witness::Storage, None),
        Depth::Whole => turn.patiently(asker.newest(key, object, (record, &facts.job), &said)).await,
    };
    if is_deleting && key.kind == Kind::Deployment && was.what.job().is_none() {
        facts.dependents = asker.dependents(key).await?;
    }
    if key.kind == Kind::SessionJob {
        // A session job has no processes of its own.
        facts.cluster = Cluster::Absent;
    }
    Ok(Gathered { depth, facts, endpoint: sight.endpoint, version: sight.version, session })
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

/// What was declared by the spec of the recorded job, if it is another one than the object has now.
fn before(world: &World, key: &Key, object: &Value, record: &Record) -> Option<Arc<Declaration>> {
    let deployed = deployed(record).filter(|deployed| object.get("spec") != Some(deployed))?;
    world.declarations.read(key, &with_spec(object, deployed)).ok().flatten()
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

/// What says where the state of a job lies.
struct Said<'a> {
    /// What was carried out last.
    deployed: &'a What,
    /// What is declared now: a job is stopped with a savepoint where that asks for it.
    declared: &'a What,
    /// The session cluster of a session job, by which the job goes where it is silent.
    of_cluster: Option<&'a What>,
}

impl<'a> Said<'a> {
    fn directory(&self, of: &'a What, directory: fn(&What) -> Option<&str>) -> Option<&'a str> {
        directory(of).or_else(|| directory(self.of_cluster?))
    }
}

/// Asks what runs.
struct Asker<'a> {
    world: &'a World,
    sight: &'a Sight,
}

impl Asker<'_> {
    /// Whether most likely there is nothing to be done but to wait for a job manager that comes up. What a rollback may go
    /// back from depends on the snapshots.
    fn may_glance(&self, key: &Key, declaration: &Declaration) -> bool {
        key.kind == Kind::Deployment
            && declaration.what.job().is_some()
            && self.world.substrate.tells_of_readiness()
            && matches!(self.sight.cluster, Cluster::Starting(_))
            && !declaration.options.is_rollback_on
    }

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
        what: &Said<'_>,
    ) -> (Newest, Witness, Option<String>) {
        let Some(id) = &record.job.id else { return (Newest::None, Witness::Storage, None) };
        let search = self.search(key, object, (id, stopping(record)), what);
        // The REST API may not know of the savepoint that the job was stopped with, which may lie there.
        let may_ask = |error: &Error| stopping(record).is_none() || error.kind() == ErrorKind::Unsupported;
        let newest = match self.world.substrate.newest(&key.identity(), self.sight, search).await {
            Ok(Found::Savepoint(path, at_ms)) => {
                return (Newest::Snapshot { path: path.clone(), at_ms }, Witness::Storage, Some(path));
            }
            Ok(Found::Checkpoint(path, at_ms)) => Newest::Snapshot { path, at_ms },
            Ok(Found::Nothing) => Newest::None,
            Err(error) => match &self.sight.endpoint {
                Some(at) if may_ask(&error) => {
                    let old_for = old_for(record, job, (self.world.now().as_millisecond(), self.sight.behind_ms));
                    return (self.told(key, at, id, old_for).await, Witness::JobManager, None);
                }
                _ => Newest::Unknown(chain(&error)),
            },
        };
        (newest, Witness::Storage, None)
    }

    /// Where the snapshots of a job may lie, as it was told to write them.
    fn search(&self, key: &Key, object: &Value, job: (&str, Option<&Pending>), what: &Said<'_>) -> Search {
        let (id, stopping) = job;
        let place =
            |said: Option<&str>, usual: &str| said.map(str::to_owned).or_else(|| self.usual(key, object, usual));
        let savepoints = |pending: &Pending| match &pending.directory {
            Some(directory) => vec![directory.clone()],
            None => {
                let said = [what.deployed, what.declared].map(|of| what.directory(of, What::savepoint_directory));
                let mut places: Vec<String> = said.into_iter().filter_map(|said| place(said, "savepoints")).collect();
                places.dedup();
                places
            }
        };
        Search {
            job_id: id.to_owned(),
            checkpoints: place(what.directory(what.deployed, What::checkpoint_directory), "checkpoints"),
            savepoints: stopping.map(|pending| (savepoints(pending), pending.since_ms.saturating_sub(SKEW_MS))),
        }
    }

    async fn told(&self, key: &Key, at: &Endpoint, id: &str, old_for: Option<Duration>) -> Newest {
        match old_for {
            Some(wait) if wait > OLD_MAX => return Newest::Unknown(OLD.to_owned()),
            wait => sleep(wait.unwrap_or_default()).await,
        }
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

/// For how long what is told of a job that has ended may be older than its end, if whoever tells may be behind.
fn old_for(record: &Record, job: &Job, (now_ms, behind_ms): (i64, i64)) -> Option<Duration> {
    let Job::Found(job) = job else { return None };
    let was_over = record.job.state.is_some_and(JobState::is_terminal);
    let since_ms = if was_over { record.job.update_ms.unwrap_or_default() } else { now_ms };
    // Whoever wrote it down may have had another clock.
    let left_ms = since_ms.saturating_add(behind_ms).saturating_sub(now_ms).min(behind_ms);
    let left_ms = u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0)?;
    job.state.is_terminal().then_some(Duration::from_millis(left_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_job_that_has_just_ended_may_be_old() {
        const NOW: i64 = 1_000_000;
        let ended = |ago_ms| Some((JobState::Failed, NOW - ago_ms));
        for (recorded, seen, behind_ms, expected) in [
            (Some((JobState::Running, NOW - 90_000)), JobState::Failed, 3_000, Some(3_000)),
            (None, JobState::Canceled, 3_000, Some(3_000)),
            (ended(1_000), JobState::Failed, 3_000, Some(2_000)),
            (ended(3_000), JobState::Failed, 3_000, None),
            (ended(90_000), JobState::Failed, 3_000, None),
            (ended(-90_000), JobState::Failed, 3_000, Some(3_000)),
            (ended(0), JobState::Finished, 0, None),
            (Some((JobState::Running, NOW)), JobState::Running, 3_000, None),
        ] {
            let mut record = Record::default();
            (record.job.state, record.job.update_ms) = recorded.unzip();
            let (id, name) = ("0a".repeat(16), "orders".to_owned());
            let job = Job::Found(FoundJob { id, name, state: seen, start_ms: 0, failure: None });
            let expected = expected.map(Duration::from_millis);
            assert_eq!(old_for(&record, &job, (NOW, behind_ms)), expected, "{recorded:?} {seen:?} {behind_ms}");
        }
        assert_eq!(old_for(&Record::default(), &Job::Absent, (NOW, 3_000)), None);
    }
}
