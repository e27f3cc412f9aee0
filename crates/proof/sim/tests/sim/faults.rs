//! Answers that go wrong: lost on the way, never given, refused, in conflict, or of a disk that does not work. On every
//! push each call that changes something is hit in one way, and a few of the others; `examples/seeds.rs` tries all.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::script;
use kobel_sim::sweep::{Depth, faults, over};

/// How many runs there have to be at least.
const RUNS_MIN: u32 = 3_000;

#[test]
fn every_answer_that_goes_wrong_is_got_over() {
    let begun = Instant::now();
    let scripts = script::all();
    let sweep = over(&scripts, |script| faults(script, Depth::Turns));
    println!("{}", told("answers that go wrong", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    for kind in ["lost answer", "no answer", "refusal", "conflict", "disk error"] {
        assert!(sweep.faults.contains_key(kind), "{kind} never came: {:?}", sweep.faults);
    }
    let came: u64 = sweep.faults.values().copied().map(u64::from).sum();
    let aimed = u64::from(sweep.runs) - scripts.len() as u64;
    assert!(came >= aimed, "{came} faults came, {aimed} were aimed");
    assert!(sweep.runs >= RUNS_MIN, "{} runs, at least {RUNS_MIN} are wanted", sweep.runs);
}
