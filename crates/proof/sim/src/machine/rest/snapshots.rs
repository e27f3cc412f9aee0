//! Snapshots as a JobManager takes and tells them. What is told of them may be seconds old.

use std::sync::Arc;

use kobel_model::deployment::Identity;
use kobel_rest::checkpoints::{
    CheckpointCounts, CheckpointKind, CheckpointProgress, CheckpointStatistics, CheckpointStatus, CheckpointSummary,
    CheckpointingStatistics, CompletedCheckpoint, LatestCheckpoints, RestoredCheckpoint,
};
use kobel_rest::operations::{
    AsynchronousOperationResult, CheckpointInfo, CheckpointTriggerRequestBody, SavepointInfo,
    SavepointTriggerRequestBody, StopWithSavepointRequestBody, TriggerResponse,
};
use kobel_rest::ordered::OrderedMap;
use kobel_rest::requests::read_body;
use kobel_rest::statistics::StatsSummary;
use kobel_rest::throwable::SerializedThrowable;
use serde_json::{Value, json};

use super::jobs::known;
use super::reply::{Reply, answer, no_job, refusal};
use crate::entry::SnapshotKind;
use crate::machine::disk::{self, Disk};
use crate::machine::exceptions::NOT_FOUND;
use crate::machine::job::{Flight, Job, Taken, Tasks};
use crate::machine::operations::{Operation, OperationKey, OperationKind};
use crate::machine::schedule::time_of_day;
use crate::machine::taking::{self, Asked};
use crate::world::World;

/// A job is stopped with a savepoint.
pub fn stop(world: &mut World, cluster: &Identity, id: &str, body: &[u8]) -> Reply {
    match read_body::<StopWithSavepointRequestBody>(body) {
        Ok(body) => {
            let key = key(world, (cluster, id), OperationKind::Savepoint, body.trigger_id);
            ask(world, Asked { key, directory: body.target_directory, stops: true })
        }
        Err(error) => unreadable(&error),
    }
}

/// A savepoint is taken.
pub fn take_savepoint(world: &mut World, cluster: &Identity, id: &str, body: &[u8]) -> Reply {
    match read_body::<SavepointTriggerRequestBody>(body) {
        Ok(body) => {
            let key = key(world, (cluster, id), OperationKind::Savepoint, body.trigger_id);
            ask(world, Asked { key, directory: body.target_directory, stops: body.cancel_job })
        }
        Err(error) => unreadable(&error),
    }
}

/// A checkpoint is taken.
pub fn take_checkpoint(world: &mut World, cluster: &Identity, id: &str, body: &[u8]) -> Reply {
    match read_body::<CheckpointTriggerRequestBody>(body) {
        Ok(body) => {
            let key = key(world, (cluster, id), OperationKind::Checkpoint, body.trigger_id);
            ask(world, Asked { key, directory: None, stops: false })
        }
        Err(error) => unreadable(&error),
    }
}

fn key(world: &mut World, of: (&Identity, &str), kind: OperationKind, chosen: Option<String>) -> OperationKey {
    let trigger = match chosen {
        Some(id) => id.to_ascii_lowercase(),
        None => format!("{:032x}", world.machine.draw()),
    };
    OperationKey { cluster: of.0.clone(), kind, job: of.1.to_owned(), trigger }
}

fn ask(world: &mut World, asked: Asked) -> Reply {
    let request_id = asked.key.trigger.clone();
    taking::ask(world, asked);
    answer(202, &json!(TriggerResponse { request_id }))
}

fn unreadable(error: &serde_json::Error) -> Reply {
    refusal(400, format!("Bad request received: {error}"))
}

/// What became of a savepoint.
pub fn savepoint(world: &World, cluster: &Identity, of: (&str, &str)) -> Reply {
    let ended = match operation(world, cluster, of, OperationKind::Savepoint) {
        None => return unheard("savepoint", of),
        Some(Operation::InProgress) => {
            return answer(200, &json!(AsynchronousOperationResult::<SavepointInfo>::in_progress()));
        }
        Some(Operation::Completed(_, place)) => SavepointInfo { location: Some(place.clone()), failure_cause: None },
        Some(Operation::Failed(class, why)) => SavepointInfo { location: None, failure_cause: Some(cause(class, why)) },
    };
    answer(200, &json!(AsynchronousOperationResult::completed(ended)))
}

/// What became of a checkpoint.
pub fn checkpoint(world: &World, cluster: &Identity, of: (&str, &str)) -> Reply {
    let ended = match operation(world, cluster, of, OperationKind::Checkpoint) {
        None => return unheard("checkpoint", of),
        Some(Operation::InProgress) => {
            return answer(200, &json!(AsynchronousOperationResult::<CheckpointInfo>::in_progress()));
        }
        Some(Operation::Completed(number, _)) => {
            CheckpointInfo { checkpoint_id: Some(id_of(*number)), failure_cause: None }
        }
        Some(Operation::Failed(class, why)) => {
            CheckpointInfo { checkpoint_id: None, failure_cause: Some(cause(class, why)) }
        }
    };
    answer(200, &json!(AsynchronousOperationResult::completed(ended)))
}

fn operation<'a>(
    world: &'a World,
    cluster: &Identity,
    (job, trigger): (&str, &str),
    kind: OperationKind,
) -> Option<&'a Operation> {
    let (cluster, job) = (cluster.clone(), job.to_owned());
    world.machine.operations.get(&OperationKey { cluster, kind, job, trigger: trigger.to_ascii_lowercase() })
}

fn unheard(what: &str, (job, trigger): (&str, &str)) -> Reply {
    refusal(404, format!("{NOT_FOUND}: There is no {what} operation with triggerId={trigger} for job {job}."))
}

