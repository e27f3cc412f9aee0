//! The REST API of a Flink JobManager, answered by the native engine.
//!
//! One thread reads and answers everything; handlers are plain functions from a request to an answer that look at
//! [`crate::view`] and send wishes to jobs. They do no I/O but reading log files, and never wait for a job.
//!
//! ```text
//! socket ─▶ connection ─▶ guard ─▶ dispatch ─▶ route ─▶ handlers (jobs, vertices, checkpoints, …)
//!                                                          │ look: view, monitor
//!                                                          ▼ ask: controller ─▶ operations
//! ```

mod applications;
mod body;
mod call;
mod cancellation;
mod checkpoint_subtasks;
mod checkpoints;
mod cluster;
mod connection;
mod dispatch;
mod disposal;
mod exceptions;
mod fixtures;
mod guard;
mod hex_id;
mod identity;
mod java_exceptions;
mod jobs;
mod listen;
mod logs;
mod metrics;
mod operations;
mod path;
mod plan;
mod pressure;
mod query;
mod refusals;
mod rescales;
mod resources;
mod route;
pub mod server;
mod snapshots;
mod stage;
mod submissions;
mod taskmanagers;
mod tasks;
mod throwable;
mod vertices;
