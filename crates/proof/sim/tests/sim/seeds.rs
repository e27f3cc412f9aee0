//! Chance: what people do, how the world is made, and what goes wrong, all drawn.

use std::time::Instant;

use kobel_sim::life::Record;
use kobel_sim::report::{log, scenario, told};
use kobel_sim::script;
use kobel_sim::seeds::{case, sweep};
use kobel_sim::sweep::Case;
use kobel_sim::sweep::spread::spread;

/// How many seeds are tried on every push; `examples/seeds.rs` tries as many as are wanted.
const SEEDS: u64 = 1_000;
/// How many seeds are played as well from the script that is printed of them.
const PRINTED: usize = 24;

#[test]
fn every_seed_holds() {
    let begun = Instant::now();
    let sweep = sweep(0..SEEDS, &script::all());
    println!("{}", told("seeds", &sweep, begun.elapsed().as_secs_f64()));
    assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
    assert_eq!(u64::from(sweep.runs), SEEDS);
    assert!(sweep.faults.len() >= 8, "{:?}", sweep.faults);
    for kind in ["missed event", "event told twice", "stale reads", "watch ended, revision gone"] {
        assert!(sweep.faults.contains_key(kind), "{kind} never came: {:?}", sweep.faults);
    }
}

#[test]
fn a_seed_that_was_printed_is_played_again_from_its_script() {
    let scripts = script::all();
    let differences = spread(PRINTED, |seed| {
        let case = case(seed as u64, &scripts).unwrap();
        let printed = scenario(&case);
        // As a script of this crate is played, which knows nothing of the seed.
        let again = Case::of(&script::parse("found", &printed).unwrap());
        let (once, again) = (log(&case.play(Record::Nothing).world), log(&again.play(Record::Nothing).world));
        assert!(!once.is_empty());
        let parts = once.lines().zip(again.lines()).find(|(one, other)| one != other);
        (once != again).then(|| format!("seed {seed}: {parts:?}\n{printed}"))
    });
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
