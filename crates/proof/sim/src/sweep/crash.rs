//! The crash sweep: the controller is killed before and after the effect of every call that it makes.
//!
//! A crash throws away what the controller remembers and nothing else, so what it leaves is the world at the call. The
//! faultless run keeps a copy of the world at each, and each is gone on with by the next life.

use std::collections::BTreeSet;

use super::coverage::Coverage;
use super::outcome::{Case, Depth, Since, Sweep, broken, place};
use crate::call::{Call, Port};
use crate::entry::Entry;
use crate::fault::{Aim, At, Fault, Side};
use crate::life::{self, Mark, Record, Run};
use crate::script::Script;
use crate::world::World;

/// How long after the crash a call arrives that was on the wire: in the next life.
const GHOST_MS: i64 = 1_200;

/// Kills the controller at the calls of a script.
pub fn crashes(script: &Script, depth: Depth) -> Sweep {
    let case = Case::of(script);
    let (mut sweep, begun) = Sweep::begin(&case, Record::Marks);
    let Some(run) = begun else { return sweep };
    count_calls(&mut sweep.coverage, &run);
    let ghosts: Vec<u32> = run.marks.iter().filter(|mark| is_on_the_wire(mark)).map(|mark| mark.n).collect();
    let first = script.steps.len();
    let tried = |(place, one): (usize, Mark)| (is_an_act(&one.call) || depth.tries(first + place)).then_some(one);
    for mark in run.marks.into_iter().enumerate().filter_map(tried) {
        if sweep.is_enough() {
            return sweep;
        }
        kill(&mut sweep, &case, mark, &run.world);
    }
    for (_, n) in ghosts.into_iter().enumerate().filter(|(place, _)| depth.tries(first + place)) {
        if sweep.is_enough() {
            return sweep;
        }
        sweep.try_case(case.with(Aim { at: At::Call(n), fault: Fault::Ghost { ms: GHOST_MS } }), Some(&run.world));
    }
    sweep
}

/// Counts the calls at which the controller can be killed. Where the script itself lets a call fail there is nothing
/// more to be tried, and what comes while a call of a dead life is still on the wire cannot be gone on with.
fn count_calls(coverage: &mut Coverage, run: &Run) {
    let marked: BTreeSet<u32> = run.marks.iter().map(|mark| mark.n).collect();
    let mut harmed = BTreeSet::new();
    let mut haunted: Vec<(i64, i64)> = Vec::new();
    for happened in &run.world.history {
        if let Entry::Fault { n, fault } = &happened.entry {
            harmed.insert(*n);
            if let Fault::Ghost { ms } = fault {
                haunted.push((happened.at_ms, happened.at_ms.saturating_add(*ms)));
            }
        }
    }
    for happened in &run.world.history {
        let Entry::Called(made) = &happened.entry else { continue };
        let is_haunted = haunted.iter().any(|(from, to)| (*from..=*to).contains(&made.at_ms));
        if marked.contains(&made.n) || !(harmed.contains(&made.n) || is_haunted) {
            coverage.called(&made.call);
        }
    }
}

/// Whether a call does something to the world that is more than to tell of it. Such calls are few, and are always tried.
fn is_an_act(call: &Call) -> bool {
    call.changes() && !call.name.ends_with("/status") && call.name != "POST events"
}

/// Whether a call changes something and goes over a wire, on which it may outlive the controller.
fn is_on_the_wire(mark: &Mark) -> bool {
    mark.side == Side::Before && mark.call.port != Port::Host && mark.call.changes()
}

/// Goes on from a mark with the next life.
fn kill(sweep: &mut Sweep, case: &Case, mark: Mark, faultless: &World) {
    let fault = Fault::Crash(mark.side);
    mark.sides().for_each(|side| sweep.coverage.crashed(&mark.call, side));
    sweep.injected(&fault);
    let from = Since::here(&mark.world);
    let world = life::resume(mark.world).world;
    sweep.count(&world, from);
    if let Some(broken) = broken(&world, case.compared_with(faultless)) {
        let at = place(&faultless.history, mark.n, &mark.call);
        let case = case.with(Aim { at, fault });
        sweep.fail(case, broken, &world);
    }
}
