//! Whole stories, in which every act is also decided again as after a crash before it.

use kobel_model::deployment::{JobState as Asked, UpgradeMode};

use super::case::{Case, tells};
use super::world::World;
use crate::application::known_state;
use crate::state::LifecycleState;

/// A world in which the job of `mode` runs.
fn deployed(mode: UpgradeMode) -> World {
    let mut world = World::new(Case::new(mode));
    world.settle();
    assert!(world.running().is_some());
    assert_eq!(world.case.record.lifecycle, LifecycleState::Stable);
    world
}

#[test]
fn a_deployment_is_started_and_then_left_alone() {
    let mut world = deployed(UpgradeMode::LastState);
    assert_eq!(world.acts, ["start without state"]);
    let written = world.case.record.clone();
    for _ in 0..10 {
        world.round();
    }
    assert_eq!(world.case.record, written, "nothing more is written");
    assert_eq!(world.acts.len(), 1);
}

#[test]
fn a_savepoint_upgrade_goes_on_from_the_savepoint() {
    let mut world = deployed(UpgradeMode::Savepoint);
    world.checkpoint("file:///checkpoints/1/chk-1");
    world.case.change();
    world.settle();
    let expected = ["start without state", "stop with savepoint", "remove", "start from savepoint-1"];
    assert_eq!(world.acts, expected);
    assert_eq!(world.case.record.observed_generation, Some(2));
}

#[test]
fn a_last_state_upgrade_takes_the_checkpoint_that_completes_on_the_way() {
    let mut world = deployed(UpgradeMode::LastState);
    world.checkpoint("file:///checkpoints/1/chk-1");
    world.case.change();
    world.round();
    world.checkpoint("file:///checkpoints/1/chk-2");
    world.settle();
    assert_eq!(world.acts, ["start without state", "cancel", "remove", "start from chk-2"]);
}

#[test]
fn a_stateless_upgrade_starts_without_state() {
    let mut world = deployed(UpgradeMode::Stateless);
    world.checkpoint("file:///checkpoints/1/chk-1");
    world.case.change();
    world.settle();
    assert_eq!(world.acts, ["start without state", "cancel", "remove", "start without state"]);
    assert_eq!(world.case.record.job.restore_path, None);
}

#[test]
fn a_suspended_job_is_resumed_with_its_state() {
    for (mode, stop, resumed) in [
        (UpgradeMode::Savepoint, "stop with savepoint", "start from savepoint-1"),
        (UpgradeMode::LastState, "cancel", "start from chk-1"),
    ] {
        let mut world = deployed(mode);
        world.checkpoint("file:///checkpoints/1/chk-1");
        world.case.ask(Asked::Suspended);
        world.settle();
        assert_eq!(world.acts, ["start without state", stop, "remove"]);
        assert_eq!(world.case.record.lifecycle, LifecycleState::Suspended);
        let known = known_state(&world.case.record, &world.case.facts).unwrap();
        assert!(known.ends_with(resumed.trim_start_matches("start from ")), "{known}");
        world.case.ask(Asked::Running);
        world.settle();
        assert_eq!(world.acts.last().map(String::as_str), Some(resumed));
        assert_eq!(world.case.record.lifecycle, LifecycleState::Stable);
    }
}

#[test]
fn a_change_that_is_taken_back_at_once_stops_nothing() {
    let mut world = deployed(UpgradeMode::Savepoint);
    let declared = world.case.clone();
    world.case.change();
    world.case.spec = declared.spec;
    world.case.job = declared.job;
    world.settle();
    assert_eq!(world.acts, ["start without state"]);
    assert_eq!(world.case.record.observed_generation, Some(2));
}

#[test]
fn a_change_that_is_taken_back_while_the_job_stops_starts_what_is_declared() {
    let mut world = deployed(UpgradeMode::Savepoint);
    let declared = world.case.clone();
    world.case.change();
    world.round();
    world.case.generation += 1;
    world.case.spec = declared.spec;
    world.case.job = declared.job;
    world.settle();
    assert_eq!(world.acts, ["start without state", "stop with savepoint", "remove", "start from savepoint-0"]);
    assert_eq!(world.case.record.observed_generation, Some(3));
}

