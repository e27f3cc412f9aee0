//! The controller is killed at the calls of every scenario: at every act and at one in three of the others on every push,
//! at all by `examples/seeds.rs`.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::script;
use kobel_sim::sweep::{Depth, crashes, over};

/// How many runs there have to be at least.
const RUNS_MIN: u32 = 10_000;

#[test]
fn the_controller_may_be_killed_anywhere() {
    let begun = Instant::now();
    let sweep = over(&script::all(), |script| crashes(script, Depth::Turns));
    println!("{}", sweep.coverage.table());
    println!("{}", told("crashes", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    let never = sweep.coverage.never();
    assert!(never.is_empty(), "never killed at:\n{}", never.join("\n"));
    assert!(sweep.runs >= RUNS_MIN, "{} runs, at least {RUNS_MIN} are wanted", sweep.runs);
}
