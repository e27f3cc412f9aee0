//! The real controller in the simulated world: scenarios, crashes at every call, answers that go wrong, stale reads,
//! and chance.

mod behaviour;
mod crashes;
mod determinism;
mod faults;
mod properties;
mod scenarios;
mod seeds;
mod staleness;

/// Half of the time of a run goes into memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
