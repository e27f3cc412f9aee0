//! The lifecycle of what is declared: facts, a declaration and the time in; what to do next, or what is awaited, out.
//!
//! # Invariants
//! * Pure: no clock, no socket, no file, no random number. The same values always give the same decision.
//! * Intent first. A decision is a record and at most one act; the record is written before the act is done, and says
//!   what the act is about to do, so that whoever comes after a crash finds it.
//! * Every act may be done twice: starting names the job's id, stopping names the trigger's.
//! * What is seen is trusted over what is remembered. A cluster is started only if none is seen.
//! * A savepoint once taken is never forgotten, and a job with state never starts without it unless it was told to.
//! * Nothing to do is an answer too: it says what is awaited, since when, and what a person can do about it.
//!
//! ```text
//! desired ─┐
//! record  ─┼─▶ decide ─▶ record to write, act to do, events to tell, what is awaited
//! facts   ─┘
//! ```
//!
//! # Source
//! The Apache Flink Kubernetes operator 1.15, whose status this can take over in the middle and hand back.

pub mod application;
pub mod blue_green;
pub mod change;
pub mod decision;
pub mod desired;
pub mod facts;
pub mod options;
pub mod plan;
pub mod record;
pub mod schedule;
pub mod session;
pub mod snapshot;
pub mod state;
mod wording;
