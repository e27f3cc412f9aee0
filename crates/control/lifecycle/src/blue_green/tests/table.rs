//! The table of decisions: every state, every sort of change, and how the deployment is that it depends on.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::json;

use super::world::{NAME, NAMED, SAVEPOINT, START, World, failing, job, pair, running, template, told};
use crate::blue_green::{Child, Colour, Savepoint, State};
use crate::state::{JobState, LifecycleState};

/// How the deployment is that the state is about.
const CONDITIONS: [&str; 3] = ["ready", "failing", "missing"];

/// What it is called, and what it makes of a world in which everything is as it was declared.
type Change = (&'static str, fn(&mut World, Colour));

const CHANGES: [Change; 7] = [
    ("none", |_, _| {}),
    ("ignore", |world, _| world.spec["template"]["spec"]["job"]["savepointTriggerNonce"] = json!(7)),
    ("transition", |world, _| world.spec["template"]["spec"]["job"]["parallelism"] = json!(4)),
    ("stateless", |world, _| {
        world.spec["template"]["spec"]["job"] = json!({"parallelism": 4, "upgradeMode": "stateless"});
    }),
    ("redeploy", |world, _| {
        world.spec["template"]["spec"]["job"]["savepointRedeployNonce"] = json!(1);
        world.spec["template"]["spec"]["job"]["initialSavepointPath"] = json!(NAMED);
    }),
    ("suspend", |world, _| world.spec["template"]["spec"]["job"]["state"] = json!("suspended")),
    ("resume", |world, colour| {
        if let Some(child) = world.child(colour) {
            child.spec["job"]["state"] = json!("suspended");
            (child.lifecycle, child.job) = (LifecycleState::Suspended, Some(JobState::Finished));
        }
    }),
];

/// The world in a state; the deployment that the state is about is in a condition.
fn world(state: State, condition: &str) -> (World, Colour) {
    let (before, after) = (pair(&job(1)), pair(&job(2)));
    let mut world = World::new(after.clone());
    let child = |spec| -> Option<Child> {
        match condition {
            "ready" => Some(running(spec)),
            "failing" => Some(failing(spec)),
            _ => None,
        }
    };
    world.record.state = state;
    world.record.last = (state != State::Initializing).then_some(after.clone());
    world.record.reconciled_ms = Some(START - 5_000);
    let colour = match state {
        State::Initializing => Colour::Blue,
        State::Active(colour) | State::Savepointing(colour) | State::Transitioning(colour) => colour,
    };
    let is_settled = matches!(state, State::Initializing | State::Active(_));
    if !is_settled {
        let name = format!("{NAME}-{}-0a0a0a0a", colour.as_str());
        world.record.savepoint = Some(name.clone());
        world.record.abort_ms = Some(START + 5_000);
        world.snapshot = Some((name, Savepoint::Completed(SAVEPOINT.to_owned())));
    }
    if matches!(state, State::Transitioning(_)) {
        *world.child(colour.other()) = Some(running(template(&before)));
    }
    let is_old = matches!(state, State::Savepointing(_));
    *world.child(colour) = child(template(if is_old { &before } else { &after }));
    (world, colour)
}

#[test]
fn every_decision_is_the_one_of_the_table() {
    let mut table = String::new();
    for state in State::ALL {
        for (name, change) in CHANGES {
            for condition in CONDITIONS {
                let (mut world, colour) = world(state, condition);
                change(&mut world, colour);
                let decision = world.decide();
                let act = decision.act.as_ref().map_or_else(|| "nothing".to_owned(), told);
                let job = decision.record.job.map_or("-", JobState::as_str);
                let row = format!("{:<22} {name:<10} {condition:<7} -> {act}", state.as_str());
                let then = format!("{:<22} {job:<11} {}", decision.record.state.as_str(), decision.wait.reason);
                writeln!(table, "{row:<81} | {then}").unwrap();
            }
        }
    }
    expect_file!["table.txt"].assert_eq(&table);
}
