//! Snapshots: none is lost that is needed, none is forgotten, none is taken twice.

use serde_json::Value;

use super::read::{self, SNAPSHOTS};
use super::seen::Seen;
use super::state::may_lose_state;
use crate::entry::{Entry, Happened, ObjectKey, Verb, Who};

/// How long, while nobody interferes, a savepoint may be in no status.
const TELLING_MS: i64 = 60_000;
/// What a declaration names that says itself what becomes of the checkpoints of a job that ends.
const RETENTION: &str = "externalized-checkpoint-retention";

/// What is disposed of is not needed.
pub fn no_snapshot_is_lost(seen: &Seen, happened: &Happened) -> Result<(), String> {
    match &happened.entry {
        Entry::Disposed { path, by: Who::Controller } => disposed_of(seen, read::plain(path)),
        Entry::Disposed { path, by: Who::Cluster } => taken_along(seen, read::plain(path)),
        _ => Ok(()),
    }
}

/// What the controller disposes of is not needed.
fn disposed_of(seen: &Seen, path: &str) -> Result<(), String> {
    let told = |object: &Value| read::text(object, "/status/path").map(read::plain) == Some(path);
    let of_kind = |resource: &'static str| seen.objects.iter().filter(move |(key, _)| key.resource == resource);
    if read::is_scratch(path) {
        return Ok(());
    }
    let owners: Vec<_> = of_kind(SNAPSHOTS).filter(|(_, object)| told(object)).collect();
    if let Some((key, _)) = owners.iter().find(|(_, object)| !may_dispose(object)) {
        return Err(format!("`{path}` of {key} was disposed of, which was not asked for"));
    }
    if !owners.is_empty() {
        return Ok(());
    }
    let needs = |object: &Value| read::needed_paths(object).any(|needed| needed == path);
    let mut jobs = of_kind(read::DEPLOYMENTS).chain(of_kind(read::SESSION_JOBS));
    if let Some((key, _)) = jobs.find(|(_, object)| needs(object)) {
        return Err(format!("`{path}` was disposed of, which the status of {key} needs"));
    }
    let newest = seen.lineages.iter().find(|(_, lineage)| lineage.required().1 == Some(path));
    match newest {
        Some((of, _)) => Err(format!("`{path}`, the newest state of {}/{}, was disposed of", of.namespace, of.name)),
        None => Ok(()),
    }
}

/// What a cluster takes away with a job whose end the controller has asked for is not needed, unless the declaration
/// says itself what is to become of it. What goes with a job that ends by itself is nobody's fault.
fn taken_along(seen: &Seen, path: &str) -> Result<(), String> {
    let Some(snapshot) = seen.snapshots.get(path) else { return Ok(()) };
    let job = seen.jobs.get(&snapshot.job);
    let job = job.filter(|job| job.is_ended_here && matches!(job.state, "CANCELED" | "SUSPENDED"));
    let (Some(job), Some(lineage)) = (job, seen.lineages.get(&snapshot.lineage)) else { return Ok(()) };
    let (count, needed) = lineage.required();
    if count == 0 || needed != Some(path) {
        return Ok(());
    }
    let Some((key, object)) = seen.declaring(&job.lineage, &job.cluster) else { return Ok(()) };
    let says_so = |object: &Value| object.to_string().contains(RETENTION);
    let is_told = says_so(object) || seen.deployment(&job.cluster).is_some_and(|(_, object)| says_so(object));
    let mut generations = [read::observed(object), read::generation(object)].into_iter().flatten();
    let is_unwanted =
        read::is_deleting(object) || generations.any(|generation| may_lose_state(seen, &key, lineage, generation));
    if is_told || is_unwanted {
        return Ok(());
    }
    Err(format!("`{path}`, the newest state of {key}, went with job `{}`, which was ended from here", snapshot.job))
}

fn may_dispose(object: &Value) -> bool {
    let keeps = object.pointer("/spec/savepoint/disposeOnDelete").and_then(Value::as_bool) == Some(false);
    read::is_deleting(object) && !keeps
}

/// A savepoint that was asked for, and completed while its id stood in a status, comes to stand in it.
pub fn no_savepoint_is_forgotten(seen: &Seen, happened: &Happened) -> Result<(), String> {
    for (path, untold) in &seen.untold {
        let is_late = happened.at_ms - untold.since_ms.max(seen.quiet_since_ms) > TELLING_MS;
        let runs = seen.jobs.get(&untold.job).is_some_and(|job| job.runs());
        let is_kept = seen.objects.get(&untold.key).is_some_and(|object| !read::is_deleting(object));
        if is_late && runs && is_kept {
            return Err(format!("savepoint `{path}` stands nowhere in the status of {}", untold.key));
        }
    }
    Ok(())
}

/// Under one id one snapshot is taken, and a job is stopped with one savepoint.
pub fn one_trigger_one_snapshot(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let (path, trigger) = match &happened.entry {
        Entry::Snapshot { path, trigger: Some(trigger), .. } => (path, trigger),
        Entry::Wrote { verb: Verb::UpdateStatus, key, after: Some(object), by: Who::Controller, .. } => {
            return one_stop_one_savepoint(seen, key, object);
        }
        _ => return Ok(()),
    };
    if seen.answered.contains(trigger) {
        return Err(format!("`{path}` is the second snapshot under id `{trigger}`"));
    }
    let Some(key) = seen.triggers.get(trigger).filter(|key| key.resource == SNAPSHOTS) else { return Ok(()) };
    let has_failed = seen.objects.get(key).is_none_or(|object| {
        object.pointer("/status/failures").and_then(Value::as_i64).is_some_and(|failures| failures > 0)
    });
    let mut earlier = seen.triggers.iter().filter(|(id, of)| *of == key && seen.answered.contains(*id));
    match earlier.next() {
        Some((other, _)) if !has_failed => {
            Err(format!("`{path}` is the second snapshot of {key}, which had one under id `{other}`"))
        }
        _ => Ok(()),
    }
}

/// For one generation a job is stopped with a second savepoint only if the first was told to have failed.
fn one_stop_one_savepoint(seen: &Seen, key: &ObjectKey, object: &Value) -> Result<(), String> {
    let (Some(job), Some(trigger)) = (read::job_id(object), read::stop_trigger(object)) else { return Ok(()) };
    let Some(stop) = seen.stops.get(job) else { return Ok(()) };
    let is_other = stop.trigger != trigger && stop.generation == read::generation(object);
    if !is_other || read::stop_has_failed(object) {
        return Ok(());
    }
    let first = &stop.trigger;
    Err(format!("{key} stops job `{job}` with savepoint `{trigger}`, and `{first}` was not told to have failed"))
}
