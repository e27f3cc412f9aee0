//! Savepoints and checkpoints that a user or the schedule asks for while the job runs on, and the history of savepoints.
//!
//! A savepoint leaves the history in two steps, so that one crash leaves no files behind of which nobody knows: it is
//! marked and disposed of, and in the next round disposed of once more and dropped.
//!
//! What a nonce asks for while the job does not run is not lost: the nonce counts as new until it was answered, however
//! often the job is stopped and started in between. The nonces of a first deployment ask for nothing.

use std::time::Duration;

use super::round::Round;
use super::{spec, stop};
use crate::decision::Act;
use crate::facts::Operation;
use crate::record::{Pending, Snapshots, Taken, Trigger};
use crate::schedule::Schedule;
use crate::state::JobState;
use crate::wording::{AT_ONCE, SOON, Verdict, milliseconds, span};

/// The time of a savepoint that is being disposed of: older than any other.
const DISPOSED: i64 = 0;

/// Which of the two is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Savepoint,
    Checkpoint,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Savepoint => "savepoint",
            Self::Checkpoint => "checkpoint",
        }
    }

    const fn error_reason(self) -> &'static str {
        match self {
            Self::Savepoint => "SavepointError",
            Self::Checkpoint => "CheckpointError",
        }
    }

    const fn nonce_field(self) -> &'static str {
        match self {
            Self::Savepoint => "savepointTriggerNonce",
            Self::Checkpoint => "checkpointTriggerNonce",
        }
    }

    fn nonce(self, round: &Round<'_>) -> Option<i64> {
        match self {
            Self::Savepoint => round.job.nonces.savepoint_trigger,
            Self::Checkpoint => round.job.nonces.checkpoint_trigger,
        }
    }

    fn schedule<'a>(self, round: &Round<'a>) -> Option<&'a Schedule> {
        let options = round.desired.options;
        match self {
            Self::Savepoint => options.periodic_savepoint.as_ref(),
            Self::Checkpoint => options.periodic_checkpoint.as_ref(),
        }
    }

    fn of<'r>(self, round: &'r Round<'_>) -> &'r Snapshots {
        match self {
            Self::Savepoint => &round.record.job.savepoints,
            Self::Checkpoint => &round.record.job.checkpoints,
        }
    }

    fn of_mut<'r>(self, round: &'r mut Round<'_>) -> &'r mut Snapshots {
        match self {
            Self::Savepoint => &mut round.record.job.savepoints,
            Self::Checkpoint => &mut round.record.job.checkpoints,
        }
    }
}

/// Writes down what became of the snapshots that were asked for, and asks once more for what nobody knows of.
pub fn follow(round: &mut Round<'_>) -> Option<Verdict> {
    follow_one(round, Kind::Savepoint).or_else(|| follow_one(round, Kind::Checkpoint))
}

/// Asks for a snapshot if one is due.
pub fn take(round: &mut Round<'_>) -> Option<Verdict> {
    if round.held.is_some() {
        return None;
    }
    take_one(round, Kind::Savepoint).or_else(|| take_one(round, Kind::Checkpoint))
}

/// Disposes of a savepoint that is too old or one too many: never of the newest, never of one that is needed.
pub fn clean(round: &mut Round<'_>) -> Option<Verdict> {
    let is_quiet = round.record.job.state == Some(JobState::Running) && round.record.job.savepoints.pending.is_none();
    if !is_quiet || !round.desired.options.is_cleanup_on {
        return None;
    }
    let index = disposable(round)?;
    let history = &mut round.record.job.savepoints.history;
    let taken = history.get_mut(index)?;
    let path = taken.location.clone();
    if taken.at_ms == DISPOSED {
        history.remove(index);
    } else {
        taken.at_ms = DISPOSED;
    }
    let path = path?;
    let message = format!("disposes of savepoint `{path}`, which the history does not keep");
    Some(Verdict::act(Act::Dispose { path }, "SavepointCleanup", message))
}

