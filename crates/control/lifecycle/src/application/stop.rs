//! Stops jobs: with a savepoint, or by cancelling them. What is decided to follow is recorded with the stop.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::round::{Home, Phase, Round};
use super::{restore, spec};
use crate::change;
use crate::decision::{Act, Savepoint};
use crate::facts::{Cluster, Job, Newest, Operation, Witness};
use crate::record::{Pending, Taken, Trigger};
use crate::state::{JobState, ReconciliationState};
use crate::wording::{AT_ONCE, SAVEPOINT_FAILED, SOON, Verdict, milliseconds, moment, span_of};

/// How long a job may take to be cancelled; after it its cluster is removed.
const CANCELLING: Duration = Duration::from_secs(300);

/// Records that what is deployed ends and that what is declared follows, with its state handed over by `mode`. Where the
/// state of what ends lies, its own spec says: so that stays until the state is known, if the newest is to be found.
pub fn commit(round: &mut Round<'_>, mode: UpgradeMode) {
    match change::deployed(&round.record).filter(|_| mode == UpgradeMode::LastState) {
        Some(deployed) => round.record.last = Some(spec::handed_over(deployed, mode)),
        None => {
            round.record.last = Some(spec::succeeding(round.desired.spec, mode, round.record.last.as_ref()));
            round.record.observed_generation = Some(round.desired.generation);
        }
    }
    round.record.reconciliation = ReconciliationState::Upgrading;
    round.record.error = None;
    hand_over(round, mode);
}

/// Records that the job has ended, and that it is started again from what its job manager says to be its newest state.
pub fn commit_ended(round: &mut Round<'_>, mode: UpgradeMode) {
    commit(round, mode);
    round.set_job_state(JobState::Finished);
    pin(round);
}

/// A job that has ended takes no further snapshot. So what its job manager says to be the newest is written down as what the
/// next starts from: once that is gone, nobody may be able to tell.
pub fn pin(round: &mut Round<'_>) {
    let is_over = matches!(&round.facts.job, Job::Found(job) if job.state.is_terminal())
        && round.facts.witness == Witness::JobManager;
    let is_sought = round.phase() == Phase::Stopped
        && round.record.reconciliation == ReconciliationState::Upgrading
        && restore::recorded_mode(&round.record) == UpgradeMode::LastState
        && !round.is_stopping_with_savepoint();
    if !is_over || !is_sought {
        return;
    }
    let Ok(point) = restore::point(&round.record, round.facts, restore::Handover::Required) else { return };
    let mode = if point.is_some() { UpgradeMode::Savepoint } else { UpgradeMode::Stateless };
    round.record.last = round.record.last.as_ref().map(|last| spec::handed_over(last, mode));
    round.record.job.restore_path = point;
}

/// Records that what is deployed ends and that what was stable follows; the recorded spec stays.
pub fn commit_undoing(round: &mut Round<'_>, mode: UpgradeMode) {
    round.record.last = round.record.last.as_ref().map(|last| spec::handed_over(last, mode));
    round.record.reconciliation = ReconciliationState::RollingBack;
    hand_over(round, mode);
}

fn hand_over(round: &mut Round<'_>, mode: UpgradeMode) {
    round.record.is_first = false;
    round.record.health = None;
    round.record.reconciled_ms = Some(round.facts.now_ms);
    round.record.job.savepoints.pending = None;
    round.record.job.checkpoints.pending = None;
    // Should the files of a checkpoint vanish with its job, the next start fails instead of starting without state.
    if mode == UpgradeMode::LastState
        && let Some(path) = round.newest_path()
    {
        round.record.job.restore_path = Some(path.to_owned());
    }
}

/// Cancels the job after a commit; absent if nothing is left to be cancelled.
pub fn cancel(round: &mut Round<'_>) -> Option<Verdict> {
    let Some(job) = round.reachable() else {
        round.set_job_state(JobState::Finished);
        return None;
    };
    round.set_job_state(JobState::Cancelling);
    if job.state == JobState::Cancelling {
        let message = format!("waits until job `{}`, which is being cancelled already, has ended", job.id);
        return Some(Verdict::wait("JobCancelling", message, SOON));
    }
    let message = format!("cancels job `{}`", job.id);
    Some(Verdict::act(Act::Cancel { job_id: job.id.clone() }, "JobCancelling", message))
}

