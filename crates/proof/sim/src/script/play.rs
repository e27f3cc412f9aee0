//! Plays a script: each step is begun, done once, and waited for. How far it has come is part of the world, so that a
//! copy of the world goes on where it stands.

use std::time::Duration;

use crate::actors;
use crate::entry::Entry;
use crate::gate::Shared;
use crate::world::World;

use super::command::{Command, Word};
use super::cursor::Step;
use super::{claims, seen, show};

/// How often is looked whether what is awaited has come.
const POLL_MS: i64 = 50;
/// How long something may take to become possible: the process that is to be killed, the name that is to be free.
const POSSIBLE_MS: i64 = 600_000;
/// The name under which a script that cannot be played breaks a run.
const INVARIANT: &str = "script";

/// What became of a step.
enum Progress {
    Done,
    /// It is looked at again after so many milliseconds.
    Waits(i64),
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
        let steps = std::sync::Arc::clone(&world.script.steps);
        let step = steps.get(world.cursor.step)?;
        let since_ms = begin(world, step);
        match advance(world, &step.command, since_ms) {
            Progress::Done => {
                world.cursor.step += 1;
                world.cursor.since_ms = None;
            }
            Progress::Waits(pause_ms) => return Some(pause_ms),
            Progress::Failed(why) => world.break_with(INVARIANT, format!("`> {}`: {why}", step.text)),
        }
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
    if !only_looks {
        world.tell(Entry::User(step.text.clone()));
    }
    world.now_ms
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
        Command::Refused(write) => match actors::act(world, write) {
            Ok(()) => Progress::Failed("the API did not refuse it".to_owned()),
            Err(_) => Progress::Done,
        },
        other => match actors::act(world, other) {
            Ok(()) => Progress::Done,
            Err(_) if elapsed_ms < POSSIBLE_MS => Progress::Waits(POLL_MS),
            Err(why) => Progress::Failed(why),
        },
    }
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
        return Progress::Failed(format!("it did not come in time; `{name}` is:\n{shown}"));
    }
    Progress::Waits(POLL_MS)
}
