//! More of what the Apache operator is known to lose, to get stuck in or to lie about; one test for each reference.

use std::time::Duration;

use kobel_model::deployment::{JobState as Asked, UpgradeMode};
use serde_json::json;

use super::case::{CHECKPOINT, Case, FRESH, NOW, OLD, ORIGIN, act, launched, start, tells};
use crate::decision::Decision;
use crate::facts::{self, Cluster, Newest, Operation, Witness};
use crate::record::{LAST_STATE_DUMMY, Taken, Trigger};
use crate::state::{JobState, LifecycleState};

const MODES: [UpgradeMode; 3] = [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState];

/// What may be known of the snapshots of a job that takes none.
fn nothing_to_tell() -> [Newest; 2] {
    [Newest::None, Newest::Unknown("it takes no checkpoints".to_owned())]
}

#[test]
fn flink_29109_every_start_has_an_id_that_no_earlier_one_had() {
    for mode in MODES {
        let changed = Case::stopped(mode);
        assert_eq!(start(&changed.decide()).job_id.as_deref(), Some(FRESH), "a change by {}", mode.as_str());
        let mut lost = Case::deployed(mode);
        lost.lose();
        assert_eq!(start(&lost.decide()).job_id.as_deref(), Some(FRESH), "a lost job by {}", mode.as_str());
        let mut undone = Case::deployed(mode);
        undone.change();
        undone.record.last = Some(undone.spec.clone());
        undone.record.observed_generation = Some(undone.generation);
        undone.record.job.state = Some(JobState::Reconciling);
        undone.options.is_rollback_on = true;
        undone.lose();
        assert_eq!(start(&undone.decide()).job_id.as_deref(), Some(FRESH), "an undone change by {}", mode.as_str());
        let mut resubmitted = Case::deployed(mode);
        resubmitted.facts.job = facts::Job::Absent;
        let decision = resubmitted.decide_session_job();
        assert_eq!(start(&decision).job_id.as_deref(), Some(FRESH), "a session job by {}", mode.as_str());
    }
}

#[test]
fn flink_38033_the_savepoint_that_a_change_was_made_with_is_not_disposed_of() {
    let path = "file:///savepoints/change";
    let mut case = Case::stopping(UpgradeMode::Savepoint);
    case.facts.savepoint = Some(Operation::Completed(Some(path.to_owned())));
    case.see(JobState::Finished);
    let stopped = case.decide();
    assert_eq!(act(&stopped), "remove");
    let mut case = case.after(&stopped);
    case.facts.savepoint = None;
    case.lose();
    let started = case.decide();
    assert_eq!(start(&started).restore.as_deref(), Some(path));
    let mut case = case.after(&started);
    case.facts.cluster = Cluster::Ready(launched(case.generation, FRESH));
    case.see(JobState::Running);
    // It is the oldest of two, and only one is kept, for no time at all.
    let location = Some("file:///savepoints/manual".to_owned());
    let manual = Taken { at_ms: NOW, location, trigger: Trigger::Manual, nonce: None };
    case.record.job.savepoints.history.push(manual.clone());
    case.record.job.savepoints.last = Some(manual);
    case.options.savepoint_history_max_count = 1;
    case.options.savepoint_history_max_age = Duration::ZERO;
    case.facts.now_ms += 60_000;
    for newest in [Newest::None, Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW }] {
        case.facts.newest = newest;
        let decision = case.decide();
        assert_eq!(act(&decision), "-");
        assert_eq!(decision.record.job.savepoints.history.len(), 2);
        assert_eq!(decision.record.job.restore_path.as_deref(), Some(path));
    }
}

#[test]
fn flink_37370_a_finished_batch_job_that_took_no_checkpoint_is_told_to_have_finished() {
    for mode in MODES {
        for newest in nothing_to_tell() {
            let mut case = Case::deployed(mode);
            case.facts.newest = newest;
            case.see(JobState::Finished);
            let finished = case.decide();
            assert_eq!(finished.record.job.state, Some(JobState::Finished), "for {}", mode.as_str());
            assert_eq!((&finished.act, finished.wait.reason), (&None, "Settled"));
            assert_eq!((&finished.record.error, finished.record.lifecycle), (&None, LifecycleState::Stable));
            let again = case.after(&finished).decide();
            assert_eq!((again.record, again.events), (finished.record, Vec::new()), "nothing more is to be told");
        }
    }
}

