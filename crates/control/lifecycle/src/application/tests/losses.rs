//! Jobs whose job manager is gone, hangs, or has ended well while nobody looked; and why, which is not forgotten before
//! the job runs again.

use kobel_model::deployment::UpgradeMode;

use super::case::{CHECKPOINT, Case, FRESH, OLD, act, launched, start, tells};
use crate::facts::{self, Cluster, Operation};
use crate::state::{JobManagerState, JobState, LifecycleState};

/// The readiness timeout, in milliseconds.
const READY: i64 = 300_000;

/// A job that ran until now, and whose job manager has just stopped to answer.
fn silent() -> Case {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.facts.cluster = Cluster::Starting(launched(1, OLD));
    case.facts.silence = Some("no answer came within 2s".to_owned());
    case.facts.job = facts::Job::NotAsked;
    case
}

#[test]
fn a_job_manager_that_hangs_is_replaced_after_the_readiness_timeout() {
    let case = silent();
    let waits = case.decide();
    assert_eq!((&waits.act, waits.wait.reason), (&None, "JobStarting"));
    for part in ["no answer came within 2s", "it is started again unless it does by 1970-01-12 13:51:40 UTC"] {
        assert!(waits.wait.message.contains(part), "{}", waits.wait.message);
    }
    let mut case = case.after(&waits);
    case.facts.now_ms += READY - 1;
    assert_eq!(case.decide().act, None);
    case.facts.now_ms += 1;
    let removed = case.decide();
    assert_eq!((act(&removed).as_str(), removed.wait.reason), ("remove", "RecoverDeployment"));
    let why = "its job manager does not answer for more than 5 min (no answer came within 2s)";
    assert_eq!(removed.record.error.as_deref(), Some(why));
    let mut case = case.after(&removed);
    case.lose();
    let again = case.decide();
    assert_eq!(start(&again).restore.as_deref(), Some(CHECKPOINT));
    assert!(again.events.iter().any(|event| event.message.contains(why)), "{:?}", again.events);
    // The one that follows has as much time, so that a machine that is slow is not kept busy with starts.
    let mut case = case.after(&again);
    case.facts.cluster = Cluster::Starting(launched(1, FRESH));
    let mut case = case.after(&case.decide());
    case.facts.now_ms += READY - 1;
    assert_eq!(case.decide().act, None);
    case.facts.now_ms += 1;
    assert_eq!(act(&case.decide()), "remove");
}

#[test]
fn a_job_manager_that_comes_up_is_silent_for_some_seconds_and_nobody_is_alarmed() {
    let mut case = silent();
    case.record.job.start_ms = Some(case.facts.now_ms - 9_999);
    let comes = case.decide().wait;
    assert!(comes.message.ends_with(": its job manager comes up"), "{}", comes.message);
    case.facts.now_ms += 1;
    let waits = case.decide().wait;
    assert_eq!(waits.reason, comes.reason);
    assert!(waits.message.contains("does not answer yet (no answer came within 2s)"), "{}", waits.message);
}

#[test]
fn a_job_that_restarts_tells_what_it_failed_with_and_who_restarts_it() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.see(JobState::Restarting);
    let facts::Job::Found(job) = &mut case.facts.job else { panic!("no job is seen") };
    job.failure = Some("division by zero\n  at line 3".to_owned());
    let decision = case.decide();
    let told = decision.events.iter().find(|event| event.reason == "JobStatusChanged").unwrap();
    assert_eq!(told.message, "job status changed from RUNNING to RESTARTING: division by zero");
    let waits = &decision.wait.message;
    assert!(waits.contains("it restarts by itself") && waits.contains("division by zero"), "{waits}");
    assert!(!waits.contains("Flink itself"), "{waits}");
}

#[test]
fn a_start_is_told_as_one_that_begins_for_it_is_told_before_it_is_tried() {
    let decision = Case::new(UpgradeMode::LastState).decide();
    let told = decision.events.iter().find(|event| event.reason == "Submit").unwrap();
    assert_eq!(told.message, format!("starting job `{FRESH}` without state"));
}

#[test]
fn a_start_that_is_tried_again_changes_nothing_of_the_record() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.lose();
    let start = case.decide();
    let mut case = case.after(&start);
    case.facts.now_ms += 1_000;
    let again = case.decide();
    assert_eq!((act(&again), &again.record), (act(&start), &case.record));
}

#[test]
fn a_job_manager_that_answers_now_and_then_is_not_replaced() {
    let mut case = silent();
    for _ in 0..3 {
        case.facts.cluster = Cluster::Starting(launched(1, OLD));
        case.facts.job = facts::Job::NotAsked;
        case = case.after(&case.decide());
        case.facts.now_ms += READY - 1;
        assert_eq!(case.decide().act, None);
        case.facts.cluster = Cluster::Ready(launched(1, OLD));
        case.see(JobState::Running);
        case = case.after(&case.decide());
    }
}

