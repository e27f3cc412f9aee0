//! Reads that are out of date, and events that are kept, told twice, late, or lost with their watch.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::script;
use kobel_sim::sweep::{Depth, missed, over, staleness};

#[test]
fn every_life_that_reads_what_was_before_holds() {
    let begun = Instant::now();
    let sweep = over(&script::all(), |script| staleness(script, Depth::Turns));
    println!("{}", told("stale reads", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    assert!(sweep.faults.contains_key("stale reads"), "none came: {:?}", sweep.faults);
}

#[test]
fn every_event_that_goes_wrong_is_got_over() {
    let begun = Instant::now();
    let sweep = over(&script::all(), |script| missed(script, Depth::Turns));
    println!("{}", told("missed events", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    for kind in ["missed event", "event told twice", "late event", "watch ended, revision gone"] {
        assert!(sweep.faults.contains_key(kind), "{kind} never came: {:?}", sweep.faults);
    }
}
