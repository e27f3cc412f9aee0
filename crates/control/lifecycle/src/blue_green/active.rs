//! One deployment serves: it is left alone, suspended, resumed, or the other one is to take over.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::decision::Act;
use super::diff::{self, Step};
use super::facts::{Child, Savepoint};
use super::round::{Round, Verdict, WAYS_OUT};
use super::savepoint;
use super::state::Colour;
use super::transition::{self, Origin};
use crate::state::{JobState, LifecycleState};
use crate::wording::SOON;

/// What is next while `colour` serves.
pub(super) fn next(round: &mut Round<'_>, colour: Colour) -> Verdict {
    let Some(child) = round.live(colour) else { return missing(round, colour) };
    if let Some(verdict) = leftover(round, colour.other()).or_else(|| forget(round)) {
        return verdict;
    }
    let name = round.name(colour);
    match diff::step(&child.spec, round.desired.template()) {
        Step::Suspend => {
            round.tell("Suspended", format!("suspends `{name}`"));
            let act = Act::PatchChild { colour, spec: diff::off(&child.spec) };
            Verdict::wait("Suspending", format!("suspends `{name}`"), SOON).with(act)
        }
        Step::Resume => {
            round.tell("Resumed", format!("resumes `{name}`"));
            let act = Act::PatchChild { colour, spec: diff::on(&child.spec) };
            Verdict::wait("Resuming", format!("resumes `{name}`"), SOON).with(act)
        }
        Step::PatchChild if round.is_new() => {
            let spec = diff::brought_to(&child.spec, round.desired.template());
            Verdict::wait("Patching", format!("changes `{name}`, whose job runs on"), SOON)
                .with(Act::PatchChild { colour, spec })
        }
        Step::Transition | Step::SavepointRedeploy if round.is_new() => begin(round, colour, child),
        // It was taken up, and is not what serves.
        Step::Transition | Step::SavepointRedeploy if round.record.abort_ms.is_some() => given_up(round, colour),
        _ => settle(round, colour, child),
    }
}

/// Sees to the deployment that does not serve. One that was given up stays to be looked at, and does not run.
fn leftover(round: &Round<'_>, colour: Colour) -> Option<Verdict> {
    let child = round.live(colour)?;
    let name = round.name(colour);
    if round.record.abort_ms.is_none() {
        return Some(Verdict::wait("Deleting", format!("deletes `{name}`"), SOON).with(Act::DeleteChild(colour)));
    }
    let act = Act::PatchChild { colour, spec: diff::off(&child.spec) };
    diff::is_on(&child.spec)
        .then(|| Verdict::wait("Suspending", format!("suspends `{name}`, which was given up"), SOON).with(act))
}

/// Deletes the snapshot that the state was handed over with; its files stay.
fn forget(round: &mut Round<'_>) -> Option<Verdict> {
    let name = round.record.savepoint.clone()?;
    if matches!(round.facts.savepoint, Savepoint::Absent | Savepoint::Leaving) {
        round.record.savepoint = None;
        return None;
    }
    let message = format!("deletes the FlinkStateSnapshot `{name}`, which was used; its files stay");
    Some(Verdict::wait("Deleting", message, SOON).with(Act::ForgetSavepoint(name)))
}

/// Everything is as it was asked for, as far as the pair is concerned.
fn settle(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    round.record.last = Some(round.desired.spec.clone());
    round.record.abort_ms = None;
    round.observe(colour, child);
    let name = round.name(colour);
    if !diff::is_on(&child.spec) {
        return if child.lifecycle == LifecycleState::Suspended {
            Verdict::wait("Settled", format!("`{name}` is suspended, as asked"), Duration::ZERO)
        } else {
            Verdict::wait("Suspending", format!("waits until `{name}` is suspended"), round.interval())
        };
    }
    if child.is_ready() {
        return Verdict::wait("Settled", format!("`{name}` serves"), Duration::ZERO);
    }
    Verdict::wait("WaitingForJob", format!("`{name}` serves and is {}", child.condition()), round.interval())
}

/// What was given up is said until it changes.
fn given_up(round: &Round<'_>, colour: Colour) -> Verdict {
    let default = || format!("the change was given up, and `{}` goes on serving", round.name(colour));
    Verdict::wait("GivenUp", round.record.error.clone().unwrap_or_else(default), Duration::ZERO)
}

/// Begins to let the other deployment take over from `colour`.
fn begin(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    let other = colour.other();
    if let Some(verdict) = transition::clear(round, other) {
        return verdict;
    }
    let is_redeploy = diff::step(&child.spec, round.desired.template()) == Step::SavepointRedeploy;
    if !is_redeploy && round.desired.upgrade_mode != UpgradeMode::Stateless {
        return savepoint::begin(round, colour, child);
    }
    round.tell("SpecChanged", format!("a change ({})", diff::told(&child.spec, round.desired.template())));
    transition::begin(round, other, if is_redeploy { Origin::Declared } else { Origin::Nothing })
}

/// The deployment that serves is gone, or goes.
fn missing(round: &mut Round<'_>, colour: Colour) -> Verdict {
    let name = round.name(colour);
    if round.facts.child(colour).is_some() {
        let message = format!("waits until `{name}`, which is not deleted from here, is gone");
        return Verdict::wait("ChildDeleted", message, round.interval());
    }
    if !round.shall_run() {
        round.record.job = Some(JobState::Suspended);
        return Verdict::wait("Settled", format!("nothing runs, as asked; `{name}` is gone"), Duration::ZERO);
    }
    let is_redeploy = diff::is_redeploy(round.record.last.as_ref(), round.desired.spec);
    if is_redeploy || round.desired.upgrade_mode == UpgradeMode::Stateless {
        let other = colour.other();
        let origin = if is_redeploy { Origin::Declared } else { Origin::Nothing };
        return transition::clear(round, other).unwrap_or_else(|| transition::begin(round, other, origin));
    }
    round.record.job = Some(JobState::Failing);
    let message = format!(
        "the FlinkDeployment `{name}`, which served, was deleted; its event `SnapshotKept` tells where its newest \
         snapshot lies, if it had one; {WAYS_OUT}"
    );
    round.fail("ChildDeleted", message.clone());
    Verdict::wait("ChildDeleted", message, Duration::ZERO)
}
