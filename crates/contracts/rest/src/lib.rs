//! Shapes of the REST API of a Flink JobManager: what a request may say and what an answer says, as Flink 2.3 writes
//! it.
//!
//! Every type prints the keys that Flink prints, in Flink's order, and reads them back. Nothing here knows where the
//! values come from. A key that is not known is passed over, in answers because a newer Flink may say more, in
//! requests because Flink itself does so.

pub mod accumulators;
pub mod applications;
pub mod checkpoint_subtasks;
pub mod checkpoints;
pub mod cluster;
pub mod errors;
pub mod exceptions;
pub mod java_throwable;
pub mod jobs;
pub mod metrics;
pub mod number;
pub mod operations;
pub mod ordered;
pub mod per_state;
pub mod plan;
pub mod pressure;
mod request_fields;
pub mod requests;
pub mod rescales;
pub mod resources;
mod round_trip;
pub mod states;
pub mod statistics;
pub mod submissions;
pub mod taskmanagers;
pub mod throwable;
pub mod vertices;
pub mod words;
