//! Snapshots that a nonce or the schedule asks for, at the wrong time and in time.

use std::time::Duration;

use kobel_model::deployment::{JobState as Asked, UpgradeMode};
use serde_json::json;

use super::case::{Case, NOW, act};
use super::world::World;
use crate::facts::Operation;
use crate::record::Trigger;
use crate::schedule::Schedule;
use crate::state::JobState;

/// The user asks for a savepoint by a nonce.
fn ask_for_savepoint(case: &mut Case, nonce: i64) {
    case.generation += 1;
    case.job.nonces.savepoint_trigger = Some(nonce);
    case.spec["job"]["savepointTriggerNonce"] = json!(nonce);
}

/// A world in which a job with state runs.
fn deployed() -> World {
    let mut world = World::new(Case::new(UpgradeMode::LastState));
    world.settle();
    world.checkpoint("file:///checkpoints/1/chk-1");
    world
}

/// Lets everything that is due happen.
fn go_on(world: &mut World) {
    world.settle();
    for _ in 0..5 {
        world.round();
    }
}

#[test]
fn what_a_nonce_asks_for_while_the_job_is_suspended_is_taken_once_it_runs() {
    let mut world = deployed();
    world.case.ask(Asked::Suspended);
    world.settle();
    ask_for_savepoint(&mut world.case, 7);
    let asleep = world.round();
    let message = &asleep.wait.message;
    assert!(message.contains("the savepoint that `job.savepointTriggerNonce: 7` asks for is taken once"), "{message}");
    world.case.ask(Asked::Running);
    go_on(&mut world);
    let expected = ["start without state", "cancel", "remove", "start from chk-1", "take savepoint"];
    assert_eq!(world.acts, expected);
    assert_eq!(world.case.record.job.savepoints.last.as_ref().and_then(|taken| taken.nonce), Some(7));
}

#[test]
fn what_a_nonce_asks_for_together_with_a_change_is_taken_of_what_follows() {
    let mut world = deployed();
    world.case.change();
    ask_for_savepoint(&mut world.case, 7);
    go_on(&mut world);
    let expected = ["start without state", "cancel", "remove", "start from chk-1", "take savepoint"];
    assert_eq!(world.acts, expected);
}

#[test]
fn what_a_nonce_asked_for_before_is_not_taken_again_after_a_change() {
    let mut world = deployed();
    ask_for_savepoint(&mut world.case, 7);
    go_on(&mut world);
    world.case.change();
    go_on(&mut world);
    assert_eq!(world.acts.iter().filter(|act| *act == "take savepoint").count(), 1, "{:?}", world.acts);
}

#[test]
fn a_nonce_that_was_taken_away_asks_for_nothing() {
    let mut world = deployed();
    ask_for_savepoint(&mut world.case, 7);
    go_on(&mut world);
    world.case.change();
    world.case.job.nonces.savepoint_trigger = None;
    world.case.spec["job"].as_object_mut().unwrap().remove("savepointTriggerNonce");
    go_on(&mut world);
    assert_eq!(world.acts.iter().filter(|act| *act == "take savepoint").count(), 1, "{:?}", world.acts);
}

#[test]
fn a_job_that_has_finished_says_that_a_savepoint_is_not_taken() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.see(JobState::Finished);
    ask_for_savepoint(&mut case, 7);
    let decision = case.decide();
    assert_eq!((&decision.act, decision.wait.reason), (&None, "Settled"));
    assert!(decision.wait.message.contains("`job.savepointTriggerNonce: 7`"), "{}", decision.wait.message);
}

#[test]
fn a_settled_job_is_looked_at_when_its_next_snapshot_is_due() {
    let every = |seconds| Some(Schedule::Every(Duration::from_secs(seconds)));
    // The interval, how long ago the last one was asked for, and when is looked again.
    for (interval, ago, again) in
        [(5, 1_000, 4_000), (5, 4_900, 500), (12, 2_500, 9_500), (3_600, 1_000, 15_000), (15, 0, 15_000)]
    {
        for kind in ["savepoint", "checkpoint"] {
            let mut case = Case::deployed(UpgradeMode::LastState);
            let snapshots = match kind {
                "savepoint" => {
                    case.options.periodic_savepoint = every(interval);
                    &mut case.record.job.savepoints
                }
                _ => {
                    case.options.periodic_checkpoint = every(interval);
                    &mut case.record.job.checkpoints
                }
            };
            snapshots.last_periodic_ms = NOW - ago;
            let decision = case.decide();
            assert_eq!((&decision.act, decision.wait.reason), (&None, "Settled"));
            assert_eq!(decision.wait.again, Duration::from_millis(again), "every {interval} s, {ago} ms ago: {kind}");
        }
    }
}

#[test]
fn the_sooner_of_two_schedules_decides_when_is_looked_again() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.options.periodic_savepoint = Some(Schedule::Every(Duration::from_secs(9)));
    case.options.periodic_checkpoint = Some(Schedule::Every(Duration::from_secs(4)));
    case.record.job.savepoints.last_periodic_ms = NOW;
    case.record.job.checkpoints.last_periodic_ms = NOW;
    assert_eq!(case.decide().wait.again, Duration::from_secs(4));
    case.record.job.checkpoints.last_periodic_ms = NOW - 4_000;
    assert_eq!(act(&case.decide()), "take checkpoint");
}

#[test]
fn a_savepoint_in_progress_is_looked_at_soon() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.pend(Trigger::Periodic);
    case.facts.savepoint = Some(Operation::InProgress);
    let decision = case.decide();
    assert_eq!((decision.wait.reason, decision.wait.again), ("Settled", Duration::from_secs(1)));
}
