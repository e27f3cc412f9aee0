//! The savepoint that hands the state over from one deployment to the other. It is declared as a snapshot of its own,
//! whose name is recorded first, and awaited for as long as a checkpoint may take.

use kobel_model::deployment::UpgradeMode;

use super::decision::Act;
use super::diff::{self, Step};
use super::facts::{Child, Savepoint};
use super::round::{Round, Verdict, WAYS_OUT};
use super::state::{Colour, State};
use super::transition::{self, Origin};
use crate::state::JobState;
use crate::wording::{AT_ONCE, SOON, moment, span_of};

/// How many digits of a fresh number tell one snapshot from another.
const DIGITS: usize = 8;

/// Begins to take a savepoint of the deployment that serves.
pub(super) fn begin(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    if !child.is_running() {
        return unable(round, colour, child);
    }
    round.tell("SpecChanged", format!("a change ({})", diff::told(&child.spec, round.desired.template())));
    round.take_up(State::Savepointing(colour), round.desired.options.savepoint_timeout);
    round.record.job = child.job;
    take(round, colour)
}

/// Declares the snapshot, under a name that is recorded.
fn take(round: &mut Round<'_>, colour: Colour) -> Verdict {
    let digits: String = round.facts.fresh_id.chars().take(DIGITS).collect();
    let fresh = format!("{}-{digits}", round.name(colour));
    round.record.savepoint = Some(fresh.clone());
    ask(round, colour, fresh)
}

fn ask(round: &Round<'_>, colour: Colour, name: String) -> Verdict {
    let message = format!("asks for a savepoint of `{}`, as FlinkStateSnapshot `{name}`", round.name(colour));
    Verdict::wait("SavepointInProgress", message, SOON).with(Act::TakeSavepoint { colour, name })
}

/// A job that does not run has no savepoint to give.
fn unable(round: &mut Round<'_>, colour: Colour, child: &Child) -> Verdict {
    let may_come = matches!(
        child.job,
        None | Some(JobState::Initializing | JobState::Created | JobState::Reconciling | JobState::Running)
    );
    let (name, condition) = (round.name(colour), child.condition());
    let message = format!("the change waits until `{name}` runs, for a savepoint of it; it is {condition}");
    if may_come {
        (round.record.job, round.record.error) = (Some(JobState::Reconciling), None);
        return Verdict::wait("WaitingForRunningJob", message, round.interval());
    }
    round.record.job = Some(JobState::Failing);
    let message = format!("{message}. Or {WAYS_OUT}");
    round.fail("WaitingForRunningJob", message.clone());
    Verdict::wait("WaitingForRunningJob", message, round.interval())
}

/// Follows a savepoint of `colour`, which serves.
pub(super) fn follow(round: &mut Round<'_>, colour: Colour) -> Verdict {
    // A savepoint that was taken is worth all the more if who it is of is gone.
    let step = match round.live(colour) {
        Some(child) => diff::step(&child.spec, round.desired.template()),
        None if round.shall_run() => Step::Transition,
        None => Step::Suspend,
    };
    if step != Step::Transition || round.desired.upgrade_mode == UpgradeMode::Stateless {
        round.record.state = State::Active(colour);
        round.record.abort_ms = None;
        let message = "the savepoint is not needed any more: something else was declared".to_owned();
        return Verdict::wait("ChangeWithdrawn", message, AT_ONCE);
    }
    let patience = round.desired.options.savepoint_timeout;
    let fresh = round.deadline(patience);
    let deadline = *round.record.abort_ms.get_or_insert(fresh);
    match round.facts.savepoint.clone() {
        Savepoint::Completed(path) => {
            if let Some(verdict) = transition::clear(round, colour.other()) {
                return verdict;
            }
            round.tell("SavepointCompleted", format!("`{}` hands over with `{path}`", round.name(colour)));
            transition::begin(round, colour.other(), Origin::Savepoint(&path))
        }
        Savepoint::Failed(why) => round.give_up(colour, "SavepointError", &format!("the savepoint failed: {why}")),
        _ if round.facts.now_ms >= deadline => {
            let why = format!(
                "the savepoint was not taken within {} (`execution.checkpointing.timeout`){}",
                span_of(patience),
                so_far(&round.facts.savepoint)
            );
            round.give_up(colour, "SavepointError", &why)
        }
        Savepoint::Absent => match round.record.savepoint.clone() {
            Some(name) => ask(round, colour, name),
            None => take(round, colour),
        },
        Savepoint::InProgress(_) | Savepoint::Leaving => {
            let name = round.name(colour);
            let so_far = so_far(&round.facts.savepoint);
            let message = format!("waits for a savepoint of `{name}` until {}{so_far}", moment(Some(deadline)));
            Verdict::wait("SavepointInProgress", message, round.until(deadline))
        }
    }
}

fn so_far(savepoint: &Savepoint) -> String {
    match savepoint {
        Savepoint::InProgress(Some(why)) => format!(": {why}"),
        _ => String::new(),
    }
}
