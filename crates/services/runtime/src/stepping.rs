//! Running a job in one thread, slot by slot, in an order that the caller chooses: the same slots, no scheduler.
//!
//! A seed that chooses the order replays a run exactly; every order must give the same result.

use std::time::Instant;

use kobel_dataflow::state::snapshot::SnapshotMode;
use kobel_model::{Error, Result};

use crate::channel::Barrier;
use crate::event::{Command, Event, SlotEvent};
use crate::job::Job;
use crate::slot::SlotStep;

/// Steps that may pass without any slot doing anything before the job counts as stuck.
const IDLE_STEPS_MAX: usize = 100_000;

/// Runs a job to the end of its (bounded) input; `choose(n)` picks the next slot from `0..n`. Checkpoints are not taken;
/// sinks commit at the end.
///
/// # Errors
/// The first failure of an operator; Bug if the job is stuck.
pub fn run(job: Job, now_ms: i64, mut choose: impl FnMut(usize) -> usize) -> Result<()> {
    let (mut slots, handles, events) = job.into_parts();
    let (mut ended, mut idle, mut committed, mut snapshots) = (0, 0, 0, 0);
    let tasks: usize = slots.iter().map(|slot| slot.tasks.len()).sum();
    let barrier = Barrier { id: u64::MAX, mode: SnapshotMode::Savepoint, stop: None, triggered: Instant::now() };
    while committed < slots.len() {
        let index = choose(slots.len()) % slots.len();
        match slots[index].step(now_ms).map_err(|failure| failure.error)? {
            SlotStep::Idle(_) => idle += 1,
            _ => idle = 0,
        }
        if idle > IDLE_STEPS_MAX {
            return Err(Error::bug("the job is stuck"));
        }
        for event in events.try_iter() {
            let Event::Slot(_, event) = event else { continue };
            match event {
                SlotEvent::Ended => {
                    ended += 1;
                    if ended == handles.len() {
                        handles.iter().for_each(|handle| handle.send(Command::Trigger(barrier)));
                    }
                }
                SlotEvent::Snapshot(_) => {
                    snapshots += 1;
                    if snapshots == tasks {
                        handles.iter().for_each(|handle| handle.send(Command::Commit(barrier.id)));
                    }
                }
                SlotEvent::Committed { .. } => committed += 1,
                SlotEvent::Failed(failure) => return Err(failure.error),
            }
        }
    }
    Ok(())
}

/// Steps a job whose sources fall idle until no slot does anything any more: what its sinks hold then follows from what
/// has been read. Sources are asked at `now_ms`; sinks do not commit.
///
/// # Errors
/// The first failure of an operator.
pub fn run_until_idle(job: Job, now_ms: i64, mut choose: impl FnMut(usize) -> usize) -> Result<()> {
    let (mut slots, _handles, _events) = job.into_parts();
    let mut quiet = vec![false; slots.len()];
    while quiet.contains(&false) {
        let index = choose(slots.len()) % slots.len();
        match slots[index].step(now_ms).map_err(|failure| failure.error)? {
            SlotStep::Idle(_) => quiet[index] = true,
            // What this slot did may have given any other something to do.
            _ => quiet.fill(false),
        }
    }
    Ok(())
}
