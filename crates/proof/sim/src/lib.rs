//! A simulated world that drives the real controller: an API server with history, a machine with processes and jobs, a
//! virtual clock, and faults at every call, all from a seed.
//!
//! Everything of the product above its lowest seams is the real code. A run is a function of its [`world::World`]: the
//! same world gives the same history, byte for byte.

pub mod actors;
pub mod api;
pub mod broken;
pub mod call;
pub mod chance;
pub mod entry;
pub mod fault;
pub mod gate;
pub mod invariants;
pub mod life;
pub mod machine;
pub mod oracle;
pub mod report;
pub mod script;
pub mod seeds;
pub mod shrink;
pub mod surroundings;
pub mod sweep;
mod wiring;
pub mod world;
