//! Plays a script: each step is begun, done once, and waited for. How far it has come is part of the world, so that a
//! copy of the world goes on where it stands.
//!
//! How the world is, and what goes wrong in it, is no step that happens if it stands before everything else: a world
//! that is told of it so is the one that was made so.

use std::sync::Arc;
use std::time::Duration;

use crate::actors;
use crate::entry::Entry;
use crate::gate::Shared;
use crate::world::World;

use super::command::{Command, InVain, Word};
use super::cursor::Step;
use super::{claims, lists, seen, settings, show};

/// How often is looked whether what is awaited has come.
const POLL_MS: i64 = 50;
/// How long something may take to become possible: the process that is to be killed, the name that is to be free.
const POSSIBLE_MS: i64 = 600_000;
/// How long that may take if the script goes on without.
const OPTIONAL_MS: i64 = 120_000;
/// The name under which a script that cannot be played breaks a run.
const INVARIANT: &str = "script";

/// What became of a step.
enum Progress {
    Done,
    /// It is looked at again after so many milliseconds.
    Waits(i64),
    /// It was waited for long enough.
    InVain(String),
    Failed(String),
}

/// Plays the script of a world from where it stands to its end, or until something is broken.
pub async fn play(shared: &Shared) {
    while let Some(pause_ms) = shared.with(go_on) {
        tokio::time::sleep(Duration::from_millis(pause_ms.max(1).unsigned_abs())).await;
    }
}

/// Whether every step of the script has been played.
pub fn is_over(world: &World) -> bool {
    world.cursor.step >= world.script.steps.len()
}

/// Plays as many steps as can be played now; tells after how many milliseconds to go on, or nothing at the end.
fn go_on(world: &mut World) -> Option<i64> {
    while world.broken.is_none() {
        let steps = Arc::clone(&world.script.steps);
        let step = steps.get(world.cursor.step)?;
        let since_ms = begin(world, step);
        match advance(world, &step.command, since_ms) {
            Progress::Done => {}
            Progress::Waits(pause_ms) => return Some(pause_ms),
            Progress::InVain(_) if world.cursor.in_vain == InVain::GoesOn => {
                world.tell(Entry::User(format!("{}: in vain", step.text)));
            }
            Progress::InVain(why) | Progress::Failed(why) => {
                world.break_with(INVARIANT, format!("`> {}`: {why}", step.text));
                return None;
            }
        }
        world.cursor.step += 1;
        world.cursor.since_ms = None;
    }
    None
}

/// Begins a step unless it was begun; tells when it was.
fn begin(world: &mut World, step: &Step) -> i64 {
    if let Some(since_ms) = world.cursor.since_ms {
        return since_ms;
    }
    let at = world.history.len();
    world.cursor.since_ms = Some(world.now_ms);
    world.cursor.life = world.life;
    world.cursor.began.push(at);
    world.cursor.seen = at;
    let only_looks =
        matches!(step.command, Command::Await { .. } | Command::Run(_) | Command::Show { .. } | Command::Expect { .. });
    if !only_looks && !is_given(world) {
        world.tell(Entry::User(step.text.clone()));
    }
    world.now_ms
}

/// Whether this step, and every one before it, says only how the world is and what goes wrong in it.
fn is_given(world: &World) -> bool {
    let mut steps = world.script.steps.iter().take(world.cursor.step.saturating_add(1));
    steps.all(|step| matches!(step.command, Command::World(_) | Command::Fault { .. }))
}

fn advance(world: &mut World, command: &Command, since_ms: i64) -> Progress {
    let elapsed_ms = world.now_ms.saturating_sub(since_ms);
    match command {
        Command::Run(ms) if elapsed_ms >= *ms => Progress::Done,
        Command::Run(ms) => Progress::Waits(ms.saturating_sub(elapsed_ms)),
        Command::Await { name, words, within_ms } => awaited(world, name, words, within_ms.saturating_sub(elapsed_ms)),
        Command::Show { name } => {
            let shown = (world.cursor.step, show::object(world, name));
            world.cursor.shown.push(shown);
            Progress::Done
        }
        Command::Expect { name, claims } => match claims::check(world, name, claims) {
            Ok(()) => Progress::Done,
            Err(why) => Progress::Failed(why),
        },
        Command::Unreadable(why) => Progress::Failed(why.clone()),
        Command::RestartController if world.is_up() && world.life > world.cursor.life => Progress::Done,
        Command::RestartController => {
            if world.life == world.cursor.life {
                world.end_life();
            }
            Progress::Waits(POLL_MS)
        }
        Command::Refused(write) => match act(world, write) {
            Ok(()) => Progress::Failed("the API did not refuse it".to_owned()),
            Err(_) => Progress::Done,
        },
        other => match act(world, other) {
            Ok(()) => Progress::Done,
            Err(_) if elapsed_ms < patience_ms(world) => Progress::Waits(POLL_MS),
            Err(why) => Progress::InVain(why),
        },
    }
}

