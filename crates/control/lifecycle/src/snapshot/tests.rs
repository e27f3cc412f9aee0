//! The states of a snapshot: how each leads on, and that none holds anybody for ever.

use std::time::Duration;

use kobel_model::deployment::{Identity, JobReference, ReferencedKind, SavepointFormat, SnapshotKind};

use super::*;
use crate::decision::{Act, Savepoint};
use crate::facts::Operation;
use crate::state::SnapshotState;

const NOW: i64 = 1_800_000_000_000;
const JOB: &str = "3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c";
const FRESH: &str = "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0";
const OLD: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const PATH: &str = "s3://b/savepoint-3c3c3c-1";

fn of(kind: SnapshotKind) -> StateSnapshot {
    StateSnapshot {
        identity: Identity { namespace: "n".to_owned(), name: "s".to_owned() },
        job: Some(JobReference { kind: ReferencedKind::FlinkDeployment, name: "a".to_owned() }),
        kind,
        backoff_limit: None,
    }
}

fn savepoint() -> StateSnapshot {
    of(SnapshotKind::Savepoint {
        path: None,
        format: SavepointFormat::Native,
        dispose_on_delete: true,
        already_exists: false,
    })
}

fn kept() -> StateSnapshot {
    of(SnapshotKind::Savepoint {
        path: None,
        format: SavepointFormat::Canonical,
        dispose_on_delete: false,
        already_exists: false,
    })
}

fn existing() -> StateSnapshot {
    of(SnapshotKind::Savepoint {
        path: Some(PATH.to_owned()),
        format: SavepointFormat::Canonical,
        dispose_on_delete: true,
        already_exists: true,
    })
}

fn running() -> ReferencedJob {
    ReferencedJob::Running { job_id: JOB.to_owned() }
}

fn ended() -> ReferencedJob {
    ReferencedJob::NotRunning("FINISHED".to_owned())
}

fn unseen() -> ReferencedJob {
    ReferencedJob::Unknown("connection refused".to_owned())
}

fn facts(job: ReferencedJob, operation: Option<Operation>) -> SnapshotFacts {
    SnapshotFacts {
        now_ms: NOW,
        fresh_id: FRESH.to_owned(),
        is_deleting: false,
        job,
        operation,
        files: Files::Present,
        default_directory: Some("file:///savepoints".to_owned()),
    }
}

fn deleting(job: ReferencedJob, operation: Option<Operation>) -> SnapshotFacts {
    SnapshotFacts { is_deleting: true, ..facts(job, operation) }
}

fn in_progress(since: i64) -> SnapshotRecord {
    SnapshotRecord {
        state: SnapshotState::InProgress,
        trigger_id: Some(OLD.to_owned()),
        triggered_ms: Some(NOW - since),
        ..SnapshotRecord::default()
    }
}

fn completed() -> SnapshotRecord {
    SnapshotRecord {
        state: SnapshotState::Completed,
        path: Some(PATH.to_owned()),
        result_ms: Some(NOW - 1_000_000),
        ..in_progress(1_100_000)
    }
}

fn failed_times(failures: u32, since: i64) -> SnapshotRecord {
    SnapshotRecord {
        failures,
        error: Some("disk full".to_owned()),
        result_ms: Some(NOW - since),
        ..SnapshotRecord::default()
    }
}

fn reasons(decision: &SnapshotDecision) -> Vec<&'static str> {
    decision.events.iter().map(|event| event.reason).collect()
}

fn ask(trigger_id: &str, directory: &str) -> Act {
    Act::TakeSavepoint(Savepoint {
        job_id: JOB.to_owned(),
        trigger_id: trigger_id.to_owned(),
        directory: Some(directory.to_owned()),
        format: SavepointFormat::Native,
        drain: false,
    })
}

