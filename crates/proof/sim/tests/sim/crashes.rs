//! The controller is killed at every call of every scenario, before its effect and after it, and so that the call arrives
//! only in its next life.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::script;
use kobel_sim::sweep::{Depth, crashes, over};

/// How many runs there have to be at least.
const RUNS_MIN: u32 = 10_000;

#[test]
fn the_controller_may_be_killed_anywhere() {
    let begun = Instant::now();
    let sweep = over(&script::all(), |script| crashes(script, Depth::Every));
    println!("{}", sweep.coverage.table());
    println!("{}", told("crashes", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    let missing = sweep.coverage.missing();
    assert!(missing.is_empty(), "not killed at:\n{}", missing.join("\n"));
    assert!(sweep.runs >= RUNS_MIN, "{} runs, at least {RUNS_MIN} are wanted", sweep.runs);
}
