//! What becomes of processes, jobs and snapshots, without a controller.

pub mod fixture;

use std::time::Duration;

use kobel_model::ErrorKind;
use kobel_processes::ProcessState;

use self::fixture::{JOB, NEXT_JOB, flink, job, label, native, of, start, starts, world};
use super::operations::{Operation, OperationKey, OperationKind};
use super::taking::{self, Asked};
use super::*;
use crate::entry::{Entry, Who};

const GRACE: Duration = Duration::from_secs(10);

fn stop(world: &mut World, trigger: &str) -> OperationKey {
    let (cluster, job, trigger) = (of("orders"), JOB.to_owned(), trigger.to_owned());
    let key = OperationKey { cluster, kind: OperationKind::Savepoint, job, trigger };
    taking::ask(world, Asked { key: key.clone(), directory: None, stops: true });
    key
}

fn run_for(world: &mut World, ms: i64) {
    let to_ms = world.now_ms + ms;
    world.advance(to_ms);
}

fn running(launch: &kobel_manifest::launch::Launch) -> World {
    let mut world = world();
    start(&mut world, &label(1, JOB), launch);
    world.advance(1_000);
    assert_eq!(job(&world), ("RUNNING", 0));
    world
}

#[test]
fn a_job_runs_after_its_time_and_counts() {
    for launch in [native(JOB, None), flink(JOB, None, 1), flink(JOB, None, 2)] {
        let mut world = world();
        start(&mut world, &label(1, JOB), &launch);
        world.advance(499);
        assert!(world.machine.job_of(&of("orders")).is_none(), "nobody answers yet");
        world.advance(999);
        assert_ne!(world.machine.job_of(&of("orders")).map(|job| job.tasks), Some(job::Tasks::Running));
        world.advance(3_000);
        assert_eq!(job(&world), ("RUNNING", 200));
        let newest = world.machine.disk.newest_checkpoint("/kobel/applications/default/orders/checkpoints", JOB);
        assert_eq!(newest.unwrap(), None, "what lies there from the beginning is none");
        assert_eq!(world.machine.starts(&of("orders")), 1);
    }
}

#[test]
fn checkpoints_are_taken_and_the_last_one_is_kept() {
    let mut world = running(&flink(JOB, None, 1));
    world.advance(11_100);
    assert!(world.machine.snapshots(&of("orders")).is_empty(), "it takes its time");
    world.advance(21_300);
    let snapshots = world.machine.snapshots(&of("orders"));
    let path = format!("file:///kobel/applications/default/orders/checkpoints/{JOB}/chk-2");
    assert_eq!(snapshots, [(path.clone(), 2_000, SnapshotKind::Checkpoint)]);
    let newest = world.machine.disk.newest_checkpoint("file:///kobel/applications/default/orders/checkpoints", JOB);
    assert_eq!(newest.unwrap().map(|(path, _)| path), Some(path));
}

#[test]
fn a_stopped_job_ends_with_its_count_before_that_is_told() {
    let mut world = running(&flink(JOB, None, 1));
    world.advance(12_500);
    let key = stop(&mut world, "a1");
    assert_eq!(stop(&mut world, "a1"), key, "the same again");
    run_for(&mut world, 800);
    assert_eq!(job(&world), ("RUNNING", 1_150));
    let savepoints = world.machine.snapshots(&of("orders"));
    assert_eq!(savepoints.last().map(|(_, count, kind)| (*count, *kind)), Some((1_150, SnapshotKind::Savepoint)));
    run_for(&mut world, 50);
    assert_eq!(job(&world).0, "FINISHED");
    assert_eq!(world.machine.operations.get(&key), Some(&Operation::InProgress));
    run_for(&mut world, 50);
    let told = world.machine.operations.get(&key);
    assert!(matches!(told, Some(Operation::Completed(_, path)) if path.starts_with("file:/kobel")), "{told:?}");
    assert_eq!(world.machine.snapshots(&of("orders")).len(), 1, "a job that has finished keeps no checkpoint");
}

