//! Values and laws that every floor shares: identifiers, quantities, settings, key groups, snapshots, deployments, the
//! error.
//!
//! Nothing here reads a clock, a file, a socket or chance: each function is a pure function of its arguments.

pub mod deployment;
pub mod error;
pub mod ids;
pub mod keygroup;
pub mod quantity;
pub mod resource_quantity;
pub mod settings;
pub mod snapshot;
pub mod suggestion;

pub use error::{Error, ErrorKind, Result, chain};
pub use suggestion::nearest;
