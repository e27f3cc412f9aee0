//! How a run ends: the world comes to rest, stays at rest, and is then what it is without any fault.

use std::time::Duration;

use kobel_resources::Context;
use kobel_resources::read::local_defaults;
use serde_json::{Value, json};

use crate::entry::ObjectKey;
use crate::gate::Shared;
use crate::invariants::read::{self, DEPLOYMENTS, PAIRS, SESSION_JOBS, SNAPSHOTS};
use crate::invariants::{self, Seen};
use crate::world::World;

/// How long the world may take to come to rest once nothing goes wrong any more.
const LIMIT_MS: i64 = 600_000;
/// How long nothing may happen then: one interval of the controller, and a second.
const SILENCE_MS: i64 = 16_000;
/// How long nothing may happen where something is awaited that only a person can bring about.
const LASTING_MS: i64 = 120_000;
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(200);
/// How many records less a job may have begun with than without faults: what it counts between two checkpoints.
const SLACK: u64 = 1_500;

/// What the condition Settled says of what stays as it is.
const AT_REST: [&str; 5] = ["Settled", "ChangeRefused", "JobFailed", "JobCanceled", "JobManagerMissing"];
/// What it says of what stays as it is unless somebody helps. Where nothing goes wrong any more, what is tried again
/// comes to be done, and what could not be seen is seen: nobody need help there.
const NEEDS_HELP: [&str; 5] =
    ["WaitingForRunningJob", "RestorePointUnknown", "SessionNotReady", "CleanupBlocked", "JobRestarting"];
/// What stands in the configuration of what never rests.
const RESTLESS: [&str; 2] = ["kubernetes.operator.periodic.", "kubernetes.operator.cluster.health-check.enabled"];

/// Whether something stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rest {
    /// It does.
    Final,
    /// It does unless somebody helps.
    Lasting(String),
    /// It does not, or must not.
    Restless(&'static str, String),
}

/// Waits until the world has come to rest and stays so; what keeps it from that breaks the run. No further faults come.
/// It goes on where it was if it is begun again in the same world.
pub async fn settle(shared: &Shared) {
    while let Some(pause) = shared.with(look) {
        tokio::time::sleep(pause).await;
    }
}

/// How long until the next look; absent if the world is at rest, or broken.
fn look(world: &mut World) -> Option<Duration> {
    invariants::check(world);
    if world.broken.is_some() {
        return None;
    }
    let now_ms = world.now_ms;
    let since_ms = match world.seen.settling_ms {
        Some(since_ms) => since_ms,
        None => {
            world.aims.clear();
            world.seen.settling_ms = Some(now_ms);
            now_ms
        }
    };
    let rest = rest(&world.seen);
    let is_restless = world.seen.objects.values().any(|object| never_rests(object));
    let stirred_ms = if is_restless { 0 } else { world.seen.changed_ms };
    let quiet_ms = now_ms - stirred_ms.max(world.seen.quiet_since_ms).max(since_ms);
    let needed_ms = match &rest {
        Rest::Final => Some(SILENCE_MS),
        Rest::Lasting(_) => Some(LASTING_MS),
        Rest::Restless(..) => None,
    };
    if needed_ms.is_some_and(|needed_ms| quiet_ms >= needed_ms) {
        return None;
    }
    if now_ms - since_ms > LIMIT_MS {
        let (invariant, why) = match rest {
            Rest::Restless(invariant, why) => (invariant, why),
            Rest::Lasting(why) => ("silence", format!("something still happens, although {why}")),
            Rest::Final => ("silence", "everything is as it was asked for, and something still happens".to_owned()),
        };
        world.break_with(invariant, why);
        return None;
    }
    let left_ms = needed_ms.map(|needed_ms| needed_ms - quiet_ms);
    Some(left_ms.and_then(|left| u64::try_from(left).ok()).map_or(LOOK, Duration::from_millis))
}

/// Whether the world stays as it is.
fn rest(seen: &Seen) -> Rest {
    if let Some((of, _)) = seen.orphans.first_key_value() {
        let why = format!("processes of {}/{} live, and nothing declares them", of.namespace, of.name);
        return Rest::Restless("nothing_is_left_behind", why);
    }
    let mut found = Rest::Final;
    for (key, object) in &seen.objects {
        match rest_of(seen, key, object) {
            Rest::Final => {}
            lasting @ Rest::Lasting(_) => found = lasting,
            restless @ Rest::Restless(..) => return restless,
        }
    }
    found
}

