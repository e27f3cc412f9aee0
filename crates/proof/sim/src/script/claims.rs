//! What a script expects to be so, and whether it is.

use serde_json::Value;

use kobel_model::deployment::Identity;

use crate::entry::{Entry, SnapshotKind};
use crate::machine::is_scratch;
use crate::world::World;

use super::command::{Claim, Command, Measure, Origin, Relation, Word};
use super::manifest::NAMESPACE;
use super::words::{self, Fault, Words};
use super::{creations, seen};

/// Reads what is expected: a name and claims of it.
pub(super) fn parse(words: &mut Words<'_>) -> Result<Command, Fault> {
    let name = words.need("the name of an object")?.text.to_owned();
    let mut claims = vec![claim(words.need("a claim")?)?];
    while let Some(word) = words.next() {
        claims.push(claim(word)?);
    }
    Ok(Command::Expect { name, claims })
}

fn claim(word: words::Word<'_>) -> Result<Claim, Fault> {
    match word.text {
        "there" => return Ok(Claim::There),
        "gone" => return Ok(Claim::Says(Word::Gone)),
        "error" => return Ok(Claim::Says(Word::Error)),
        _ => {}
    }
    let Some((left, right)) = words::split_outside_quotes(word.text, '=') else {
        return Err(word.fault(format!("`{}` is no claim", word.text)));
    };
    let at = |text| words::Word { column: word.column, text };
    Ok(match left {
        "from" => Claim::From(words::one_of(at(right), &Origin::ALL)?),
        "job" => Claim::Job(right.to_owned()),
        "says" => Claim::Says(Word::read(right)),
        "event" => Claim::Says(Word::Event(right.to_owned())),
        "tells" => Claim::Tells(words::unquote(right).to_owned()),
        _ if left.contains('.') => Claim::Field(words::path(left), creations::value(right)),
        _ => {
            let relations = [('>', Relation::AtLeast), ('<', Relation::AtMost)];
            let found = relations.iter().find_map(|(sign, relation)| Some((left.strip_suffix(*sign)?, *relation)));
            let (name, relation) = found.unwrap_or((left, Relation::Is));
            Claim::Number(words::one_of(at(name), &Measure::ALL)?, relation, words::number(at(right))?)
        }
    })
}

/// Whether all that is claimed of an object is so; if not, what is so instead.
///
/// # Errors
/// The first claim that is not so.
pub fn check(world: &World, name: &str, claims: &[Claim]) -> Result<(), String> {
    claims.iter().try_for_each(|claim| check_one(world, name, claim))
}

fn check_one(world: &World, name: &str, claim: &Claim) -> Result<(), String> {
    match claim {
        Claim::Number(measure, relation, expected) => {
            let found = measured(world, name, *measure);
            let is_so = match relation {
                Relation::Is => found == *expected,
                Relation::AtLeast => found >= *expected,
                Relation::AtMost => found <= *expected,
            };
            is_so
                .then_some(())
                .ok_or_else(|| format!("`{name}` has {measure:?} {found}, expected {relation:?} {expected}"))
        }
        Claim::From(origin) => from(world, name, *origin),
        Claim::Job(expected) => {
            let found = world.machine.job_of(&identity(name)).map(|job| job.state.to_string());
            (found.as_ref() == Some(expected))
                .then_some(())
                .ok_or_else(|| format!("the job of `{name}` is {found:?}, expected {expected}"))
        }
        Claim::Says(Word::Event(reason)) => {
            let word = Word::Event(reason.clone());
            let is_told = world.history.iter().any(|happened| seen::came(happened, name, &word));
            is_told.then_some(()).ok_or_else(|| format!("no event `{reason}` was told of `{name}`"))
        }
        Claim::Says(word) => seen::holds(world, name, word)
            .then_some(())
            .ok_or_else(|| format!("`{name}` does not say {word:?}; {}", told(world, name))),
        Claim::There => seen::find(world, name).is_some().then_some(()).ok_or_else(|| format!("there is no `{name}`")),
        Claim::Tells(text) => {
            let told = told(world, name);
            told.contains(text).then_some(()).ok_or_else(|| format!("`{name}` does not tell of `{text}`; {told}"))
        }
        Claim::Field(path, expected) => {
            let object = seen::find(world, name);
            let value =
                object.as_ref().and_then(|(_, object)| path.iter().try_fold(&**object, |at, part| at.get(part)));
            let found = value.cloned().unwrap_or(Value::Null);
            (found == *expected)
                .then_some(())
                .ok_or_else(|| format!("`{}` of `{name}` is {found}, expected {expected}", path.join(".")))
        }
    }
}

