//! One test for each defect that the Apache operator is known to have or to have had.

use std::time::Duration;

use serde_json::json;

use super::world::{GRACE, SAVEPOINT, TIMEOUT, World, job, pair, running, template};
use crate::blue_green::{Act, Colour, Desired, Facts, Options, Record, Savepoint, State, decide};
use crate::decision::EventKind;
use crate::state::JobState;

#[test]
fn blue_green_savepoint_wait_is_bounded() {
    let mut world = World::served(pair(&job(1)));
    world.has_storage = false;
    world.spec = pair(&job(2));
    let begun = world.now;
    let decision = world.settle();
    assert!(world.now - begun < 2 * TIMEOUT, "{} ms", world.now - begun);
    assert_eq!(world.done, ["savepoint of blue", "forget the savepoint"]);
    assert_eq!((world.record.state, world.record.job), (State::Active(Colour::Blue), Some(JobState::Failing)));
    let error = world.record.error.clone().unwrap();
    assert!(error.contains("not taken within 30 s (`execution.checkpointing.timeout`)"), "{error}");
    assert!(world.blue.as_ref().is_some_and(|blue| blue.is_ready()));
    assert_eq!(decision.wait.reason, "GivenUp");
    // It is tried again once something else is declared.
    world.has_storage = true;
    world.spec["template"]["spec"]["restartNonce"] = json!(1);
    world.settle();
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Green), None));
}

#[test]
fn a_savepoint_that_failed_says_why_and_what_served_serves_on() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(2));
    world.look();
    world.snapshot.as_mut().unwrap().1 = Savepoint::Failed("disk full".to_owned());
    let decision = world.look();
    let told: Vec<_> = decision.events.iter().map(|event| (event.kind, event.reason)).collect();
    assert_eq!(told, [(EventKind::Warning, "SavepointError")]);
    world.settle();
    let error = world.record.error.clone().unwrap();
    assert!(error.contains("the savepoint failed: disk full; `orders-blue` goes on serving"), "{error}");
    assert_eq!((world.record.state, &world.green), (State::Active(Colour::Blue), &None));
}

#[test]
fn flink_40092_an_abort_never_leaves_neither() {
    let mut world = World::served(pair(&job(1)));
    world.parallelism_max = 1;
    world.spec = pair(&job(2));
    while world.green.is_none() {
        world.look();
    }
    // Blue is deleted by somebody before green runs, and green does not come to run within its time.
    world.blue = None;
    for _ in 0..(2 * GRACE / 1_000) {
        let decision = world.look();
        assert_eq!(decision.act, None, "there is none to go back to");
        assert_eq!(world.record.state, State::Transitioning(Colour::Green));
    }
    assert_eq!(world.record.job, Some(JobState::Failing));
    assert!(world.record.error.as_ref().unwrap().contains("there is no other to go on"));
    world.parallelism_max = 8;
    world.settle();
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Green), None));
}

#[test]
fn flink_40119_an_earlier_readiness_does_not_count() {
    let mut world = World::served(pair(&job(1)));
    world.delay = Duration::from_secs(20);
    // Long ago green was ready in another transition.
    world.record.ready_ms = Some(1);
    world.spec = pair(&job(2));
    while world.green.as_ref().is_none_or(|green| !green.is_ready()) {
        world.look();
    }
    let ready = world.now;
    while world.blue.as_ref().is_some_and(|blue| !blue.is_deleting) {
        world.look();
    }
    assert!(world.now - ready >= 20_000, "blue was deleted after {} ms", world.now - ready);
}

#[test]
fn readiness_that_is_lost_begins_anew() {
    let mut world = World::served(pair(&job(1)));
    world.delay = Duration::from_secs(20);
    world.spec = pair(&job(2));
    while world.record.ready_ms.is_none_or(|since| world.now - since < 15_000) {
        world.look();
    }
    world.parallelism_max = 1;
    world.pass();
    let decision = world.look();
    assert_eq!((decision.act, world.record.ready_ms), (None, None));
    assert_eq!(world.record.abort_ms, Some(world.now - 1_000 + GRACE));
    world.parallelism_max = 8;
    world.pass();
    let again = world.now;
    world.look();
    assert_eq!(world.record.ready_ms, Some(again));
    world.settle();
    assert_eq!(world.record.state, State::Active(Colour::Green));
}

#[test]
fn pull_1072_a_change_after_one_that_was_given_up_is_proven_beside_what_serves() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(99));
    world.settle();
    world.done.clear();
    // Against what was given up this would matter to nobody.
    world.spec = pair(&job(98));
    world.spec["template"]["spec"]["job"]["savepointTriggerNonce"] = json!(1);
    world.look();
    let before = world.blue.as_ref().map(|blue| blue.spec.clone());
    world.settle();
    assert!(!world.done.iter().any(|done| done == "patch blue"), "{:?}", world.done);
    assert_eq!(world.blue.as_ref().map(|blue| blue.spec.clone()), before, "what serves is left alone");
}

