//! Whole changes, from the declaration until nothing is left to do; also with a crash at every place.

use serde_json::{Value, json};

use super::world::{GRACE, NAMED, SAVEPOINT, World, job, pair, template};
use crate::blue_green::{Colour, Record, State};
use crate::state::JobState;

#[test]
fn the_first_version_is_made_and_serves() {
    let mut world = World::new(pair(&job(1)));
    let decision = world.settle();
    assert_eq!(world.done, ["create blue from nothing"]);
    assert_eq!((world.record.state, world.record.job), (State::Active(Colour::Blue), Some(JobState::Running)));
    assert_eq!(decision.wait.reason, "Settled");
    assert_eq!(world.record.last.as_ref(), Some(&world.spec));
    assert_eq!((world.record.error, world.record.abort_ms), (None, None));
}

#[test]
fn a_version_is_told_as_one_that_is_being_made_for_it_is_told_before_it_is_tried() {
    let decision = World::new(pair(&job(1))).look();
    let told = decision.events.iter().find(|event| event.reason == "Submit").unwrap();
    assert_eq!(told.message, "making `orders-blue`, which is to start without state");
}

#[test]
fn the_first_version_begins_from_a_snapshot_that_is_named() {
    let mut world = World::new(pair(&json!({"parallelism": 1, "initialSavepointPath": NAMED})));
    world.settle();
    assert_eq!(world.done, [format!("create blue from {NAMED}")]);
}

#[test]
fn nothing_is_made_of_what_shall_not_run() {
    let mut world = World::new(pair(&json!({"parallelism": 1, "state": "suspended"})));
    world.settle();
    assert_eq!((world.record.state, world.record.job), (State::Initializing, Some(JobState::Suspended)));
    world.spec = pair(&job(1));
    world.settle();
    assert_eq!(world.record.state, State::Active(Colour::Blue));
}

#[test]
fn a_change_goes_over_to_the_other_with_its_state_and_back() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(2));
    world.settle();
    let green = format!("create green from {SAVEPOINT}");
    assert_eq!(world.done, ["savepoint of blue", &green, "delete blue", "forget the savepoint"]);
    assert_eq!(world.record.state, State::Active(Colour::Green));
    assert_eq!((&world.blue, &world.snapshot, &world.record.savepoint), (&None, &None, &None));
    world.done.clear();
    world.spec = pair(&job(3));
    world.settle();
    let blue = format!("create blue from {SAVEPOINT}");
    assert_eq!(world.done, ["savepoint of green", &blue, "delete green", "forget the savepoint"]);
    assert_eq!(world.record.state, State::Active(Colour::Blue));
}

#[test]
fn a_stateless_change_takes_no_savepoint() {
    let stateless = |parallelism: u32| json!({"parallelism": parallelism, "upgradeMode": "stateless"});
    let mut world = World::served(pair(&stateless(1)));
    world.spec = pair(&stateless(2));
    world.settle();
    assert_eq!(world.done, ["create green from nothing", "delete blue"]);
}

#[test]
fn a_redeployment_begins_from_the_snapshot_that_is_named() {
    let mut world = World::served(pair(&job(1)));
    let named = json!({
        "parallelism": 1, "upgradeMode": "savepoint", "savepointRedeployNonce": 1, "initialSavepointPath": NAMED,
    });
    world.spec = pair(&named);
    world.settle();
    assert_eq!(world.done, [&format!("create green from {NAMED}"), "delete blue"]);
}

#[test]
fn what_does_not_matter_to_the_job_is_changed_in_place() {
    let mut world = World::served(pair(&job(1)));
    world.spec["template"]["spec"]["job"]["savepointTriggerNonce"] = json!(7);
    world.settle();
    assert_eq!(world.done, ["patch blue"]);
    assert_eq!(world.blue.as_ref().map(|blue| blue.spec.clone()), Some(template(&world.spec)));
}

#[test]
fn what_serves_is_suspended_and_resumed_where_it_is() {
    let mut world = World::served(pair(&job(1)));
    world.spec["template"]["spec"]["job"]["state"] = json!("suspended");
    world.settle();
    assert_eq!((world.record.state, world.record.job), (State::Active(Colour::Blue), Some(JobState::Suspended)));
    // Another version is proven beside the one that was suspended.
    world.spec = pair(&job(2));
    world.settle();
    let green = format!("create green from {SAVEPOINT}");
    let expected = ["suspend blue", "patch blue", "savepoint of blue", &green, "delete blue", "forget the savepoint"];
    assert_eq!(world.done, expected);
}

