//! Every field of every spec is changed, emptied, made invalid, and put back.

use std::time::Instant;

use kobel_sim::report::told;
use kobel_sim::sweep::properties;
use kobel_sim::sweep::properties::Kind;

/// How many runs there have to be for a kind at least: those that the API refuses are none.
fn runs_min(kind: Kind) -> u32 {
    match kind {
        Kind::Deployment | Kind::Pair => 100,
        Kind::SessionJob => 20,
        Kind::Snapshot => 2,
    }
}

#[test]
fn every_property_can_be_changed_and_put_back() {
    for kind in Kind::ALL {
        let begun = Instant::now();
        let sweep = properties(kind);
        println!("{}", told(&format!("properties of {kind:?}"), &sweep, begun.elapsed().as_secs_f64()));
        assert!(sweep.failures.is_empty(), "{} of {} runs failed", sweep.failures.len(), sweep.runs);
        assert!(sweep.runs >= runs_min(kind), "{kind:?}: {} runs", sweep.runs);
    }
}
