//! Snapshots: asked for or due, taken, and told.
//!
//! # Invariant
//! A snapshot lies whole on the disk before anybody is told of it, and a job that is stopped with one has ended before
//! that is told: whoever loses the JobManager in between hears of neither.

use kobel_manifest::engine::Engine;

use super::disk::{self, Stored, savepoint_name};
use super::exceptions::{CHECKPOINT, COMPLETION, NO_JOB};
use super::job::{Flight, Job, Point, Taken};
use super::operations::{Operation, OperationKey, OperationKind};
use super::schedule::{dispose, later, step_later, time_of_day};
use super::state::{Due, Step};
use crate::entry::{Entry, SnapshotKind, Who};
use crate::world::World;

/// How long after its savepoint a job that is stopped has ended.
const STOPPED_MS: i64 = 50;
/// How long after its savepoint is told what has become of the stop.
const TOLD_MS: i64 = 100;
/// The most snapshots that a JobManager remembers.
const REMEMBERED: usize = 20;

/// What somebody asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Under which id, and of which job.
    pub key: OperationKey,
    /// Where it goes; absent for where the job was told.
    pub directory: Option<String>,
    /// Whether the job is stopped with it.
    pub stops: bool,
}

/// Somebody asks for a snapshot. Who asks under the same id asks for the same one.
pub fn ask(world: &mut World, asked: Asked) {
    let Asked { key, directory, stops } = asked;
    if world.machine.operations.contains_key(&key) {
        return;
    }
    let refusal = match world.machine.jobs.get(&key.job) {
        Some(job) if job.cluster == key.cluster && job.is_known && !job.is_over() => refusal(job),
        _ => Some((COMPLETION, format!("{NO_JOB}: Could not find Flink job ({})", key.job))),
    };
    if let Some((class, why)) = refusal {
        world.machine.operations.insert(key, Operation::Failed(class, why));
        return;
    }
    let kind = match key.kind {
        OperationKind::Savepoint => SnapshotKind::Savepoint,
        OperationKind::Checkpoint => SnapshotKind::Checkpoint,
    };
    world.machine.operations.insert(key.clone(), Operation::InProgress);
    let id = key.job.clone();
    let flight = Flight { kind, count: 0, begun_ms: 0, asked: Some(key), directory, stops };
    begin(world, &id, flight);
}

/// Why a job can take none now.
fn refusal(job: &Job) -> Option<(&'static str, String)> {
    if !job.is_running() {
        return Some((
            CHECKPOINT,
            "Checkpoint triggering task is not being executed at the moment. Aborting.".to_owned(),
        ));
    }
    job.is_stopping().then(|| (CHECKPOINT, "Checkpoint Coordinator is suspending.".to_owned()))
}

/// A checkpoint is due.
pub fn due(world: &mut World, id: &str, attempt: u32) {
    let Some(job) = world.machine.jobs.get(id).filter(|job| job.attempt == attempt) else { return };
    let interval = job.settings.interval_ms;
    if refusal(job).is_none() {
        let kind = SnapshotKind::Checkpoint;
        begin(world, id, Flight { kind, count: 0, begun_ms: 0, asked: None, directory: None, stops: false });
    }
    if let Some(interval) = interval {
        later(world, interval, Due::Checkpoint { job: id.to_owned(), attempt });
    }
}

/// The records that were counted by now are written down.
fn begin(world: &mut World, id: &str, flight: Flight) {
    let (now_ms, begun_ms) = (world.now_ms, time_of_day(world));
    let takes_ms = match flight.kind {
        SnapshotKind::Savepoint => world.knobs.savepoint_ms,
        SnapshotKind::Checkpoint => world.knobs.checkpoint_ms,
    };
    let Some(job) = world.machine.jobs.get_mut(id) else { return };
    if flight.stops {
        // Sources give no more behind the last barrier.
        job.halt(now_ms);
    }
    let (number, attempt, count) = (job.next, job.attempt, job.count(now_ms));
    job.next = job.next.saturating_add(1);
    job.flights.insert(number, Flight { count, begun_ms, ..flight });
    later(world, takes_ms, Due::Taken { job: id.to_owned(), attempt, number });
}

