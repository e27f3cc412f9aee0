//! The lives of the controller: a run is one after the other, over the same world, until what was to be done is done.
//!
//! # Invariant
//! A run is a function of its world. Each life has a runtime of its own, on one thread and with a clock that only goes
//! when everybody waits; with the life its runtime ends, and with that every task of it. From one life to the next only
//! the world is kept, and what is still on a wire.

use std::cell::RefCell;
use std::future::pending;
use std::panic;
use std::path::PathBuf;
use std::sync::Once;

use kobel_controller::{Metrics, Parts, Place, look_after};
use tokio::runtime::Builder;

pub use crate::gate::Mark;
use crate::gate::{Gate, Halt, Left, Shared};
use crate::surroundings::surroundings;
use crate::world::World;
use crate::{api, machine, oracle, script};

/// The program that native applications are told to run.
const KOBEL: &str = "/opt/kobel/kobel";

/// Whether the places are kept where the controller could have been killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// None is.
    Nothing,
    /// All are.
    Marks,
}

/// A run that is over.
pub struct Run {
    /// The world in the end; it tells what broke.
    pub world: World,
    /// The places where the controller could have been killed, in order.
    pub marks: Vec<Mark>,
}

/// How a stretch of a run ended, which is one life and what it takes until it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The script was played, and everything has settled.
    Played,
    Halted(Halt),
}

/// Goes on with a world until its script was played and everything has settled, or something broke. Whatever life there
/// was is over: its memory is no part of the world.
pub fn run(mut world: World, record: Record) -> Run {
    watch_panics();
    world.end_life();
    let mut left = Left::new(world, (record == Record::Marks).then(Vec::new));
    loop {
        let (next, ended) = stretch(left);
        left = next;
        if let Some(words) = PANIC.take() {
            left.world.break_with("nothing_panics", words);
        }
        if ended != Ended::Halted(Halt::Crashed) || left.world.broken.is_some() {
            return Run { world: left.world, marks: left.marks.unwrap_or_default() };
        }
    }
}

/// Goes on from a place where the controller was killed.
pub fn resume(world: World) -> Run {
    run(world, Record::Nothing)
}

/// One life, from the end of the one before to its own.
fn stretch(mut left: Left) -> (Left, Ended) {
    // The pauses of watches that fail are drawn from it.
    fastrand::seed(left.world.chance.draw());
    let runtime = match Builder::new_current_thread().enable_time().start_paused(true).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            left.world.break_with("simulation", format!("cannot make a runtime: {error}"));
            return (left, Ended::Halted(Halt::Broken));
        }
    };
    let (shared, ended) = runtime.block_on(async {
        let shared = Shared::of(left);
        let ended = tokio::select! {
            biased;
            halt = shared.halted() => Ended::Halted(halt),
            () = play(&shared) => Ended::Played,
            () = live(&shared) => Ended::Played,
            never = shared.tick() => match never {},
        };
        shared.end();
        (shared, ended)
    });
    // Every task ends here, and none of them can do anything any more: its life is over, and so is the clock.
    drop(runtime);
    (shared.into_left(), ended)
}

/// What people do, and then the wait for peace.
async fn play(shared: &Shared) {
    script::play(shared).await;
    oracle::settle(shared).await;
}

/// The controller: first it is down, and then it looks after everything for ever.
async fn live(shared: &Shared) {
    let begins_ms = shared.with(|world| world.next_life_ms());
    shared.sleep_until(begins_ms).await;
    let gate = Gate::new(shared, shared.with(World::begin_life));
    let parts = Parts {
        client: api::client(&gate),
        flink: machine::flink(&gate),
        place: Place::Machine { host: machine::host(&gate), kobel: PathBuf::from(KOBEL) },
        surroundings: surroundings(&gate),
        metrics: Metrics::default(),
    };
    look_after(parts).await;
    if gate.is_alive() {
        shared.with(|world| world.break_with("the_loop_goes_on", "the control loop ended by itself"));
    }
    pending().await
}

