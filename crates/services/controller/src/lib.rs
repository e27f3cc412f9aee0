//! The control loop: gather, read, decide, build, apply, report.
//!
//! It is driven by what is there and not by what has happened: whatever an event told, an object is decided on as it
//! stands, so the loop may end between any two lines and begin again. What decides is pure; what acts is thin, and an
//! object that is as it should be is not written.
//!
//! ```text
//! watch, ends of processes, time ─▶ agenda ─▶ round: gather ─▶ decide ─▶ write the intent ─▶ act
//!                                     ▲                                                      │
//!                                     └─────────────── look again ◀──────────────────────────┘
//! ```

mod act;
mod agenda;
mod answering;
mod blue_green_round;
mod conditions;
mod controller;
mod declared;
mod election;
mod fit;
mod gather;
mod host;
mod key;
mod launching;
mod local;
mod metrics;
mod news;
mod objects;
mod patience;
mod plan;
mod pods;
mod prompt;
mod revivals;
mod round;
mod rounds;
mod scope;
mod sight;
mod snapshot_round;
mod status;
mod substrate;
mod surroundings;
mod this_machine;
mod turns;
mod wire;
mod world;

pub use controller::{Controller, Operating, Parts, Place, look_after};
pub use election::{Election, LeaseName};
pub use host::Host;
pub use metrics::Metrics;
pub use plan::{Plan, plan};
pub use pods::{Reach, Settings};
pub use surroundings::{Apart, Surroundings};
pub use this_machine::Machine;
