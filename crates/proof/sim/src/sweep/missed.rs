//! The sweep of events: each event of a watch is kept until the next one of its object, is told twice, comes late, or
//! is the last before the watches end and their revision is gone.

use std::sync::Arc;

use super::outcome::{Case, Depth, Sweep};
use crate::entry::{Entry, Happened};
use crate::fault::{Aim, At, Fault};
use crate::life::{Record, Run};
use crate::script::Script;

/// How much later a late event comes.
const LATE_MS: i64 = 5_000;
/// What becomes of an event.
const WAYS: [Fault; 4] = [Fault::Hold, Fault::Twice, Fault::Late { ms: LATE_MS }, Fault::Close410];
/// What the resources begin with that are watched.
const WATCHED: &str = "flink";

/// Lets every event of a script go wrong.
pub fn missed(script: &Script, depth: Depth) -> Sweep {
    let case = Case::of(script);
    let (mut sweep, begun) = Sweep::begin(&case, Record::Nothing);
    let Some(Run { world, .. }) = begun else { return sweep };
    let events: Vec<(u64, i64)> = world.history.iter().filter_map(event).collect();
    for (place, (rev, at_ms)) in events.into_iter().enumerate() {
        for fault in depth.ways(&WAYS, place) {
            if sweep.is_enough() {
                return sweep;
            }
            // What ends the watches hits no single event.
            let at = if fault == Fault::Close410 { At::Time(at_ms) } else { At::Event { rev } };
            sweep.try_case(case.with(Aim { at, fault }), Some(&world));
        }
    }
    sweep
}

/// The revision and the time of a write that watches tell of.
fn event(happened: &Arc<Happened>) -> Option<(u64, i64)> {
    match &happened.entry {
        Entry::Wrote { rev, key, .. } if key.resource.starts_with(WATCHED) => Some((*rev, happened.at_ms)),
        _ => None,
    }
}
