//! Whether a changed application can go on from the state of the one that runs: found out before anything is stopped.
//!
//! Whether state fits only the native engine can tell; of Apache Flink it is known when it has tried, but not whether
//! there is a distribution and a program to start.

use std::time::Duration;

use kobel_flink_client::{OperationSeen, SavepointRequest};
use kobel_lifecycle::application::known_state;
use kobel_lifecycle::change::{Change, diff};
use kobel_lifecycle::facts::{Job, Newest};
use kobel_lifecycle::record::{Record, Trigger};
use kobel_lifecycle::state::{JobState, LifecycleState};
use kobel_manifest::engine::{Engine, engine};
use kobel_model::Result;
use kobel_model::deployment::{Deployment, Job as DeclaredJob, JobState as Wanted, SavepointFormat, UpgradeMode};
use serde_json::Value;

use crate::declared::{Declaration, What};
use crate::gather::Gathered;
use crate::key::Key;
use crate::world::{About, World};

/// How long is waited for a job that has taken no snapshot to write its state down.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was found out about a change before anything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Nothing speaks against it, or there is nothing to find out.
    Fits,
    /// It cannot be carried out; why.
    Refused(String),
    /// It is being found out; what is awaited.
    Awaited(String),
}

/// Whether the declared application can go on from the state of the one that runs.
///
/// # Errors
/// Unavailable if nobody could be asked, or if the round was put off.
pub(crate) async fn fit(
    world: &World,
    key: &Key,
    object: &Value,
    record: &Record,
    seen: (&Declaration, &Gathered),
) -> Result<Fit> {
    let (declaration, gathered) = seen;
    let (Some(job), Some(spec), Some(last)) = (declaration.what.job(), object.get("spec"), record.last.as_ref()) else {
        return Ok(Fit::Fits);
    };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    // What was once begun is carried out, also if it fails.
    let is_news = record.observed_generation != Some(generation) && !is_being_stopped(record);
    if !is_news || job.state != Wanted::Running || diff(last, spec).change < Change::Upgrade {
        return Ok(Fit::Fits);
    }
    let deployment = match &declaration.what {
        What::Deployment(deployment) => deployment,
        What::SessionJob(job) => return Ok(world.substrate.lacks_for(job).map_or(Fit::Fits, Fit::Refused)),
    };
    if engine(&deployment.cluster) == Engine::Flink {
        let lacks = world.turn.slowly(async { Ok(world.substrate.lacks(deployment).await) }).await?;
        return Ok(lacks.map_or(Fit::Fits, Fit::Refused));
    }
    world.refusals.meet(key, object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default());
    let asking = Asking { world, key, generation, deployment };
    if !keeps_state(job) {
        return asking.find_out(None).await;
    }
    let known = known_state(record, &gathered.facts);
    let has_its_own = matches!(gathered.facts.newest, Newest::Snapshot { .. });
    // Only a stop with a savepoint hands over a state that is not there yet.
    let is_saved = job.upgrade_mode == UpgradeMode::Savepoint;
    if has_its_own || !is_saved || record.lifecycle == LifecycleState::Suspended {
        return asking.find_out(known.as_deref()).await;
    }
    // What is wrong whatever the state is like need not wait for it.
    if let Fit::Refused(why) = asking.find_out(None).await? {
        return Ok(Fit::Refused(why));
    }
    match asking.look_for_state(gathered).await {
        State::Lies(path) => asking.find_out(Some(&path)).await,
        State::Awaited(what) => Ok(Fit::Awaited(what)),
        State::Unknown => asking.find_out(known.as_deref()).await,
    }
}

/// The state of a job that has taken no snapshot by itself.
enum State {
    /// It was written down here.
    Lies(String),
    /// It is being written down; what is awaited.
    Awaited(String),
    /// There is none to be had.
    Unknown,
}

/// A change that is asked about.
struct Asking<'a> {
    world: &'a World,
    key: &'a Key,
    generation: i64,
    deployment: &'a Deployment,
}

impl Asking<'_> {
    /// Whether the program can be run, and go on from a snapshot if one is named. What is known is not asked again.
    async fn find_out(&self, snapshot: Option<&str>) -> Result<Fit> {
        let (world, about) = (self.world, snapshot.map_or(About::Program, |_| About::State));
        if let Some(known) = world.refusals.of(self.key, (self.generation, about)) {
            return Ok(known.map_or(Fit::Fits, Fit::Refused));
        }
        let refusal = world.turn.slowly(world.substrate.refusal(self.deployment, snapshot)).await?;
        world.refusals.note(self.key, (self.generation, about), refusal.clone());
        Ok(refusal.map_or(Fit::Fits, Fit::Refused))
    }

    /// Lets a job that runs write its state down, once for each change, among the scratch files of its launch.
    async fn look_for_state(&self, gathered: &Gathered) -> State {
        let (Some(at), Job::Found(job)) = (&gathered.endpoint, &gathered.facts.job) else { return State::Unknown };
        if job.state != JobState::Running {
            return State::Unknown;
        }
        if let Some(path) = self.world.refusals.state_of(self.key, self.generation, &job.id) {
            return State::Lies(path);
        }
        // Not the id of this round: if the state is there at once, the job is stopped in this round under that one, and would
        // be told of the scratch file.
        let (trigger_id, waited) = self.world.refusals.asked(self.key, self.generation, &self.world.fresh_id());
        let Some(directory) = self.world.substrate.checked_state(&self.key.identity()) else { return State::Unknown };
        let asked = SavepointRequest {
            job_id: &job.id,
            trigger_id: &trigger_id,
            directory: Some(&directory),
            format: SavepointFormat::Canonical,
            drain: false,
        };
        let flink = &self.world.flink;
        let seen = self.world.turn.patiently(async {
            // The same id asks for the same savepoint.
            flink.take_savepoint(at, asked).await?;
            flink.savepoint_status(at, &job.id, &trigger_id).await
        });
        match seen.await {
            Ok(OperationSeen::Completed(Some(path))) => {
                self.world.refusals.written(self.key, &job.id, &path);
                State::Lies(path)
            }
            Ok(OperationSeen::Completed(None) | OperationSeen::Failed(_)) => State::Unknown,
            // An answer that does not come says nothing; the patience ends.
            Ok(OperationSeen::InProgress | OperationSeen::Unheard) | Err(_) if waited < PATIENCE => {
                let why = "to find out whether the change can go on from it";
                State::Awaited(format!("waits until job `{}` has written its state down, {why}", job.id))
            }
            Ok(OperationSeen::InProgress | OperationSeen::Unheard) | Err(_) => State::Unknown,
        }
    }
}

/// Whether the job is being stopped for a change already; once it has ended, a savepoint may still be looked for.
fn is_being_stopped(record: &Record) -> bool {
    let runs = |last: &Value| last.pointer("/job/state").is_none_or(|state| state != "suspended");
    record.last.as_ref().is_some_and(runs)
        && record.job.savepoints.pending.as_ref().is_some_and(|pending| pending.trigger == Trigger::Upgrade)
}

fn keeps_state(job: &DeclaredJob) -> bool {
    job.upgrade_mode != UpgradeMode::Stateless && !job.allow_non_restored_state
}
