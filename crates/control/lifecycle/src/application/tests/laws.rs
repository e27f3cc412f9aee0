//! What holds for every record and every look at the world, however they came to be.

use kobel_model::deployment::{JobState as Asked, UpgradeMode};
use proptest::prelude::*;

use super::super::spec;
use super::case::{CHECKPOINT, Case, NOW, OLD, ORIGIN, launched};
use crate::decision::{Act, Decision};
use crate::facts::{self, Cluster, Newest, Operation, SessionCluster, Witness};
use crate::record::{LAST_STATE_DUMMY, Trigger};
use crate::state::{JobState, LifecycleState, ReconciliationState};

fn modes() -> impl Strategy<Value = UpgradeMode> {
    prop_oneof![Just(UpgradeMode::Stateless), Just(UpgradeMode::Savepoint), Just(UpgradeMode::LastState)]
}

fn clusters() -> impl Strategy<Value = Cluster> {
    let launches = prop_oneof![Just(launched(1, OLD)), Just(launched(2, OLD)), Just(launched(1, "another"))];
    prop_oneof![
        3 => Just(Cluster::Absent),
        1 => launches.clone().prop_map(Cluster::Starting),
        1 => launches.clone().prop_map(Cluster::Completed),
        4 => launches.clone().prop_map(Cluster::Ready),
        1 => launches.prop_map(|launched| Cluster::Failed(launched, "exit code 1".to_owned())),
        1 => Just(Cluster::Ending),
        1 => Just(Cluster::Unknown("permission denied".to_owned())),
    ]
}

fn newest() -> impl Strategy<Value = Newest> {
    prop_oneof![
        Just(Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW - 60_000 }),
        Just(Newest::None),
        Just(Newest::Unknown("the disk is gone".to_owned())),
    ]
}

fn operations() -> impl Strategy<Value = Option<Operation>> {
    prop_oneof![
        Just(None::<Operation>),
        Just(Some(Operation::InProgress)),
        Just(Some(Operation::Completed(Some("file:///savepoints/new".to_owned())))),
        Just(Some(Operation::Completed(None))),
        Just(Some(Operation::Failed("no space left".to_owned()))),
        Just(Some(Operation::Unheard)),
        Just(Some(Operation::Unknown("timed out".to_owned()))),
    ]
}

/// What is seen of the job: absent if nobody was asked.
fn jobs() -> impl Strategy<Value = Option<Option<JobState>>> {
    proptest::option::of(proptest::option::of(proptest::sample::select(JobState::ALL)))
}

/// How the record came to be.
fn records() -> impl Strategy<Value = Case> {
    let reconciliations = proptest::sample::select(ReconciliationState::ALL);
    let states = proptest::option::of(proptest::sample::select(JobState::ALL));
    let origins =
        prop_oneof![Just(None::<String>), Just(Some(ORIGIN.to_owned())), Just(Some(LAST_STATE_DUMMY.to_owned()))];
    let pending = proptest::option::of(prop_oneof![Just(Trigger::Upgrade), Just(Trigger::Manual)]);
    let shape = (modes(), modes(), any::<bool>(), any::<bool>());
    (shape, reconciliations, states, origins, pending).prop_map(
        |((mode, recorded, is_new, is_stopped), reconciliation, state, origin, pending)| {
            if is_new {
                return Case::new(mode);
            }
            let mut case = Case::deployed(mode);
            if is_stopped {
                case.record.last = Some(spec::handed_over(&case.spec, recorded));
            }
            case.record.reconciliation = reconciliation;
            case.record.job.state = state;
            case.record.job.restore_path = origin;
            if let Some(trigger) = pending {
                case.pend(trigger);
            }
            case
        },
    )
}

/// A declaration, a record and a look at the world, whether or not they can come to be together.
fn cases() -> impl Strategy<Value = Case> {
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (records(), clusters(), newest(), operations(), jobs(), switches).prop_map(
        |(mut case, cluster, newest, operation, job, (changes, suspends, deletes, falls_back, restarts))| {
            match job {
                None => case.facts.job = facts::Job::NotAsked,
                Some(None) => case.facts.job = facts::Job::Absent,
                Some(Some(state)) => case.see(state),
            }
            case.facts.cluster = cluster;
            case.facts.newest = newest;
            case.facts.savepoint = operation.filter(|_| case.record.job.savepoints.pending.is_some());
            let is_saved = case.record.job.savepoints.pending.as_ref().is_some_and(|of| of.trigger == Trigger::Upgrade);
            if falls_back && is_saved && matches!(case.facts.newest, Newest::Snapshot { .. }) {
                case.facts.stopped_with = Some(CHECKPOINT.to_owned());
            }
            case.facts.witness = if restarts { Witness::JobManager } else { Witness::Storage };
            case.options.last_state_fallback = falls_back;
            case.options.restart_failed = restarts;
            case.options.is_rollback_on = restarts;
            case.is_deleting = deletes;
            if changes {
                case.change();
            }
            if suspends {
                case.ask(Asked::Suspended);
            }
            case
        },
    )
}

