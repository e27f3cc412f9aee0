//! The REST API of a Flink cluster as a client: what its jobs do, their snapshots, and the programs that it runs.
//!
//! The same calls go to Apache Flink 1.20 to 2.3 and to the native engine. Not knowing is an error and never read as
//! "it is not there". Every call has a time limit, every answer a limit of bytes, and every error says what was asked
//! of whom; no error shows a token or the stack of a Java exception.
//!
//! Flink keeps the statistics of checkpoints for three seconds unless `rest.cache.checkpoint-statistics.timeout` is
//! zero. Whoever starts a cluster and asks for its newest snapshot must set that.

mod body;
mod call;
mod checkpoints;
pub mod control;
pub mod endpoint;
pub mod failure;
pub mod health;
pub mod jars;
pub mod jobs;
mod playback;
pub mod snapshots;
mod trace;
pub mod transport;

pub use body::Outgoing;
pub use control::Canceled;
pub use endpoint::Endpoint;
pub use failure::Failure;
pub use health::JobHealth;
pub use jars::RunJar;
pub use jobs::{FlinkConfig, JobSeen};
pub use snapshots::{OperationSeen, SavepointRequest};
pub use transport::{Carried, FlinkClient, Transport};
