//! One test for each defect of the Apache operator that a pure decision can show not to have.

use kobel_model::deployment::{FlinkVersion, JobState as Asked, UpgradeMode};

use super::super::spec;
use super::case::{CHECKPOINT, Case, FRESH, NOW, OLD, ORIGIN, act, launched, start, tells};
use crate::decision::Act;
use crate::facts::{self, Cluster, Newest, Operation, SessionCluster};
use crate::record::{LAST_STATE_DUMMY, Taken, Trigger};
use crate::state::{JobManagerState, JobState, LifecycleState, ReconciliationState};

const STATEFUL: [UpgradeMode; 2] = [UpgradeMode::Savepoint, UpgradeMode::LastState];

#[test]
fn flink_35857_a_failed_job_restarts_from_its_newest_checkpoint() {
    for mode in [UpgradeMode::Stateless, UpgradeMode::Savepoint, UpgradeMode::LastState] {
        let mut case = Case::deployed(mode);
        case.options.restart_failed = true;
        case.see(JobState::Failed);
        let remove = case.decide();
        assert_eq!(remove.act, Some(Act::Remove));
        let mut case = case.after(&remove);
        case.lose();
        let again = case.decide();
        assert_eq!(start(&again).restore.as_deref(), Some(CHECKPOINT), "for {}", mode.as_str());
        assert_eq!(start(&again).job_id.as_deref(), Some(FRESH));
    }
}

#[test]
fn flink_39270_a_remembered_path_never_wins_over_a_newer_snapshot() {
    for mode in STATEFUL {
        let mut case = Case::deployed(mode);
        case.change();
        case.lose();
        assert_eq!(case.record.job.restore_path.as_deref(), Some(ORIGIN));
        assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
        // While the snapshots cannot be listed, the remembered path is not trusted either.
        case.facts.newest = Newest::Unknown("the job manager still cleans up".to_owned());
        assert_eq!(case.decide().act, None);
    }
}

#[test]
fn flink_33107_a_rollback_takes_the_state_whatever_the_stable_spec_says() {
    let mut case = Case::deployed(UpgradeMode::Stateless);
    case.change();
    case.set_mode(UpgradeMode::Savepoint);
    case.record.last = Some(case.spec.clone());
    case.record.observed_generation = Some(case.generation);
    case.options.is_rollback_on = true;
    case.record.job.state = Some(JobState::Reconciling);
    case.lose();
    let decision = case.decide();
    assert!(tells(&decision, "Rollback"));
    assert_eq!(start(&decision).restore.as_deref(), Some(CHECKPOINT));
    assert_eq!(Some(&start(&decision).spec), case.record.stable.as_ref());
    assert_eq!(decision.record.lifecycle, LifecycleState::RollingBack);
}

#[test]
fn flink_27572_nothing_starts_while_the_last_state_is_not_known() {
    for mode in STATEFUL {
        let mut case = Case::stopped(mode);
        case.record.last = Some(spec::handed_over(&case.spec, UpgradeMode::LastState));
        case.facts.newest = Newest::Unknown("the metadata belongs to another configuration".to_owned());
        let decision = case.decide();
        assert_eq!((&decision.act, decision.wait.reason), (&None, "RestorePointUnknown"));
        for part in ["another configuration", "job.upgradeMode: stateless", "job.savepointRedeployNonce"] {
            assert!(decision.wait.message.contains(part), "{}", decision.wait.message);
        }
    }
}

#[test]
fn flink_27594_a_promised_last_state_that_is_not_found_asks_for_a_person() {
    for mode in STATEFUL {
        let mut case = Case::stopped(mode);
        case.record.job.restore_path = Some(LAST_STATE_DUMMY.to_owned());
        case.facts.newest = Newest::None;
        let decision = case.decide();
        assert_eq!(decision.act, None);
        assert!(decision.wait.message.contains("Manual restore required."), "{}", decision.wait.message);
    }
}

#[test]
fn flink_29100_a_checkpoint_that_completes_while_the_job_is_stopped_is_taken() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.record.stable = None;
    case.record.job.restore_path = None;
    case.facts.newest = Newest::None;
    case.see(JobState::Created);
    case.change();
    let cancel = case.decide();
    assert_eq!(act(&cancel), "cancel");
    let mut case = case.after(&cancel);
    case.lose();
    case.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW };
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
}