#[test]
fn what_is_asked_for_is_recorded_first() {
    let decision = decide(&savepoint(), &SnapshotRecord::default(), &facts(running(), None));
    let expected = SnapshotRecord { trigger_id: Some(FRESH.to_owned()), ..in_progress(0) };
    assert_eq!(decision.record, expected);
    assert_eq!(decision.act, Some(ask(FRESH, "file:///savepoints")));

    let mut elsewhere = savepoint();
    if let SnapshotKind::Savepoint { path, .. } = &mut elsewhere.kind {
        *path = Some("s3://mine".to_owned());
    }
    let decision = decide(&elsewhere, &SnapshotRecord::default(), &facts(running(), None));
    assert_eq!(decision.act, Some(ask(FRESH, "s3://mine")));

    let decision = decide(&of(SnapshotKind::Checkpoint), &SnapshotRecord::default(), &facts(running(), None));
    let (job_id, trigger_id) = (JOB.to_owned(), FRESH.to_owned());
    assert_eq!(decision.act, Some(Act::TakeCheckpoint { job_id, trigger_id }));
}

#[test]
fn a_savepoint_that_exists_is_only_recorded() {
    for job in [running(), ReferencedJob::Absent, unseen()] {
        let decision = decide(&existing(), &SnapshotRecord::default(), &facts(job, None));
        assert_eq!(decision.record.state, SnapshotState::Completed);
        assert_eq!(decision.record.path.as_deref(), Some(PATH));
        assert_eq!((decision.act, decision.wait.again), (None, Duration::ZERO));
    }
}

#[test]
fn before_it_is_asked_for_the_job_decides() {
    for (job, state, reason, events) in [
        (ReferencedJob::Absent, SnapshotState::Abandoned, "Settled", vec!["SnapshotAbandoned"]),
        (ended(), SnapshotState::Abandoned, "Settled", vec!["SnapshotAbandoned"]),
        (unseen(), SnapshotState::TriggerPending, "JobUnknown", vec![]),
    ] {
        let decision = decide(&savepoint(), &SnapshotRecord::default(), &facts(job.clone(), None));
        assert_eq!(decision.record.state, state, "for {job:?}");
        assert_eq!((decision.wait.reason, reasons(&decision)), (reason, events), "for {job:?}");
        assert_eq!(decision.act, None, "for {job:?}");
    }
}

#[test]
fn a_savepoint_without_a_directory_fails_with_what_to_set() {
    let facts = SnapshotFacts { default_directory: None, ..facts(running(), None) };
    let decision = decide(&savepoint(), &SnapshotRecord::default(), &facts);
    assert_eq!((decision.record.state, decision.record.failures), (SnapshotState::TriggerPending, 1));
    assert!(decision.record.error.unwrap().contains("`spec.savepoint.path`"));
}

