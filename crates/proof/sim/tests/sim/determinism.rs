//! The same seed twice gives the same log, byte for byte.

use std::thread;

use kobel_sim::life::Record;
use kobel_sim::report::log;
use kobel_sim::script;
use kobel_sim::seeds::case;
use kobel_sim::sweep::Case;
use kobel_sim::sweep::spread::spread;

/// How many seeds are tried twice.
const SEEDS: u64 = 30;

/// Where two logs part.
fn first_difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (mut one, mut other) = (one.lines(), other.lines());
    let mut last = "";
    loop {
        match (one.next(), other.next()) {
            (Some(a), Some(b)) if a == b => last = a,
            (a, b) => return Some(format!("after `{last}`:\n  {a:?}\n  {b:?}")),
        }
    }
}

#[test]
fn one_seed_gives_one_log() {
    let scripts = script::all();
    let mut cases: Vec<Case> = scripts.iter().map(Case::of).collect();
    cases.extend((0..SEEDS).map(|seed| case(seed, &scripts).unwrap()));
    let differences = spread(cases.len(), |index| {
        let case = &cases[index];
        let once = log(&case.play(Record::Nothing).world);
        // What was on this thread before must not show.
        let again = thread::scope(|scope| {
            let played = thread::Builder::new().stack_size(32 << 20).spawn_scoped(scope, || case.play(Record::Nothing));
            log(&played.unwrap().join().unwrap().world)
        });
        assert!(!once.is_empty());
        first_difference(&once, &again).map(|difference| format!("{}: {difference}", case.script.name))
    });
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn keeping_marks_changes_nothing() {
    let case = case(7, &script::all()).unwrap();
    let (once, again) = (case.play(Record::Nothing).world, case.play(Record::Marks).world);
    assert_eq!(first_difference(&log(&once), &log(&again)), None);
}

#[test]
fn a_difference_is_shown_where_it_begins() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    let told = first_difference("a\nb\nc\n", "a\nb\nd\n").unwrap();
    assert!(told.starts_with("after `b`:") && told.contains("\"c\"") && told.contains("\"d\""), "{told}");
}
