//! The world of a run: everything that there is but for the memory of the controller.
//!
//! # Invariant
//! A world is data. Whatever comes later is in it as something due, never as a task or a timer, so a clone of it is a
//! point from which the run can be gone on with as often as is wanted. What is big in it is shared by its clones.
//!
//! What its parts do is said by `Rules`, because they know the world and it only knows what they are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::Store;
use crate::broken::Broken;
use crate::call::{Call, Numbered};
use crate::chance::Chance;
use crate::entry::{Entry, Happened};
use crate::fault::{Aim, At, Fault};
use crate::invariants::Seen;
use crate::machine::Machine;
use crate::script::{Cursor, Script};

/// The time at which worlds begin, 2026-01-01T00:00:00Z, in milliseconds since 1970.
pub const EPOCH_MS: i64 = 1_767_225_600_000;
/// How long the controller is down after it was killed.
const DOWN_MS: i64 = 500;

/// How the world is made. The times are in virtual milliseconds.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// The least and the most that a call is under way, to where it has its effect and back again.
    pub latency_ms: (i64, i64),
    /// How long a job takes to start.
    pub start_ms: i64,
    /// How long a savepoint takes.
    pub savepoint_ms: i64,
    /// How long a checkpoint takes.
    pub checkpoint_ms: i64,
    /// How long a job takes to be cancelled.
    pub cancel_ms: i64,
    /// How long a process takes to end.
    pub end_ms: i64,
    /// How far the clock of the disk is ahead.
    pub disk_skew_ms: i64,
    /// How old the statistics of checkpoints are that a JobManager tells.
    pub statistics_behind_ms: i64,
    /// Whether the API keeps a record of who manages which field.
    pub tracks_managers: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency_ms: (1, 3),
            start_ms: 600,
            savepoint_ms: 400,
            checkpoint_ms: 100,
            cancel_ms: 200,
            end_ms: 200,
            disk_skew_ms: 0,
            statistics_behind_ms: 0,
            tracks_managers: false,
        }
    }
}

/// What happens by itself when its time has come.
#[derive(Clone)]
pub enum Due {
    /// On the machine.
    Machine(crate::machine::Due),
    /// In the API.
    Api(crate::api::Due),
}

/// What the parts of a world do.
pub(crate) trait Rules {
    /// Lets happen what is due.
    fn fire(&mut self, due: Due);
    /// Somebody else writes the objects of this name.
    fn touch(&mut self, about: &str);
    /// The watches are hit.
    fn hit_watches(&mut self, fault: &Fault);
    /// Checks what has happened since the last time.
    fn look_through(&mut self);
}

/// Everything that there is but for the memory of the controller.
#[derive(Clone)]
pub struct World {
    /// The time, in virtual milliseconds since [`EPOCH_MS`].
    pub now_ms: i64,
    /// The Kubernetes API.
    pub api: Store,
    /// The machine: its disk, what runs on it, and its jobs.
    pub machine: Machine,
    /// What has happened.
    pub history: Vec<Arc<Happened>>,
    /// The faults to come. One that has come is no longer among them.
    pub aims: Vec<Aim>,
    /// Where chance comes from.
    pub chance: Chance,
    /// How the world is made.
    pub knobs: Knobs,
    /// What people do.
    pub script: Script,
    /// How far they have come.
    pub cursor: Cursor,
    /// How many calls were made.
    pub calls: u32,
    /// How many lives of the controller have begun.
    pub life: u32,
    /// The first invariant that did not hold.
    pub broken: Option<Broken>,
    /// How many entries of the history were looked through.
    pub checked: usize,
    /// What was seen in them.
    pub seen: Seen,
    due: BTreeMap<(i64, u32), Due>,
    dues: u32,
    is_up: bool,
    next_life_ms: i64,
    start: Start,
}

/// How far the start of a launch comes that is under way.
#[derive(Clone, Default)]
struct Start {
    /// The controller is killed when so many processes were spawned.
    limit: Option<u8>,
    spawned: u8,
    /// The world before each process, if they are kept.
    kept: Option<Vec<World>>,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(script: Script, seed: u64) -> Self {
        Self {
            now_ms: 0,
            api: Store::new(),
            machine: Machine::default(),
            history: Vec::new(),
            aims: Vec::new(),
            chance: Chance::new(seed),
            knobs: Knobs::default(),
            script,
            cursor: Cursor::default(),
            calls: 0,
            life: 0,
            broken: None,
            checked: 0,
            seen: Seen::default(),
            due: BTreeMap::new(),
            dues: 0,
            is_up: false,
            next_life_ms: 0,
            start: Start::default(),
        }
    }

    /// The time of day.
    pub fn timestamp(&self) -> Timestamp {
        time_of_day(self.now_ms)
    }

    /// Notes what happens now.
    pub fn tell(&mut self, entry: Entry) {
        self.history.push(Arc::new(Happened { at_ms: self.now_ms, entry }));
    }

