//! Keyed state: columnar, paged, with dirty tracking, so that a checkpoint takes only what changed.
//!
//! [`keys`] encodes and hashes keys, [`aggregate`] says what an aggregate is and [`accumulator`] which there are, [`table`] joins both into groups, and
//! [`snapshot`] says what a snapshot of an operator is made of.

pub mod accumulator;
pub mod aggregate;
pub mod keys;
pub mod snapshot;
pub mod table;