/// The error of an object, and the message of its condition.
fn told(world: &World, name: &str) -> String {
    let Some((_, object)) = seen::find(world, name) else { return "it is gone".to_owned() };
    let settled = seen::settled(&object);
    let field = |name: &str| settled.and_then(|settled| settled.get(name)).and_then(Value::as_str).unwrap_or_default();
    format!("{}: {}; error: {}", field("reason"), field("message"), seen::error(&object).unwrap_or_default())
}

/// The identity of what has this name.
pub fn identity(name: &str) -> Identity {
    Identity { namespace: NAMESPACE.to_owned(), name: name.to_owned() }
}

fn measured(world: &World, name: &str, measure: Measure) -> u64 {
    let (of, machine) = (identity(name), &world.machine);
    let snapshots = |kind: SnapshotKind| {
        let taken = machine.snapshots(&of);
        taken.iter().filter(|(path, _, of_kind)| *of_kind == kind && !is_scratch(path)).count() as u64
    };
    match measure {
        Measure::Count => machine.job_of(&of).map_or(0, |job| job.count(world.now_ms)),
        Measure::Starts => u64::from(machine.starts(&of)),
        Measure::Jobs => world.history.iter().filter(|happened| is_start(&happened.entry, &of)).count() as u64,
        Measure::Launches => machine.living_launches(&of) as u64,
        Measure::Processes => machine.processes().iter().filter(|process| process.0 == of).count() as u64,
        Measure::Savepoints => snapshots(SnapshotKind::Savepoint),
        Measure::Checkpoints => snapshots(SnapshotKind::Checkpoint),
    }
}

fn is_start(entry: &Entry, of: &Identity) -> bool {
    matches!(entry, Entry::JobStarted { lineage, .. } if lineage == of)
}

/// Whether the newest job of an object started from what is claimed.
fn from(world: &World, name: &str, expected: Origin) -> Result<(), String> {
    let of = identity(name);
    let entries = || world.history.iter().map(|happened| &happened.entry);
    let Some(Entry::JobStarted { from, count, newest, .. }) = entries().rev().find(|entry| is_start(entry, &of)) else {
        return Err(format!("no job of `{name}` was started"));
    };
    let kind = from.as_ref().and_then(|from| {
        entries().find_map(|entry| match entry {
            Entry::Snapshot { path, kind, .. } if is_same(path, from) => Some(*kind),
            _ => None,
        })
    });
    let is_so = match expected {
        Origin::Nothing => from.is_none(),
        Origin::Savepoint => kind == Some(SnapshotKind::Savepoint),
        Origin::Checkpoint => kind == Some(SnapshotKind::Checkpoint),
        Origin::Newest => from.is_some() && count == newest,
    };
    is_so.then_some(()).ok_or_else(|| {
        format!("`{name}` started from {from:?} ({kind:?}, count {count} of {newest}), expected {expected:?}")
    })
}

/// Whether two spellings are of one place.
fn is_same(one: &str, other: &str) -> bool {
    let bare = |path: &str| path.strip_prefix("file://").unwrap_or(path).trim_end_matches('/').to_owned();
    bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_read() {
        let text = "orders count>=1200 starts=1 processes<=2 from=newest says=Settled gone event=Submit \
                    tells=\"out of memory\" status.jobStatus.state=RUNNING";
        let read = parse(&mut Words::of(text, 1));
        let field = vec!["status".to_owned(), "jobStatus".to_owned(), "state".to_owned()];
        let claims = vec![
            Claim::Number(Measure::Count, Relation::AtLeast, 1200),
            Claim::Number(Measure::Starts, Relation::Is, 1),
            Claim::Number(Measure::Processes, Relation::AtMost, 2),
            Claim::From(Origin::Newest),
            Claim::Says(Word::Says("Settled".to_owned())),
            Claim::Says(Word::Gone),
            Claim::Says(Word::Event("Submit".to_owned())),
            Claim::Tells("out of memory".to_owned()),
            Claim::Field(field, json!("RUNNING")),
        ];
        assert_eq!(read, Ok(Command::Expect { name: "orders".to_owned(), claims }));
        for text in ["orders", "orders well", "orders size=1", "orders count>=many", "orders from=home"] {
            assert!(parse(&mut Words::of(text, 1)).is_err(), "{text}");
        }
    }

    #[test]
    fn two_spellings_of_a_place_are_one() {
        assert!(is_same("file:///a/b", "/a/b/") && !is_same("/a/b", "/a/bc"));
    }
}