    /// Lets something happen later. What is due at the same time happens in the order in which it was said.
    pub fn later(&mut self, in_ms: i64, due: Due) {
        self.dues = self.dues.wrapping_add(1);
        self.due.insert((self.now_ms.saturating_add(in_ms.max(0)), self.dues), due);
    }

    /// When something happens next by itself.
    pub fn next_due(&self) -> Option<i64> {
        let due = self.due.first_key_value().map(|((at, _), _)| *at);
        let aimed = self.aims.iter().filter_map(|aim| if let At::Time(at) = aim.at { Some(at) } else { None }).min();
        due.into_iter().chain(aimed).min()
    }

    /// Lets happen what is due up to this time, in order, each with the time at which it is due.
    pub fn advance(&mut self, to_ms: i64) {
        while let Some(at) = self.next_due().filter(|at| *at <= to_ms) {
            self.now_ms = self.now_ms.max(at);
            let aimed = self.aims.iter().position(|aim| matches!(aim.at, At::Time(time) if time <= at));
            if let Some(index) = aimed {
                let fault = self.aims.remove(index).fault;
                self.tell(Entry::Fault { n: 0, fault: fault.clone() });
                self.strike(&fault);
            } else if let Some((_, due)) = self.due.pop_first() {
                self.fire(due);
            }
            self.look_through();
        }
        self.now_ms = self.now_ms.max(to_ms);
    }

    /// Lets a fault come that hits no single call: a crash, watches that end, reads that are stale.
    pub fn strike(&mut self, fault: &Fault) {
        match fault {
            Fault::Crash(_) => self.end_life(),
            Fault::Stale { for_ms, back } => self.api.stale = Some((self.now_ms.saturating_add(*for_ms), *back)),
            Fault::Close410 | Fault::CloseWatch => self.hit_watches(fault),
            other => self.break_with("aims", format!("`{other:?}` was aimed at where it cannot come")),
        }
    }

    /// Takes the fault that is aimed at the event of this revision, and notes that it came.
    pub fn fault_at_event(&mut self, rev: u64) -> Option<Fault> {
        let index = self.aims.iter().position(|aim| matches!(aim.at, At::Event { rev: aimed } if aimed == rev))?;
        let fault = self.aims.remove(index).fault;
        self.tell(Entry::Fault { n: 0, fault: fault.clone() });
        Some(fault)
    }

    /// Says that an invariant does not hold; the first one counts.
    pub fn break_with(&mut self, invariant: &'static str, why: impl Into<String>) {
        let (entry, at_ms) = (self.history.len().saturating_sub(1), self.now_ms);
        self.broken.get_or_insert_with(|| Broken { invariant, why: why.into(), entry, at_ms });
    }

    /// Whether nothing was done to it since it was `before`, at the same moment: nothing happened, nothing became due, nothing
    /// was drawn or written.
    pub(crate) fn is_as(&self, before: &Self) -> bool {
        let state =
            |world: &Self| (world.history.len(), world.dues, world.now_ms, world.api.revision(), world.machine.drawn());
        state(self) == state(before) && self.chance == before.chance && self.broken.is_none()
    }

    /// Kills the controller, if it lives. The next life begins by itself.
    pub fn end_life(&mut self) {
        if self.is_up {
            self.is_up = false;
            self.next_life_ms = self.now_ms.saturating_add(DOWN_MS);
            self.tell(Entry::Life { number: self.life, began: false });
        }
    }

    /// Whether a controller lives.
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// Whether start is to spawn one more process; it asks before each one, and returns at once if not: the controller
    /// was killed there.
    pub fn spawns_one_more(&mut self) -> bool {
        if self.start.limit.is_some_and(|limit| self.start.spawned >= limit) {
            return false;
        }
        if let Some(mut kept) = self.start.kept.take() {
            kept.push(Self { start: Start::default(), ..self.clone() });
            self.start.kept = Some(kept);
        }
        self.start.spawned = self.start.spawned.saturating_add(1);
        true
    }

    /// A life of the controller begins; tells its number.
    pub(crate) fn begin_life(&mut self) -> u32 {
        self.life += 1;
        self.is_up = true;
        self.tell(Entry::Life { number: self.life, began: true });
        self.life
    }

    /// Whether it is this life that is lived.
    pub(crate) fn lives(&self, life: u32) -> bool {
        self.is_up && self.life == life
    }

    /// When the next life begins.
    pub(crate) fn next_life_ms(&self) -> i64 {
        self.next_life_ms
    }

    /// How long a call is under way next.
    pub(crate) fn latency(&mut self) -> i64 {
        let (least, most) = self.knobs.latency_ms;
        self.chance.between(least, most).max(0)
    }

    /// Notes a call; tells its number.
    pub(crate) fn call(&mut self, life: u32, call: &Call) -> u32 {
        self.calls += 1;
        let numbered = Numbered { n: self.calls, life, at_ms: self.now_ms, call: call.clone() };
        self.tell(Entry::Called(numbered));
        self.calls
    }