#[test]
fn the_next_job_goes_on_from_where_it_is_told_or_fails() {
    for (is_lost, state, count) in [(false, "RUNNING", 1_150), (true, "FAILED", 0)] {
        let mut world = running(&native(JOB, None));
        world.advance(12_500);
        stop(&mut world, "a1");
        run_for(&mut world, 1_000);
        let path = world.machine.snapshots(&of("orders")).pop().expect("a savepoint").0;
        assert!(!cluster::end(&mut world, &of("orders"), GRACE));
        run_for(&mut world, 300);
        assert!(cluster::end(&mut world, &of("orders"), GRACE));
        if is_lost {
            lose(&mut world, &path);
        }
        start(&mut world, &label(2, NEXT_JOB), &native(NEXT_JOB, Some(&path)));
        run_for(&mut world, 1_000);
        assert_eq!(job(&world), (state, count));
        assert_eq!(starts(&world).last().map(|(from, ..)| from.clone()), Some(Some(path)));
    }
}

#[test]
fn a_job_manager_that_is_killed_takes_everything_with_it() {
    let mut world = running(&flink(JOB, None, 1));
    world.advance(12_000);
    let key = stop(&mut world, "a1");
    run_for(&mut world, 790);
    hold(&mut world, What::Ends);
    run_for(&mut world, 20);
    kill(&mut world, &of("orders"), "jobmanager").unwrap();
    run_for(&mut world, 60_000);
    assert_eq!(job(&world).0, "SUSPENDED");
    assert_eq!(world.machine.operations.get(&key), None);
    let folder = "/kobel/applications/default/orders/savepoints";
    let since = crate::world::EPOCH_MS + 12_000;
    assert!(world.machine.disk.savepoint_since(folder, JOB, since).unwrap().is_some(), "nobody has heard of it");
    assert!(kill(&mut world, &of("orders"), "jobmanager").is_err());
}

#[test]
fn another_job_manager_takes_the_job_up_from_its_newest_checkpoint() {
    let mut world = running(&flink(JOB, None, 2));
    world.advance(15_000);
    kill(&mut world, &of("orders"), "jobmanager").unwrap();
    world.advance(24_900);
    assert_eq!(job(&world).0, "SUSPENDED");
    world.advance(26_000);
    assert_eq!(job(&world), ("RUNNING", 1_050));
    assert_eq!(starts(&world).len(), 2);
    cluster::revive(&mut world, &of("orders"), "jobmanager").unwrap();
    run_for(&mut world, 2_000);
    assert_eq!(starts(&world).len(), 2, "the one that leads goes on");
}

#[test]
fn a_job_waits_for_its_task_manager_and_goes_back_to_its_checkpoint() {
    let mut world = running(&flink(JOB, None, 1));
    world.advance(15_000);
    kill(&mut world, &of("orders"), "taskmanager-1").unwrap();
    run_for(&mut world, 10_000);
    assert_eq!(job(&world), ("RESTARTING", 1_000));
    cluster::revive(&mut world, &of("orders"), "taskmanager-1").unwrap();
    run_for(&mut world, 2_000);
    let (state, count) = job(&world);
    assert!(state == "RUNNING" && (1_000..1_200).contains(&count), "{state} {count}");
    assert_eq!(world.machine.starts(&of("orders")), 1);
}

#[test]
fn a_job_fails_for_good_or_starts_again() {
    for (then, state) in [(Then::Restarts, "RUNNING"), (Then::FailsForGood, "FAILED")] {
        let mut world = running(&native(JOB, None));
        world.advance(5_000);
        fail_job(&mut world, &of("orders"), "no more", then);
        run_for(&mut world, 2_000);
        assert_eq!(job(&world).0, state);
    }
    let mut world = running(&native(JOB, None));
    hold(&mut world, What::Restarts);
    fail_job(&mut world, &of("orders"), "no more", Then::Restarts);
    run_for(&mut world, 60_000);
    assert_eq!(job(&world).0, "RESTARTING");
    release(&mut world, What::Restarts);
    run_for(&mut world, 1_000);
    assert_eq!(job(&world).0, "RUNNING");
    finish_job(&mut world, &of("orders"));
    assert_eq!(job(&world).0, "FINISHED");
}

#[test]
fn a_cancelled_job_keeps_its_checkpoints_if_it_is_told_so() {
    let mut world = running(&flink(JOB, None, 1));
    world.advance(12_000);
    jobs::cancel(&mut world, JOB);
    assert_eq!(job(&world).0, "CANCELLING");
    run_for(&mut world, 300);
    assert_eq!((job(&world).0, world.machine.snapshots(&of("orders")).len()), ("CANCELED", 1));
}

