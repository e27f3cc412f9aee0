//! From which snapshot a job starts. Not knowing is never read as "there is none".
//!
//! 1. A job that was stopped with a savepoint is followed by one that starts from exactly that savepoint.
//! 2. Else the newest snapshot that the recorded job itself has taken.
//! 3. Else, if it is certain that it took none, the snapshot that the recorded job began from.
//! 4. Else, if it began from none, no state: there never was any.

use kobel_model::deployment::UpgradeMode;

use super::spec;
use crate::facts::{Facts, Newest};
use crate::record::{LAST_STATE_DUMMY, Record, Trigger};
use crate::state::{LifecycleState, ReconciliationState};

/// What the next job gets of the state of the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// Nothing, as the user asked.
    Nothing,
    /// The savepoint that the recorded job was stopped with.
    Exactly(String),
    /// The newest state if it is known; a job whose user asked for no state is never held up by it.
    IfKnown,
    /// The newest state; while it is not known nothing starts.
    Required,
}

/// What is handed over when the job was stopped so that another can follow.
pub fn after_stop(record: &Record) -> Handover {
    let is_rollback = record.reconciliation == ReconciliationState::RollingBack;
    match (recorded_mode(record), saved(record)) {
        (UpgradeMode::Stateless, _) if !is_rollback => Handover::Nothing,
        (UpgradeMode::Savepoint, Some(path)) if !is_rollback => Handover::Exactly(path.to_owned()),
        (mode, _) => after_failure(mode),
    }
}

/// What is handed over when the job was lost, failed, or was to be started and not seen: `mode` does not ask to throw
/// away what the job itself has done since it was started.
pub fn after_failure(mode: UpgradeMode) -> Handover {
    match mode {
        UpgradeMode::Stateless => Handover::IfKnown,
        UpgradeMode::Savepoint | UpgradeMode::LastState => Handover::Required,
    }
}

/// How a job that ended without a savepoint hands its state over, if the user asks for `mode`.
pub fn lasting(mode: UpgradeMode) -> UpgradeMode {
    match mode {
        UpgradeMode::Stateless => UpgradeMode::Stateless,
        UpgradeMode::Savepoint | UpgradeMode::LastState => UpgradeMode::LastState,
    }
}

/// How the state is handed over, as it was recorded when the last change was begun.
pub fn recorded_mode(record: &Record) -> UpgradeMode {
    record.last.as_ref().map_or(UpgradeMode::Stateless, spec::mode)
}

/// The snapshot that the next job starts from, or why that is not known.
pub fn point(record: &Record, facts: &Facts, handover: Handover) -> Result<Option<String>, String> {
    match handover {
        Handover::Nothing => Ok(None),
        Handover::Exactly(path) => Ok(Some(path)),
        Handover::IfKnown => Ok(newest_or_origin(record, facts).unwrap_or_else(|_| origin(record))),
        Handover::Required => newest_or_origin(record, facts),
    }
}

/// The snapshot with the newest state that is known; absent if none is known. Nothing is decided by it.
pub fn known(record: &Record, facts: &Facts) -> Option<String> {
    let handover = match record.lifecycle {
        LifecycleState::Suspended => after_stop(record),
        _ => Handover::Required,
    };
    point(record, facts, handover).ok().flatten()
}

/// Whether a job finds what it is restored from only under the id that it had: Flink keeps the metadata of high
/// availability by it.
pub fn needs_its_id(restore: Option<&str>) -> bool {
    restore == Some(LAST_STATE_DUMMY)
}

fn newest_or_origin(record: &Record, facts: &Facts) -> Result<Option<String>, String> {
    match &facts.newest {
        Newest::Snapshot { path, .. } => Ok(Some(path.clone())),
        Newest::Unknown(why) => Err(format!("the newest snapshot of the job is not known: {why}")),
        Newest::None if record.job.restore_path.as_deref() == Some(LAST_STATE_DUMMY) => {
            Err("the job is to start from its last state, and no snapshot of it is found. Manual restore required."
                .to_owned())
        }
        Newest::None => Ok(origin(record)),
    }
}

/// The snapshot that the recorded job began from.
fn origin(record: &Record) -> Option<String> {
    record.job.restore_path.clone().filter(|path| path != LAST_STATE_DUMMY)
}

/// The savepoint that the job was stopped with. Records of old operators name it among the savepoints only.
fn saved(record: &Record) -> Option<&str> {
    let job = &record.job;
    match job.restore_path.as_deref() {
        Some(LAST_STATE_DUMMY) => None,
        Some(path) => Some(path),
        None => {
            let last = job.savepoints.last.as_ref().filter(|taken| taken.trigger == Trigger::Upgrade);
            last.and_then(|taken| taken.location.as_deref())
        }
    }
}