#[test]
fn the_first_job_manager_of_a_resource_may_take_its_time() {
    let mut case = silent();
    case.record.stable = None;
    case.record.job.state = Some(JobState::Reconciling);
    case.facts.now_ms += 10 * READY;
    let decision = case.decide();
    assert_eq!((&decision.act, decision.wait.reason), (&None, "JobStarting"));
    assert!(decision.wait.message.contains("no answer came"), "{}", decision.wait.message);
}

#[test]
fn a_job_manager_that_hangs_is_left_alone_if_that_was_asked_for() {
    let mut case = silent();
    case.options.recover_job_manager = false;
    let waits = case.decide();
    assert!(!waits.wait.message.contains("started again"), "{}", waits.wait.message);
    let mut case = case.after(&waits);
    case.facts.now_ms += READY;
    let left = case.decide();
    assert_eq!((&left.act, left.wait.reason), (&None, "JobManagerMissing"));
}

#[test]
fn a_job_that_finished_while_nobody_looked_is_not_run_again() {
    for mode in [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState] {
        let mut case = Case::deployed(mode);
        case.lose();
        case.facts.cluster = Cluster::Completed(launched(1, OLD));
        let decision = case.decide();
        assert_eq!((&decision.act, decision.wait.reason), (&None, "Settled"), "for {}", mode.as_str());
        assert!(tells(&decision, "JobStatusChanged"));
        assert_eq!(decision.record.job.state, Some(JobState::Finished));
        assert_eq!(decision.record.job_manager, JobManagerState::Missing);
        assert_eq!(decision.record.lifecycle, LifecycleState::Stable);
        // What is left of it goes in its time, and then it is not taken for lost.
        let mut case = case.after(&decision);
        assert!(case.decide().events.is_empty());
        case.facts.now_ms += 86_400_001;
        assert_eq!(act(&case.decide()), "remove");
        case.lose();
        assert_eq!(case.decide().act, None);
        // A change starts what follows, from its state if it is to have any.
        case.facts.cluster = Cluster::Completed(launched(1, OLD));
        case.change();
        assert_eq!(act(&case.decide()), "remove");
    }
}

#[test]
fn a_job_manager_of_another_job_that_ended_well_tells_nothing_of_this_one() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.lose();
    case.facts.cluster = Cluster::Completed(launched(1, "another"));
    let decision = case.decide();
    assert_eq!(act(&decision), "remove");
    assert_eq!(decision.record.job.state, Some(JobState::Reconciling));
}

#[test]
fn a_job_that_was_being_stopped_and_whose_job_manager_ended_well_is_followed_from_its_newest_snapshot() {
    let mut case = Case::stopping(UpgradeMode::Savepoint);
    case.lose();
    case.facts.savepoint = Some(Operation::Unknown("nobody answers".to_owned()));
    case.facts.cluster = Cluster::Completed(launched(1, OLD));
    let decision = case.decide();
    assert_eq!(act(&decision), "remove");
    let mut case = case.after(&decision);
    case.lose();
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
}

#[test]
fn why_a_job_was_lost_is_told_until_it_runs_again() {
    let why = "jobmanager: killed by SIGKILL; it said: out of memory";
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.facts.cluster = Cluster::Failed(launched(1, OLD), why.to_owned());
    case.facts.job = facts::Job::NotAsked;
    let removed = case.decide();
    assert_eq!(act(&removed), "remove");
    let mut case = case.after(&removed);
    case.facts.cluster = Cluster::Ending;
    let mut case = case.after(&case.decide());
    case.lose();
    let again = case.decide();
    let told = again.events.iter().find(|event| event.reason == "RecoverDeployment").unwrap();
    assert!(told.message.contains(why), "{}", told.message);
    assert!(again.wait.message.contains(why), "{}", again.wait.message);
    let mut case = case.after(&again);
    for cluster in [Cluster::Starting(launched(1, FRESH)), Cluster::Ready(launched(1, FRESH))] {
        case.facts.cluster = cluster;
        let starts = case.decide();
        assert_eq!((starts.record.error.as_deref(), starts.wait.reason), (Some(why), "JobStarting"));
        assert!(starts.wait.message.contains(why), "{}", starts.wait.message);
        case = case.after(&starts);
    }
    case.see(JobState::Running);
    let runs = case.decide();
    assert_eq!((runs.record.error, runs.wait.reason), (None, "Settled"));
}

#[test]
fn that_nothing_is_there_any_more_is_told_if_nothing_else_is_known() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.lose();
    let again = case.decide();
    let why = "no process of its cluster is there";
    assert_eq!(again.record.error.as_deref(), Some(why));
    let message = &again.events.iter().find(|event| event.reason == "RecoverDeployment").unwrap().message;
    assert!(message.ends_with(why), "{message}");
}
