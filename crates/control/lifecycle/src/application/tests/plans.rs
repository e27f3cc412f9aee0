//! A plan and what is really done are the same: step by step in the world of the tests, and the first step for a job in
//! any state.

use kobel_model::deployment::{JobState as Asked, UpgradeMode};
use serde_json::json;

use super::case::{Case, OLD, ORIGIN, act, launched};
use super::world::World;
use crate::desired::Desired;
use crate::facts::{self, Cluster};
use crate::plan::{Kind, Launch, Origin, Plan, Step, plan};
use crate::state::JobState;

const MODES: [UpgradeMode; 3] = [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState];

/// What it is called, and what it makes of a case.
type Change = (&'static str, fn(&mut Case));

/// What the user asks for.
const ASKED: [Change; 6] = [
    ("nothing", |_| {}),
    ("a change", Case::change),
    ("a suspension", |case| case.ask(Asked::Suspended)),
    ("a redeployment", redeploy),
    ("a savepoint", |case| ask_for_savepoint(case, 7)),
    ("a change and a savepoint", |case| {
        case.change();
        ask_for_savepoint(case, 7);
    }),
];

fn redeploy(case: &mut Case) {
    case.generation += 1;
    case.job.nonces.savepoint_redeploy = Some(case.generation);
    case.spec["job"]["savepointRedeployNonce"] = json!(case.generation);
    case.job.initial_savepoint_path = Some(ORIGIN.to_owned());
    case.spec["job"]["initialSavepointPath"] = json!(ORIGIN);
}

fn ask_for_savepoint(case: &mut Case, nonce: i64) {
    case.generation += 1;
    case.job.nonces.savepoint_trigger = Some(nonce);
    case.spec["job"]["savepointTriggerNonce"] = json!(nonce);
}

fn planned(kind: Kind, case: &Case) -> Plan {
    let desired = Desired {
        generation: case.generation,
        spec: &case.spec,
        job: Some(&case.job),
        flink_version: case.flink_version,
        is_highly_available: case.is_highly_available,
        options: &case.options,
        savepoint_directory: Some("file:///savepoints"),
        is_deleting: false,
    };
    plan(kind, &desired, &case.record, case.facts.now_ms)
}

/// A step in the words of [`act`]; absent for one that only waits.
fn said(step: &Step) -> Option<String> {
    let words = match step {
        Step::AwaitSavepoint { .. } => return None,
        Step::StopWithSavepoint { .. } => "stop with savepoint".to_owned(),
        Step::Cancel { .. } => "cancel".to_owned(),
        Step::Remove => "remove".to_owned(),
        Step::Start(Launch { origin, .. }) => match origin {
            Origin::Nothing => "start without state".to_owned(),
            Origin::Savepoint => "start from savepoint".to_owned(),
            Origin::Newest => "start from newest".to_owned(),
            Origin::Path(path) => format!("start from {}", path.rsplit('/').next().unwrap()),
        },
        Step::TakeSavepoint { .. } => "take savepoint".to_owned(),
        Step::TakeCheckpoint { .. } => "take checkpoint".to_owned(),
    };
    Some(plain(&words))
}

/// What was done, without the numbers of snapshots.
fn plain(act: &str) -> String {
    for (start, words) in [("start from chk-", "start from newest"), ("start from savepoint", "start from savepoint")] {
        if act.starts_with(start) {
            return words.to_owned();
        }
    }
    act.to_owned()
}

/// A situation and how a world comes into it.
type Situation = (&'static str, fn(UpgradeMode) -> World);

/// Worlds that a user may find.
const SITUATIONS: [Situation; 7] = [
    ("a job that runs", running),
    ("a job that was changed before", |mode| {
        let mut world = running(mode);
        world.case.change();
        world.settle();
        world.checkpoint("file:///checkpoints/2/chk-2");
        world.settle();
        world
    }),
    ("a job that is stopping for a change", |mode| {
        let mut world = running(mode);
        world.case.change();
        world.round();
        world
    }),
    ("a suspended job", |mode| {
        let mut world = running(mode);
        world.case.ask(Asked::Suspended);
        world.settle();
        world.case.job.state = Asked::Running;
        world.case.spec["job"]["state"] = json!("running");
        world
    }),
    ("a job that was never started", |mode| World::new(Case::new(mode))),
    ("a job that was declared as suspended", |mode| {
        let mut case = Case::new(mode);
        case.ask(Asked::Suspended);
        let mut world = World::new(case);
        world.settle();
        world.case.job.state = Asked::Running;
        world.case.spec["job"]["state"] = json!("running");
        world
    }),
    ("a job that is lost and left so", |mode| {
        let mut world = running(mode);
        world.case.options.recover_job_manager = false;
        world.kill();
        world.round();
        world
    }),
];

/// A world in which a job runs that has taken a checkpoint.
fn running(mode: UpgradeMode) -> World {
    let mut world = World::new(Case::new(mode));
    world.settle();
    world.checkpoint("file:///checkpoints/1/chk-1");
    world
}

#[test]
fn a_plan_is_what_is_done() {
    for mode in MODES {
        for (situation, make) in SITUATIONS {
            for (asked, ask) in ASKED {
                let mut world = make(mode);
                if situation.contains("lost") && matches!(asked, "nothing" | "a savepoint") {
                    // It stays lost, so it never settles.
                    continue;
                }
                if matches!(situation, "a suspended job" | "a job that was declared as suspended") {
                    world.case.generation += 1;
                }
                ask(&mut world.case);
                let plan = planned(Kind::Application, &world.case);
                let before = world.acts.len();
                world.settle();
                let done: Vec<String> = world.acts.iter().skip(before).map(|act| plain(act)).collect();
                let steps: Vec<String> = plan.steps.iter().filter_map(said).collect();
                assert_eq!(steps, done, "{asked} of {situation}, {}: {plan:#?}", mode.as_str());
                assert_eq!(plan.waits, None, "{asked} of {situation}, {}", mode.as_str());
            }
        }
    }
}

#[test]
fn the_first_step_is_what_is_decided_for_a_job_in_any_state() {
    let healths: [Change; 8] = [
        ("healthy", |_| {}),
        ("failing", |case| case.see(JobState::Failing)),
        ("restarting", |case| case.see(JobState::Restarting)),
        ("starting its tasks", |case| case.see(JobState::Created)),
        ("starting its job manager", |case| {
            case.facts.cluster = Cluster::Starting(launched(1, OLD));
            case.facts.job = facts::Job::NotAsked;
        }),
        ("without a job manager", |case| {
            case.options.recover_job_manager = false;
            case.lose();
        }),
        ("finished", |case| case.see(JobState::Finished)),
        ("failed", |case| case.see(JobState::Failed)),
    ];
    for mode in MODES {
        for (health, make) in healths {
            for (asked, ask) in ASKED {
                let mut case = Case::deployed(mode);
                make(&mut case);
                let seen = case.decide();
                assert_eq!(act(&seen), "-", "a job that is {health} is left alone");
                case.record = seen.record;
                ask(&mut case);
                let plan = planned(Kind::Application, &case);
                // What is to come later is not decided now.
                let is_later = health.starts_with("starting") && asked == "a savepoint";
                let first = plan.steps.first().filter(|_| !is_later).and_then(said);
                let decided = plain(&act(&case.decide()));
                let expected = first.unwrap_or_else(|| "-".to_owned());
                assert_eq!(decided, expected, "{asked} of a job that is {health}, {}: {plan:#?}", mode.as_str());
            }
        }
    }
}

#[test]
fn a_change_that_is_held_back_has_no_steps_and_says_why() {
    let mut case = Case::deployed(UpgradeMode::Savepoint);
    case.options.last_state_fallback = false;
    case.see(JobState::Restarting);
    case.record = case.decide().record;
    case.change();
    assert_eq!(act(&case.decide()), "-");
    let plan = planned(Kind::Application, &case);
    assert_eq!((plan.steps.as_slice(), plan.summary.as_str()), (&[][..], "the change is held back for now"));
    let waits = plan.waits.unwrap();
    assert!(waits.contains("last-state-fallback.enabled: true"), "{waits}");
}

#[test]
fn the_first_step_of_a_session_job_is_what_is_decided() {
    for mode in MODES {
        for (asked, ask) in ASKED {
            let mut case = Case::deployed(mode);
            ask(&mut case);
            let plan = planned(Kind::SessionJob, &case);
            let first = plan.steps.first().and_then(said).unwrap_or_else(|| "-".to_owned());
            assert_eq!(plain(&act(&case.decide_session_job())), first, "{asked}, {}: {plan:#?}", mode.as_str());
            assert!(!plan.steps.contains(&Step::Remove), "its cluster is another's: {plan:#?}");
            let starts = plan.steps.iter().filter(|step| matches!(step, Step::Start(_))).count();
            let expected = usize::from(matches!(asked, "a change" | "a redeployment" | "a change and a savepoint"));
            assert_eq!((starts, plan.waits), (expected, None), "{asked}, {}", mode.as_str());
        }
    }
}