/// How long something may take to become possible.
fn patience_ms(world: &World) -> i64 {
    match world.cursor.in_vain {
        InVain::Breaks => POSSIBLE_MS,
        InVain::GoesOn => OPTIONAL_MS,
    }
}

/// Does what a command says, if that can be done now.
fn act(world: &mut World, command: &Command) -> Result<(), String> {
    match command {
        Command::World(settings) => settings::set(world, settings),
        Command::Edit { name, patch } => {
            let now = seen::find(world, name).map(|(_, object)| object);
            let patch = Arc::new(lists::whole(patch, now.as_deref()));
            return actors::act(world, &Command::Edit { name: name.clone(), patch });
        }
        _ => {}
    }
    actors::act(world, command)
}

/// Looks whether a word holds now, or came to hold since the step was begun.
fn awaited(world: &mut World, name: &str, words: &[Word], left_ms: i64) -> Progress {
    let seen = world.cursor.seen.min(world.history.len());
    let news = world.history.get(seen..).unwrap_or_default();
    let came = news.iter().any(|happened| words.iter().any(|word| seen::came(happened, name, word)));
    let is_first_look = world.cursor.began.last() == Some(&seen);
    let is_so = came || (is_first_look && words.iter().any(|word| seen::holds(world, name, word)));
    world.cursor.seen = world.history.len();
    if is_so {
        return Progress::Done;
    }
    if left_ms <= 0 {
        let shown = show::object(world, name);
        return Progress::InVain(format!("it did not come in time; `{name}` is:\n{shown}"));
    }
    Progress::Waits(POLL_MS)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::fault::{Aim, At, Fault};
    use crate::life::{Record, run};

    fn played(text: &str) -> World {
        run(World::new(parse("one", text).unwrap(), 7), Record::Nothing).world
    }

    #[test]
    fn a_script_that_waits_in_vain_breaks_the_run_unless_it_goes_on() {
        for text in ["> await orders Settled within 1s\n", "> kill orders *\n"] {
            let broken = played(text).broken.map(|broken| broken.invariant);
            assert_eq!(broken, Some(INVARIANT), "{text}");
            let world = played(&format!("> world in-vain=goes-on\n{text}> run 1s\n"));
            assert_eq!((world.broken.as_ref(), is_over(&world)), (None, true), "{text}");
            let told = Entry::User(format!("{}: in vain", text.trim_start_matches("> ").trim_end()));
            assert!(world.history.iter().any(|happened| happened.entry == told), "{text}");
        }
        let claims = played("> world in-vain=goes-on\n> expect orders there\n");
        assert!(claims.broken.is_some(), "what is claimed is not waited for");
    }

    #[test]
    fn what_is_given_at_the_beginning_does_not_happen() {
        let begun = |text: &str| {
            let mut world = World::new(parse("one", text).unwrap(), 7);
            assert_eq!(go_on(&mut world), Some(1_000));
            world
        };
        let mut made = World::new(parse("one", "> run 1s\n").unwrap(), 9);
        made.chance.draw();
        let given = begun("> world seed=9 start=9s managers=tracked\n> fault close410 at 3s\n> run 1s\n");
        assert!(given.history.is_empty());
        assert_eq!((&given.chance, given.knobs.start_ms), (&made.chance, 9_000));
        assert!(given.knobs.tracks_managers);
        assert_eq!(given.aims, [Aim { at: At::Time(3_000), fault: Fault::Close410 }]);
        let told = |world: &World| world.history.iter().map(|happened| happened.entry.clone()).collect::<Vec<_>>();
        let at_once = begun("> fault stale 2s back 1 at 0ms\n> run 1s\n");
        assert_eq!(told(&at_once), [Entry::Fault { n: 0, fault: Fault::Stale { for_ms: 2_000, back: 1 } }]);
        let later = begun("> hold ends\n> world end=9s\n> run 1s\n");
        assert_eq!(told(&later), ["hold ends", "world end=9s"].map(|text| Entry::User(text.to_owned())));
    }

    #[test]
    fn a_finalizer_is_put_on_what_is_there_and_taken_away_again() {
        let finalizers = |world: &World| {
            let (_, object) = seen::find(world, "orders").unwrap();
            object.pointer("/metadata/finalizers").cloned().unwrap_or_default()
        };
        let begin = "> deploy orders\n> set orders metadata.finalizers+=example.com/a\n\
                     > set orders metadata.finalizers+=example.com/b\n";
        let mut world = World::new(parse("one", &format!("{begin}> run 1s\n")).unwrap(), 7);
        go_on(&mut world);
        assert_eq!(finalizers(&world), serde_json::json!(["example.com/a", "example.com/b"]));
        let text = format!("{begin}> set orders metadata.finalizers-=example.com/a\n> run 1s\n");
        let mut world = World::new(parse("one", &text).unwrap(), 7);
        go_on(&mut world);
        assert_eq!(finalizers(&world), serde_json::json!(["example.com/b"]));
    }
}