/// Waits for a job that is being cancelled; absent once it has ended.
pub fn follow_cancel(round: &mut Round<'_>) -> Option<Verdict> {
    if round.phase() != Phase::Stopping {
        return None;
    }
    let since = round.record.job.update_ms;
    let is_patient = round.home == Home::Session || round.is_within(since, CANCELLING);
    let can_answer = matches!(round.cluster, Cluster::Ready(_));
    let asked = moment(since);
    match &round.facts.job {
        Job::Found(job) if can_answer && is_patient && !job.state.is_terminal() => {
            let name = format!("job `{}`", job.id);
            if job.state != JobState::Cancelling {
                let act = Act::Cancel { job_id: job.id.clone() };
                return Some(Verdict::act(act, "JobCancelling", format!("cancels {name}")));
            }
            let limit = match round.home {
                Home::Own => format!("; its cluster is removed after {}", span_of(CANCELLING)),
                Home::Session => "; if it does not end, end its task managers".to_owned(),
            };
            let message = format!("waits until {name} is cancelled, since {asked}{limit}");
            Some(Verdict::wait("JobCancelling", message, SOON))
        }
        Job::Unknown(why) if can_answer && is_patient => {
            let message = format!("waits to see whether the job is cancelled, since {asked}: {why}");
            Some(Verdict::wait("JobCancelling", message, SOON))
        }
        _ => {
            round.set_job_state(JobState::Finished);
            None
        }
    }
}

/// Stops the job `job_id` with a savepoint. Until that is taken, nothing else is recorded to have changed.
pub fn with_savepoint(round: &mut Round<'_>, job_id: &str) -> Verdict {
    let pending = Pending {
        trigger_id: round.facts.fresh_id.clone(),
        since_ms: round.facts.now_ms,
        trigger: Trigger::Upgrade,
        directory: round.desired.savepoint_directory.map(str::to_owned),
    };
    let message = format!("stops job `{job_id}` with savepoint `{}`", pending.trigger_id);
    let act = Act::StopWithSavepoint(savepoint(round, job_id, &pending));
    round.record.job.savepoints.pending = Some(pending);
    Verdict { act: Some(act), ..Verdict::wait("SavepointInProgress", message, AT_ONCE) }
}

/// What a pending savepoint asks for.
pub fn savepoint(round: &Round<'_>, job_id: &str, pending: &Pending) -> Savepoint {
    Savepoint {
        job_id: job_id.to_owned(),
        trigger_id: pending.trigger_id.clone(),
        directory: pending.directory.clone().or_else(|| round.desired.savepoint_directory.map(str::to_owned)),
        format: round.desired.options.savepoint_format,
        drain: round.desired.options.drain_on_stop && pending.trigger == Trigger::Upgrade,
    }
}

/// Follows the savepoint that the job is being stopped with. Absent if there is none, if it has failed while the job
/// goes on, or if the job has ended: then the phase tells that.
pub fn follow_savepoint(round: &mut Round<'_>) -> Option<Verdict> {
    let pending = round.record.job.savepoints.pending.clone().filter(|_| round.is_stopping_with_savepoint())?;
    let facts = round.facts;
    // Whoever could be asked is gone, whatever it said.
    let is_gone =
        matches!(round.cluster, Cluster::Absent | Cluster::Ending | Cluster::Failed(..) | Cluster::Completed(_));
    match &facts.savepoint {
        Some(Operation::Completed(Some(path))) => {
            saved(round, path);
            None
        }
        Some(Operation::Failed(why)) => {
            failed(round, &pending, why);
            None
        }
        // Whoever says so is there: a session cluster, whose job ends shortly before it is told what became of the savepoint.
        Some(Operation::InProgress) if !is_gone || round.is_within(Some(pending.since_ms), longest(round)) => {
            Some(in_progress(round, &pending))
        }
        _ if is_gone => {
            unheard(round, &pending);
            None
        }
        Some(Operation::Completed(None) | Operation::Unheard | Operation::InProgress) => ask_again(round, pending),
        Some(Operation::Unknown(why)) => Some(unclear(round, &pending, why)),
        None => Some(unclear(round, &pending, "it was not asked for")),
    }
}

/// How long it may be said of a job that has ended that its savepoint is being taken.
fn longest(round: &Round<'_>) -> Duration {
    round.desired.options.checkpointing_timeout.saturating_add(round.desired.options.trigger_grace)
}

/// How much longer no further savepoint is tried after one failed, in milliseconds.
pub fn pause(round: &Round<'_>) -> Option<i64> {
    round.record.error.as_deref().filter(|error| error.starts_with(SAVEPOINT_FAILED))?;
    let grace = milliseconds(round.desired.options.trigger_grace);
    let left = grace - round.elapsed(round.record.reconciled_ms);
    (left > 0).then_some(left)
}

/// Writes down a savepoint before anything else is done, so that it is never forgotten.
fn saved(round: &mut Round<'_>, path: &str) {
    let location = Some(path.to_owned());
    let taken = Taken { at_ms: round.facts.now_ms, location, trigger: Trigger::Upgrade, nonce: None };
    commit(round, UpgradeMode::Savepoint);
    round.record.job.restore_path = Some(path.to_owned());
    round.record.job.savepoints.last = Some(taken.clone());
    round.record.job.savepoints.history.push(taken);
    round.set_job_state(JobState::Finished);
    round.tell("SavepointCompleted", format!("{} is stopped with savepoint `{path}`", round.job_name()));
}

