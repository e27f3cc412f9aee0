//! Clusters and jobs: one of each, none ended that is wanted, none left behind.

use kobel_model::deployment::Identity;

use super::read;
use super::seen::{Seen, identity};
use crate::call::{Numbered, Port};
use crate::entry::{Entry, Happened, ObjectKey, Verb, Who};

/// How long, while nobody interferes, processes may live that nothing declares.
const LEFT_MS: i64 = 60_000;
/// How long after reads were stale something may come that was decided by them.
const STALE_MS: i64 = 60_000;

/// Of one deployment no two launches live.
pub fn one_cluster_per_deployment(seen: &Seen, happened: &Happened) -> Result<(), String> {
    match &happened.entry {
        // Who reads what was there long ago may ask; whether two then live is looked at below.
        Entry::StartAsked { of, beside_living: true, .. } if !is_stale(seen, happened.at_ms) => {
            Err(format!("a start of {}/{} was asked for beside processes of another launch", of.namespace, of.name))
        }
        Entry::Spawned { of, role } => match seen.living.get(of).and_then(|roles| roles.get(role)) {
            Some(_) => Err(format!("two processes `{role}` of {}/{} live", of.namespace, of.name)),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether what is done now may have been decided by reads that were stale.
fn is_stale(seen: &Seen, at_ms: i64) -> bool {
    seen.stale_until_ms > 0 && at_ms <= seen.stale_until_ms.saturating_add(STALE_MS)
}

/// Of one deployment or session job no two jobs live.
pub fn one_job_per_lineage(seen: &Seen, happened: &Happened) -> Result<(), String> {
    let Entry::JobStarted { lineage: of, job, .. } = &happened.entry else { return Ok(()) };
    let Some(lineage) = seen.lineages.get(of) else { return Ok(()) };
    let is_alive = |id: &&String| *id != job && seen.jobs.get(*id).is_some_and(|known| known.is_alive());
    match lineage.jobs.iter().find(is_alive) {
        Some(other) => {
            Err(format!("job `{job}` of {}/{} was started while its job `{other}` lives", of.namespace, of.name))
        }
        None => Ok(()),
    }
}

/// What is declared, and runs as declared, is not ended.
pub fn declared_jobs_are_not_ended(seen: &Seen, happened: &Happened) -> Result<(), String> {
    match &happened.entry {
        Entry::Called(numbered) => not_ended(seen, numbered),
        Entry::Wrote {
            verb: Verb::MarkDeleted | Verb::Delete, key, before: Some(before), by: Who::Controller, ..
        } if key.resource == read::DEPLOYMENTS && !read::is_deleting(before) => succeeded(seen, key),
        _ => Ok(()),
    }
}

fn not_ended(seen: &Seen, Numbered { call, .. }: &Numbered) -> Result<(), String> {
    let object = match (call.port, call.name) {
        // Of what was lost nothing is ended.
        (Port::Host, "end") => {
            let living = identity(&call.about).filter(|of| seen.living.contains_key(of));
            living.and_then(|of| seen.deployment(&of))
        }
        (Port::Rest, "PATCH /jobs/:id" | "POST /jobs/:id/stop") => {
            let job = seen.jobs.get(&call.about);
            job.and_then(|job| seen.declaring(&job.lineage, &job.cluster))
        }
        _ => None,
    };
    let Some((key, object)) = object else { return Ok(()) };
    // Whoever ends something has written down before what is awaited, so the status is not settled any more.
    let runs = !read::has_job(object) || read::job_state(object) == Some("RUNNING");
    if runs && read::is_settled(object) && !read::is_deleting(object) {
        return Err(format!("`{call}` although {key} is declared, runs, and is settled"));
    }
    Ok(())
}

/// A deployment of a pair is deleted only if it does not serve, or the other one has come to run.
fn succeeded(seen: &Seen, key: &ObjectKey) -> Result<(), String> {
    let Some(object) = seen.objects.get(key) else { return Ok(()) };
    let Some(pair) = read::pair_of(key, object).and_then(|pair| seen.objects.get(&pair)) else { return Ok(()) };
    let wants = pair.pointer("/spec/template/spec").is_none_or(read::wants_running);
    if read::is_deleting(pair) || !wants || read::job_state(object) != Some("RUNNING") {
        return Ok(());
    }
    let sibling = read::sibling(key);
    let declared = sibling.as_ref().and_then(|sibling| seen.declared.get(sibling));
    if declared.is_some_and(|declared| declared.has_run) {
        return Ok(());
    }
    Err(format!("{key}, which serves, was deleted before the other of its pair has run"))
}

/// What is started is held, and let go of only when nothing of it lives; what nobody declares ends.
pub fn nothing_is_left_behind(seen: &Seen, happened: &Happened) -> Result<(), String> {
    for (of, since) in &seen.orphans {
        if happened.at_ms - (*since).max(seen.quiet_since_ms) > LEFT_MS {
            return Err(format!("processes of {}/{} live, and nothing declares them", of.namespace, of.name));
        }
    }
    match &happened.entry {
        Entry::StartAsked { of, generation, job, .. } => match seen.deployment(of) {
            Some((key, object)) if !read::is_held(object) => {
                let begun = (job.as_deref(), Some(*generation));
                if is_bygone(seen, &key, happened.at_ms, begun) {
                    return Ok(());
                }
                Err(format!("{key} was started without a finalizer that holds it"))
            }
            _ => Ok(()),
        },
        Entry::JobStarted { cluster, lineage, job, .. } => match seen.declaring(lineage, cluster) {
            Some((key, object)) if !read::is_held(object) => {
                if is_bygone(seen, &key, happened.at_ms, (Some(job.as_str()), None)) {
                    return Ok(());
                }
                Err(format!("the job of {key} was started without a finalizer that holds it"))
            }
            _ => Ok(()),
        },
        Entry::Wrote { key, before: Some(before), after, by: Who::Controller, .. } => {
            let is_held = after.as_ref().is_some_and(|after| read::is_held(after));
            if read::is_held(before) && !is_held { let_go(seen, key, happened.at_ms) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Whether the start of this job, of this generation if that is known, stood in the status of an object that the
/// present one of its name has just followed: what was begun for that one may still come, and nothing else.
pub fn is_bygone(seen: &Seen, key: &ObjectKey, at_ms: i64, (job, generation): (Option<&str>, Option<i64>)) -> bool {
    let Some(declared) = seen.declared.get(key) else { return false };
    let is_recent = declared.is_reborn && at_ms - declared.created_ms < LEFT_MS;
    let is_it = |of: &Option<String>, at: i64| of.as_deref() == job && generation.is_none_or(|known| known == at);
    is_recent && declared.bygone.iter().any(|(of, at)| is_it(of, *at))
}

fn let_go(seen: &Seen, key: &ObjectKey, at_ms: i64) -> Result<(), String> {
    let of = Identity { namespace: key.namespace.clone(), name: key.name.clone() };
    if key.resource == read::DEPLOYMENTS {
        if seen.lives(&of) {
            return Err(format!("{key} was let go of while processes of it live"));
        }
        if seen.launched.contains(&of) {
            return Err(format!("{key} was let go of before what its launch has left was cleared away"));
        }
    }
    if key.resource == read::SESSION_JOBS {
        let id = seen.lineages.get(&of).and_then(|lineage| lineage.job.as_ref());
        let job = id.filter(|id| !is_bygone(seen, key, at_ms, (Some(id.as_str()), None)));
        let job = job.and_then(|id| seen.jobs.get(id));
        let is_home_kept = |cluster| seen.deployment(cluster).is_some_and(|(_, object)| !read::is_deleting(object));
        if job.is_some_and(|job| job.is_alive() && is_home_kept(&job.cluster)) {
            return Err(format!("{key} was let go of while its job lives"));
        }
    }
    Ok(())
}
