//! A deployment is made and proven: it takes over once it has run for long enough, or is given up.
//!
//! It is given up only where the other one is there to go on. Where it is the first one it is left to come up by
//! itself, as a deployment without a pair is.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::decision::Act;
use super::diff::{self, Step};
use super::facts::{Child, Savepoint};
use super::round::{Round, Verdict, WAYS_OUT};
use super::state::{Colour, State};
use crate::state::JobState;
use crate::wording::{AT_ONCE, SOON, milliseconds, moment, span_of};

/// Makes the first deployment.
pub(super) fn first(round: &mut Round<'_>) -> Verdict {
    if !round.shall_run() {
        round.record.job = Some(JobState::Suspended);
        round.record.error = None;
        let message = "nothing was started, as `spec.template.spec.job.state: suspended` asks".to_owned();
        return Verdict::wait("Settled", message, Duration::ZERO);
    }
    // What is there although nothing is written down of it is taken over.
    let is_green = round.facts.blue.is_none() && round.facts.green.is_some();
    let colour = if is_green { Colour::Green } else { Colour::Blue };
    if round.live(colour).is_some() {
        round.prove(colour);
        return Verdict::wait("Starting", format!("looks how `{}` is", round.name(colour)), AT_ONCE);
    }
    if let Some(verdict) = clear(round, colour) {
        return verdict;
    }
    begin(round, colour, Origin::Declared)
}

/// Makes sure that a deployment is not there, so that what is made begins with no past.
pub(super) fn clear(round: &Round<'_>, colour: Colour) -> Option<Verdict> {
    let child = round.facts.child(colour)?;
    let name = round.name(colour);
    let verdict = Verdict::wait("ChildEnding", format!("waits until the earlier `{name}` is gone"), SOON);
    Some(if child.is_deleting { verdict } else { verdict.with(Act::DeleteChild(colour)) })
}

/// What a deployment that is made starts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A savepoint of the other.
    Savepoint(&'a str),
    /// What is declared: a snapshot that is named counts the first time, and when it is asked for.
    Declared,
    /// No state.
    Nothing,
}

/// Takes up what is declared with a new deployment.
pub(super) fn begin(round: &mut Round<'_>, colour: Colour, origin: Origin<'_>) -> Verdict {
    round.prove(colour);
    create(round, colour, origin)
}

fn create(round: &mut Round<'_>, colour: Colour, origin: Origin<'_>) -> Verdict {
    let template = round.desired.template();
    let spec = match origin {
        Origin::Savepoint(path) => diff::starting_from(template, Some(path)),
        Origin::Declared => template.clone(),
        Origin::Nothing => diff::starting_from(template, None),
    };
    let name = round.name(colour);
    let from = match diff::origin(&spec) {
        Some(path) => format!("from `{path}`"),
        None => "without state".to_owned(),
    };
    round.tell("Submit", format!("making `{name}`, which is to start {from}"));
    let message = format!("makes `{name}`, which starts {from}");
    Verdict::wait("Starting", message, SOON).with(Act::CreateChild { colour, spec })
}

/// What is next while `colour` is being proven.
pub(super) fn next(round: &mut Round<'_>, colour: Colour) -> Verdict {
    let Some(child) = round.facts.child(colour) else { return make(round, colour) };
    if child.is_deleting {
        let message = format!("waits until `{}`, which is not deleted from here, is gone", round.name(colour));
        return Verdict::wait("ChildDeleted", message, round.interval());
    }
    if let Some(verdict) = change(round, colour, child) {
        return verdict;
    }
    if child.is_ready() { take_over(round, colour, child) } else { falter(round, colour, child) }
}

/// Makes the deployment whose making was recorded and is not seen.
fn make(round: &mut Round<'_>, colour: Colour) -> Verdict {
    let old = round.live(colour.other());
    if !round.shall_run() && old.is_some() {
        return withdraw(round, colour.other());
    }
    let is_redeploy = match old {
        Some(old) => diff::step(&old.spec, round.desired.template()) == Step::SavepointRedeploy,
        None => diff::is_redeploy(round.record.last.as_ref(), round.desired.spec),
    };
    let is_stateless = round.desired.upgrade_mode == UpgradeMode::Stateless;
    let origin = match (&round.facts.savepoint, old) {
        _ if is_redeploy => Origin::Declared,
        (_, Some(_)) if is_stateless => Origin::Nothing,
        (Savepoint::Completed(path), _) if !is_stateless => Origin::Savepoint(path),
        // The savepoint is lost, and another one can be taken.
        (_, Some(_)) => return withdraw(round, colour.other()),
        (_, None) if round.record.savepoint.is_some() && !is_stateless => return orphaned(round, colour),
        (_, None) => Origin::Declared,
    };
    if round.is_new() {
        round.prove(colour);
    }
    create(round, colour, origin)
}