#[test]
fn a_start_is_gone_on_with_and_refused_beside_another() {
    let (mut world, launch) = (world(), flink(JOB, None, 1));
    world.limit_start(1);
    start(&mut world, &label(1, JOB), &launch);
    world.end_start();
    assert_eq!(world.machine.processes(), [(of("orders"), "jobmanager".to_owned())]);
    start(&mut world, &label(1, JOB), &launch);
    start(&mut world, &label(1, JOB), &launch);
    assert_eq!((world.machine.processes().len(), world.machine.starts(&of("orders"))), (2, 1));
    let other = cluster::start(&mut world, &of("orders"), &label(2, NEXT_JOB), &launch).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Conflict);
    let asked = world
        .history
        .iter()
        .filter(|happened| matches!(happened.entry, Entry::StartAsked { beside_living: true, generation: 2, .. }));
    assert_eq!((asked.count(), world.machine.living_launches(&of("orders"))), (1, 1));
}

#[test]
fn processes_end_when_asked_or_are_killed_after_their_grace() {
    for (is_held, how) in [(false, "exit code 143"), (true, "killed by SIGKILL")] {
        let mut world = running(&flink(JOB, None, 1));
        if is_held {
            hold(&mut world, What::Ends);
        }
        assert!(!cluster::end(&mut world, &of("orders"), GRACE));
        run_for(&mut world, 300);
        let launched = world.machine.launches.get(&of("orders")).expect("a launch");
        assert_eq!((launched.living().is_empty(), launched.seen().expect("it is seen").is_ending), (!is_held, true));
        run_for(&mut world, 10_000);
        if is_held {
            assert!(!cluster::end(&mut world, &of("orders"), GRACE));
        }
        assert!(cluster::end(&mut world, &of("orders"), GRACE));
        assert!(cluster::forget(&mut world, &of("orders")).is_ok());
        let ends = world.history.iter().filter_map(|happened| match &happened.entry {
            Entry::Exited { how, by: Who::Controller, .. } => Some(how.as_str()),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [how, how]);
    }
}

#[test]
fn a_node_that_is_lost_takes_every_process_and_its_launches_cannot_be_gone_on_with() {
    let mut world = running(&flink(JOB, None, 1));
    lose_node(&mut world);
    assert!(world.machine.processes().is_empty());
    let error = cluster::revive(&mut world, &of("orders"), "jobmanager").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let launched = world.machine.launches.get(&of("orders")).expect("a launch");
    let seen = launched.seen().expect("it is seen");
    assert!(seen.processes.iter().all(|process| process.state != ProcessState::Running));
}

#[test]
fn nothing_is_completed_on_a_disk_that_fails() {
    let mut world = running(&native(JOB, None));
    world.advance(5_000);
    break_disk(&mut world, 10_000);
    let key = stop(&mut world, "a1");
    run_for(&mut world, 2_000);
    assert!(matches!(world.machine.operations.get(&key), Some(Operation::Failed(..))));
    let (state, count) = job(&world);
    assert!(state == "RUNNING" && count > 400, "it goes on: {state} {count}");
    world.advance(30_000);
    assert_eq!(world.machine.snapshots(&of("orders")).len(), 1);
}

#[test]
fn what_is_held_does_not_happen_until_it_is_released() {
    let mut world = running(&native(JOB, None));
    hold(&mut world, What::Savepoints);
    let key = stop(&mut world, "a1");
    run_for(&mut world, 60_000);
    assert_eq!(world.machine.operations.get(&key), Some(&Operation::InProgress));
    release(&mut world, What::Savepoints);
    run_for(&mut world, 200);
    assert_eq!(job(&world).0, "FINISHED");
    assert!(matches!(world.machine.operations.get(&key), Some(Operation::Completed(..))));
}

#[test]
fn a_clone_is_another_machine() {
    let mut world = running(&native(JOB, None));
    let mut other = world.clone();
    kill(&mut world, &of("orders"), "*").unwrap();
    other.advance(2_000);
    assert_eq!((job(&other), world.machine.processes().len()), (("RUNNING", 100), 0));
}
