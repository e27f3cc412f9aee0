//! The lifecycle of a pair of deployments: what is new is proven beside what is old, which goes only then.
//!
//! One deployment of the pair serves. A change makes the other one, from a savepoint of the first unless it asks for
//! none, and only when that one runs is the first deleted. Until then both run, so what they write is written twice.
//!
//! * The deployment that serves is never touched for a change that was not proven, and never deleted before the other
//!   one has run without a break for as long as was asked.
//! * Every wait ends: a savepoint by its timeout, a new version by its grace period. What is given up is tried again
//!   once the declaration changes; the error says why it was given up.
//! * A version with state never starts without it unless it was told to.
//! * Nothing is held by a finalizer: both deployments belong to the pair and go with it.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `BlueGreenDeploymentService`, without its defects: savepoints awaited for
//! ever, suspension forgotten in a transition, FLINK-40092 (both gone in an abort), FLINK-40119 (the time at which an
//! earlier version was ready counts for the next), and a change compared with one that was given up (pull 1072).

mod active;
mod decision;
mod desired;
mod diff;
mod facts;
mod round;
mod savepoint;
mod state;
mod transition;

pub use decision::{Act, Decision};
pub use desired::{Desired, Options};
pub use facts::{Child, Facts, Savepoint};
pub use state::{Colour, Record, State};

use round::Round;

/// Decides what is to be done next for a pair of deployments.
pub fn decide(desired: &Desired<'_>, record: &Record, facts: &Facts) -> Decision {
    let mut round = Round::new(desired, record, facts);
    let verdict = match round.obstacle() {
        Some(verdict) => verdict,
        None => match round.record.state {
            State::Initializing => transition::first(&mut round),
            State::Active(colour) => active::next(&mut round, colour),
            State::Savepointing(colour) => savepoint::follow(&mut round, colour),
            State::Transitioning(colour) => transition::next(&mut round, colour),
        },
    };
    round.decide(verdict)
}

#[cfg(test)]
mod tests;
