//! Deletes: ends the job, removes the cluster, lets the resource go. Snapshots stay, and where they lie is told.
//!
//! Nothing of it can hang without a word: whatever blocks is told with a way out.

use kobel_model::deployment::UpgradeMode;

use super::restore::{self, Handover};
use super::round::{Home, Phase, Round};
use super::{clearing, observe, stop};
use crate::decision::Act;
use crate::state::JobState;
use crate::wording::{SOON, Verdict, moment};

/// Deletes what is left, and lets go once nothing is.
pub fn delete(round: &mut Round<'_>) -> Verdict {
    round.mark_deleting();
    if round.home == Home::Session && has_nothing_to_end(round) {
        return release(round);
    }
    if let Some(verdict) = clearing::unseen(round) {
        return or_else(verdict, round.home);
    }
    observe::arrive(round);
    if round.phase() == Phase::Deployed
        && let Some(verdict) = end_deployed(round)
    {
        return verdict;
    }
    if let Some(verdict) = stop::follow_cancel(round) {
        return verdict;
    }
    clearing::clear(round).unwrap_or_else(|| release(round))
}

/// Whether a session job has never been submitted, or was seen to have ended: then nobody need be asked.
fn has_nothing_to_end(round: &Round<'_>) -> bool {
    let has_ended = round.record.job.state.is_some_and(JobState::is_terminal);
    round.record.job.id.is_none() || (has_ended && round.live().is_none())
}

/// Ends a deployed job; absent if it has ended.
fn end_deployed(round: &mut Round<'_>) -> Option<Verdict> {
    observe::observe(round);
    let wants_savepoint = round.desired.options.savepoint_on_deletion;
    if wants_savepoint && let Some(verdict) = stop::follow_savepoint(round) {
        return Some(verdict);
    }
    if round.phase() != Phase::Deployed {
        return None;
    }
    match round.reachable() {
        Some(job) if wants_savepoint => Some(end_with_savepoint(round, &job.id, job.state)),
        Some(_) => {
            stop::commit(round, UpgradeMode::LastState);
            stop::cancel(round)
        }
        None => None,
    }
}

fn end_with_savepoint(round: &mut Round<'_>, job_id: &str, state: JobState) -> Verdict {
    let way_out = "set `kubernetes.operator.job.savepoint-on-deletion: false` to delete without a savepoint";
    if state == JobState::Cancelling {
        return Verdict::wait("JobCancelling", format!("waits until job `{job_id}` is cancelled"), SOON);
    }
    if state != JobState::Running {
        let since = moment(round.record.job.update_ms);
        let message = format!(
            "waits until job `{job_id}` runs, to delete it with a savepoint; it is {} since {since}; {way_out}",
            state.as_str()
        );
        return Verdict::wait("WaitingForRunningJob", message, SOON);
    }
    match stop::pause(round) {
        Some(left) => {
            let error = round.record.error.clone().unwrap_or_default();
            let message =
                format!("{error}; the next attempt is made at {}; {way_out}", moment(Some(round.facts.now_ms + left)));
            Verdict::wait("SavepointFailed", message, SOON)
        }
        None => stop::with_savepoint(round, job_id),
    }
}

fn or_else(mut verdict: Verdict, home: Home) -> Verdict {
    verdict.wait.message.push_str(match home {
        Home::Own => "; the resource stays until its processes are known to have ended",
        Home::Session => "; delete the session cluster as well, or wait until it answers",
    });
    verdict
}

fn release(round: &mut Round<'_>) -> Verdict {
    let handover = match restore::after_stop(&round.record) {
        exact @ Handover::Exactly(_) if round.phase() == Phase::Stopped => exact,
        _ => Handover::Required,
    };
    match restore::point(&round.record, round.facts, handover) {
        Ok(Some(path)) if restore::needs_its_id(Some(&path)) => {
            let message = "snapshots stay, and what Flink has written down of where they lie goes with the resource";
            round.tell("SnapshotKept", message.to_owned());
        }
        Ok(Some(path)) => {
            let message =
                format!("the newest snapshot stays at `{path}`; `job.initialSavepointPath` starts from it again");
            round.tell("SnapshotKept", message);
        }
        Err(why) if round.record.job.id.is_some() => round.tell("SnapshotKept", format!("snapshots stay; {why}")),
        Ok(None) | Err(_) => {}
    }
    Verdict::act(Act::Release, "Deleted", "nothing of the resource is left".to_owned())
}