/// What was written down is complete, if it can be.
pub fn complete(world: &mut World, id: &str, attempt: u32, number: u64) {
    let (now_ms, at_ms) = (world.now_ms, time_of_day(world));
    let is_broken = world.machine.disk.is_broken(now_ms);
    let suffix = world.machine.draw();
    let Some(job) = world.machine.jobs.get_mut(id).filter(|job| job.attempt == attempt) else { return };
    let Some(flight) = job.flights.remove(&number) else { return };
    let place = place_of(job, &flight, number, suffix).filter(|_| !is_broken);
    let Some(place) = place else {
        job.memory.failed = job.memory.failed.saturating_add(1);
        if flight.stops {
            job.go_on(now_ms);
        }
        let why = "An Exception occurred while triggering the checkpoint. IO-problem detected.".to_owned();
        if let Some(key) = flight.asked {
            world.machine.operations.insert(key, Operation::Failed(CHECKPOINT, why));
        }
        return;
    };
    let taken = Taken {
        number,
        place: place.clone(),
        kind: flight.kind,
        begun_ms: flight.begun_ms,
        at_ms,
        stops: flight.stops,
    };
    job.memory.taken.push(taken);
    job.memory.completed = job.memory.completed.saturating_add(1);
    if flight.kind == SnapshotKind::Checkpoint {
        job.point = Some(Point { place: place.clone(), count: flight.count });
    }
    let told = match job.settings.engine {
        Engine::Native => disk::address(&place),
        // As Java writes the address of a path.
        Engine::Flink => disk::address(&place).replacen("file:///", "file:/", 1),
    };
    let subsumed = subsumed(job);
    let forgotten = job.memory.taken.len().saturating_sub(REMEMBERED);
    job.memory.taken.drain(..forgotten);
    let (lineage, job_id, kind) = (job.lineage.clone(), job.id.clone(), flight.kind);
    let file_ms = at_ms.saturating_add(world.knobs.disk_skew_ms);
    let stored = Stored {
        lineage: lineage.clone(),
        job: job_id.clone(),
        count: flight.count,
        kind,
        at_ms: file_ms,
        is_whole: true,
    };
    world.machine.disk.put(&place, stored);
    let trigger = flight.asked.as_ref().map(|key| key.trigger.clone());
    let (path, count, stops) = (disk::address(&place), flight.count, flight.stops);
    world.tell(Entry::Snapshot { path, job: job_id, lineage, count, kind, trigger, stops });
    for place in subsumed {
        dispose(world, &place, Who::Cluster);
    }
    tell(world, id, flight, Operation::Completed(number, told));
}

/// Somebody is told what has become of a snapshot; a job that was stopped with it ends before.
fn tell(world: &mut World, id: &str, flight: Flight, end: Operation) {
    let Some(key) = flight.asked else { return };
    if flight.stops {
        step_later(world, STOPPED_MS, id, Step::Finished);
        later(world, TOLD_MS, Due::Told { of: key, end });
    } else {
        world.machine.operations.insert(key, end);
    }
}

/// What has become of an operation is known, if there still is who was asked.
pub fn told(world: &mut World, key: OperationKey, end: Operation) {
    if let Some(operation) = world.machine.operations.get_mut(&key) {
        *operation = end;
    }
}

/// Where a snapshot goes; nowhere if nobody has said.
fn place_of(job: &Job, flight: &Flight, number: u64, suffix: u32) -> Option<String> {
    match flight.kind {
        SnapshotKind::Checkpoint => {
            let folder = job.settings.checkpoints.as_deref()?;
            Some(format!("{folder}/{}/chk-{number}", job.id))
        }
        SnapshotKind::Savepoint => {
            let said = flight.directory.as_deref().map(disk::place);
            let folder = said.or_else(|| job.settings.savepoints.clone())?;
            Some(format!("{folder}/{}", savepoint_name(&job.id, &format!("{suffix:012x}"))))
        }
    }
}

/// The checkpoints of a job that it keeps no longer. What it was started from is not its own.
fn subsumed(job: &Job) -> Vec<String> {
    let own = job.memory.taken.iter().filter(|taken| taken.kind == SnapshotKind::Checkpoint);
    own.rev().skip(job.settings.kept).map(|taken| taken.place.clone()).collect()
}