thread_local! {
    /// What the first panic on this thread said, since it was last asked for.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Hears of panics, which the loop survives: each is a defect all the same.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A thread that is ending has none any more.
            let _ = PANIC.try_with(|heard| heard.borrow_mut().get_or_insert_with(|| info.to_string()).len());
            before(info);
        }));
    });
    // Whatever was before this run is not its business.
    PANIC.take();
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::call::{Call, Port};
    use crate::fault::{Aim, At, Fault, Side};
    use crate::script::parse;

    /// How long the script runs in which nothing is declared; behind it no fault comes.
    const SCRIPT_MS: i64 = 5_000;

    fn world(seed: u64) -> World {
        World::new(parse("nothing", "> run 5s\n").unwrap(), seed)
    }

    /// The history in words.
    fn log(world: &World) -> Vec<String> {
        world.history.iter().map(|happened| format!("{} {:?}", happened.at_ms, happened.entry)).collect()
    }

    #[test]
    fn the_same_world_gives_the_same_history_on_another_thread() {
        let once = log(&run(world(7), Record::Nothing).world);
        let again = thread::spawn(|| log(&run(world(7), Record::Nothing).world)).join().unwrap();
        assert!(once.iter().any(|line| line.contains("LIST flinkdeployments")), "{once:#?}");
        assert_eq!(once, again);
        assert_eq!(once, log(&run(world(7), Record::Marks).world), "keeping marks changes nothing");
        assert_ne!(once, log(&run(world(8), Record::Nothing).world), "another seed gives other latencies");
    }

    #[test]
    fn going_on_from_a_mark_is_the_run_in_which_the_crash_was_aimed_there() {
        let recorded = run(world(7), Record::Marks);
        let sides: usize = recorded.marks.iter().map(|mark| mark.sides().count()).sum();
        assert_eq!(sides, 2 * usize::try_from(recorded.world.calls).unwrap());
        let marks = recorded.marks.into_iter().filter(|mark| mark.world.now_ms < SCRIPT_MS);
        marks.for_each(|mark| agree(&world(7), mark));
    }

    /// Whether going on from a mark is the run in which the crash was aimed there, on each side that the mark stands for.
    fn agree(begin: &World, mark: Mark) {
        let (sides, gone_on) = (mark.sides(), log(&resume(mark.world).world));
        for side in sides {
            let mut aimed = begin.clone();
            aimed.aims.push(Aim { at: At::Call(mark.n), fault: Fault::Crash(side) });
            let aimed = run(aimed, Record::Nothing).world;
            assert!(aimed.aims.is_empty(), "the crash came");
            // The entry of the crash itself names the side.
            let expected =
                log(&aimed).join("\n").replacen(&format!("Crash({side:?})"), &format!("Crash({:?})", mark.side), 1);
            assert_eq!(gone_on.join("\n"), expected, "{side:?} of {}", mark.call);
        }
    }

    #[test]
    fn a_mark_may_stand_for_both_sides_of_a_call_that_asks() {
        for name in ["first-start-and-deletion", "session-cluster-and-job", "snapshot-is-taken-and-disposed-of"] {
            let script = script::all().into_iter().find(|script| script.name == name).unwrap();
            let begin = World::new(script, 1);
            let marks = run(begin.clone(), Record::Marks).marks;
            // While the world comes to rest, no fault comes.
            let both = marks.into_iter().filter(|mark| mark.is_both && mark.world.seen.settling_ms.is_none());
            both.step_by(13).for_each(|mark| agree(&begin, mark));
        }
    }

    #[test]
    fn a_crash_is_followed_by_a_life_that_settles() {
        let mut world = world(7);
        let call = Call::of(Port::Api, "LIST flinkdeployments", "").unwrap();
        world.aims.push(Aim { at: At::Nth { call: call.clone(), nth: 1 }, fault: Fault::Crash(Side::Before) });
        world.aims.push(Aim { at: At::Nth { call, nth: 2 }, fault: Fault::Ghost { ms: 700 } });
        let run = run(world, Record::Marks);
        assert_eq!((run.world.life, run.world.broken, run.world.aims.len()), (3, None, 0));
    }
}
