//! Runs one native job: subtasks in slots, exchanges between them, checkpoints, restore.
//!
//! One thread per slot runs the slot's subtask of every vertex cooperatively; between slots bounded single-producer
//! single-consumer queues carry batches, watermarks and barriers, and a full queue is back-pressure. The thread that
//! calls [`job::Job::run`] coordinates: it triggers checkpoints, writes what the slots snapshot, publishes the manifest,
//! then lets the sinks commit. Operators know none of this.
//!
//! Stepped by one thread in any order ([`stepping`]) the same slots give the same result; that is how they are tested.

mod build;
mod channel;
mod checkpoint;
pub mod control;
mod controller;
mod coordinator;
mod epoch;
mod event;
mod gate;
pub mod job;
mod ledger;
mod location;
pub mod metrics;
pub mod monitor;
mod options;
mod progress;
pub mod rest;
mod restart;
mod restore;
mod slot;
pub mod stepping;
mod task;
mod vertex;
pub mod view;