/// Whether the user has told, now or with the stop that was recorded, that the job may start without its state.
fn is_told_to_forget(case: &Case) -> bool {
    let is_stopped = case.record.last.as_ref().is_some_and(|last| !spec::is_running(last));
    let recorded = case.record.last.as_ref().map(spec::mode);
    case.job.upgrade_mode == UpgradeMode::Stateless || (is_stopped && recorded == Some(UpgradeMode::Stateless))
}

fn check(case: &Case, decision: &Decision) -> Result<(), TestCaseError> {
    if let Some(Act::Start(start)) = &decision.act {
        prop_assert!(!case.is_deleting && case.job.state == Asked::Running, "something starts that shall not run");
        prop_assert!(decision.record.job.id == start.job_id, "the start is not recorded");
        prop_assert_eq!(&decision.record.job.restore_path, &start.restore);
        let has_run = case.record.last.is_some() && !is_told_to_forget(case);
        if start.restore.is_none() && has_run {
            prop_assert_eq!(&case.facts.newest, &Newest::None, "state is forgotten");
            prop_assert_eq!(&case.record.job.restore_path, &None, "state is forgotten");
        }
        prop_assert!(start.restore.as_deref() != Some(LAST_STATE_DUMMY));
    }
    if case.facts.savepoint == Some(Operation::Completed(Some("file:///savepoints/new".to_owned())))
        && decision.record.job.savepoints.pending.is_none()
        && case.record.lifecycle != LifecycleState::Deleting
    {
        let is_known = decision.record.job.savepoints.history.iter().any(|taken| taken.location.is_some())
            || decision.record.last.as_ref().is_none_or(|last| !spec::is_running(last));
        prop_assert!(is_known, "a savepoint is forgotten");
    }
    let is_done = matches!(decision.act, Some(Act::Release));
    prop_assert!(is_done || !decision.wait.again.is_zero(), "nobody looks again: {:?}", decision.wait);
    prop_assert!(decision.wait.reason.chars().all(char::is_alphanumeric), "`{}`", decision.wait.reason);
    prop_assert!(!decision.wait.message.is_empty());
    Ok(())
}

/// What is decided about the written record in the same world is the same act.
fn check_again(case: &Case, decision: &Decision, decide: fn(&Case) -> Decision) -> Result<(), TestCaseError> {
    // A pending savepoint that was just recorded is one that nobody has heard of.
    let mut case = case.after(decision);
    let is_new = decision.record.job.savepoints.pending.is_some();
    if is_new && matches!(decision.act, Some(Act::StopWithSavepoint(_) | Act::TakeSavepoint(_))) {
        case.facts.savepoint = Some(Operation::Unheard);
    }
    // The job that is recorded now was never seen, so it has taken nothing.
    if matches!(decision.act, Some(Act::Start(_))) {
        case.facts.newest = Newest::None;
        case.facts.job = facts::Job::NotAsked;
    }
    let again = decide(&case);
    if decision.act.is_some() {
        prop_assert_eq!(&again.act, &decision.act, "waits for {:?}, then {:?}", &decision.wait, &again.wait);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deployment_keeps_the_laws(case in cases()) {
        let decision = case.decide();
        check(&case, &decision)?;
        if matches!(decision.act, Some(Act::Start(_))) {
            prop_assert_eq!(&case.facts.cluster, &Cluster::Absent, "a cluster is started beside one that is there");
        }
        if matches!(case.facts.cluster, Cluster::Unknown(_)) {
            prop_assert_eq!(&decision.act, &None, "something is done blindly");
        }
        check_again(&case, &decision, Case::decide)?;
    }

    #[test]
    fn a_session_job_keeps_the_laws(case in cases(), session in 0..5_usize) {
        let mut case = case;
        case.facts.session = [
            None,
            Some(SessionCluster::Absent),
            Some(SessionCluster::NotReady("it starts".to_owned())),
            Some(SessionCluster::Leaving),
            Some(SessionCluster::Ready),
        ][session].clone();
        let decision = case.decide_session_job();
        check(&case, &decision)?;
        if matches!(decision.act, Some(Act::Start(_))) {
            prop_assert_eq!(&case.facts.session, &Some(SessionCluster::Ready));
            let lives = matches!(&case.facts.job, facts::Job::Found(job) if !job.state.is_terminal());
            prop_assert!(!lives, "a job is submitted twice");
        }
    }
}
