//! The lives of jobs: made, run, failed, cancelled, lost with their JobManager and taken up by another one.

use kobel_model::deployment::Identity;
use kobel_rest::states::JobStatus;

use super::bait;
use super::disk;
use super::exceptions::{CHECKPOINT, NOT_MADE};
use super::job::{Birth, Job, Memory, Point, Tasks};
use super::launch::Retention;
use super::operations::Operation;
use super::schedule::{dispose, later, step_later, time_of_day};
use super::state::{Due, Step};
use crate::entry::{Entry, SnapshotKind, Who};
use crate::world::World;

/// What becomes of a job that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It starts again.
    Restarts,
    /// It has failed for good.
    FailsForGood,
}

/// A job begins.
pub fn begin(world: &mut World, birth: Birth) {
    let at_ms = time_of_day(world);
    let machine = &mut world.machine;
    let born = machine.draw();
    let (id, restore) = (birth.id.clone(), birth.restore.as_deref().map(disk::place));
    let before = machine.jobs.get(&id).map_or(0, |job| job.starts);
    bait::lay(&mut machine.disk, &birth.settings, &id, at_ms);
    let mut job = Job::new(birth, born, at_ms);
    job.starts = before.saturating_add(1);
    job.point = restore.map(|place| {
        let count = machine.disk.whole(&place).map_or(0, |stored| stored.count);
        Point { place, count }
    });
    job.next = job.point.as_ref().map_or(1, |point| next_after(&point.place));
    let newest = machine.disk.most_of(&job.lineage);
    machine.jobs.insert(id.clone(), job);
    come_up(world, &id, Some(newest));
}

/// A JobManager takes up the jobs of a cluster that another one of the same launch has lost.
pub fn take_up(world: &mut World, cluster: &Identity, launch: u32) {
    let is_lost = |job: &&Job| job.cluster == *cluster && job.launch == launch && !job.is_known && !job.is_over();
    let lost: Vec<String> = world.machine.jobs.values().filter(is_lost).map(|job| job.id.clone()).collect();
    let at_ms = time_of_day(world);
    for id in lost {
        let Some(job) = world.machine.jobs.get_mut(&id) else { continue };
        job.is_known = true;
        job.starts = job.starts.saturating_add(1);
        (job.started_ms, job.doomed) = (at_ms, None);
        // It goes on from the newest checkpoint that it knows, whatever else was taken.
        come_up(world, &id, None);
    }
}

/// A job is being made, from what it goes on from. What it could have gone on from is told with it.
fn come_up(world: &mut World, id: &str, newest: Option<u64>) {
    let (at_ms, attempt) = (time_of_day(world), world.machine.draw());
    let machine = &mut world.machine;
    let Some(job) = machine.jobs.get_mut(id) else { return };
    job.turn(attempt);
    let gone = job.point.as_ref().filter(|point| machine.disk.whole(&point.place).is_none());
    if let Some(point) = gone {
        job.doomed = Some(cannot_be_made(&point.place));
    }
    // What cannot be made has nothing, whatever it was to start from.
    let count = job.point.as_ref().filter(|_| job.doomed.is_none()).map_or(0, |point| point.count);
    job.go_back(count);
    job.from = job.point.as_ref().map(|point| disk::address(&point.place));
    if let Some(point) = job.point.as_ref().filter(|_| job.doomed.is_none()) {
        job.memory.restored = Some((point.place.clone(), at_ms));
        job.memory.restores = job.memory.restores.saturating_add(1);
    }
    let started = Entry::JobStarted {
        cluster: job.cluster.clone(),
        lineage: job.lineage.clone(),
        job: id.to_owned(),
        from: job.from.clone(),
        count,
        newest: newest.unwrap_or(count),
    };
    world.tell(started);
    enter(world, id, JobStatus::Initializing);
    let start_ms = world.knobs.start_ms;
    step_later(world, start_ms / 8, id, Step::Created);
}

/// A job comes further.
pub fn step(world: &mut World, id: &str, attempt: u32, step: Step) {
    let Some(job) = world.machine.jobs.get(id).filter(|job| job.attempt == attempt) else { return };
    let pause = world.knobs.start_ms / 8;
    match step {
        Step::Created => match job.doomed.clone() {
            Some(why) => end_with(world, id, JobStatus::Failed, Some(&why)),
            None => {
                enter(world, id, JobStatus::Created);
                step_later(world, pause, id, Step::Scheduled);
            }
        },
        Step::Scheduled => schedule(world, id, pause),
        Step::Deployed => deploy(world, id),
        Step::Canceled => end_with(world, id, JobStatus::Canceled, None),
        Step::Finished => end_with(world, id, JobStatus::Finished, None),
    }
}