fn rest_of(seen: &Seen, key: &ObjectKey, object: &Value) -> Rest {
    let restless = |why: &str| Rest::Restless("convergence", format!("{key}: {why}"));
    let is_ours = matches!(key.resource.as_str(), DEPLOYMENTS | SESSION_JOBS | SNAPSHOTS | PAIRS);
    if !is_ours {
        return Rest::Final;
    }
    if read::is_deleting(object) {
        let reason = read::settled(object).map(|settled| settled.reason).unwrap_or_default();
        return match read::finalizers(object).any(|name| !read::is_ours(name)) {
            true if !read::is_held(object) => Rest::Final,
            _ if NEEDS_HELP.contains(&reason) => Rest::Lasting(format!("{key} cannot be deleted: {reason}")),
            _ => restless("it is being deleted"),
        };
    }
    // An error alone may be one that is over.
    let or_error = |needs_help: bool, why: &str| match read::text(object, "/status/error") {
        Some(error) if needs_help || cannot_be_read(object) => Rest::Lasting(format!("{key}: {error}")),
        _ => restless(why),
    };
    match key.resource.as_str() {
        SNAPSHOTS => match read::text(object, "/status/state") {
            Some("COMPLETED" | "FAILED" | "ABANDONED") => Rest::Final,
            state => or_error(false, state.unwrap_or("nothing was said of it")),
        },
        PAIRS => match (read::text(object, "/status/blueGreenState"), read::job_state(object)) {
            (Some("ACTIVE_BLUE" | "ACTIVE_GREEN"), _) | (_, Some("SUSPENDED")) => Rest::Final,
            (state, job) => {
                let needs_help = job == Some("FAILING") || is_kept_by_a_deployment(seen, key);
                or_error(needs_help, state.unwrap_or("nothing was said of it"))
            }
        },
        _ => rest_of_job(seen, key, object),
    }
}

/// Whether a deployment of the name of one of a pair is another's, or says itself what is wrong with it.
fn is_kept_by_a_deployment(seen: &Seen, pair: &ObjectKey) -> bool {
    ["blue", "green"].into_iter().any(|colour| {
        let name = format!("{}-{colour}", pair.name);
        let key = ObjectKey { resource: DEPLOYMENTS.to_owned(), namespace: pair.namespace.clone(), name };
        seen.objects.get(&key).is_some_and(|object| {
            let is_foreign = read::pair_of(&key, object).as_ref() != Some(pair);
            is_foreign || read::text(object, "/status/error").is_some()
        })
    })
}

/// Whether what an object declares cannot be read, so that nothing can be done about it.
fn cannot_be_read(object: &Value) -> bool {
    // As the controller reads it: that the job of a snapshot is not declared makes it no worse to read.
    let is_snapshot = read::text(object, "/kind") == Some("FlinkStateSnapshot");
    let find = |_: &str, _: &str| is_snapshot.then(|| json!({}));
    kobel_resources::read(object, &Context { previous: Some(object), find: &find, defaults: local_defaults() }).is_err()
}

fn rest_of_job(seen: &Seen, key: &ObjectKey, object: &Value) -> Rest {
    let restless = |why: &str| Rest::Restless("convergence", format!("{key}: {why}"));
    let error = read::text(object, "/status/error");
    let Some(settled) = read::settled(object).filter(|settled| settled.generation == read::generation(object)) else {
        // What cannot be read was never carried out, and says only that.
        return match error {
            Some(error) if cannot_be_read(object) => Rest::Lasting(format!("{key}: {error}")),
            _ => restless("nothing was said of what is declared now"),
        };
    };
    let runs = || read::job_id(object).and_then(|id| seen.jobs.get(id)).is_some_and(|job| job.runs());
    // Where the session cluster cannot be asked, what it said last stands.
    if settled.reason != "SessionNotReady" && read::job_state(object) == Some("RUNNING") && !runs() {
        return restless("it says that its job runs, which does not");
    }
    if NEEDS_HELP.contains(&settled.reason) {
        return Rest::Lasting(format!("{key}: {}", settled.reason));
    }
    if !AT_REST.contains(&settled.reason) {
        return restless(&format!("{}: {}", settled.reason, settled.message));
    }
    Rest::Final
}

/// Whether something of an object happens again and again because it was asked for.
fn never_rests(object: &Value) -> bool {
    let configuration = object.pointer("/spec/flinkConfiguration").and_then(Value::as_object);
    let mut keys = configuration.into_iter().flat_map(|options| options.keys());
    keys.any(|key| RESTLESS.iter().any(|restless| key.starts_with(restless)))
}

