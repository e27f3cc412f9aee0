//! State: what a job starts from is the newest there is of its own.

use std::collections::BTreeMap;

use super::read;
use super::seen::{Lineage, Seen, Terms};
use crate::entry::{Entry, Happened, ObjectKey};

/// A job starts from the newest state that the one before it has left, unless the declaration throws it away.
pub fn state_is_handed_over(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::JobStarted { cluster, lineage: of, job, from, count, newest } = &happened.entry else { return Ok(()) };
    let Some(lineage) = seen.lineages.get(of) else { return Ok(()) };
    let from = from.as_deref().map(read::plain);
    // A start from what is not there comes to nothing, and Flink's own return is Flink's.
    let is_missing = from.is_some_and(|from| *count == 0 && !seen.snapshots.contains_key(from));
    if is_missing || !seen.is_asked_start(of, job) {
        return Ok(());
    }
    let (required, path) = lineage.required();
    // What a person took from the disk cannot be asked for.
    let required = required.min(*newest);
    if *count >= required {
        return Ok(());
    }
    let Some((key, object)) = seen.declaring(of, cluster) else { return Ok(()) };
    let Some(observed) = read::observed(object) else { return Ok(()) };
    if may_lose_state(seen, &key, lineage, observed) {
        return Ok(());
    }
    let from = from.unwrap_or("nothing");
    let path = path.unwrap_or("a snapshot that is gone");
    Err(format!("job `{job}` of {key} started from {from} with {count} records, and `{path}` has {required}"))
}

/// Whether the declarations up to this generation allow that the state is lost which the present job has.
pub fn may_lose_state(seen: &Seen, key: &ObjectKey, lineage: &Lineage, generation: i64) -> bool {
    let terms = seen.declared.get(key).map(|declared| &declared.terms);
    terms.is_none_or(|terms| is_thrown_away(terms, lineage, generation))
}

/// Whether one of the declarations since the last start asked for no state, or for another one.
fn is_thrown_away(terms: &BTreeMap<i64, Terms>, lineage: &Lineage, observed: i64) -> bool {
    let before = lineage.generation;
    let redeploy = terms.get(&before).and_then(|terms| terms.redeploy);
    let first = if observed > before { before + 1 } else { observed };
    if first > observed {
        return false;
    }
    let mut since = terms.range(first..=observed);
    since.any(|(_, terms)| terms.is_stateless || (terms.redeploy.is_some() && terms.redeploy != redeploy))
}

/// A job starts from a snapshot of its own, or from one that its declaration names.
pub fn foreign_state_is_never_taken(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::JobStarted { lineage: of, job, from: Some(from), count, .. } = &happened.entry else { return Ok(()) };
    let from = read::plain(from);
    let lineage = seen.lineages.get(of);
    if lineage.is_some_and(|lineage| lineage.named.contains(from)) {
        return Ok(());
    }
    let whose = match seen.snapshots.get(from) {
        // It is gone, and the start comes to nothing.
        None if *count == 0 => return Ok(()),
        None => "one that no job here has taken".to_owned(),
        Some(snapshot) if snapshot.lineage != *of => {
            format!("one of {}/{}", snapshot.lineage.namespace, snapshot.lineage.name)
        }
        Some(snapshot) if lineage.is_some_and(|lineage| lineage.jobs.contains(&snapshot.job)) => return Ok(()),
        Some(snapshot) => format!("one of job `{}`, whose declaration is gone", snapshot.job),
    };
    Err(format!("job `{job}` of {}/{} started from `{from}`, {whose}", of.namespace, of.name))
}

/// No job starts from what was only written to be looked at: the start itself clears it away.
pub fn scratch_is_never_started_from(_: &Seen, happened: &Happened) -> Result<(), String> {
    match &happened.entry {
        Entry::JobStarted { lineage: of, job, from: Some(from), .. } if read::is_scratch(from) => {
            Err(format!("job `{job}` of {}/{} started from the scratch file `{from}`", of.namespace, of.name))
        }
        _ => Ok(()),
    }
}
