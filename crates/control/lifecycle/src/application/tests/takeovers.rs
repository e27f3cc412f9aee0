//! Records that Apache's operator has written and was ended before the next.

use kobel_model::deployment::UpgradeMode;

use super::case::{CHECKPOINT, Case, FRESH, NOW, OLD, act, launched, start};
use crate::facts::{self, Cluster, Newest};
use crate::record::{Taken, Trigger};
use crate::state::{JobManagerState, JobState, LifecycleState, ReconciliationState};

/// The savepoint that the job was stopped with.
const SAVED: &str = "file:///savepoints/savepoint-1";

/// What follows was made under the new generation, and that was not recorded.
fn made(mode: UpgradeMode) -> Case {
    let mut case = Case::stopped(mode);
    let location = Some(SAVED.to_owned());
    case.record.job.restore_path = None;
    case.record.job.savepoints.last = Some(Taken { at_ms: NOW, location, trigger: Trigger::Upgrade, nonce: None });
    case.is_highly_available = true;
    case.facts.cluster = Cluster::Ready(launched(case.generation, OLD));
    case.record.reconciled_ms = Some(NOW - 120_000);
    case.see(JobState::Running);
    if let facts::Job::Found(job) = &mut case.facts.job {
        job.start_ms = NOW - 60_000;
    }
    case
}

#[test]
fn what_was_made_and_not_recorded_runs_on() {
    for mode in [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState] {
        let case = made(mode);
        let found = case.decide();
        assert_eq!((act(&found).as_str(), found.wait.reason), ("-", "Settled"), "for {}", mode.as_str());
        assert_eq!(found.record.lifecycle, LifecycleState::Stable);
        assert_eq!(case.after(&found).decide().record, found.record, "nothing more is written");
    }
}

#[test]
fn what_is_not_what_follows_is_removed() {
    type Change = fn(&mut Case);
    let others: [(&str, Change); 6] = [
        ("begun before the change", |case| case.see(JobState::Running)),
        ("of the last generation", |case| case.facts.cluster = Cluster::Ready(launched(1, OLD))),
        ("of another job", |case| case.facts.cluster = Cluster::Ready(launched(2, FRESH))),
        ("ended", |case| case.see(JobState::Failed)),
        // A job that failed is to go on from its newest checkpoint; where it began is older.
        ("from elsewhere", |case| case.record.job.restore_path = Some(CHECKPOINT.to_owned())),
        ("for another state", |case| {
            case.generation += 1;
        }),
    ];
    for (name, change) in others {
        let mut case = made(UpgradeMode::Savepoint);
        change(&mut case);
        let decision = case.decide();
        assert_eq!(decision.record.reconciliation, ReconciliationState::Upgrading, "{name}: {:?}", decision.wait);
    }
}

/// A first deployment that was begun, and of which nothing else is recorded.
fn begun() -> Case {
    let mut case = Case::new(UpgradeMode::Savepoint);
    case.record.last = Some(super::super::spec::handed_over(&case.spec, UpgradeMode::Stateless));
    case.record.is_first = true;
    case.record.reconciliation = ReconciliationState::Upgrading;
    case.record.observed_generation = Some(1);
    case.record.job.id = Some(OLD.to_owned());
    case
}

#[test]
fn a_first_deployment_of_which_nothing_was_seen_is_begun_anew() {
    let mut case = begun();
    case.record.job.state = Some(JobState::Reconciling);
    case.facts.newest = Newest::Unknown("no metadata of high availability tells of checkpoints".to_owned());
    let decided = case.decide();
    assert_eq!((act(&decided).as_str(), start(&decided).job_id.as_deref()), ("start without state", Some(FRESH)));
    // One of ours may have run meanwhile, and then waits until that is known.
    let mut case = case.after(&decided);
    case.facts.now_ms += 1;
    assert_eq!(act(&case.decide()), "-");
}

#[test]
fn one_that_was_made_is_taken_for_deployed() {
    let mut case = begun();
    case.facts.cluster = Cluster::Starting(launched(1, OLD));
    let seen = case.decide();
    assert_eq!((act(&seen).as_str(), seen.record.job_manager), ("-", JobManagerState::Deploying));
    assert_eq!(seen.record.lifecycle, LifecycleState::Deployed);
}
