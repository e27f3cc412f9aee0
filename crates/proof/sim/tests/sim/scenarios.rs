//! Every scenario is played and ends as it should, and what happened below each command is what the file says.
//! `UPDATE_EXPECT=1` writes the files anew.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use kobel_sim::call::NAMES;
use kobel_sim::entry::Entry;
use kobel_sim::life::{Record, run};
use kobel_sim::script::{Script, all, folder, transcript};
use kobel_sim::world::World;

/// The seed of every scenario.
const SEED: u64 = 1;
/// How many scenarios there are at least.
const SCENARIOS_MIN: usize = 62;

fn played(script: &Script) -> World {
    run(World::new(script.clone(), SEED), Record::Nothing).world
}

#[test]
fn every_scenario_goes_as_it_is_written_down() {
    let is_update = env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1");
    let scripts = all();
    assert!(scripts.len() >= SCENARIOS_MIN, "only {} scenarios", scripts.len());
    let (mut made, mut wrong) = (BTreeSet::new(), Vec::new());
    for script in &scripts {
        let world = played(script);
        made.extend(world.history.iter().filter_map(|happened| match &happened.entry {
            Entry::Called(numbered) => Some((numbered.call.port, numbered.call.name)),
            _ => None,
        }));
        let path = folder().join(format!("{}.txt", script.name));
        let (found, expected) = (transcript(&world), fs::read_to_string(&path).unwrap_or_default());
        if let Some(broken) = &world.broken {
            // As the sweeps tell it.
            println!("found: {} | {} | {}", broken.invariant, script.name, wrong.len() + 1);
            wrong.push(format!("{}: {}: {}", script.name, broken.invariant, broken.why));
        }
        if found == expected {
            continue;
        }
        if is_update {
            fs::write(&path, found).unwrap();
        } else {
            wrong.push(format!("{}: {}", script.name, first_difference(&expected, &found)));
        }
    }
    let never: Vec<String> = NAMES
        .iter()
        .filter(|(port, name, _)| !made.contains(&(*port, *name)))
        .map(|(port, name, _)| format!("{port:?} {name}"))
        .collect();
    if !never.is_empty() {
        wrong.push(format!("no scenario makes the calls: {}", never.join(", ")));
    }
    assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong.join("\n"));
}

/// The first line that is not as expected.
fn first_difference(expected: &str, found: &str) -> String {
    let (mut one, mut other) = (expected.lines(), found.lines());
    for number in 1.. {
        match (one.next(), other.next()) {
            (None, None) => break,
            (expected, found) if expected != found => {
                let line = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return format!("line {number}\n  expected {}\n  found    {}", line(expected), line(found));
            }
            _ => {}
        }
    }
    "only the ends of lines differ".to_owned()
}
