//! The machine on which deployments run: processes that are spawned and end, jobs that count records and take snapshots
//! of their counts, and a disk with snapshots and with what looks like them.
//!
//! ```text
//! Host (host.rs) ──▶ cluster ──▶ jobs ──▶ disk
//! REST (rest.rs) ──────────────▶ jobs, taking
//! due, chaos ──────▶ cluster, jobs, taking
//! ```
//!
//! # Invariant
//! State is content. A job that was started without its snapshot counts from nothing, and a snapshot holds the count of
//! the moment at which it was begun, so whoever loses state is seen to.

mod bait;
mod chaos;
mod cluster;
mod disk;
mod exceptions;
mod host;
mod job;
mod jobs;
mod launch;
mod operations;
mod processes;
mod rest;
mod schedule;
mod state;
mod taking;

pub use chaos::{break_disk, fail_job, finish_job, hold, kill, lose, lose_node, release};
pub use disk::{address, is_scratch, place};
pub use host::host;
pub use job::Job;
pub use jobs::Then;
pub use rest::flink;
pub use state::{Due, Machine, Step, What};

use kobel_rest::states::JobStatus;

use crate::entry::SnapshotKind;
use crate::world::World;

/// Lets happen what is due, unless it is held.
pub fn fire(world: &mut World, due: Due) {
    if let Some(what) = class(&world.machine, &due)
        && world.machine.holds.contains(&what)
    {
        world.machine.held.push((what, due));
        return;
    }
    match due {
        Due::Up { of, role, pid } => cluster::up(world, &of, &role, pid),
        Due::Exits { of, role, pid } => cluster::exit_as_asked(world, &of, &role, pid),
        Due::Elected { of, launch } => cluster::elect(world, &of, launch),
        Due::Steps { job, attempt, step } => jobs::step(world, &job, attempt, step),
        Due::Checkpoint { job, attempt } => taking::due(world, &job, attempt),
        Due::Taken { job, attempt, number } => taking::complete(world, &job, attempt, number),
        Due::Told { of, end } => taking::told(world, of, end),
    }
}

/// What holds it.
fn class(machine: &Machine, due: &Due) -> Option<What> {
    match due {
        Due::Up { .. } => Some(What::Starts),
        Due::Exits { .. } => Some(What::Ends),
        Due::Steps { step: Step::Created, .. } => Some(What::Starts),
        Due::Steps { job, step: Step::Scheduled, .. } => {
            let job = machine.jobs.get(job).filter(|job| job.status == JobStatus::Restarting);
            job.map(|_| What::Restarts)
        }
        Due::Taken { job, number, .. } => match machine.jobs.get(job)?.flights.get(number)?.kind {
            SnapshotKind::Savepoint => Some(What::Savepoints),
            SnapshotKind::Checkpoint => Some(What::Checkpoints),
        },
        Due::Elected { .. } | Due::Steps { .. } | Due::Checkpoint { .. } | Due::Told { .. } => None,
    }
}

#[cfg(test)]
mod tests;
