//! Order: what is done was written down before, what belongs to others stays, and nobody is called without end.

use serde_json::Value;

use super::calls::{LONG_MS, LONG_STORM};
use super::clusters::is_bygone;
use super::read;
use super::seen::Seen;
use crate::call::{Numbered, Port};
use crate::entry::{Entry, Happened, ObjectKey, Verb, Who};

/// For how many seconds in a row there may be too many calls about one thing.
const STORM_SECONDS: u32 = 10;

/// What is started, stopped or asked for stands in the status at that moment.
pub fn intent_comes_first(seen: &Seen, happened: &Happened) -> Result<(), String> {
    match &happened.entry {
        Entry::StartAsked { of, generation, job, .. } => match seen.deployment(of) {
            Some((key, object)) => {
                let (recorded, observed) = (read::job_id(object), read::observed(object));
                let begun = (job.as_deref(), Some(*generation));
                let is_recorded = (recorded, observed) == begun;
                if !is_recorded && !is_bygone(seen, &key, happened.at_ms, begun) {
                    return Err(format!(
                        "{key} was started as job {job:?} of generation {generation}, and its status has job \
                         {recorded:?} of generation {observed:?}"
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        },
        Entry::JobStarted { cluster, lineage, job, .. } if cluster != lineage => {
            let is_return = !seen.is_asked_start(lineage, job);
            match seen.declaring(lineage, cluster) {
                Some((key, object)) if !is_return => {
                    let recorded = read::job_id(object);
                    let is_recorded = recorded == Some(job);
                    if is_recorded || is_bygone(seen, &key, happened.at_ms, (Some(job.as_str()), None)) {
                        Ok(())
                    } else {
                        Err(format!("{key} runs job `{job}`, its status has {recorded:?}"))
                    }
                }
                _ => Ok(()),
            }
        }
        Entry::Called(numbered) => stop_is_recorded(seen, numbered),
        Entry::Snapshot { path, trigger: Some(trigger), .. } => {
            if read::is_scratch(path) || seen.triggers.contains_key(trigger) {
                return Ok(());
            }
            Err(format!("`{path}` was taken under id `{trigger}`, which never stood in a status"))
        }
        _ => Ok(()),
    }
}

fn stop_is_recorded(seen: &Seen, Numbered { call, .. }: &Numbered) -> Result<(), String> {
    if call.port != Port::Rest || call.name != "POST /jobs/:id/stop" {
        return Ok(());
    }
    let job = seen.jobs.get(&call.about);
    let Some((key, object)) = job.and_then(|job| seen.declaring(&job.lineage, &job.cluster)) else { return Ok(()) };
    if read::stop_trigger(object).is_some() {
        return Ok(());
    }
    Err(format!("`{call}` although no such savepoint stands in the status of {key}"))
}

/// An object that the controller changed, as it was and as it is.
fn changed(happened: &Happened) -> Option<(&ObjectKey, &Value, &Value)> {
    match &happened.entry {
        Entry::Wrote {
            verb: Verb::Update, key, before: Some(before), after: Some(after), by: Who::Controller, ..
        } => Some((key, before, after)),
        _ => None,
    }
}

/// The controller takes away no finalizer but its own.
pub fn finalizers_of_others_stay(_: &Seen, happened: &Happened) -> Result<(), String> {
    let Some((key, before, after)) = changed(happened) else { return Ok(()) };
    let is_kept = |name: &&str| read::is_ours(name) || read::finalizers(after).any(|kept| kept == *name);
    match read::finalizers(before).find(|name| !is_kept(name)) {
        Some(name) => Err(format!("the finalizer `{name}` of {key} was taken away")),
        None => Ok(()),
    }
}

/// The controller changes and deletes nothing that a user declared; what belongs to a pair is the pair's.
pub fn users_fields_stay(_: &Seen, happened: &Happened) -> Result<(), String> {
    if let Entry::Wrote { verb: Verb::MarkDeleted | Verb::Delete, key, before: Some(before), by, .. } = &happened.entry
    {
        let is_theirs = *by == Who::Controller && !read::is_deleting(before) && read::pair_of(key, before).is_none();
        return if is_theirs { Err(format!("{key}, which a user declared, was deleted")) } else { Ok(()) };
    }
    let Some((key, before, after)) = changed(happened) else { return Ok(()) };
    if read::pair_of(key, before).is_some() {
        return Ok(());
    }
    for pointer in ["/spec", "/metadata/labels", "/metadata/annotations"] {
        if before.pointer(pointer) != after.pointer(pointer) {
            return Err(format!("`{pointer}` of {key}, which a user declared, was changed"));
        }
    }
    Ok(())
}

/// Nobody is called about one thing without end.
pub fn no_storm(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::Called(numbered) = &happened.entry else { return Ok(()) };
    let about = &numbered.call.about;
    if seen.calls.streak(about) >= STORM_SECONDS {
        return Err(format!("too many calls about `{about}` for {STORM_SECONDS} s"));
    }
    let long = seen.calls.long(about, happened.at_ms);
    if long >= LONG_STORM {
        let seconds = LONG_MS / 1_000;
        return Err(format!("{long} calls about `{about}`, which does not change, in {seconds} s"));
    }
    Ok(())
}