#[test]
fn each_state_of_the_operation_leads_on() {
    use SnapshotState::*;
    let done = || Some(Operation::Completed(Some(PATH.to_owned())));
    let failure = || Some(Operation::Failed("disk full".to_owned()));
    let unknown = || Some(Operation::Unknown("timed out".to_owned()));
    let minutes = |count: i64| count * 60_000;
    for (job, operation, since, state, reason) in [
        (running(), done(), 5, Completed, "Settled"),
        (ended(), done(), 5, Completed, "Settled"),
        (ReferencedJob::Absent, done(), 5, Completed, "Settled"),
        (unseen(), done(), 5, Completed, "Settled"),
        (running(), Some(Operation::Completed(None)), 5, TriggerPending, "Backoff"),
        (running(), failure(), 5, TriggerPending, "Backoff"),
        (unseen(), failure(), 5, TriggerPending, "Backoff"),
        (ended(), failure(), 5, Abandoned, "Settled"),
        (running(), Some(Operation::Unheard), 5, InProgress, "SnapshotInProgress"),
        (running(), Some(Operation::Unheard), minutes(2), TriggerPending, "Backoff"),
        (ended(), Some(Operation::Unheard), 5, Abandoned, "Settled"),
        (unseen(), Some(Operation::Unheard), 5, InProgress, "JobUnknown"),
        (running(), Some(Operation::InProgress), minutes(600), InProgress, "SnapshotInProgress"),
        (ended(), Some(Operation::InProgress), minutes(1), InProgress, "SnapshotInProgress"),
        (ended(), Some(Operation::InProgress), minutes(11), Abandoned, "Settled"),
        (running(), unknown(), minutes(11), InProgress, "JobUnknown"),
        (ended(), unknown(), minutes(1), InProgress, "JobUnknown"),
        (ended(), unknown(), minutes(11), Abandoned, "Settled"),
        (running(), None, 5, InProgress, "SnapshotInProgress"),
        (unseen(), None, minutes(11), InProgress, "JobUnknown"),
        (ended(), None, 5, Abandoned, "Settled"),
        (ReferencedJob::Absent, None, 5, Abandoned, "Settled"),
    ] {
        let decision = decide(&savepoint(), &in_progress(since), &facts(job.clone(), operation.clone()));
        let found = (decision.record.state, decision.wait.reason);
        assert_eq!(found, (state, reason), "for {job:?}, {operation:?} after {since} ms");
        let is_followed = decision.wait.again > Duration::ZERO;
        assert_eq!(is_followed, reason != "Settled", "for {job:?}, {operation:?} after {since} ms");
    }
}

#[test]
fn a_savepoint_that_nobody_heard_of_is_asked_for_again_under_its_id() {
    let facts = facts(running(), Some(Operation::Unheard));
    let decision = decide(&savepoint(), &in_progress(5), &facts);
    assert_eq!(decision.act, Some(ask(OLD, "file:///savepoints")));
    assert_eq!(decision.record, in_progress(5));
}

#[test]
fn what_was_completed_is_noticed_within_a_second() {
    let decision = decide(&savepoint(), &in_progress(12_000), &facts(running(), Some(Operation::InProgress)));
    assert!(decision.wait.again < Duration::from_secs(1));
    assert!(decision.wait.message.contains(&format!("savepoint {OLD}, since ")), "{}", decision.wait.message);
}

#[test]
fn defect_seen_the_end_of_a_job_reaches_its_snapshots_within_seconds() {
    let unknown = || Some(Operation::Unknown("timed out".to_owned()));
    for job in [running(), ended(), ReferencedJob::Absent, unseen()] {
        for operation in [None, Some(Operation::InProgress), Some(Operation::Unheard), unknown()] {
            for record in [in_progress(12_000), SnapshotRecord::default()] {
                let decision = decide(&savepoint(), &record, &facts(job.clone(), operation.clone()));
                let is_final = decision.wait.reason == "Settled";
                let seconds = decision.wait.again.as_secs();
                assert!(is_final || seconds <= 5, "for {job:?}, {operation:?}: looked at again in {seconds} s");
            }
        }
    }
    let decision = decide(&savepoint(), &in_progress(12_000), &facts(ended(), None));
    assert_eq!(decision.record.state, SnapshotState::Abandoned);
    assert!(decision.record.error.unwrap().contains("FINISHED"));
}

#[test]
fn a_checkpoint_whose_path_is_lost_is_completed_and_told() {
    let checkpoint = of(SnapshotKind::Checkpoint);
    for path in [None, Some(String::new())] {
        let decision = decide(&checkpoint, &in_progress(5), &facts(running(), Some(Operation::Completed(path))));
        assert_eq!((decision.record.state, decision.record.path.clone()), (SnapshotState::Completed, None));
        assert_eq!(reasons(&decision), ["CheckpointError"]);
    }
}

