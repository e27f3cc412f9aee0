//! Undoes a change whose job does not come to run in time. Its state goes back too: how the stable version was once
//! started says nothing about how it is started again.

use super::round::Round;
use super::{restore, spec, stop};
use crate::change::{self, Change};
use crate::facts::Newest;
use crate::state::{JobState, ReconciliationState};
use crate::wording::{Verdict, span, span_of};

/// Begins to bring the stable version back. Absent if that is not due, or if nothing is left to be stopped.
pub fn begin(round: &mut Round<'_>) -> Option<Verdict> {
    if !is_due(round) {
        return None;
    }
    let waited = span(round.elapsed(round.record.reconciled_ms));
    let limit = span_of(round.desired.options.readiness_timeout);
    round.warn(
        "Rollback",
        format!("the changed job did not run within {limit} ({waited}): the last stable one returns"),
    );
    stop::commit_undoing(round, restore::lasting(round.job.upgrade_mode));
    stop::cancel(round)
}

fn is_due(round: &Round<'_>) -> bool {
    let record = &round.record;
    let (Some(stable), Some(last)) = (&record.stable, &record.last) else { return false };
    if record.reconciliation == ReconciliationState::RollingBack {
        // Another operator has begun to.
        return true;
    }
    let is_allowed = round.desired.options.is_rollback_on
        && round.held.is_none()
        && record.reconciliation == ReconciliationState::Deployed;
    let is_late = !round.is_within(record.reconciled_ms, round.desired.options.readiness_timeout);
    let runs = matches!(record.job.state, Some(JobState::Running | JobState::Finished | JobState::Canceled));
    // What a newer line of Flink has written an older one cannot read.
    let is_readable = round.facts.newest == Newest::None || !spec::has_other_version(stable, last);
    is_allowed && is_late && !runs && is_readable && change::diff(stable, last).change > Change::Ignore
}