#[test]
fn flink_37869_the_cluster_of_a_finished_batch_job_is_removed_in_the_end() {
    for newest in nothing_to_tell() {
        let mut case = Case::deployed(UpgradeMode::LastState);
        case.options.shutdown_ttl = Duration::from_secs(60);
        case.facts.newest = newest;
        case.see(JobState::Finished);
        let mut case = case.after(&case.decide());
        assert_eq!(act(&case.decide()), "-", "it may still be looked at");
        case.facts.now_ms += 60_001;
        assert_eq!(act(&case.decide()), "remove");
        case.lose();
        let gone = case.decide();
        assert_eq!((act(&gone), gone.record.job.state), ("-".to_owned(), Some(JobState::Finished)));
    }
}

#[test]
fn flink_37470_the_first_error_of_a_job_manager_stays_until_it_is_replaced() {
    let why = "exit code 1: no main manifest attribute";
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.facts.cluster = Cluster::Failed(launched(1, OLD), why.to_owned());
    case.facts.job = facts::Job::NotAsked;
    let first = case.decide();
    assert!(tells(&first, "Error"));
    let mut case = case.after(&first);
    case.facts.cluster = Cluster::Failed(launched(1, OLD), "the deployment has no job manager".to_owned());
    let second = case.decide();
    assert_eq!(second.record.error.as_deref(), Some(why));
    assert!(!tells(&second, "Error"), "it is told once");
}

#[test]
fn flink_37470_why_a_job_failed_is_not_hidden_by_the_end_of_its_job_manager() {
    let why = "division by zero";
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.record.job.state = Some(JobState::Failed);
    case.record.error = Some(why.to_owned());
    case.facts.cluster = Cluster::Failed(launched(1, OLD), "exit code 1443".to_owned());
    case.facts.job = facts::Job::NotAsked;
    assert_eq!(case.decide().record.error.as_deref(), Some(why));
}

#[test]
fn flink_39432_a_session_job_is_not_let_go_before_its_job_has_ended() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.is_deleting = true;
    let cancel = case.decide_session_job();
    assert_eq!(act(&cancel), "cancel");
    let mut case = case.after(&cancel);
    case.see(JobState::Cancelling);
    case.facts.now_ms += 3_600_000;
    let waiting = case.decide_session_job();
    assert_eq!((act(&waiting), waiting.wait.reason), ("-".to_owned(), "JobCancelling"));
    for job in [ended(&case), facts::Job::Absent] {
        case.facts.job = job;
        assert_eq!(act(&case.decide_session_job()), "release");
    }
}

/// The job of a case as one that was cancelled.
fn ended(case: &Case) -> facts::Job {
    let mut case = case.clone();
    case.see(JobState::Canceled);
    case.facts.job
}

#[test]
fn pr_245_a_job_manager_that_is_lost_while_it_stops_its_job_loses_no_savepoint() {
    let savepoint = "file:///savepoints/savepoint-000000-1";
    for asked in [Asked::Running, Asked::Suspended] {
        let mut case = Case::stopping(UpgradeMode::Savepoint);
        case.ask(asked);
        case.facts.savepoint = Some(Operation::Unheard);
        case.facts.newest = Newest::Snapshot { path: savepoint.to_owned(), at_ms: NOW };
        case.lose();
        let decision = case.decide();
        assert_eq!(decision.record.job.restore_path.as_deref(), Some(savepoint));
        assert_eq!(decision.record.job.savepoints.pending, None);
        let mut resumed = case.after(&decision);
        resumed.ask(Asked::Running);
        assert_eq!(start(&resumed.decide()).restore.as_deref(), Some(savepoint));
    }
}