/// How long until the next snapshot of the schedule is due, or one that was asked for is to be looked at; absent if
/// there is neither.
pub fn due_in(round: &Round<'_>) -> Option<Duration> {
    [Kind::Savepoint, Kind::Checkpoint].into_iter().filter_map(|kind| due_in_of(round, kind)).min()
}

/// Which snapshots a user has asked for that are taken as soon as the job runs, in words; empty if there are none.
pub fn awaited(round: &Round<'_>) -> String {
    let Some(last) = &round.record.last else { return String::new() };
    let asked = [Kind::Savepoint, Kind::Checkpoint].into_iter().filter_map(|kind| {
        let nonce = kind.nonce(round).filter(|nonce| spec::nonce(last, kind.nonce_field()) != Some(*nonce))?;
        Some(format!("; the {} that `job.{}: {nonce}` asks for is taken once it runs", kind.name(), kind.nonce_field()))
    });
    asked.collect()
}

fn due_in_of(round: &Round<'_>, kind: Kind) -> Option<Duration> {
    if kind.of(round).pending.is_some() {
        return Some(SOON);
    }
    let left = next_periodic(round, kind)?.saturating_sub(round.facts.now_ms);
    Some(Duration::from_millis(left.max(0).unsigned_abs()).max(AT_ONCE))
}

/// When the next snapshot of the schedule is due.
fn next_periodic(round: &Round<'_>, kind: Kind) -> Option<i64> {
    let last_ms = match kind.of(round).last_periodic_ms {
        0 => round.record.job.start_ms?,
        taken => taken,
    };
    kind.schedule(round)?.next_after(last_ms)
}

fn follow_one(round: &mut Round<'_>, kind: Kind) -> Option<Verdict> {
    let pending = kind.of(round).pending.clone()?;
    let facts = round.facts;
    let operation = match kind {
        Kind::Savepoint => facts.savepoint.as_ref(),
        Kind::Checkpoint => facts.checkpoint.as_ref(),
    };
    let options = round.desired.options;
    let patience = milliseconds(options.checkpointing_timeout).saturating_add(milliseconds(options.trigger_grace));
    let elapsed = round.elapsed(Some(pending.since_ms));
    match operation {
        Some(Operation::Completed(location)) => completed(round, kind, &pending, location.clone()),
        Some(Operation::Failed(why)) => give_up(round, kind, &pending, why),
        Some(Operation::Unheard) => return ask_again(round, kind, pending),
        _ if elapsed > patience => give_up(round, kind, &pending, &format!("nothing came of it in {}", span(elapsed))),
        Some(Operation::InProgress | Operation::Unknown(_)) | None => {}
    }
    None
}

fn completed(round: &mut Round<'_>, kind: Kind, pending: &Pending, location: Option<String>) {
    settle_nonce(round, kind, pending);
    let nonce = kind.nonce(round).filter(|_| pending.trigger == Trigger::Manual);
    let taken = Taken { at_ms: round.facts.now_ms, location, trigger: pending.trigger, nonce };
    let (name, path) = (kind.name(), taken.location.clone());
    let reason = if kind == Kind::Savepoint { "SavepointCompleted" } else { "CheckpointCompleted" };
    let at = path.as_ref().map(|path| format!(" at `{path}`")).unwrap_or_default();
    round.tell(reason, format!("{name} `{}` is completed{at}", pending.trigger_id));
    let snapshots = kind.of_mut(round);
    if kind == Kind::Savepoint && path.is_some() {
        snapshots.history.push(taken.clone());
    }
    snapshots.last = Some(taken);
    snapshots.pending = None;
}

/// What the job manager has not heard of is asked for under the same id for a while, so that it is taken once.
fn ask_again(round: &mut Round<'_>, kind: Kind, pending: Pending) -> Option<Verdict> {
    let running = round.reachable().filter(|job| job.state == JobState::Running);
    match running {
        Some(job) if round.is_within(Some(pending.since_ms), round.desired.options.trigger_grace) => {
            let message = format!("asks for {} `{}` once more", kind.name(), pending.trigger_id);
            Some(ask(round, kind, &job.id, pending, message))
        }
        _ => {
            give_up(round, kind, &pending, "the job manager does not know of it");
            None
        }
    }
}