/// Writes down a savepoint that was found. It need not be ours: somebody may have asked for one at the same time. So the next
/// job starts from it, and nothing more is done with it.
fn found(round: &mut Round<'_>, path: &str) {
    commit(round, UpgradeMode::Savepoint);
    round.set_job_state(JobState::Finished);
    tell_found(round, path);
}

fn tell_found(round: &mut Round<'_>, path: &str) {
    round.record.job.restore_path = Some(path.to_owned());
    let message = format!("{} has ended, and savepoint `{path}` was found, its newest state", round.job_name());
    round.tell("SavepointCompleted", message);
}

fn failed(round: &mut Round<'_>, pending: &Pending, why: &str) {
    round.record.job.savepoints.pending = None;
    round.record.reconciled_ms = Some(round.facts.now_ms);
    let message = format!("{SAVEPOINT_FAILED}: {why}");
    round.record.error = Some(message.clone());
    round.warn("SavepointError", format!("{message} (trigger `{}`)", pending.trigger_id));
}

/// Nobody knows what became of the savepoint, and the job does not run. It may lie on the disk all the same; else the state
/// of the job is looked for, never given up.
fn unheard(round: &mut Round<'_>, pending: &Pending) {
    if let Some(path) = &round.facts.stopped_with {
        return found(round, path);
    }
    let message = format!(
        "nobody can tell what became of savepoint `{}` of {}; its newest snapshot is looked for",
        pending.trigger_id,
        round.job_name()
    );
    round.warn("SavepointError", message);
    commit(round, UpgradeMode::LastState);
    round.set_job_state(JobState::Finished);
    if matches!(round.facts.newest, Newest::Unknown(_)) {
        // It is looked for once more where it may lie, when somebody can look there.
        round.record.job.savepoints.pending = Some(pending.clone());
    }
}

/// Whether the savepoint that a job was stopped with may still be found: see [`look_for_savepoint`].
pub fn may_find_savepoint(round: &Round<'_>) -> bool {
    round.is_stopping_with_savepoint() && matches!(round.facts.newest, Newest::Unknown(_))
}

/// Looks for the savepoint that a job was stopped with, if nobody could tell of it and nobody could look for it when the job
/// had ended.
pub fn look_for_savepoint(round: &mut Round<'_>) {
    if round.phase() != Phase::Stopped || !round.is_stopping_with_savepoint() || may_find_savepoint(round) {
        return;
    }
    round.record.job.savepoints.pending = None;
    if let Some(path) = &round.facts.stopped_with {
        round.record.last = round.record.last.as_ref().map(|last| spec::handed_over(last, UpgradeMode::Savepoint));
        tell_found(round, path);
    }
}

/// The job manager does not know of the savepoint: it was not asked for, or the job manager is another one.
fn ask_again(round: &mut Round<'_>, mut pending: Pending) -> Option<Verdict> {
    match &round.facts.job {
        Job::Found(job) if job.state == JobState::Running => {
            pending.since_ms = round.facts.now_ms;
            let message = format!("stops job `{}` with savepoint `{}` once more", job.id, pending.trigger_id);
            let act = Act::StopWithSavepoint(savepoint(round, &job.id, &pending));
            round.record.job.savepoints.pending = Some(pending);
            Some(Verdict { act: Some(act), ..Verdict::wait("SavepointInProgress", message, AT_ONCE) })
        }
        Job::Found(job) if job.state.is_terminal() => {
            unheard(round, &pending);
            None
        }
        // A job manager that takes over does not know the job yet; the job that goes on may still have to restart.
        Job::Found(job) => {
            let why = format!("it is not known, and the job is {}", job.state.as_str());
            failed(round, &pending, &why);
            None
        }
        Job::Absent if !round.is_within(Some(pending.since_ms), round.desired.options.readiness_timeout) => {
            unheard(round, &pending);
            None
        }
        Job::Absent | Job::NotAsked | Job::Unknown(_) => Some(unclear(round, &pending, "the job is not found")),
    }
}

fn in_progress(round: &Round<'_>, pending: &Pending) -> Verdict {
    let message = format!(
        "waits for savepoint `{}` of {}, since {}, at most {} (`execution.checkpointing.timeout`)",
        pending.trigger_id,
        round.job_name(),
        moment(Some(pending.since_ms)),
        span_of(round.desired.options.checkpointing_timeout)
    );
    Verdict::wait("SavepointInProgress", message, AT_ONCE)
}

fn unclear(round: &Round<'_>, pending: &Pending, why: &str) -> Verdict {
    let message = format!(
        "waits to hear what became of savepoint `{}` of {}, since {}: {why}",
        pending.trigger_id,
        round.job_name(),
        moment(Some(pending.since_ms))
    );
    Verdict::wait("SavepointUnknown", message, SOON)
}