#[test]
fn by_design_a_deletion_tells_of_the_savepoint_that_a_job_was_stopped_with() {
    let path = "file:///savepoints/last";
    let mut case = Case::stopped(UpgradeMode::Savepoint);
    case.record.job.restore_path = Some(path.to_owned());
    case.facts.newest = Newest::Unknown("only its job manager could tell".to_owned());
    case.is_deleting = true;
    let told = |case: &Case| {
        let decision = case.decide();
        let kept = decision.events.iter().find(|event| event.reason == "SnapshotKept");
        kept.map(|event| event.message.clone()).unwrap_or_default()
    };
    assert!(told(&case).contains(path), "{}", told(&case));
    let mut case = Case::stopped(UpgradeMode::LastState);
    case.facts.newest = Newest::Unknown("only its job manager could tell".to_owned());
    case.is_deleting = true;
    assert!(!told(&case).contains(ORIGIN), "it need not be the newest: {}", told(&case));
    assert!(told(&case).contains("only its job manager"), "{}", told(&case));
}

#[test]
fn by_design_a_job_that_goes_on_from_the_metadata_of_high_availability_keeps_its_id() {
    let kept = Newest::Snapshot { path: LAST_STATE_DUMMY.to_owned(), at_ms: NOW };
    let mut lost = Case::deployed(UpgradeMode::LastState);
    lost.facts.newest = kept.clone();
    lost.lose();
    let mut changed = Case::stopped(UpgradeMode::LastState);
    changed.facts.newest = kept;
    for case in [lost, changed] {
        let started = case.decide();
        assert_eq!(start(&started).restore.as_deref(), Some(LAST_STATE_DUMMY));
        assert_eq!(start(&started).job_id.as_deref(), Some(OLD), "Flink keeps it under that");
    }
}

#[test]
fn by_design_a_failed_job_whose_state_only_its_job_manager_knows_is_started_again() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.options.restart_failed = true;
    case.facts.witness = Witness::JobManager;
    case.see(JobState::Failed);
    let removal = case.decide();
    assert_eq!(act(&removal), "remove");
    assert!(tells(&removal, "RestartFailedJob"));
    let mut case = case.after(&removal);
    case.lose();
    case.facts.newest = Newest::Unknown("the REST API does not answer".to_owned());
    case.facts.witness = Witness::Storage;
    let started = case.decide();
    assert_eq!(start(&started).restore.as_deref(), Some(CHECKPOINT));
    assert!(started.record.error.is_some(), "why it failed is still told");
}

/// Nobody could tell what became of the savepoint that a job was stopped with, or look for it: the disk does not answer.
fn unheard(asked: Asked) -> Case {
    let mut case = Case::stopping(UpgradeMode::Savepoint);
    case.ask(asked);
    case.facts.savepoint = Some(Operation::Unheard);
    case.facts.newest = Newest::Unknown("input/output error".to_owned());
    case.lose();
    let decision = case.decide();
    assert_eq!(act(&decision), "-");
    assert!(decision.record.job.savepoints.pending.is_some(), "it may still be found");
    case.after(&decision)
}

#[test]
fn by_design_a_savepoint_is_looked_for_until_somebody_could_look() {
    let savepoint = "file:///savepoints/savepoint-000000-1";
    for asked in [Asked::Running, Asked::Suspended] {
        let case = unheard(asked);
        let blind = case.decide();
        assert_eq!((&blind.act, blind.record == case.record), (&None, true), "nothing is known yet");
        let mut found = case.clone();
        found.facts.newest = Newest::Snapshot { path: savepoint.to_owned(), at_ms: NOW };
        found.facts.stopped_with = Some(savepoint.to_owned());
        let decision = found.decide();
        assert!(tells(&decision, "SavepointCompleted"), "{:?}", decision.events);
        let mut none = case;
        none.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW };
        for (mut seen, decision, expected) in [(found, decision, savepoint), (none.clone(), none.decide(), CHECKPOINT)]
        {
            assert_eq!(decision.record.job.savepoints.pending, None);
            seen.record = decision.record.clone();
            let started = if asked == Asked::Running {
                decision
            } else {
                seen.ask(Asked::Running);
                seen.decide()
            };
            assert_eq!(start(&started).restore.as_deref(), Some(expected));
        }
    }
}