#[test]
fn flink_29100_a_first_start_that_was_not_seen_may_have_left_state() {
    let case = Case::new(UpgradeMode::LastState);
    let first = case.decide();
    let mut case = case.after(&first);
    case.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW };
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
    case.change();
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
    case.facts.newest = Newest::Unknown("the disk is gone".to_owned());
    assert_eq!(case.decide().act, None);
}

#[test]
fn flink_30266_a_job_that_never_had_a_checkpoint_is_not_held_up() {
    for mode in STATEFUL {
        for falls_back in [false, true] {
            let mut case = Case::deployed(mode);
            case.options.last_state_fallback = falls_back;
            case.record.stable = None;
            case.record.job.restore_path = None;
            case.facts.newest = Newest::None;
            case.record.job.state = Some(JobState::Reconciling);
            case.change();
            case.lose();
            assert_eq!(start(&case.decide()).restore, None, "for {} and {falls_back}", mode.as_str());
        }
    }
}

#[test]
fn flink_38049_a_stateless_job_is_never_held_up_by_state() {
    for is_highly_available in [false, true] {
        let mut case = Case::deployed(UpgradeMode::Stateless);
        case.is_highly_available = is_highly_available;
        case.facts.newest = Newest::Unknown("the metadata is not there".to_owned());
        case.change();
        assert_eq!(act(&case.decide()), "cancel");
        case.lose();
        assert_eq!(act(&case.decide()), "start without state");
        let mut lost = Case::deployed(UpgradeMode::Stateless);
        lost.is_highly_available = is_highly_available;
        lost.record.job.restore_path = None;
        lost.facts.newest = Newest::Unknown("the metadata is not there".to_owned());
        lost.lose();
        assert_eq!(act(&lost.decide()), "start without state");
    }
}

#[test]
fn flink_40162_a_finished_job_whose_snapshot_cannot_be_told_still_obeys() {
    let mut case = Case::deployed(UpgradeMode::Savepoint);
    case.facts.newest = Newest::Unknown("its path is not externally addressable".to_owned());
    case.see(JobState::Finished);
    let settled = case.decide();
    assert_eq!((settled.record.job.state, settled.wait.reason), (Some(JobState::Finished), "Settled"));
    let mut changed = case.clone();
    changed.change();
    let held = changed.decide();
    assert_eq!(held.act, None);
    assert!(held.wait.message.contains("externally addressable"), "{}", held.wait.message);
    changed.set_mode(UpgradeMode::Stateless);
    assert_eq!(act(&changed.decide()), "remove");
    case.ask(Asked::Suspended);
    let asking = case.decide();
    assert_eq!((act(&asking), asking.wait.reason), ("-".to_owned(), "RestorePointUnknown"), "it may still be told");
    let mut case = case.after(&asking);
    case.facts.now_ms += 300_001;
    assert_eq!(act(&case.decide()), "remove");
}

#[test]
fn flink_39043_a_session_job_that_finished_is_told_to_have_finished() {
    let mut case = Case::deployed(UpgradeMode::Savepoint);
    case.facts.newest = Newest::Unknown("its path is not externally addressable".to_owned());
    case.see(JobState::Finished);
    let decision = case.decide_session_job();
    assert_eq!((decision.record.job.state, decision.wait.reason), (Some(JobState::Finished), "Settled"));
}

#[test]
fn pr_245_a_savepoint_that_a_new_job_manager_does_not_know_is_asked_for_again() {
    let mut case = Case::stopping(UpgradeMode::Savepoint);
    case.facts.savepoint = Some(Operation::Unheard);
    assert_eq!(act(&case.decide()), "stop with savepoint");
    // The job has stopped: its state is looked for, and nothing starts without it.
    case.see(JobState::Finished);
    let decision = case.decide();
    assert_eq!(act(&decision), "remove");
    let mut case = case.after(&decision);
    case.lose();
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(CHECKPOINT));
    case.facts.newest = Newest::Unknown("the job manager is gone".to_owned());
    assert_eq!(case.decide().act, None);
}

