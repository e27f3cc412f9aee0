//! The table of decisions about a changed declaration.

use std::fmt::Write as _;

use expect_test::expect_file;
use kobel_model::deployment::{JobState as Asked, UpgradeMode};

use super::case::{Case, act};
use crate::facts::{self, Cluster, Newest, Operation};
use crate::record::Trigger;
use crate::state::JobState;

const MODES: [UpgradeMode; 3] = [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState];

/// What it is called, and what it makes of a case.
type Change = (&'static str, fn(&mut Case));

/// How the job is, and how that comes to be.
const HEALTH: [Change; 13] = [
    ("healthy", |_| {}),
    ("failing", |case| case.see(JobState::Failing)),
    ("restarting", |case| case.see(JobState::Restarting)),
    ("tasks start", |case| case.see(JobState::Created)),
    ("checkpoint in flight", |case| {
        case.pend(Trigger::Manual);
        case.record.job.checkpoints.pending = case.record.job.savepoints.pending.take();
        case.facts.checkpoint = Some(Operation::InProgress);
    }),
    ("savepoint in flight", |case| {
        case.pend(Trigger::Manual);
        case.facts.savepoint = Some(Operation::InProgress);
    }),
    ("no checkpoint yet", |case| case.facts.newest = Newest::None),
    ("checkpoint not known", |case| case.facts.newest = Newest::Unknown("its path is not told".to_owned())),
    ("job manager starts", |case| {
        case.facts.cluster = Cluster::Starting(super::case::launched(1, super::case::OLD));
        case.facts.job = facts::Job::NotAsked;
    }),
    ("job manager missing", Case::lose),
    ("cluster not seen", |case| case.facts.cluster = Cluster::Unknown("permission denied".to_owned())),
    ("finished", |case| case.see(JobState::Finished)),
    ("failed", |case| case.see(JobState::Failed)),
];

/// What the user asks for.
const ASKED: [Change; 3] =
    [("nothing", |_| {}), ("change", Case::change), ("suspend", |case| case.ask(Asked::Suspended))];

#[test]
fn every_mode_and_health_has_a_decision() {
    let mut table = format!(
        "{:<10} | {:<20} | {:<8} | {:<3} | {:<22} | {:<20} | {}\n",
        "mode", "health", "asked", "HA", "act", "waits for", "lifecycle"
    );
    for mode in MODES {
        for (health, make) in HEALTH {
            for (asked, ask) in ASKED {
                for is_highly_available in [false, true] {
                    let mut case = Case::deployed(mode);
                    case.is_highly_available = is_highly_available;
                    make(&mut case);
                    ask(&mut case);
                    let decision = case.decide();
                    let ha = if is_highly_available { "on" } else { "off" };
                    writeln!(
                        table,
                        "{:<10} | {health:<20} | {asked:<8} | {ha:<3} | {:<22} | {:<20} | {}",
                        mode.as_str(),
                        act(&decision),
                        decision.wait.reason,
                        decision.record.lifecycle.as_str(),
                    )
                    .unwrap();
                }
            }
        }
    }
    expect_file!["decisions.txt"].assert_eq(&table);
}

#[test]
fn a_change_is_begun_as_its_mode_and_the_health_of_the_job_ask() {
    for (mode, health, expected) in [
        (UpgradeMode::Stateless, "healthy", "cancel"),
        (UpgradeMode::Stateless, "failing", "cancel"),
        (UpgradeMode::Stateless, "checkpoint not known", "cancel"),
        (UpgradeMode::Stateless, "job manager starts", "remove"),
        (UpgradeMode::Stateless, "job manager missing", "start without state"),
        (UpgradeMode::Stateless, "finished", "remove"),
        (UpgradeMode::Savepoint, "healthy", "stop with savepoint"),
        (UpgradeMode::Savepoint, "failing", "cancel"),
        (UpgradeMode::Savepoint, "savepoint in flight", "-"),
        (UpgradeMode::Savepoint, "checkpoint in flight", "stop with savepoint"),
        (UpgradeMode::Savepoint, "no checkpoint yet", "stop with savepoint"),
        (UpgradeMode::Savepoint, "checkpoint not known", "stop with savepoint"),
        (UpgradeMode::Savepoint, "job manager missing", "start from chk-7"),
        (UpgradeMode::LastState, "healthy", "cancel"),
        (UpgradeMode::LastState, "restarting", "cancel"),
        (UpgradeMode::LastState, "checkpoint not known", "-"),
        (UpgradeMode::LastState, "job manager starts", "remove"),
        (UpgradeMode::LastState, "job manager missing", "start from chk-7"),
        (UpgradeMode::LastState, "cluster not seen", "-"),
        (UpgradeMode::LastState, "failed", "remove"),
    ] {
        let mut case = Case::deployed(mode);
        let (_, make) = HEALTH.iter().find(|(name, _)| *name == health).unwrap();
        make(&mut case);
        case.change();
        assert_eq!(act(&case.decide()), expected, "for {} and a job that is {health}", mode.as_str());
    }
}