#[test]
fn a_suspension_in_a_transition_is_carried_out_after_it() {
    for (parallelism, serves) in [(2, Colour::Green), (99, Colour::Blue)] {
        let mut world = World::served(pair(&job(1)));
        world.spec = pair(&job(parallelism));
        while world.green.is_none() {
            world.look();
        }
        world.spec["template"]["spec"]["job"]["state"] = json!("suspended");
        world.settle();
        assert_eq!(world.record.state, State::Active(serves), "{:?}", world.done);
        assert_eq!(world.record.job, Some(JobState::Suspended), "{:?}", world.done);
        let running = [&world.blue, &world.green].into_iter().flatten().filter(|child| child.is_running()).count();
        assert_eq!(running, 0);
    }
}

#[test]
fn the_first_version_is_suspended_even_if_it_never_ran() {
    let mut world = World::new(pair(&job(99)));
    for _ in 0..5 {
        world.look();
    }
    world.spec["template"]["spec"]["job"]["state"] = json!("suspended");
    world.settle();
    assert_eq!((world.record.state, world.record.job), (State::Active(Colour::Blue), Some(JobState::Suspended)));
}

#[test]
fn a_change_waits_for_a_job_that_does_not_run_and_says_the_ways_out() {
    let mut world = World::served(pair(&job(1)));
    world.parallelism_max = 0;
    world.pass();
    world.spec = pair(&job(2));
    let decision = world.look();
    assert_eq!((decision.act, decision.wait.reason), (None, "WaitingForRunningJob"));
    assert_eq!(world.record.job, Some(JobState::Failing));
    assert!(world.record.error.as_ref().unwrap().contains("`spec.template.spec.job.savepointRedeployNonce`"));
    let again = world.look();
    assert_eq!(again.events, [], "it is told once");
    world.parallelism_max = 8;
    world.settle();
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Green), None));
}

#[test]
fn who_serves_and_was_deleted_is_not_made_again_without_its_state() {
    let mut world = World::served(pair(&job(1)));
    world.blue = None;
    let decision = world.settle();
    assert_eq!((decision.wait.reason, world.done.len()), ("ChildDeleted", 0));
    for part in ["`orders-blue`", "`SnapshotKept`", "`spec.template.spec.job.initialSavepointPath`"] {
        assert!(decision.wait.message.contains(part), "{}", decision.wait.message);
    }
    let named = json!({
        "parallelism": 1, "upgradeMode": "savepoint", "savepointRedeployNonce": 1, "initialSavepointPath": SAVEPOINT,
    });
    world.spec = pair(&named);
    world.settle();
    assert_eq!(world.done, [format!("create green from {SAVEPOINT}")]);
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Green), None));
}

#[test]
fn a_savepoint_that_was_taken_is_used_although_who_it_is_of_is_gone() {
    let mut world = World::served(pair(&job(1)));
    world.spec = pair(&job(2));
    world.look();
    world.blue = None;
    world.settle();
    assert_eq!(world.done, ["savepoint of blue", &format!("create green from {SAVEPOINT}"), "forget the savepoint"]);
    assert_eq!(world.record.state, State::Active(Colour::Green));
}

#[test]
fn a_deployment_of_somebody_else_is_left_alone() {
    let mut world = World::new(pair(&job(1)));
    let mut other = running(template(&world.spec));
    other.is_ours = false;
    world.blue = Some(other);
    let decision = world.look();
    assert_eq!((decision.act, decision.wait.reason), (None, "NameTaken"));
    assert!(world.record.error.as_ref().unwrap().contains("`orders-blue`"));
    world.blue = None;
    world.settle();
    assert_eq!((world.record.state, world.record.error), (State::Active(Colour::Blue), None));
}

#[test]
fn deletion_does_nothing_and_waits_for_nothing() {
    let spec = pair(&job(1));
    let options = Options {
        abort_grace: Duration::from_secs(1),
        deletion_delay: Duration::ZERO,
        interval: Duration::from_secs(1),
        savepoint_timeout: Duration::from_secs(1),
        savepoint_format: kobel_model::deployment::SavepointFormat::Canonical,
    };
    let mode = kobel_model::deployment::UpgradeMode::Savepoint;
    let desired = Desired { name: "orders", spec: &spec, upgrade_mode: mode, options, is_deleting: true };
    for state in State::ALL {
        let record = Record { state, ..Record::default() };
        let facts = Facts {
            now_ms: 1,
            fresh_id: "0a".repeat(16),
            blue: Some(running(template(&spec))),
            green: None,
            savepoint: Savepoint::Absent,
        };
        let decision = decide(&desired, &record, &facts);
        assert_eq!((decision.act, decision.record, decision.wait.reason), (None::<Act>, record, "Deleting"));
    }
}