#[test]
fn pr_245_a_savepoint_that_nobody_told_of_goes_before_every_checkpoint() {
    const SAVEPOINT: &str = "file:///savepoints/savepoint-old";
    let stopping = || {
        let mut case = Case::stopping(UpgradeMode::Savepoint);
        case.facts.savepoint = Some(Operation::Unheard);
        case.facts.newest = Newest::Snapshot { path: SAVEPOINT.to_owned(), at_ms: NOW };
        case.facts.stopped_with = Some(SAVEPOINT.to_owned());
        case
    };
    let mut lost = stopping();
    lost.lose();
    assert_eq!(start(&lost.decide()).restore.as_deref(), Some(SAVEPOINT));
    let mut case = stopping();
    case.see(JobState::Finished);
    let decision = case.decide();
    assert!(tells(&decision, "SavepointCompleted"), "{:?}", decision.events);
    // It may be somebody else's, so it is never cleaned up.
    assert!(decision.record.job.savepoints.history.is_empty(), "{:?}", decision.record.job.savepoints);
    // Nothing is pending any more, so only checkpoints are looked for.
    let mut case = case.after(&decision);
    case.facts.stopped_with = None;
    case.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW - 60_000 };
    case.lose();
    assert_eq!(start(&case.decide()).restore.as_deref(), Some(SAVEPOINT));
}

#[test]
fn flink_37372_a_failing_savepoint_leaves_the_job_running_and_is_not_tried_in_a_storm() {
    let mut case = Case::stopping(UpgradeMode::Savepoint);
    case.facts.savepoint = Some(Operation::Failed("no space left".to_owned()));
    let failed = case.decide();
    assert!(tells(&failed, "SavepointError"));
    assert_eq!((&failed.act, failed.wait.reason), (&None, "SavepointFailed"));
    assert!(failed.wait.message.contains("no space left"), "{}", failed.wait.message);
    let mut case = case.after(&failed);
    case.facts.savepoint = None;
    case.facts.now_ms += 59_000;
    assert_eq!(case.decide().act, None);
    case.facts.now_ms += 1_000;
    assert_eq!(act(&case.decide()), "stop with savepoint");
}

#[test]
fn flink_36037_a_job_suspended_by_an_older_operator_resumes_from_its_savepoint() {
    let mut case = Case::stopped(UpgradeMode::Savepoint);
    case.record.reconciliation = ReconciliationState::Deployed;
    case.record.job.restore_path = None;
    case.facts.newest = Newest::None;
    let location = Some("file:///savepoints/old".to_owned());
    case.record.job.savepoints.last = Some(Taken { at_ms: NOW, location, trigger: Trigger::Upgrade, nonce: None });
    assert_eq!(start(&case.decide()).restore.as_deref(), Some("file:///savepoints/old"));
}

#[test]
fn flink_19358_every_job_gets_an_id_of_its_own() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.lose();
    let decision = case.decide();
    assert_eq!(start(&decision).job_id.as_deref(), Some(FRESH));
    assert_ne!(FRESH, OLD);
}

#[test]
fn flink_39439_a_savepoint_is_disposed_of_before_it_is_dropped() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.options.savepoint_history_max_count = 1;
    for path in [ORIGIN, "file:///savepoints/1", "file:///savepoints/2"] {
        let location = Some(path.to_owned());
        let taken = Taken { at_ms: NOW - 1_000, location, trigger: Trigger::Manual, nonce: None };
        case.record.job.savepoints.history.push(taken);
    }
    let dispose = Some(Act::Dispose { path: "file:///savepoints/1".to_owned() });
    let first = case.decide();
    assert_eq!(first.act, dispose, "what the job began from stays");
    assert_eq!(first.record.job.savepoints.history.len(), 3, "it is known until it is gone");
    let case = case.after(&first);
    let second = case.decide();
    assert_eq!(second.act, dispose);
    assert_eq!(second.record.job.savepoints.history.len(), 2);
    let third = case.after(&second).decide();
    assert_eq!(third.act, None, "the newest and the origin are never disposed of");
}

#[test]
fn flink_38290_a_job_that_has_ended_stays_ended() {
    for state in [JobState::Finished, JobState::Failed, JobState::Canceled] {
        let mut case = Case::deployed(UpgradeMode::LastState);
        case.record.job.state = Some(state);
        for job in [facts::Job::Absent, facts::Job::NotAsked, facts::Job::Unknown("timed out".to_owned())] {
            case.facts.job = job;
            let decision = case.decide();
            assert_eq!((decision.record.job.state, decision.act), (Some(state), None));
        }
    }
}

#[test]
fn flink_37320_a_bounded_job_is_told_to_have_finished_and_its_cluster_is_removed() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.see(JobState::Finished);
    let finished = case.decide();
    assert_eq!(finished.record.lifecycle, LifecycleState::Stable);
    assert_eq!((&finished.act, finished.wait.reason), (&None, "Settled"));
    let mut case = case.after(&finished);
    case.facts.now_ms += 86_400_001;
    assert_eq!(act(&case.decide()), "remove");
    // Once it is removed it is not taken for lost.
    case.lose();
    assert_eq!(case.decide().act, None);
}

