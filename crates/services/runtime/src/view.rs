//! What the outside sees of this process and its jobs: plain values behind short locks.
//!
//! The coordinator writes, REST, metrics and the terminal read; nothing here decides anything.

pub mod checkpoints;
pub mod cluster;
pub mod job;
pub mod plan;
