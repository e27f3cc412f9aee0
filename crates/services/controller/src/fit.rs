//! Whether a changed application can go on from the state of the one that runs: found out before anything is stopped.
//!
//! Whether state fits only the native engine can tell; of Apache Flink it is known when it has tried, but not whether
//! there is a distribution and a program to start.

use std::time::Duration;

use kobel_lifecycle::application::known_state;
use kobel_lifecycle::change::{Change, diff};
use kobel_lifecycle::facts::Job;
use kobel_lifecycle::record::{Record, Trigger};
use kobel_lifecycle::state::JobState;
use kobel_manifest::engine::{Engine, engine};
use kobel_model::Result;
use kobel_model::deployment::{Deployment, Job as DeclaredJob, JobState as Wanted, UpgradeMode};
use serde_json::Value;

use crate::declared::{Declaration, What};
use crate::gather::Gathered;
use crate::key::Key;
use crate::world::World;

/// How long a checkpoint is waited for that shows what the state of a job is.
const CHECKPOINT_PATIENCE: Duration = Duration::from_secs(30);

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
    let (What::Deployment(deployment), Some(spec), Some(last)) =
        (&declaration.what, object.get("spec"), record.last.as_ref())
    else {
        return Ok(Fit::Fits);
    };
    let Some(job) = &deployment.cluster.job else { return Ok(Fit::Fits) };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    // What was once begun is carried out, also if it fails.
    let is_news = record.observed_generation != Some(generation) && !is_being_stopped(record);
    if !is_news || job.state != Wanted::Running || diff(last, spec).change < Change::Upgrade {
        return Ok(Fit::Fits);
    }
    if engine(&deployment.cluster) == Engine::Flink {
        let lacks = world.turn.slowly(async { Ok(world.local.lacks(deployment).await) }).await?;
        return Ok(lacks.map_or(Fit::Fits, Fit::Refused));
    }
    if let Some(known) = world.refusals.of(key, generation) {
        return Ok(known.map_or(Fit::Fits, Fit::Refused));
    }
    let path = if keeps_state(job) { known_state(record, &gathered.facts) } else { None };
    if keeps_state(job)
        && path.is_none()
        && world.refusals.asked(key, generation) < CHECKPOINT_PATIENCE
        && let Some(job_id) = ask_for_checkpoint(world, gathered).await
    {
        return Ok(Fit::Awaited(format!(
            "waits for a checkpoint of job `{job_id}`, to find out whether the change can go on from its state"
        )));
    }
    find_out(world, key, generation, (deployment, path.as_deref())).await
}

async fn find_out(
    world: &World,
    key: &Key,
    generation: i64,
    (deployment, path): (&Deployment, Option<&str>),
) -> Result<Fit> {
    let refusal = world.turn.slowly(world.local.refusal(deployment, path)).await?;
    // A job may take its first snapshot at any moment, and then there is more to find out.
    let is_all = path.is_some() || deployment.cluster.job.as_ref().is_none_or(|job| !keeps_state(job));
    if is_all || refusal.is_some() {
        world.refusals.note(key, generation, refusal.clone());
    }
    Ok(refusal.map_or(Fit::Fits, Fit::Refused))
}

/// Whether the job is being stopped for a change already.
fn is_being_stopped(record: &Record) -> bool {
    record.job.savepoints.pending.as_ref().is_some_and(|pending| pending.trigger == Trigger::Upgrade)
}

fn keeps_state(job: &DeclaredJob) -> bool {
    job.upgrade_mode != UpgradeMode::Stateless && !job.allow_non_restored_state
}

/// Asks a job that runs for a checkpoint; answers its id if it is on its way.
async fn ask_for_checkpoint<'a>(world: &World, gathered: &'a Gathered) -> Option<&'a str> {
    let (Some(at), Job::Found(job)) = (&gathered.endpoint, &gathered.facts.job) else { return None };
    if job.state != JobState::Running {
        return None;
    }
    let asked = world.local.flink.take_checkpoint(at, &job.id, &gathered.facts.fresh_id);
    world.turn.patiently(asked).await.ok().map(|()| job.id.as_str())
}