#[test]
fn flink_39507_a_job_that_has_ended_is_not_restarted_for_ever() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.options.restart_failed = true;
    for state in [JobState::Finished, JobState::Canceled] {
        case.see(state);
        assert_eq!(case.decide().act, None);
    }
}

#[test]
fn flink_32529_a_job_manager_that_never_gets_ready_can_be_replaced() {
    for mode in STATEFUL {
        let mut case = Case::deployed(mode);
        case.record.job.state = Some(JobState::Reconciling);
        case.facts.cluster = Cluster::Starting(launched(1, OLD));
        case.facts.job = facts::Job::NotAsked;
        case.change();
        assert_eq!(act(&case.decide()), "remove");
    }
}

#[test]
fn flink_33067_a_job_that_dies_at_once_is_not_started_in_a_storm() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.lose();
    case.record.job.state = Some(JobState::Reconciling);
    let mut pauses = Vec::new();
    case.record.job.update_ms = Some(NOW);
    case.record.job.start_ms = Some(NOW);
    for _ in 0..8 {
        let decision = case.decide();
        assert_eq!((&decision.act, decision.wait.reason), (&None, "RecoverDeployment"));
        let pause = i64::try_from(decision.wait.again.as_millis()).unwrap();
        pauses.push(pause / 1_000);
        case.facts.now_ms += pause;
        let again = case.decide();
        let job_id = start(&again).job_id.clone().unwrap();
        let mut next = case.after(&again);
        next.facts.cluster = Cluster::Failed(launched(1, &job_id), "exit code 1".to_owned());
        next.record = next.decide().record;
        next.lose();
        case = next;
    }
    assert_eq!(pauses, [5, 5, 10, 20, 40, 80, 160, 300]);
}

#[test]
fn flink_37430_the_error_that_tells_why_is_not_hidden_by_a_later_one() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.facts.cluster = Cluster::Failed(launched(1, OLD), "no main manifest attribute".to_owned());
    case.facts.job = facts::Job::NotAsked;
    let failed = case.decide();
    assert_eq!(act(&failed), "remove");
    let mut case = case.after(&failed);
    case.lose();
    let again = case.decide();
    assert_eq!(again.record.error.as_deref(), Some("no main manifest attribute"));
}

#[test]
fn a_session_job_that_has_ended_before_it_was_seen_was_started() {
    for (state, reason) in [(JobState::Failed, "JobFailed"), (JobState::Finished, "Settled")] {
        let mut case = Case::new(UpgradeMode::Savepoint);
        case = case.after(&case.decide_session_job());
        case.see(state);
        let decision = case.decide_session_job();
        assert_eq!((&decision.act, decision.record.job.state, decision.wait.reason), (&None, Some(state), reason));
    }
}

#[test]
fn flink_38858_a_submission_that_failed_is_made_again_under_the_same_id() {
    let mut case = Case::new(UpgradeMode::LastState);
    let first = case.decide_session_job();
    case = case.after(&first);
    case.facts.fresh_id = "another".to_owned();
    case.facts.job = facts::Job::Absent;
    assert_eq!(case.decide_session_job().act, first.act);
}

#[test]
fn flink_38077_a_job_manager_that_does_not_answer_is_not_asked_to_cancel() {
    for mode in [UpgradeMode::Stateless, UpgradeMode::LastState] {
        let mut case = Case::deployed(mode);
        case.facts.cluster = Cluster::Starting(launched(1, OLD));
        case.facts.job = facts::Job::NotAsked;
        case.change();
        assert_eq!(act(&case.decide()), "remove", "for {}", mode.as_str());
    }
}

#[test]
fn flink_39271_a_session_job_is_let_go_with_its_session_cluster() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.is_deleting = true;
    case.facts.job = facts::Job::NotAsked;
    for session in [SessionCluster::Absent, SessionCluster::Leaving] {
        case.facts.session = Some(session);
        assert_eq!(act(&case.decide_session_job()), "release");
    }
}

#[test]
fn flink_39618_a_job_in_a_leaving_session_cluster_is_ended_so_that_it_blocks_nobody() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.is_deleting = true;
    case.facts.session = Some(SessionCluster::Leaving);
    let cancel = case.decide_session_job();
    assert_eq!(act(&cancel), "cancel");
    let mut case = case.after(&cancel);
    case.see(JobState::Canceled);
    assert_eq!(act(&case.decide_session_job()), "release");
}