fn cause(class: &str, why: &str) -> SerializedThrowable {
    SerializedThrowable::of(class, why, &format!("{class}: {why}\n\tat org.example.Job.run(Job.java:1)\n"))
}

/// The snapshots of a job, as they were told a while ago if that is not long ago.
pub fn statistics(world: &mut World, cluster: &Identity, id: &str) -> Reply {
    let Some(job) = known(world, cluster, id) else { return no_job(id) };
    let (now_ms, behind_ms) = (world.now_ms, world.knobs.statistics_behind_ms);
    if let Some((at_ms, told)) = &job.memory.told
        && now_ms.saturating_sub(*at_ms) < behind_ms
    {
        return answer(200, told);
    }
    let told: Arc<Value> = Arc::new(json!(tell(job, &world.machine.disk, time_of_day(world))));
    if let Some(job) = world.machine.jobs.get_mut(id).filter(|_| behind_ms > 0) {
        job.memory.told = Some((now_ms, Arc::clone(&told)));
    }
    answer(200, &told)
}

/// Everything that is told; of a job without tasks that is nothing, whatever it has taken.
fn tell(job: &Job, disk: &Disk, now_ms: i64) -> CheckpointingStatistics {
    if job.tasks == Tasks::None {
        let (counts, latest) = (CheckpointCounts::default(), LatestCheckpoints::default());
        return CheckpointingStatistics { counts, summary: summary(), latest, history: Vec::new() };
    }
    let memory = &job.memory;
    let in_progress = i64::try_from(job.flights.len()).unwrap_or(i64::MAX);
    let counts = CheckpointCounts {
        restored: memory.restores,
        total: memory.completed.saturating_add(memory.failed).saturating_add(in_progress),
        in_progress,
        completed: memory.completed,
        failed: memory.failed,
    };
    let newest = |kind| memory.taken.iter().rev().find(|taken| taken.kind == kind);
    let restored = memory.restored.as_ref().map(|(place, at_ms)| RestoredCheckpoint {
        id: restored_id(place),
        restore_timestamp: *at_ms,
        is_savepoint: !place.contains("/chk-"),
        external_path: Some(disk::address(place)),
    });
    let latest = LatestCheckpoints {
        completed: newest(SnapshotKind::Checkpoint).map(|taken| completed(taken, job, disk)),
        savepoint: newest(SnapshotKind::Savepoint).map(|taken| completed(taken, job, disk)),
        failed: None,
        restored,
    };
    let flying = job.flights.iter().rev().map(|(number, flight)| flying(*number, flight, job, now_ms));
    let taken = memory.taken.iter().rev().take(10).map(|taken| completed(taken, job, disk));
    CheckpointingStatistics { counts, summary: summary(), latest, history: flying.chain(taken).collect() }
}

fn summary() -> CheckpointSummary {
    let none = || StatsSummary::of(&[]);
    CheckpointSummary {
        checkpointed_size: none(),
        state_size: none(),
        end_to_end_duration: none(),
        alignment_buffered: none(),
        processed_data: none(),
        persisted_data: none(),
    }
}

fn completed(taken: &Taken, job: &Job, disk: &Disk) -> CheckpointStatistics {
    let kind = kind_of((taken.kind, taken.stops));
    let progress = CheckpointProgress {
        status: CheckpointStatus::Completed,
        latest_ack_timestamp: taken.at_ms,
        end_to_end_duration: taken.at_ms.saturating_sub(taken.begun_ms),
        num_acknowledged_subtasks: job.settings.tasks,
        ..progress((taken.number, kind), taken.begun_ms, job)
    };
    let discarded = disk.whole(&taken.place).is_none();
    let external_path = Some(disk::address(&taken.place));
    CheckpointStatistics::Completed(CompletedCheckpoint { progress, external_path, discarded })
}

fn flying(number: u64, flight: &Flight, job: &Job, now_ms: i64) -> CheckpointStatistics {
    let kind = kind_of((flight.kind, flight.stops));
    CheckpointStatistics::InProgress(CheckpointProgress {
        end_to_end_duration: now_ms.saturating_sub(flight.begun_ms),
        ..progress((number, kind), flight.begun_ms, job)
    })
}

fn progress((number, kind): (u64, CheckpointKind), begun_ms: i64, job: &Job) -> CheckpointProgress {
    let is_savepoint = kind != CheckpointKind::Checkpoint;
    CheckpointProgress {
        id: id_of(number),
        status: CheckpointStatus::InProgress,
        is_savepoint,
        savepoint_format: is_savepoint.then(|| "Canonical".to_owned()),
        trigger_timestamp: begun_ms,
        latest_ack_timestamp: -1,
        checkpointed_size: 0,
        state_size: 0,
        end_to_end_duration: 0,
        alignment_buffered: 0,
        processed_data: 0,
        persisted_data: 0,
        num_subtasks: job.settings.tasks,
        num_acknowledged_subtasks: 0,
        checkpoint_type: kind,
        tasks: OrderedMap::new(),
    }
}

/// What a snapshot is called: of what kind it is, and whether its job is stopped with it.
fn kind_of(of: (SnapshotKind, bool)) -> CheckpointKind {
    match of {
        (SnapshotKind::Checkpoint, _) => CheckpointKind::Checkpoint,
        (SnapshotKind::Savepoint, false) => CheckpointKind::Savepoint,
        (SnapshotKind::Savepoint, true) => CheckpointKind::SyncSavepoint,
    }
}

/// The number of what was restored; a savepoint keeps none here.
fn restored_id(place: &str) -> i64 {
    let digits = place.rsplit_once("/chk-").map(|(_, digits)| digits).unwrap_or_default();
    digits.parse().unwrap_or(0)
}

fn id_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
