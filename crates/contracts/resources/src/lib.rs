//! The custom resources of `flink.apache.org/v1beta1`: types, schemas, and the one door through which they become a
//! deployment.
//!
//! Pure: a manifest in, a value or every problem out.

pub mod blue_green;
pub mod components;
pub mod crd;
pub mod flink_deployment;
pub mod job;
pub mod monitoring;
pub mod problem;
pub mod read;
pub mod refusal;
pub mod review;
pub mod schema;
pub mod session_job;
mod shapes;
pub mod state_snapshot;
pub mod status;
mod words;

pub use crd::{API_VERSION, GROUP, VERSION, crds};
pub use problem::{Problem, ProblemKind};
pub use read::{Context, Declared, Lookup, Reading, read};
pub use refusal::Refusal;
pub use review::Review;