#[test]
fn a_failure_is_tried_again_as_often_as_is_allowed() {
    for (limit, failures, state) in [
        (None, 0, SnapshotState::TriggerPending),
        (None, u32::MAX, SnapshotState::TriggerPending),
        (Some(0), 0, SnapshotState::Failed),
        (Some(1), 0, SnapshotState::TriggerPending),
        (Some(1), 1, SnapshotState::Failed),
    ] {
        for (snapshot, event) in [(savepoint(), "SavepointError"), (of(SnapshotKind::Checkpoint), "CheckpointError")] {
            let snapshot = StateSnapshot { backoff_limit: limit, ..snapshot };
            let record = SnapshotRecord { failures, ..in_progress(5) };
            let failure = Some(Operation::Failed("disk full".to_owned()));
            let decision = decide(&snapshot, &record, &facts(running(), failure));
            assert_eq!(decision.record.state, state, "for limit {limit:?} after {failures}");
            assert_eq!(decision.record.failures, failures.saturating_add(1));
            assert_eq!(decision.record.error.as_deref(), Some("disk full"));
            assert_eq!((reasons(&decision), decision.act), (vec![event], None));
        }
    }
}

#[test]
fn pauses_double_and_are_capped_at_ten_minutes() {
    for (failures, seconds) in [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (20, 600), (u32::MAX, 600)] {
        let pause = seconds * 1_000;
        let early = decide(&savepoint(), &failed_times(failures, pause - 1), &facts(running(), None));
        assert_eq!((early.act, early.wait.again), (None, Duration::from_millis(1)), "after {failures} failures");
        let due = decide(&savepoint(), &failed_times(failures, pause), &facts(running(), None));
        assert_eq!(due.record.state, SnapshotState::InProgress, "after {failures} failures");
        let set_back = decide(&savepoint(), &failed_times(failures, -9_000_000), &facts(running(), None));
        assert_eq!(set_back.wait.again, Duration::from_millis(pause.unsigned_abs()), "after {failures} failures");
    }
}

#[test]
fn what_is_final_stays() {
    for state in [SnapshotState::Completed, SnapshotState::Failed, SnapshotState::Abandoned] {
        let record = SnapshotRecord { state, ..completed() };
        let decision = decide(&savepoint(), &record, &facts(running(), Some(Operation::Unheard)));
        assert_eq!(decision.record, record);
        assert_eq!((decision.act, decision.wait.reason), (None, "Settled"));
        assert_eq!(decision.wait.again, Duration::ZERO);
    }
}

#[test]
fn flink_39356_a_snapshot_deleted_before_the_first_look_goes_at_once() {
    for job in [running(), ended(), ReferencedJob::Absent, unseen()] {
        for snapshot in [savepoint(), kept(), existing(), of(SnapshotKind::Checkpoint)] {
            let decision = decide(&snapshot, &SnapshotRecord::default(), &deleting(job.clone(), None));
            assert_eq!(decision.act, Some(Act::Release), "for {job:?} and {:?}", snapshot.kind);
        }
    }
}

#[test]
fn flink_40384_a_snapshot_deleted_in_progress_is_neither_asked_for_again_nor_fails() {
    let unknown = || Some(Operation::Unknown("timed out".to_owned()));
    for (job, operation, since, expected) in [
        (running(), Some(Operation::InProgress), 36_000_000, None),
        (ended(), Some(Operation::InProgress), 5, None),
        (ended(), Some(Operation::InProgress), 700_000, Some(Act::Release)),
        (running(), unknown(), 5, None),
        (running(), unknown(), 700_000, Some(Act::Release)),
        (unseen(), None, 5, None),
        (unseen(), None, 700_000, Some(Act::Release)),
        (running(), Some(Operation::Unheard), 5, Some(Act::Release)),
        (running(), Some(Operation::Failed("disk full".to_owned())), 5, Some(Act::Release)),
        (ended(), None, 5, Some(Act::Release)),
        (ReferencedJob::Absent, None, 5, Some(Act::Release)),
    ] {
        let decision = decide(&savepoint(), &in_progress(since), &deleting(job.clone(), operation.clone()));
        assert_eq!(decision.act, expected, "for {job:?}, {operation:?} after {since} ms");
        assert_eq!(decision.record, in_progress(since), "for {job:?}, {operation:?} after {since} ms");
        let is_told = since == 700_000;
        assert_eq!(reasons(&decision) == ["CleanupFailed"], is_told, "for {job:?}, {operation:?} after {since} ms");
        if expected.is_none() {
            assert!(decision.wait.again > Duration::ZERO);
            assert!(decision.wait.message.contains("disposeOnDelete"), "{}", decision.wait.message);
        }
    }
}