/// Goes back to the deployment that serves, where it is decided anew.
fn withdraw(round: &mut Round<'_>, colour: Colour) -> Verdict {
    round.record.state = State::Active(colour);
    (round.record.abort_ms, round.record.last) = (None, None);
    let message = format!("begins again: `{}` serves and nothing was made yet", round.name(colour));
    Verdict::wait("ChangeWithdrawn", message, AT_ONCE)
}

/// Neither is the other deployment there nor what the new one was to start from.
fn orphaned(round: &mut Round<'_>, colour: Colour) -> Verdict {
    round.record.job = Some(JobState::Failing);
    let message = format!(
        "neither `{}` nor the savepoint is there that `{}` was to start from; {WAYS_OUT}",
        round.name(colour.other()),
        round.name(colour)
    );
    round.fail("SavepointError", message.clone());
    Verdict::wait("SavepointError", message, round.interval())
}

/// Carries a change out in the deployment that is being proven. Suspension waits until it is known who serves.
fn change(round: &mut Round<'_>, colour: Colour, child: &Child) -> Option<Verdict> {
    let (template, name) = (round.desired.template(), round.name(colour));
    if !round.shall_run() {
        if round.live(colour.other()).is_some() {
            return None;
        }
        round.record.state = State::Active(colour);
        (round.record.abort_ms, round.record.ready_ms) = (None, None);
        return Some(Verdict::wait("Suspending", format!("suspends `{name}`, which is the only one"), AT_ONCE));
    }
    let wanted = diff::brought_to(&child.spec, template);
    let told = diff::told(&child.spec, template);
    let is_new = round.is_new();
    if told.is_empty() {
        if is_new {
            // Only how long it may take was changed.
            let since = round.record.reconciled_ms.unwrap_or(round.facts.now_ms);
            round.record.last = Some(round.desired.spec.clone());
            round.record.abort_ms = Some(since.saturating_add(milliseconds(round.desired.options.abort_grace)));
        }
        return None;
    }
    if is_new {
        round.tell("SpecChanged", format!("a change ({told}) of `{name}`, which does not serve yet"));
        round.prove(colour);
    }
    let act = Act::PatchChild { colour, spec: wanted };
    Some(Verdict::wait("Patching", format!("changes `{name}`, which does not serve yet"), SOON).with(act))
}

/// Lets a deployment that runs take over, once it has run for long enough.
fn take_over(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    let (name, other) = (round.name(colour), colour.other());
    let now = round.facts.now_ms;
    // A time to come was told by another clock.
    let since = round.record.ready_ms.filter(|since| *since <= now).unwrap_or(now);
    round.record.ready_ms = Some(since);
    round.observe(colour, child);
    let old = round.live(other);
    let due = since.saturating_add(milliseconds(round.desired.options.deletion_delay));
    if old.is_some() && now < due {
        let message = format!("`{name}` runs; `{}` is deleted at {}", round.name(other), moment(Some(due)));
        return Verdict::wait("DeletionDelayed", message, round.until(due));
    }
    round.record.state = State::Active(colour);
    round.record.abort_ms = None;
    round.tell("TransitionCompleted", format!("`{name}` serves"));
    let verdict = Verdict::wait("Settled", format!("`{name}` serves"), SOON);
    if old.is_some() { verdict.with(Act::DeleteChild(other)) } else { verdict }
}

/// Waits for a deployment that does not run, and gives it up if that takes too long.
fn falter(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    let (name, condition) = (round.name(colour), child.condition());
    let grace = round.desired.options.abort_grace;
    let fresh = round.deadline(grace);
    if round.record.ready_ms.take().is_some() {
        round.record.abort_ms = Some(fresh);
    }
    let deadline = *round.record.abort_ms.get_or_insert(fresh);
    let is_late = round.facts.now_ms >= deadline;
    if is_late && round.live(colour.other()).is_some() {
        let why = format!("`{name}` did not come to run within {}: it is {condition}", span_of(grace));
        let act = Act::PatchChild { colour, spec: diff::off(&child.spec) };
        return round.give_up(colour.other(), "TransitionAborted", &why).with(act);
    }
    if is_late {
        round.record.job = Some(JobState::Failing);
        let message = format!(
            "`{name}` did not come to run until {}, and there is no other to go on: it is {condition}",
            moment(Some(deadline))
        );
        round.fail("NotReady", message.clone());
        return Verdict::wait("NotReady", message, round.interval());
    }
    round.observe(colour, child);
    round.record.job = Some(JobState::Reconciling);
    let message = format!("waits until {} for `{name}` to run: it is {condition}", moment(Some(deadline)));
    Verdict::wait("Starting", message, round.until(deadline).max(AT_ONCE))
}