#[test]
fn by_design_what_has_ended_tells_where_its_state_lies_until_that_is_known() {
    for asked in [Asked::Running, Asked::Suspended] {
        let mut case = Case::deployed(UpgradeMode::LastState);
        case.spec["flinkConfiguration"] = json!({"state.checkpoints.dir": "file:///old"});
        case.record.last = Some(case.spec.clone());
        case.record.stable = Some(case.spec.clone());
        case.spec["flinkConfiguration"] = json!({"state.checkpoints.dir": "file:///new"});
        case.ask(asked);
        case.facts.newest = Newest::Unknown("input/output error".to_owned());
        case.lose();
        let place = |decision: &Decision| {
            let last = decision.record.last.as_ref().unwrap();
            last["flinkConfiguration"]["state.checkpoints.dir"].as_str().unwrap().to_owned()
        };
        let blind = case.decide();
        assert_eq!((act(&blind), place(&blind)), ("-".to_owned(), "file:///old".to_owned()));
        let mut case = case.after(&blind);
        if asked == Asked::Suspended {
            case.spec["flinkConfiguration"] = json!({"state.checkpoints.dir": "file:///newer"});
            case.ask(Asked::Running);
            let blind = case.decide();
            assert_eq!((act(&blind), place(&blind)), ("-".to_owned(), "file:///old".to_owned()));
            case = case.after(&blind);
        }
        case.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW };
        let started = case.decide();
        assert_eq!(start(&started).restore.as_deref(), Some(CHECKPOINT));
        assert_ne!(place(&started), "file:///old", "the next one lies where it says");
    }
}

#[test]
fn by_design_what_a_job_manager_tells_last_is_written_down_before_it_is_removed() {
    let unknown = || Newest::Unknown("the REST API does not answer".to_owned());
    let first = || Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW };
    for (newest, origin, expected) in [
        (first(), Some(ORIGIN), Some(CHECKPOINT)),
        (Newest::None, Some(ORIGIN), Some(ORIGIN)),
        (Newest::None, None, None),
    ] {
        let mut case = Case::deployed(UpgradeMode::LastState);
        case.record.job.restore_path = origin.map(str::to_owned);
        case.facts.newest = newest.clone();
        case.facts.witness = Witness::JobManager;
        case.change();
        let cancel = case.decide();
        assert_eq!(act(&cancel), "cancel");
        let mut case = case.after(&cancel);
        case.see(JobState::Canceled);
        // It is told some time after the end.
        case.facts.newest = unknown();
        let asking = case.decide();
        assert_eq!((act(&asking), asking.wait.reason), ("-".to_owned(), "RestorePointUnknown"));
        case = case.after(&asking);
        case.facts.newest = newest;
        let removal = case.decide();
        assert_eq!(act(&removal), "remove");
        case = case.after(&removal);
        case.facts.newest = unknown();
        case.facts.witness = Witness::Storage;
        case.lose();
        assert_eq!(start(&case.decide()).restore.as_deref(), expected);
    }
}

#[test]
fn by_design_a_deletion_tells_where_the_state_stays() {
    let told = |decision: &Decision| {
        assert_eq!(act(decision), "release");
        let kept = decision.events.iter().find(|event| event.reason == "SnapshotKept");
        kept.map(|event| event.message.clone()).unwrap_or_default()
    };
    for decide in [Case::decide, Case::decide_session_job] {
        let mut case = Case::deployed(UpgradeMode::LastState);
        case.is_deleting = true;
        let cancel = decide(&case);
        assert_eq!(act(&cancel), "cancel");
        let mut case = case.after(&cancel);
        case.facts.cluster = Cluster::Absent;
        case.see(JobState::Canceled);
        let message = told(&decide(&case));
        for part in [CHECKPOINT, "job.initialSavepointPath"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