#[test]
fn flink_40542_a_session_job_is_not_let_go_while_its_job_cannot_be_seen() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.is_deleting = true;
    case.facts.job = facts::Job::Unknown("timed out".to_owned());
    let unseen = case.decide_session_job();
    assert_eq!(unseen.act, None);
    assert!(unseen.wait.message.contains("timed out"), "{}", unseen.wait.message);
    case.facts.session = Some(SessionCluster::NotReady("it starts".to_owned()));
    let not_ready = case.decide_session_job();
    assert_eq!(not_ready.act, None);
    assert!(not_ready.wait.message.contains("delete the session cluster"), "{}", not_ready.wait.message);
    // Which session cluster it is must not be looked for.
    case.spec["deploymentName"] = serde_json::json!("session");
    let named = case.decide_session_job().wait.message;
    assert!(named.starts_with("the job waits: its session cluster `session` is not ready: it starts"), "{named}");
}

#[test]
fn flink_37766_a_session_job_that_was_never_submitted_is_let_go_at_once() {
    let mut case = Case::new(UpgradeMode::LastState);
    case.is_deleting = true;
    case.facts.session = Some(SessionCluster::NotReady("it starts".to_owned()));
    assert_eq!(act(&case.decide_session_job()), "release");
}

#[test]
fn notes_1_7_0_a_resource_with_an_unsupported_version_can_be_deleted() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.flink_version = FlinkVersion::V1_13;
    case.is_deleting = true;
    assert_eq!(act(&case.decide()), "cancel");
    case.record.job.state = Some(JobState::Finished);
    case.lose();
    let release = case.decide();
    assert_eq!(act(&release), "release");
    // By design elsewhere: nobody tells where the state of what was deleted lies.
    assert!(release.events.iter().any(|event| event.message.contains(CHECKPOINT)), "{:?}", release.events);
}

#[test]
fn defect_seen_ready_is_not_sticky() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.facts.job = facts::Job::NotAsked;
    for (cluster, expected) in [
        (Cluster::Starting(launched(1, OLD)), JobManagerState::Deploying),
        (Cluster::Ending, JobManagerState::Missing),
        (Cluster::Failed(launched(1, OLD), "exit code 1".to_owned()), JobManagerState::Error),
    ] {
        case.facts.cluster = cluster;
        let decision = case.decide();
        assert_eq!(decision.record.job_manager, expected);
        assert_eq!(decision.record.job.state, Some(JobState::Reconciling));
    }
}

#[test]
fn defect_seen_a_deletion_that_waits_for_a_savepoint_tells_the_way_out() {
    let mut case = Case::deployed(UpgradeMode::Savepoint);
    case.is_deleting = true;
    case.options.savepoint_on_deletion = true;
    case.see(JobState::Restarting);
    let decision = case.decide();
    assert_eq!(decision.act, None);
    assert!(decision.wait.message.contains("savepoint-on-deletion: false"), "{}", decision.wait.message);
}

#[test]
fn session_jobs_roll_back_too() {
    let mut case = Case::deployed(UpgradeMode::LastState);
    case.change();
    case.record.last = Some(case.spec.clone());
    case.record.observed_generation = Some(case.generation);
    case.options.is_rollback_on = true;
    case.see(JobState::Restarting);
    let rollback = case.decide_session_job();
    assert!(tells(&rollback, "Rollback"));
    assert_eq!(act(&rollback), "cancel");
    let mut case = case.after(&rollback);
    case.see(JobState::Canceled);
    assert_eq!(start(&case.decide_session_job()).restore.as_deref(), Some(CHECKPOINT));
}

#[test]
fn a_lost_job_whose_change_needs_a_savepoint_is_brought_back_first() {
    let mut case = Case::deployed(UpgradeMode::Savepoint);
    case.options.last_state_fallback = false;
    let deployed = case.spec["job"]["parallelism"].clone();
    case.change();
    case.lose();
    let decision = case.decide();
    assert_eq!(start(&decision).generation, 1);
    assert_eq!(start(&decision).spec["job"]["parallelism"], deployed);
    let mut case = case.after(&decision);
    case.facts.newest = Newest::None;
    assert_eq!(case.decide().act, decision.act);
    case.facts.cluster = Cluster::Ready(launched(1, FRESH));
    case.see(JobState::Running);
    assert_eq!(act(&case.decide()), "stop with savepoint");
}