/// What of a world must be the same whatever went wrong on the way: no ids, no times, no paths, no words for people.
pub fn normalised(world: &World) -> Value {
    let seen = &world.seen;
    let mut objects: Vec<(String, Value)> = Vec::new();
    for (key, object) in &seen.objects {
        let facts = match key.resource.as_str() {
            DEPLOYMENTS | SESSION_JOBS => job_like(object),
            SNAPSHOTS => json!({"state": read::text(object, "/status/state")}),
            PAIRS => json!({
                "state": read::text(object, "/status/blueGreenState"),
                "job": read::job_state(object),
                "spec": object.get("spec"),
            }),
            _ => continue,
        };
        objects.push((name_of(key, object), json!({"deleting": read::is_deleting(object), "facts": facts})));
    }
    objects.sort_by_cached_key(|(name, facts)| (name.clone(), facts.to_string()));
    let living: Vec<Value> = seen
        .living
        .iter()
        .map(|(of, roles)| {
            let roles: Vec<&String> = roles.keys().collect();
            json!({"of": format!("{}/{}", of.namespace, of.name), "roles": roles})
        })
        .collect();
    let jobs: Vec<Value> = seen
        .lineages
        .iter()
        .filter_map(|(of, lineage)| {
            let job = seen.jobs.get(lineage.job.as_ref()?)?;
            Some(json!({"of": format!("{}/{}", of.namespace, of.name), "alive": job.is_alive(), "runs": job.runs()}))
        })
        .collect();
    let objects: Vec<Value> = objects.into_iter().map(|(name, facts)| json!([name, facts])).collect();
    json!({"objects": objects, "processes": living, "jobs": jobs})
}

/// The name of an object; that of a snapshot which a pair has made ends in letters that are never the same.
fn name_of(key: &ObjectKey, object: &Value) -> String {
    let name = match key.name.rsplit_once('-') {
        Some((before, _)) if key.resource == SNAPSHOTS && read::pair_of(key, object).is_some() => before,
        _ => key.name.as_str(),
    };
    format!("{} {}/{name}", key.resource, key.namespace)
}

fn job_like(object: &Value) -> Value {
    let settled = read::settled(object);
    let reconciled = "/status/reconciliationStatus";
    json!({
        "spec": without_origin(object.get("spec")),
        "finalizers": read::finalizers(object).collect::<Vec<_>>(),
        "lifecycle": read::text(object, "/status/lifecycleState"),
        "job": read::job_state(object),
        "jobManager": read::text(object, "/status/jobManagerDeploymentStatus"),
        "reconciliation": read::text(object, &format!("{reconciled}/state")),
        "last": recorded(object, &format!("{reconciled}/lastReconciledSpec")),
        "stable": recorded(object, &format!("{reconciled}/lastStableSpec")),
        "observed": read::observed(object),
        "settled": settled.map(|settled| settled.reason),
        "failed": read::text(object, "/status/error").is_some(),
        "pending": read::triggers(object).count(),
    })
}

/// A recorded spec; how the state was handed over the last time depends on what was there to hand it over.
fn recorded(object: &Value, pointer: &str) -> Option<Value> {
    let recorded: Value = serde_json::from_str(read::text(object, pointer)?).ok()?;
    let mut spec = without_origin(recorded.get("spec"))?;
    if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
        job.remove("upgradeMode");
    }
    Some(spec)
}

/// A spec without the snapshot that it starts from: the path of one that a pair has taken is never the same.
fn without_origin(spec: Option<&Value>) -> Option<Value> {
    let mut spec = spec?.clone();
    if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
        job.remove("initialSavepointPath");
    }
    Some(spec)
}

/// Whether a run has come to what it comes to without faults.
///
/// # Errors
/// The first difference.
pub fn compare(faultless: &World, other: &World) -> Result<(), String> {
    if let Some(difference) = difference(String::new(), &normalised(faultless), &normalised(other)) {
        return Err(difference);
    }
    for (of, lineage) in &faultless.seen.lineages {
        let began = other.seen.lineages.get(of).map_or(0, |lineage| lineage.base.1);
        let expected = lineage.base.1;
        let is_without = expected > 0 && began == 0;
        if is_without || began + SLACK < expected {
            let name = format!("{}/{}", of.namespace, of.name);
            return Err(format!("the job of {name} began with {began} records, and without faults with {expected}"));
        }
    }
    Ok(())
}

/// The first place where two values differ.
fn difference(place: String, one: &Value, other: &Value) -> Option<String> {
    if one == other {
        return None;
    }
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().find_map(|name| {
                let of = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                difference(format!("{place}/{name}"), &of(one), &of(other))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| {
                let name = one.get(0).and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                difference(format!("{place}/{name}"), one, other)
            })
        }
        _ => Some(format!("`{place}` is {other}, and without faults {one}")),
    }
}

#[cfg(test)]
mod tests;
