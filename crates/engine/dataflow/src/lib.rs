//! The data plane of the native engine, sans-IO: batches, operators, watermarks, keyed state and its snapshots.
//!
//! An operator is a plain struct that takes batches and watermarks and yields batches and watermarks. It owns no thread,
//! channel, file or clock; a runtime instantiates it per subtask from a [`graph::Graph`] and drives it step by step.
//! Sources and sinks are reached through [`ports`].

pub mod batch;
pub mod graph;
pub mod operator;
pub mod operators;
pub mod partition;
pub mod ports;
pub mod state;

pub use batch::{Batch, RowKind};
