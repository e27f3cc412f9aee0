//! The sweep of answers that go wrong: each call of a run is hit by every fault that it can have besides a crash.
//!
//! The controller lives on with what it remembers, which is in no copy of a world, so each run is played from its
//! beginning. An answer may be waited for longer than a script has time, so its claims are left out, and its end
//! need not be the same: what comes next may meet another state of things.

use std::collections::BTreeSet;

use super::outcome::{Case, Compared, Depth, Sweep, place};
use crate::call::{Call, Numbered, Port};
use crate::entry::Entry;
use crate::fault::{Aim, Fault, Side};
use crate::life::{Record, Run};
use crate::script::{Script, lenient};
use crate::world::World;

/// In turns, one in so many of the calls that only ask is tried: four of five calls do, and most are soon made again.
const ASKS: usize = 15;

/// Lets the calls of a script go wrong.
pub fn faults(script: &Script, depth: Depth) -> Sweep {
    let case = Case { compared: Compared::Alone, ..Case::of(&lenient(script)) };
    let (mut sweep, begun) = Sweep::begin(&case, Record::Nothing);
    let Some(Run { world, .. }) = begun else { return sweep };
    // All scripts begin with the same calls, so that each counts from another number on.
    let first: usize = script.name.bytes().map(usize::from).sum();
    for (number, made) in open(&world).into_iter().enumerate() {
        for fault in tried(depth, &made.call, first + number) {
            if sweep.is_enough() {
                return sweep;
            }
            let at = place(&world.history, made.n, &made.call);
            sweep.try_case(case.with(Aim { at, fault }), None);
        }
    }
    sweep
}

/// What can go wrong with a call besides a crash.
pub fn ways(call: &Call) -> Vec<Fault> {
    if call.port == Port::Host {
        return vec![Fault::DiskError];
    }
    let mut ways = vec![Fault::Lost, Fault::Silent(Side::Before), Fault::Refuse(500), Fault::Refuse(503)];
    if call.changes() {
        // Without an effect there is only one silence.
        ways.push(Fault::Silent(Side::After));
    }
    // That a job, an operation or a program is not known is no answer that goes wrong, but another world.
    if !call.name.contains("/:") {
        ways.push(Fault::Refuse(404));
    }
    if call.port == Port::Api {
        ways.push(Fault::Refuse(429));
        // What is only now created cannot be written by somebody else before.
        if call.changes() && !call.name.starts_with("POST ") {
            ways.push(Fault::Conflict);
        }
    }
    ways
}

/// The faults that are tried at the call of this number.
fn tried(depth: Depth, call: &Call, number: usize) -> Vec<Fault> {
    match depth {
        Depth::Turns if call.changes() => depth.ways(&ways(call), number),
        Depth::Turns if number.is_multiple_of(ASKS) => depth.ways(&ways(call), number / ASKS),
        Depth::Turns => Vec::new(),
        Depth::Every => ways(call),
    }
}

/// The calls that can be hit: where the script itself lets one fail there is nothing more to be tried, and while the
/// world comes to rest nothing goes wrong any more.
fn open(world: &World) -> Vec<&Numbered> {
    let entries = || world.history.iter().map(|happened| &happened.entry);
    let harmed = entries().filter_map(|entry| match entry {
        Entry::Fault { n, .. } => Some(*n),
        _ => None,
    });
    let harmed: BTreeSet<u32> = harmed.collect();
    let until_ms = world.seen.settling_ms.unwrap_or(i64::MAX);
    let open = entries().filter_map(|entry| match entry {
        Entry::Called(made) if made.at_ms < until_ms && !harmed.contains(&made.n) => Some(made),
        _ => None,
    });
    open.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::NAMES;

    fn calls() -> impl Iterator<Item = Call> {
        NAMES.iter().map(|(port, name, _)| Call::of(*port, name, "default/orders").unwrap())
    }

    #[test]
    fn a_call_goes_wrong_in_the_ways_that_it_can() {
        for call in calls() {
            let ways = ways(&call);
            let has = |fault: Fault| ways.contains(&fault);
            assert!(!ways.iter().any(|fault| matches!(fault, Fault::Crash(_) | Fault::Ghost { .. })), "{call}");
            assert_eq!(has(Fault::DiskError), call.port == Port::Host, "{call}");
            assert_eq!(has(Fault::Lost), call.port != Port::Host, "{call}");
            assert_eq!(has(Fault::Silent(Side::After)), call.port != Port::Host && call.changes(), "{call}");
            assert_eq!(has(Fault::Refuse(429)), call.port == Port::Api, "{call}");
            assert!(!has(Fault::Conflict) || call.port == Port::Api && call.changes(), "{call}");
            for (index, fault) in ways.iter().enumerate() {
                assert!(!ways[..index].contains(fault), "{call}: {fault:?} stands twice");
            }
        }
        let of = |port, name| ways(&Call::of(port, name, "default/orders").unwrap());
        assert!(of(Port::Api, "PUT flinkdeployments/status").contains(&Fault::Conflict));
        assert!(!of(Port::Api, "POST events").contains(&Fault::Conflict));
        assert!(of(Port::Rest, "GET /jobs/overview").contains(&Fault::Refuse(404)));
        assert!(!of(Port::Rest, "PATCH /jobs/:id").contains(&Fault::Refuse(404)));
    }

    #[test]
    fn in_turns_every_change_is_hit_once_and_few_of_the_calls_that_ask() {
        for call in calls() {
            let count = ways(&call).len();
            let numbers = if call.changes() { count } else { count * ASKS };
            let tried: Vec<Fault> = (0..numbers).flat_map(|number| tried(Depth::Turns, &call, number)).collect();
            assert_eq!(tried, ways(&call), "{call}");
            assert_eq!(super::tried(Depth::Every, &call, 7), ways(&call), "{call}");
        }
    }

    #[test]
    fn a_call_that_fails_already_is_left_alone_and_so_is_what_comes_in_the_end() {
        let mut world = World::new(Script::default(), 7);
        let call = Call::of(Port::Host, "observe", "default/orders").unwrap();
        let failing = world.call(1, &call);
        world.tell(Entry::Fault { n: failing, fault: Fault::DiskError });
        let open = world.call(1, &call);
        world.now_ms = 500;
        world.seen.settling_ms = Some(500);
        world.call(1, &call);
        assert_eq!(super::open(&world).iter().map(|made| made.n).collect::<Vec<_>>(), [open]);
    }
}
