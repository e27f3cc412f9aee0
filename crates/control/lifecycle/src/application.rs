//! Decides about applications and session jobs: whatever has a job.
//!
//! # Flow
//! ```text
//!           first                seen
//!    New ─────────▶ Starting ───────────▶ Deployed ──┐ change, suspension, rollback,
//!                      ▲  ▲                 │  ▲      │ a job that is lost, failed, or not healthy
//!                      │  └─────────────────┘  └──────┘ (keep going)
//!                      │        lost, failed     │
//!              nothing │                         │ cancel          stopped with a savepoint,
//!              is left │                         ▼                 or nothing to cancel
//!                      └── Stopped ◀──────── Stopping      Stopped ◀──────── Deployed
//! ```
//! Where a resource is on this way follows from its record alone; what is done there from what is seen.
//!
//! # Invariants
//! * A cluster is started only where none is seen, and never while it cannot be seen.
//! * A job that is to keep its state starts without any only if it is certain that there never was one.
//! * A job that runs is not stopped for a change before it is known that the next can have its state.
//! * Deciding again about the record that was written, in the same world, gives the same act.

mod clearing;
mod deletion;
mod deploy;
mod health;
mod observe;
mod restore;
mod rollback;
mod round;
mod running;
mod snapshots;
mod spec;
mod stop;
mod upgrade;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::round::{Home, Phase, Round};
use crate::decision::{Decision, Wait};
use crate::desired::Desired;
use crate::facts::Facts;
use crate::record::Record;
use crate::wording::Verdict;

/// Decides about a deployment that has a job.
pub fn decide(desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    decide_at(Home::Own, desired, record, facts)
}

/// The snapshot with the newest state of the recorded job, as far as is known: what a change has to go on from.
pub fn known_state(record: &Record, facts: &Facts) -> Option<String> {
    restore::known(record, facts)
}

/// Decides about a session job.
pub fn decide_session_job(desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    decide_at(Home::Session, desired, record, facts)
}

fn decide_at(home: Home, desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    let Some(job) = desired.job else { return nothing_declared(record) };
    let mut round = Round::new(home, desired, job, record, facts);
    let verdict = verdict(&mut round);
    round.finish(verdict)
}

/// The door lets no declaration without a job come here.
fn nothing_declared(record: &Record) -> Decision {
    let message = "no job is declared; declare `job`".to_owned();
    let wait = Wait { reason: "NoJob", message, again: Duration::ZERO };
    Decision { record: record.clone(), act: None, events: Vec::new(), wait }
}

fn verdict(round: &mut Round<'_>) -> Verdict {
    if round.desired.is_deleting {
        return deletion::delete(round);
    }
    if let Some(verdict) = clearing::unseen(round) {
        return verdict;
    }
    if round.phase() == Phase::New {
        return deploy::first(round);
    }
    observe::arrive(round);
    if deploy::is_first_of_another(round) {
        return deploy::first(round);
    }
    if round.phase() == Phase::Deployed
        && let Some(verdict) = deployed(round)
    {
        return verdict;
    }
    stop::look_for_savepoint(round);
    stop::follow_cancel(round).unwrap_or_else(|| deploy::next(round))
}

/// What is looked at while a job is deployed, in this order.
const STEPS: [fn(&mut Round<'_>) -> Option<Verdict>; 7] = [
    stop::follow_savepoint,
    snapshots::follow,
    upgrade::begin,
    rollback::begin,
    running::keep,
    snapshots::take,
    snapshots::clean,
];

/// Looks after a deployed job; absent once it has ended so that another can follow.
fn deployed(round: &mut Round<'_>) -> Option<Verdict> {
    observe::observe(round);
    health::observe(round);
    for step in STEPS {
        let verdict = step(round);
        if verdict.is_some() || round.phase() != Phase::Deployed {
            return verdict;
        }
    }
    Some(running::settle(round))
}
