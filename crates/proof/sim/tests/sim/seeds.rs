//! Chance: what people do, how the world is made, and what goes wrong, all drawn.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::script;
use kobel_sim::seeds::sweep;

/// How many seeds are tried on every push; `examples/seeds.rs` tries as many as are wanted.
const SEEDS: u64 = 1_000;

#[test]
fn every_seed_holds() {
    let begun = Instant::now();
    let sweep = sweep(0..SEEDS, &script::all());
    println!("{}", told("seeds", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    assert_eq!(u64::from(sweep.runs), SEEDS);
    assert!(sweep.faults.len() >= 8, "{:?}", sweep.faults);
}