/// What asked is counted as answered, so that a snapshot that cannot be taken is not asked for for ever.
fn give_up(round: &mut Round<'_>, kind: Kind, pending: &Pending, why: &str) {
    settle_nonce(round, kind, pending);
    kind.of_mut(round).pending = None;
    round.warn(kind.error_reason(), format!("{} `{}` is given up: {why}", kind.name(), pending.trigger_id));
}

/// Writes down that the nonce, or the schedule, has been answered.
fn settle_nonce(round: &mut Round<'_>, kind: Kind, pending: &Pending) {
    match pending.trigger {
        Trigger::Periodic => kind.of_mut(round).last_periodic_ms = pending.since_ms,
        Trigger::Manual | Trigger::Unknown => {
            if let (Some(last), Some(nonce)) = (&round.record.last, kind.nonce(round)) {
                round.record.last = Some(spec::with_nonce(last, kind.nonce_field(), nonce));
                // What is stable is still what is deployed.
                if let Some(stable) = &round.record.stable {
                    round.record.stable = Some(spec::with_nonce(stable, kind.nonce_field(), nonce));
                }
            }
        }
        Trigger::Upgrade => {}
    }
}

fn take_one(round: &mut Round<'_>, kind: Kind) -> Option<Verdict> {
    let job = round.reachable().filter(|job| job.state == JobState::Running)?;
    if kind.of(round).pending.is_some() {
        return None;
    }
    let trigger = due(round, kind)?;
    let (trigger_id, since_ms) = (round.facts.fresh_id.clone(), round.facts.now_ms);
    let pending = Pending { trigger_id, since_ms, trigger, directory: None };
    let message = format!("asks for {} `{}` of job `{}`", kind.name(), pending.trigger_id, job.id);
    Some(ask(round, kind, &job.id, pending, message))
}

fn due(round: &Round<'_>, kind: Kind) -> Option<Trigger> {
    let last = round.record.last.as_ref()?;
    let nonce = kind.nonce(round);
    if nonce.is_some() && nonce != spec::nonce(last, kind.nonce_field()) {
        return Some(Trigger::Manual);
    }
    (next_periodic(round, kind)? <= round.facts.now_ms).then_some(Trigger::Periodic)
}

fn ask(round: &mut Round<'_>, kind: Kind, job_id: &str, pending: Pending, message: String) -> Verdict {
    let act = match kind {
        Kind::Savepoint => Act::TakeSavepoint(stop::savepoint(round, job_id, &pending)),
        Kind::Checkpoint => Act::TakeCheckpoint { job_id: job_id.to_owned(), trigger_id: pending.trigger_id.clone() },
    };
    kind.of_mut(round).pending = Some(pending);
    Verdict { act: Some(act), ..Verdict::wait("SnapshotInProgress", message, AT_ONCE) }
}

/// The first savepoint of the history that is not kept.
fn disposable(round: &Round<'_>) -> Option<usize> {
    let options = round.desired.options;
    let savepoints = &round.record.job.savepoints;
    let kept = savepoints.history.iter().filter(|taken| taken.at_ms != DISPOSED).count();
    let is_over = kept > options.savepoint_history_max_count.max(1);
    let newest = savepoints.history.len().checked_sub(1)?;
    let is_needed = |taken: &Taken| {
        taken.location.is_some()
            && (taken.location == round.record.job.restore_path
                || savepoints.last.as_ref().is_some_and(|last| last.location == taken.location)
                || taken.location.as_deref() == round.newest_path())
    };
    savepoints.history.iter().take(newest).position(|taken| {
        let is_unwanted = taken.at_ms == DISPOSED
            || is_over
            || round.elapsed(Some(taken.at_ms)) > milliseconds(options.savepoint_history_max_age);
        is_unwanted && !is_needed(taken)
    })
}