#[test]
fn a_start_that_is_not_seen_gives_way_to_the_newest_declaration() {
    let mut world = World::new(Case::new(UpgradeMode::LastState));
    world.round();
    world.kill();
    world.case.change();
    world.settle();
    assert_eq!(world.acts, ["start without state", "start without state"]);
    assert_eq!(world.case.record.observed_generation, Some(2));
    assert_eq!(world.case.record.lifecycle, LifecycleState::Stable);
}

#[test]
fn what_is_killed_comes_back_with_its_state() {
    for mode in [UpgradeMode::Savepoint, UpgradeMode::LastState, UpgradeMode::Stateless] {
        let mut world = deployed(mode);
        world.pass(60_000);
        world.checkpoint("file:///checkpoints/1/chk-4");
        world.kill();
        let decision = world.round();
        assert!(tells(&decision, "RecoverDeployment"), "{decision:?}");
        world.settle();
        assert_eq!(world.acts, ["start without state", "start from chk-4"], "for {}", mode.as_str());
        assert!(world.running().is_some());
        // The one that was brought back dies before its first checkpoint.
        world.pass(60_000);
        world.kill();
        world.settle();
        assert_eq!(world.acts.last().map(String::as_str), Some("start from chk-4"), "for {}", mode.as_str());
    }
}

#[test]
fn a_savepoint_by_a_nonce_is_taken_once() {
    let mut world = deployed(UpgradeMode::LastState);
    world.case.generation += 1;
    world.case.job.nonces.savepoint_trigger = Some(7);
    world.case.spec["job"]["savepointTriggerNonce"] = serde_json::json!(7);
    world.round();
    world.settle();
    for _ in 0..5 {
        world.round();
    }
    assert_eq!(world.acts, ["start without state", "take savepoint"]);
    assert_eq!(world.case.record.job.savepoints.last.as_ref().and_then(|taken| taken.nonce), Some(7));
    assert_eq!(world.case.record.job.savepoints.history.len(), 1);
    assert_eq!(world.case.record.lifecycle, LifecycleState::Stable);
}

#[test]
fn a_deletion_ends_the_job_and_lets_go() {
    let mut world = deployed(UpgradeMode::LastState);
    world.case.is_deleting = true;
    world.settle();
    assert_eq!(world.acts, ["start without state", "cancel", "remove", "release"]);
}

#[test]
fn a_deletion_takes_a_savepoint_if_asked() {
    let mut world = deployed(UpgradeMode::LastState);
    world.case.is_deleting = true;
    world.case.options.savepoint_on_deletion = true;
    world.settle();
    assert_eq!(world.acts, ["start without state", "stop with savepoint", "remove", "release"]);
}

#[test]
fn a_redeploy_nonce_starts_from_the_initial_savepoint() {
    let mut world = deployed(UpgradeMode::LastState);
    world.checkpoint("file:///checkpoints/1/chk-1");
    world.case.generation += 1;
    world.case.job.nonces.savepoint_redeploy = Some(1);
    world.case.job.initial_savepoint_path = Some("file:///savepoints/chosen".to_owned());
    world.case.spec["job"]["savepointRedeployNonce"] = serde_json::json!(1);
    world.case.spec["job"]["initialSavepointPath"] = serde_json::json!("file:///savepoints/chosen");
    world.settle();
    assert_eq!(world.acts, ["start without state", "cancel", "remove", "start from chosen"]);
}

#[test]
fn a_change_that_never_runs_is_rolled_back_with_the_state() {
    let mut world = deployed(UpgradeMode::Savepoint);
    world.case.options.is_rollback_on = true;
    world.case.change();
    for _ in 0..3 {
        world.round();
    }
    assert_eq!(world.acts.last().map(String::as_str), Some("start from savepoint-0"));
    // The new version dies whenever it is started.
    for _ in 0..400 {
        world.kill_before_it_runs();
        world.round();
        if world.case.record.lifecycle == LifecycleState::RollingBack {
            break;
        }
    }
    world.settle();
    assert_eq!(world.acts.last().map(String::as_str), Some("start from savepoint-0"));
    assert_eq!(world.case.record.lifecycle, LifecycleState::RolledBack);
    let starts = world.acts.len();
    for _ in 0..5 {
        world.round();
    }
    assert_eq!(world.acts.len(), starts, "it stays rolled back");
    world.case.change();
    world.settle();
    assert_eq!(world.case.record.lifecycle, LifecycleState::Stable);
}
