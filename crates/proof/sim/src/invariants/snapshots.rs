//! Snapshots: none is lost that is needed, none is forgotten, none is taken twice.

use serde_json::Value;

use super::read::{self, SNAPSHOTS};
use super::seen::Seen;
use crate::entry::{Entry, Happened, Who};

/// How long, while nobody interferes, a savepoint may be in no status.
const TELLING_MS: i64 = 60_000;

/// What is disposed of is not needed.
pub fn no_snapshot_is_lost(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::Disposed { path, by: Who::Controller } = &happened.entry else { return Ok(()) };
    let path = read::plain(path);
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

/// Under one id one snapshot is taken.
pub fn one_trigger_one_snapshot(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::Snapshot { path, trigger: Some(trigger), .. } = &happened.entry else { return Ok(()) };
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