/// The tasks of a job are made, as soon as there are those who do them. It says that it runs from here on.
fn schedule(world: &mut World, id: &str, pause: i64) {
    let machine = &mut world.machine;
    let Some(job) = machine.jobs.get_mut(id) else { return };
    let can_work = machine.launches.get(&job.cluster).is_some_and(|launched| launched.can_work());
    job.is_waiting = !can_work;
    if can_work {
        job.tasks = Tasks::Initializing;
        (job.status, job.state) = (JobStatus::Running, JobStatus::Running.as_str());
        step_later(world, pause.saturating_mul(2), id, Step::Deployed);
    }
}

fn deploy(world: &mut World, id: &str) {
    let now_ms = world.now_ms;
    let Some(job) = world.machine.jobs.get_mut(id) else { return };
    job.tasks = Tasks::Running;
    job.go_on(now_ms);
    let (interval, attempt) = (job.settings.interval_ms, job.attempt);
    enter(world, id, JobStatus::Running);
    if let Some(interval) = interval {
        later(world, interval, Due::Checkpoint { job: id.to_owned(), attempt });
    }
}

/// Task managers have come: jobs that waited for them go on.
pub fn go_on(world: &mut World, cluster: &Identity) {
    let known = world.machine.known_jobs(cluster).into_iter();
    let waiting: Vec<String> = known.filter(|job| job.is_waiting).map(|job| job.id.clone()).collect();
    let pause = world.knobs.start_ms / 8;
    for id in waiting {
        step_later(world, pause, &id, Step::Scheduled);
    }
}

/// A task manager is gone: every job of its cluster fails.
pub fn lose_tasks(world: &mut World, cluster: &Identity, why: &str) {
    let known = world.machine.known_jobs(cluster).into_iter();
    let with_tasks =
        known.filter(|job| !job.is_over() && job.status != JobStatus::Cancelling && job.tasks != Tasks::None);
    let hit: Vec<(String, Then)> = with_tasks.map(|job| (job.id.clone(), Then::of(job))).collect();
    for (id, then) in hit {
        fail(world, &id, why, then);
    }
}

impl Then {
    /// What a job is told to do.
    fn of(job: &Job) -> Self {
        if job.settings.restarts { Self::Restarts } else { Self::FailsForGood }
    }
}

/// A job fails.
pub fn fail(world: &mut World, id: &str, why: &str, then: Then) {
    if then == Then::FailsForGood {
        end_with(world, id, JobStatus::Failed, Some(why));
        return;
    }
    let (at_ms, attempt) = (time_of_day(world), world.machine.draw());
    give_up_snapshots(world, id, why);
    let machine = &mut world.machine;
    let Some(job) = machine.jobs.get_mut(id).filter(|job| job.is_known && !job.is_over()) else { return };
    job.turn(attempt);
    job.memory.failures.push((at_ms, why.to_owned()));
    job.memory.restarts = job.memory.restarts.saturating_add(1);
    let point = job.point.clone();
    job.go_back(point.as_ref().map_or(0, |point| point.count));
    (job.tasks, job.is_waiting) = (Tasks::None, false);
    let gone = point.filter(|point| machine.disk.whole(&point.place).is_none());
    if let Some(point) = gone {
        end_with(world, id, JobStatus::Failed, Some(&not_there(&point.place)));
        return;
    }
    enter(world, id, JobStatus::Restarting);
    let pause = world.knobs.start_ms / 2;
    step_later(world, pause, id, Step::Scheduled);
}

/// A job is cancelled.
pub fn cancel(world: &mut World, id: &str) {
    let (now_ms, attempt) = (world.now_ms, world.machine.draw());
    give_up_snapshots(world, id, "The job is being cancelled.");
    let Some(job) = world.machine.jobs.get_mut(id).filter(|job| job.status != JobStatus::Cancelling) else { return };
    job.turn(attempt);
    job.halt(now_ms);
    job.is_waiting = false;
    enter(world, id, JobStatus::Cancelling);
    let cancel_ms = world.knobs.cancel_ms;
    step_later(world, cancel_ms, id, Step::Canceled);
}