#[test]
fn a_savepoint_completed_while_it_is_deleted_is_recorded_and_its_files_go() {
    for files in [Files::Absent, Files::Present] {
        let facts = deleting(ended(), Some(Operation::Completed(Some(PATH.to_owned()))));
        let decision = decide(&savepoint(), &in_progress(5), &SnapshotFacts { files, ..facts });
        assert_eq!((decision.record.state, decision.record.path.as_deref()), (SnapshotState::Completed, Some(PATH)));
        assert_eq!(decision.act, Some(Act::Dispose { path: PATH.to_owned() }));
    }
}

#[test]
fn defect_seen_files_are_deleted_without_a_running_job() {
    for job in [running(), ended(), ReferencedJob::Absent, unseen()] {
        let decision = decide(&savepoint(), &completed(), &deleting(job.clone(), None));
        assert_eq!(decision.act, Some(Act::Dispose { path: PATH.to_owned() }), "for {job:?}");
        let gone = SnapshotFacts { files: Files::Absent, ..deleting(job.clone(), None) };
        assert_eq!(decide(&savepoint(), &decision.record, &gone).act, Some(Act::Release), "for {job:?}");
    }
}

#[test]
fn files_go_only_with_a_savepoint_that_owns_them() {
    let nobodys = StateSnapshot { job: None, ..existing() };
    for (snapshot, is_disposed) in [
        (savepoint(), true),
        (existing(), true),
        (kept(), false),
        (nobodys, false),
        (of(SnapshotKind::Checkpoint), false),
    ] {
        let decision = decide(&snapshot, &completed(), &deleting(running(), None));
        let expected = if is_disposed { Act::Dispose { path: PATH.to_owned() } } else { Act::Release };
        assert_eq!(decision.act, Some(expected), "for {:?}", snapshot.kind);
    }
    for state in [SnapshotState::Failed, SnapshotState::Abandoned, SnapshotState::TriggerPending] {
        let record = SnapshotRecord { state, ..failed_times(3, 5) };
        assert_eq!(decide(&savepoint(), &record, &deleting(running(), None)).act, Some(Act::Release), "in {state:?}");
    }
}

#[test]
fn deletion_ends_even_if_the_files_cannot_be_deleted() {
    let mut record = SnapshotRecord { failures: 9, ..completed() };
    let mut facts = deleting(ReferencedJob::Absent, None);
    facts.files = Files::Unknown("permission denied".to_owned());
    let mut tries = 0;
    for _ in 0..100 {
        let decision = decide(&savepoint(), &record, &facts);
        record = decision.record.clone();
        match decision.act.clone() {
            Some(Act::Dispose { .. }) => tries += 1,
            Some(Act::Release) => {
                assert_eq!(reasons(&decision), ["CleanupFailed"]);
                let told = &decision.events[0].message;
                assert!(told.contains(PATH) && told.contains("permission denied"), "{told}");
                assert_eq!(tries, 5);
                assert!(facts.now_ms - NOW < 600_000, "{} ms", facts.now_ms - NOW);
                return;
            }
            Some(act) => panic!("{act:?}"),
            None => {
                assert!(decision.wait.again > Duration::ZERO, "it would be tried without pause");
                assert!(decision.wait.message.contains("permission denied"), "{}", decision.wait.message);
                facts.now_ms += i64::try_from(decision.wait.again.as_millis()).unwrap();
            }
        }
    }
    panic!("deletion hangs: {record:?}");
}
