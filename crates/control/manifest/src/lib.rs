//! What one start of an application consists of: a deployment and a place in, files and processes out.
//!
//! # Invariants
//! * Pure: no clock, no socket, no file, no random number. The same values always give the same launch.
//! * Total: whatever passed the door can be laid out; what does not run says so itself when it is started.
//! * No value of the Flink configuration stands in the arguments or the environment of a process, save those that say
//!   where things lie or how much is logged. Whoever may list the processes of a machine sees no secret of it. Only the
//!   program's own arguments are given as arguments, since Flink takes them in no other way.
//! * A distribution of Flink is only read: everything that is written lies in the folder of the application.
//!
//! ```text
//! deployment ─┐                       ┌─▶ files of the folder
//! job's start ┼─▶ application/session ┼─▶ processes
//! place ──────┘                       └─▶ where the REST API will answer
//! ```

pub mod configuration;
pub mod flink;
pub mod kubernetes;
pub mod launch;
pub mod logging;
pub mod native;
pub mod place;
mod program;
pub mod session_job;
mod sizes;
mod yaml;

pub use kobel_model::deployment::engine;
use kobel_model::deployment::{Cluster, Deployment};

use crate::engine::{Engine, engine};
use crate::launch::{JobStart, Launch};
use crate::place::Place;

/// Lays out a deployment with a job, on the engine that it asks for.
pub fn application(deployment: &Deployment, start: &JobStart<'_>, place: &Place) -> Launch {
    match engine(&deployment.cluster) {
        Engine::Native => native::application(deployment, start, place),
        Engine::Flink => flink::application(deployment, start, place),
    }
}

/// Lays out a session cluster, which is always one of Apache Flink.
pub fn session(deployment: &Deployment, place: &Place) -> Launch {
    flink::session(deployment, place)
}

/// How many job managers stand by in a start of `cluster`: each needs ports of its own.
pub fn standbys(cluster: &Cluster) -> u32 {
    match engine(cluster) {
        Engine::Native => 0,
        Engine::Flink => cluster.job_manager.replicas.saturating_sub(1),
    }
}

#[cfg(test)]
mod tests;
