//! One look at a snapshot that is being deleted: its files go first, if they shall, then the resource.
//!
//! Deletion always ends. What cannot be deleted after a few tries stays where it lies, and an event says so.

use std::time::Duration;

use kobel_model::deployment::SnapshotKind;
use kobel_model::quantity::show_duration;

use super::round::{Files, LATER, PATIENCE_MS, ReferencedJob, Round, SOON, SnapshotDecision, SnapshotRecord};
use crate::decision::{Act, Event, Wait};
use crate::facts::Operation;
use crate::state::SnapshotState;

/// How often deleting the files is tried.
const TRIES_MAX: u32 = 5;

/// What is next for a snapshot that is being deleted.
pub(super) fn next(round: &Round<'_>) -> SnapshotDecision {
    if !owns_files(round) {
        return release(round, Vec::new());
    }
    match (round.record.state, &round.record.path) {
        (SnapshotState::Completed, Some(path)) => dispose(round, round.record.clone(), path),
        (SnapshotState::InProgress, _) => finish(round),
        _ => release(round, Vec::new()),
    }
}

/// Whether files go with the resource: those of a savepoint, unless the user keeps them or named no job.
fn owns_files(round: &Round<'_>) -> bool {
    let is_disposed = matches!(round.snapshot.kind, SnapshotKind::Savepoint { dispose_on_delete: true, .. });
    is_disposed && round.snapshot.job.is_some()
}

/// Waits for the end of a savepoint in progress, so that its files are not left behind.
fn finish(round: &Round<'_>) -> SnapshotDecision {
    let is_running = matches!(round.facts.job, ReferencedJob::Running { .. });
    let may_run = is_running || matches!(round.facts.job, ReferencedJob::Unknown(_));
    let (is_asked, again) = match &round.facts.operation {
        Some(Operation::Completed(Some(path))) => return dispose(round, round.completed(Some(path.clone())), path),
        Some(Operation::Completed(None) | Operation::Failed(_) | Operation::Unheard) => {
            return release(round, Vec::new());
        }
        Some(Operation::InProgress) => (true, SOON),
        Some(Operation::Unknown(_)) => (true, LATER),
        None => (may_run, LATER),
    };
    if !is_asked {
        return release(round, Vec::new());
    }
    let is_certain = is_running && round.facts.operation == Some(Operation::InProgress);
    if !is_certain && round.since_triggered() >= PATIENCE_MS {
        let message = "the savepoint was in progress and nobody tells what became of it: its files, if there are any, \
                       stay in its directory";
        return release(round, vec![round.warning("CleanupFailed", message)]);
    }
    let message = format!(
        "{}; then its files are deleted. Set `spec.savepoint.disposeOnDelete` to `false` to delete the resource at once",
        round.told_progress()
    );
    round.wait("SnapshotInProgress", message, again)
}

/// Deletes the files at `path`; tries are counted in the record, whose error is absent until the first.
fn dispose(round: &Round<'_>, record: SnapshotRecord, path: &str) -> SnapshotDecision {
    let reason = match &round.facts.files {
        // Of a savepoint that was completed just now nobody has looked for files yet.
        Files::Absent if round.record.path.is_some() => return release(round, Vec::new()),
        Files::Absent | Files::Present => "the files are still there",
        Files::Unknown(reason) => reason.as_str(),
    };
    let tries = if record.error.is_some() { record.failures } else { 0 };
    let left = if tries > 0 { round.pause_left() } else { Duration::ZERO };
    if !left.is_zero() {
        let message = format!(
            "the files at `{path}` could not be deleted ({tries} of {TRIES_MAX} tries: {reason}); the next try is in \
             {}. Set `spec.savepoint.disposeOnDelete` to `false` to keep them",
            show_duration(left)
        );
        return round.wait("Backoff", message, left);
    }
    if tries >= TRIES_MAX {
        let message = format!("the files at `{path}` could not be deleted after {tries} tries and stay: {reason}");
        return release(round, vec![round.warning("CleanupFailed", &message)]);
    }
    let number = tries + 1;
    let error = match tries {
        0 => format!("the files at `{path}` are being deleted"),
        _ => format!("the files at `{path}` are being deleted, try {number} of {TRIES_MAX}: {reason}"),
    };
    let message = format!("deletes the files at `{path}`");
    SnapshotDecision {
        record: SnapshotRecord { result_ms: Some(round.facts.now_ms), error: Some(error), failures: number, ..record },
        act: Some(Act::Dispose { path: path.to_owned() }),
        events: Vec::new(),
        wait: Wait { reason: "Disposal", message, again: LATER },
    }
}

/// Lets the resource go.
fn release(round: &Round<'_>, events: Vec<Event>) -> SnapshotDecision {
    let message = format!("the {} resource is let go", round.what());
    let wait = Wait { reason: "Released", message, again: Duration::ZERO };
    SnapshotDecision { record: round.record.clone(), act: Some(Act::Release), events, wait }
}
