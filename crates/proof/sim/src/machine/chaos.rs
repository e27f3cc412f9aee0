//! What scripts and chance do to the machine.

use kobel_model::deployment::Identity;
use kobel_rest::states::JobStatus;

use super::cluster;
use super::disk;
use super::jobs::{self, Then};
use super::schedule::{dispose, later};
use super::state::What;
use crate::entry::{Entry, Who};
use crate::world::World;

/// How a process ends that is killed.
const KILLED: &str = "killed by SIGKILL";

/// Kills the process of a role; `*` kills all of a deployment.
///
/// # Errors
/// There is none that runs.
pub fn kill(world: &mut World, of: &Identity, role: &str) -> Result<(), String> {
    let living = world.machine.launches.get(of).map(|launched| launched.living()).unwrap_or_default();
    let hit: Vec<String> = living.into_iter().filter(|living| role == "*" || living == role).collect();
    if hit.is_empty() {
        return Err(format!("`{}` has no process `{role}` that runs", cluster::name(of)));
    }
    for role in hit {
        cluster::exit(world, of, (role.as_str(), KILLED), Who::Cluster);
    }
    Ok(())
}

/// Kills every process of the machine. What was launched there cannot be gone on with.
pub fn lose_node(world: &mut World) {
    for (of, role) in world.machine.processes() {
        cluster::exit(world, &of, (role.as_str(), KILLED), Who::Cluster);
    }
    for launched in world.machine.launches.values_mut() {
        launched.is_of_this_boot = false;
    }
}

/// The job of a deployment or session job fails.
pub fn fail_job(world: &mut World, of: &Identity, why: &str, then: Then) {
    match living(world, of) {
        Some(id) => jobs::fail(world, &id, why, then),
        None => world.tell(Entry::User(format!("no job of `{}` runs, so none fails", cluster::name(of)))),
    }
}

/// The job of a deployment or session job ends by itself, and well.
pub fn finish_job(world: &mut World, of: &Identity) {
    match living(world, of) {
        Some(id) => jobs::end_with(world, &id, JobStatus::Finished, None),
        None => world.tell(Entry::User(format!("no job of `{}` runs, so none finishes", cluster::name(of)))),
    }
}

fn living(world: &World, of: &Identity) -> Option<String> {
    world.machine.job_of(of).filter(|job| job.is_known && !job.is_over()).map(|job| job.id.clone())
}

/// From now on this does not go on.
pub fn hold(world: &mut World, what: What) {
    world.machine.holds.insert(what);
}

/// It goes on again, and what was held happens now.
pub fn release(world: &mut World, what: What) {
    world.machine.holds.remove(&what);
    let held = std::mem::take(&mut world.machine.held);
    let (goes_on, stays): (Vec<_>, Vec<_>) = held.into_iter().partition(|(of, _)| *of == what);
    world.machine.held = stays;
    for (_, due) in goes_on {
        later(world, 0, due);
    }
}

/// Snapshots can be neither read nor written for so long.
pub fn break_disk(world: &mut World, for_ms: i64) {
    let until = world.now_ms.saturating_add(for_ms);
    world.machine.disk.fail_until(until);
}

/// A snapshot is lost, however its path is written.
pub fn lose(world: &mut World, path: &str) {
    dispose(world, &disk::place(path), Who::User);
}