    /// Takes the fault that is aimed at the call which was just noted.
    pub(crate) fn fault_at_call(&mut self, n: u32, call: &Call) -> Option<Fault> {
        let index = self.aims.iter().position(|aim| match &aim.at {
            At::Call(number) => *number == n,
            At::Nth { call: aimed, nth } => is_of(call, aimed) && self.count(aimed) == *nth,
            At::Event { .. } | At::Time(_) => false,
        })?;
        Some(self.aims.remove(index).fault)
    }

    /// Ends the start that comes now after so many processes.
    pub(crate) fn limit_start(&mut self, processes: u8) {
        self.start = Start { limit: Some(processes), ..Start::default() };
    }

    /// Keeps the world before each process of the start that comes now.
    pub(crate) fn keep_start(&mut self) {
        self.start = Start { kept: Some(Vec::new()), ..Start::default() };
    }

    /// The start is over; gives what was kept of it.
    pub(crate) fn end_start(&mut self) -> Vec<Self> {
        std::mem::take(&mut self.start).kept.unwrap_or_default()
    }

    /// How often this was called.
    fn count(&self, aimed: &Call) -> u32 {
        let of = |happened: &&Arc<Happened>| matches!(&happened.entry, Entry::Called(made) if is_of(&made.call, aimed));
        u32::try_from(self.history.iter().filter(of).count()).unwrap_or(u32::MAX)
    }
}

/// The time of day at this virtual time.
pub(crate) fn time_of_day(now_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(EPOCH_MS.saturating_add(now_ms)).unwrap_or(Timestamp::MAX)
}

/// Whether a call is one of those that are aimed at; `*` stands for whatever it is about.
fn is_of(call: &Call, aimed: &Call) -> bool {
    (call.port, call.name) == (aimed.port, aimed.name) && (aimed.about == "*" || call.about == aimed.about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Port;
    use crate::fault::Side;

    fn world() -> World {
        World::new(Script { name: "nothing".to_owned(), steps: Arc::new([]) }, 7)
    }

    fn told(world: &World) -> Vec<&Entry> {
        world.history.iter().map(|happened| &happened.entry).collect()
    }

    #[test]
    fn the_clock_never_runs_back() {
        let mut world = world();
        assert_eq!(world.timestamp().to_string(), "2026-01-01T00:00:00Z");
        world.advance(1_500);
        world.advance(1_000);
        assert_eq!((world.now_ms, world.timestamp().to_string().as_str()), (1_500, "2026-01-01T00:00:01.5Z"));
    }

    #[test]
    fn a_fault_that_is_aimed_at_a_time_comes_then_and_once() {
        let mut world = world();
        world.aims.push(Aim { at: At::Time(40), fault: Fault::Crash(Side::Before) });
        world.begin_life();
        assert_eq!(world.next_due(), Some(40));
        world.advance(39);
        assert!(world.is_up());
        world.advance(100);
        assert!(!world.is_up() && world.aims.is_empty() && world.next_due().is_none());
        assert_eq!((world.next_life_ms(), world.now_ms), (540, 100));
        assert_eq!(world.history.last().map(|happened| happened.at_ms), Some(40));
    }

    #[test]
    fn a_fault_that_cannot_come_breaks_the_run() {
        let mut world = world();
        world.strike(&Fault::Twice);
        world.break_with("another", "later");
        assert_eq!(world.broken.map(|broken| broken.invariant), Some("aims"));
    }

    #[test]
    fn the_nth_call_is_counted_from_the_beginning_of_the_run() {
        let call = |about: &str| Call::of(Port::Host, "observe", about).unwrap();
        for (aimed, hit) in [("default/a", 3), ("default/b", 0), ("*", 2)] {
            let mut world = world();
            world.aims.push(Aim { at: At::Nth { call: call(aimed), nth: 2 }, fault: Fault::Lost });
            let mut hits = Vec::new();
            for about in ["default/a", "default/b", "default/a", "default/a"] {
                let n = world.call(1, &call(about));
                hits.extend(world.fault_at_call(n, &call(about)).map(|_| n));
            }
            assert_eq!(hits, if hit == 0 { vec![] } else { vec![hit] }, "{aimed}");
        }
    }

    #[test]
    fn a_start_is_kept_before_each_process_and_can_end_there() {
        let spawn = |world: &mut World| {
            for process in ["a", "b", "c"] {
                if !world.spawns_one_more() {
                    return;
                }
                world.tell(Entry::User(process.to_owned()));
            }
        };
        let mut whole = world();
        whole.keep_start();
        spawn(&mut whole);
        let kept = whole.end_start();
        assert_eq!(kept.len(), 3);
        for (processes, kept) in kept.iter().enumerate() {
            let mut world = world();
            world.limit_start(u8::try_from(processes).unwrap());
            spawn(&mut world);
            assert!(world.end_start().is_empty());
            assert_eq!((told(&world), processes), (told(kept), kept.history.len()));
        }
        spawn(&mut whole);
        assert_eq!(whole.history.len(), 6, "a later start is a whole one");
    }
}