#[test]
fn a_version_that_does_not_come_to_run_is_given_up_and_the_next_is_tried() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(99));
    let decision = world.settle();
    let green = format!("create green from {SAVEPOINT}");
    assert_eq!(world.done, ["savepoint of blue", &green, "suspend green", "forget the savepoint"]);
    assert_eq!((world.record.state, world.record.job), (State::Active(Colour::Blue), Some(JobState::Failing)));
    assert_eq!(decision.wait.reason, "GivenUp");
    assert!(world.blue.as_ref().is_some_and(|blue| blue.is_ready()), "what served still does");
    let error = world.record.error.clone().unwrap();
    assert!(error.contains("`orders-green` did not come to run within 20 s"), "{error}");
    assert!(error.contains("no such topic"), "{error}");
    world.done.clear();
    world.spec = pair(&job(2));
    world.settle();
    let expected = ["delete green", "savepoint of blue", &green, "delete blue", "forget the savepoint"];
    assert_eq!(world.done, expected);
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Green), None));
}

#[test]
fn going_back_to_what_serves_takes_the_error_away() {
    let mut world = World::served(pair(&job(1)));
    let good = world.spec.clone();
    world.spec = pair(&job(99));
    world.settle();
    world.done.clear();
    world.spec = good;
    world.settle();
    assert_eq!(world.done, ["delete green"]);
    let Record { state, job, error, abort_ms, .. } = world.record;
    assert_eq!((state, job, error, abort_ms), (State::Active(Colour::Blue), Some(JobState::Running), None, None));
}

#[test]
fn a_change_in_a_transition_is_made_where_the_transition_goes() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(99));
    while world.green.is_none() {
        world.look();
    }
    world.look();
    world.spec = pair(&job(3));
    world.settle();
    let green = format!("create green from {SAVEPOINT}");
    assert_eq!(
        world.done,
        ["savepoint of blue", &green, "patch green", "delete blue", "forget the savepoint"],
        "the grace period begins anew"
    );
    assert_eq!(world.record.state, State::Active(Colour::Green));
}

#[test]
fn a_change_that_is_taken_back_during_its_savepoint_changes_nothing() {
    let mut world = World::served(pair(&job(1)));
    let good = world.spec.clone();
    world.spec = pair(&job(2));
    world.look();
    assert_eq!(world.record.state, State::Savepointing(Colour::Blue));
    world.spec = good;
    world.settle();
    assert_eq!(world.done, ["savepoint of blue", "forget the savepoint"]);
    assert_eq!(world.record.state, State::Active(Colour::Blue));
}

/// Whole changes; the last two are the declarations before and after.
fn changes() -> Vec<(&'static str, Value, Value)> {
    let stateless = |parallelism: u32| json!({"parallelism": parallelism, "upgradeMode": "stateless"});
    let redeployed = json!({
        "parallelism": 1, "upgradeMode": "savepoint", "savepointRedeployNonce": 1, "initialSavepointPath": NAMED,
    });
    vec![
        ("savepoint", job(1), job(2)),
        ("stateless", stateless(1), stateless(2)),
        ("redeployment", job(1), redeployed),
        ("suspension", job(1), json!({"parallelism": 1, "upgradeMode": "savepoint", "state": "suspended"})),
        ("given up", job(1), job(99)),
        ("stateless, given up", stateless(1), stateless(99)),
    ]
}

#[test]
fn a_crash_between_writing_and_acting_changes_nothing_of_the_outcome() {
    for (name, before, after) in changes() {
        let mut calm = World::new(pair(&before));
        calm.settle();
        calm.spec = pair(&after);
        calm.settle();
        for crash in 0..(GRACE / 1_000 + 20) {
            let mut world = World::new(pair(&before));
            for look in 0..=crash {
                if look == 8 {
                    world.settle();
                    world.spec = pair(&after);
                }
                if look == crash {
                    world.look_and_die();
                } else {
                    world.look();
                }
            }
            world.settle();
            world.spec = pair(&after);
            world.settle();
            let outcome = |world: &World| {
                let specs = [&world.blue, &world.green].map(|child| child.as_ref().map(|child| child.spec.clone()));
                (world.record.state, world.record.job, world.record.error.clone(), specs, world.snapshot.clone())
            };
            assert_eq!(outcome(&world), outcome(&calm), "{name}, a crash at look {crash}");
        }
    }
}