/// A job has ended for good.
pub fn end_with(world: &mut World, id: &str, status: JobStatus, why: Option<&str>) {
    let (now_ms, at_ms, attempt) = (world.now_ms, time_of_day(world), world.machine.draw());
    give_up_snapshots(world, id, why.unwrap_or("The job has ended."));
    let Some(job) = world.machine.jobs.get_mut(id).filter(|job| job.is_known && !job.is_over()) else { return };
    job.turn(attempt);
    job.halt(now_ms);
    job.flights.clear();
    (job.ended_ms, job.is_waiting) = (Some(at_ms), false);
    job.memory.failures.extend(why.map(|why| (at_ms, why.to_owned())));
    let retention = job.settings.retention;
    enter(world, id, status);
    let is_kept = match retention {
        Retention::Never => false,
        Retention::OnFailure => status == JobStatus::Failed,
        Retention::OnCancellation => status != JobStatus::Finished,
        Retention::Always => true,
    };
    if !is_kept {
        discard(world, id);
    }
}

/// The JobManager of a cluster is gone, and with it what it remembered.
pub fn lose(world: &mut World, cluster: &Identity, loss: Loss) {
    let now_ms = world.now_ms;
    let known: Vec<String> = world.machine.known_jobs(cluster).into_iter().map(|job| job.id.clone()).collect();
    world.machine.operations.retain(|key, _| key.cluster != *cluster);
    world.machine.jars.retain(|(of, _)| of != cluster);
    for id in known {
        let attempt = world.machine.draw();
        let Some(job) = world.machine.jobs.get_mut(&id) else { continue };
        job.turn(attempt);
        job.halt(now_ms);
        job.flights.clear();
        (job.is_known, job.is_waiting, job.tasks) = (false, false, Tasks::None);
        job.memory = Memory::default();
        if job.is_over() {
            continue;
        }
        let retention = job.settings.retention;
        // Told only: whoever takes it up goes on with it, and whoever does not will never say that it has ended.
        enter(world, &id, JobStatus::Suspended);
        if loss == Loss::Orderly && matches!(retention, Retention::Never | Retention::OnFailure) {
            discard(world, &id);
        }
    }
}

/// How a JobManager was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It could tidy up, and nobody will take up its jobs.
    Orderly,
    /// It was killed, or another one takes up its jobs.
    Sudden,
}

/// A job has another state, and says so.
pub fn enter(world: &mut World, id: &str, status: JobStatus) {
    let (now_ms, at_ms) = (world.now_ms, time_of_day(world));
    let Some(job) = world.machine.jobs.get_mut(id) else { return };
    (job.status, job.state, job.changed_ms) = (status, status.as_str(), at_ms);
    let told = Entry::JobState { job: id.to_owned(), state: status.as_str(), count: job.count(now_ms) };
    world.tell(told);
}

/// The snapshots that are being taken are not completed.
fn give_up_snapshots(world: &mut World, id: &str, why: &str) {
    let machine = &mut world.machine;
    let Some(job) = machine.jobs.get_mut(id) else { return };
    for flight in std::mem::take(&mut job.flights).into_values() {
        job.memory.failed = job.memory.failed.saturating_add(1);
        if let Some(key) = flight.asked {
            machine.operations.insert(key, Operation::Failed(CHECKPOINT, format!("Checkpoint was aborted: {why}")));
        }
    }
}

/// The checkpoints of a job are removed; savepoints belong to whoever asked for them.
fn discard(world: &mut World, id: &str) {
    let Some(job) = world.machine.jobs.get(id) else { return };
    let Some(folder) = job.settings.checkpoints.as_deref().map(|folder| format!("{folder}/{id}")) else { return };
    let is_its = |kind, of: &Identity| kind == SnapshotKind::Checkpoint && *of == job.lineage;
    let below = world.machine.disk.below(&folder).filter(|(_, stored)| is_its(stored.kind, &stored.lineage));
    let places: Vec<String> = below.map(|(place, _)| place.to_owned()).collect();
    for place in places {
        dispose(world, &place, Who::Cluster);
    }
}

fn cannot_be_made(place: &str) -> String {
    format!("{NOT_MADE}: Could not start the JobMaster.\nCaused by: {}", not_there(place))
}

fn not_there(place: &str) -> String {
    let path = disk::address(place);
    format!("java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '{path}'.")
}

/// The number behind that of a checkpoint; a savepoint says none.
fn next_after(place: &str) -> u64 {
    let number = place.rsplit_once("/chk-").and_then(|(_, digits)| digits.parse::<u64>().ok());
    number.map_or(1, |number| number.saturating_add(1))
}
