//! Whether a changed application can go on from the state of the one that runs: found out before anything is stopped.
//!
//! Whether state fits only the native engine can tell; of Apache Flink it is known when it has tried, but not whether
//! there is a distribution and a program to start.

use kobel_lifecycle::change::{Change, diff};
use kobel_lifecycle::facts::Newest;
use kobel_lifecycle::record::Record;
use kobel_manifest::engine::{Engine, engine};
use kobel_model::Result;
use kobel_model::deployment::{JobState as Wanted, UpgradeMode};
use serde_json::Value;

use crate::declared::{Declaration, What};
use crate::gather::Gathered;
use crate::key::Key;
use crate::world::World;

/// Why the declared application cannot go on from the state of the one that runs; none if it can, if it need not, or if
/// that cannot be told.
///
/// # Errors
/// Unavailable if nobody could be asked, or if the round was put off.
pub(crate) async fn refusal(
    world: &World,
    key: &Key,
    object: &Value,
    record: &Record,
    seen: (&Declaration, &Gathered),
) -> Result<Option<String>> {
    let (declaration, gathered) = seen;
    let (What::Deployment(deployment), Some(spec), Some(last)) =
        (&declaration.what, object.get("spec"), record.last.as_ref())
    else {
        return Ok(None);
    };
    let Some(job) = &deployment.cluster.job else { return Ok(None) };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    // What was once begun is carried out, also if it fails.
    let is_news = record.observed_generation != Some(generation);
    if !is_news || job.state != Wanted::Running || diff(last, spec).change < Change::Upgrade {
        return Ok(None);
    }
    if engine(&deployment.cluster) == Engine::Flink {
        return world.turn.slowly(async { Ok(world.local.lacks(deployment).await) }).await;
    }
    if job.upgrade_mode == UpgradeMode::Stateless || job.allow_non_restored_state {
        return Ok(None);
    }
    // A job that has taken none has the state of the one that it began from.
    let path = match &gathered.facts.newest {
        Newest::Snapshot { path, .. } => Some(path),
        Newest::None | Newest::Unknown(_) => record.job.restore_path.as_ref(),
    };
    let Some(path) = path else { return Ok(None) };
    if let Some(known) = world.refusals.of(key, generation) {
        return Ok(known);
    }
    let refusal = world.turn.slowly(world.local.refusal(deployment, path)).await?;
    world.refusals.note(key, generation, refusal.clone());
    Ok(refusal)
}
