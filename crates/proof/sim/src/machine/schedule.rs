//! What comes later on the machine, and what the time is there.

use super::disk;
use super::state::{Due, Step};
use crate::entry::{Entry, Who};
use crate::world::{self, World};

/// Lets something happen on the machine later.
pub fn later(world: &mut World, in_ms: i64, due: Due) {
    world.later(in_ms, world::Due::Machine(due));
}

/// Lets a job come further later, if nothing comes between.
pub fn step_later(world: &mut World, in_ms: i64, job: &str, step: Step) {
    let Some(attempt) = world.machine.jobs.get(job).map(|job| job.attempt) else { return };
    later(world, in_ms, Due::Steps { job: job.to_owned(), attempt, step });
}

/// The time of day, in milliseconds since 1970.
pub fn time_of_day(world: &World) -> i64 {
    world.timestamp().as_millisecond()
}

/// A snapshot is gone.
pub fn dispose(world: &mut World, place: &str, by: Who) {
    if world.machine.disk.take(place).is_some() && !disk::is_scratch(place) {
        world.tell(Entry::Disposed { path: disk::address(place), by });
    }
}
