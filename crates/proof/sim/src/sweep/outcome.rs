//! What a run is a function of, and what came of many runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coverage::Coverage;
use crate::broken::Broken;
use crate::call::Call;
use crate::entry::{Entry, Happened};
use crate::fault::{Aim, At, Fault, Side};
use crate::life::{self, Record, Run};
use crate::oracle;
use crate::script::Script;
use crate::world::{Knobs, World};

/// The seed of runs whose chance is not what is looked at.
const SEED: u64 = 1;
/// How much of the history before a break is kept.
const KEPT: usize = 20;
/// How many failures of one script are enough.
const FAILURES_MAX: usize = 10;

/// In turns, one place in so many is tried. It is odd, because places come in pairs.
const TURN: usize = 3;

/// How much of what could be tried is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One way at each place, another at the next.
    Turns,
    /// Every way at each place.
    Every,
}

impl Depth {
    /// Those of `ways` that are tried at the place of this number.
    pub fn ways<T: Clone>(self, ways: &[T], place: usize) -> Vec<T> {
        match self {
            Self::Every => ways.to_vec(),
            Self::Turns => ways.iter().cycle().skip(place % ways.len().max(1)).take(1).cloned().collect(),
        }
    }

    /// Whether the place of this number is tried where there is one way at each.
    pub fn tries(self, place: usize) -> bool {
        self == Self::Every || place.is_multiple_of(TURN)
    }
}

/// What the end of a run is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The end of the same run without faults.
    WithFaultless,
    /// Nothing.
    Alone,
}

/// Everything that a run is a function of.
#[derive(Debug, Clone)]
pub struct Case {
    /// What people do.
    pub script: Script,
    /// Where chance comes from.
    pub seed: u64,
    /// How the world is made, if not as usual.
    pub knobs: Option<Knobs>,
    /// What goes wrong.
    pub aims: Vec<Aim>,
    /// What its end is compared with.
    pub compared: Compared,
}

impl Case {
    /// A script without faults.
    pub fn of(script: &Script) -> Self {
        // What a seed has found hangs on the moments at which things happen: with one more fault it may end otherwise.
        let compared = if script.has_seed() { Compared::Alone } else { Compared::WithFaultless };
        Self { script: script.clone(), seed: SEED, knobs: None, aims: Vec::new(), compared }
    }

    /// The end of the faultless run, if its own is compared with that.
    pub fn compared_with<'a>(&self, faultless: &'a World) -> Option<&'a World> {
        (self.compared == Compared::WithFaultless).then_some(faultless)
    }

    /// The same with one more fault.
    pub fn with(&self, aim: Aim) -> Self {
        let mut case = self.clone();
        case.aims.push(aim);
        case
    }

    /// The world that it begins with.
    pub fn world(&self) -> World {
        let mut world = World::new(self.script.clone(), self.seed);
        if let Some(knobs) = &self.knobs {
            world.knobs = knobs.clone();
        }
        world.aims.clone_from(&self.aims);
        world
    }

    /// Plays it.
    pub fn play(&self, record: Record) -> Run {
        life::run(self.world(), record)
    }

    /// Plays it, and the same without faults if its end is compared; tells what broke, with the world of that.
    pub fn judge(&self) -> (Option<Broken>, World) {
        let world = self.play(Record::Nothing).world;
        if world.broken.is_some() || self.aims.is_empty() || self.compared == Compared::Alone {
            return (world.broken.clone(), world);
        }
        let faultless = Self { aims: Vec::new(), ..self.clone() }.play(Record::Nothing).world;
        (broken(&world, Some(&faultless)), world)
    }
}

/// What broke in a run; also that it did not come to the end of the faultless one.
pub fn broken(world: &World, faultless: Option<&World>) -> Option<Broken> {
    if world.broken.is_some() {
        return world.broken.clone();
    }
    let why = oracle::compare(faultless?, world).err()?;
    let entry = world.history.len().saturating_sub(1);
    Some(Broken { invariant: "same_end", why, entry, at_ms: world.now_ms })
}

/// A run in which something broke.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The run.
    pub case: Case,
    /// What broke.
    pub broken: Broken,
    /// What happened last before that.
    pub before: Vec<Arc<Happened>>,
    /// The number of the run in its sweep, from 1.
    pub run: u32,
}

impl Failure {
    /// A failure that was seen in this world.
    pub fn seen(case: Case, broken: Broken, world: &World) -> Self {
        let end = world.history.len().min(broken.entry.saturating_add(1));
        let before = world.history.iter().take(end).skip(end.saturating_sub(KEPT)).cloned().collect();
        Self { case, broken, before, run: 0 }
    }
}

/// From where on a run is its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Since {
    now_ms: i64,
    entries: usize,
    calls: u32,
}

impl Since {
    /// From this world on.
    pub fn here(world: &World) -> Self {
        Self { now_ms: world.now_ms, entries: world.history.len(), calls: world.calls }
    }
}

/// What came of many runs.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// How many there were.
    pub runs: u32,
    /// How much virtual time went by in them, in milliseconds.
    pub virtual_ms: i64,
    /// How many calls the controller made.
    pub calls: u64,
    /// How often each fault came.
    pub faults: BTreeMap<&'static str, u32>,
    /// At which calls the controller was killed.
    pub coverage: Coverage,
    /// What broke, in the order of the runs.
    pub failures: Vec<Failure>,
}

impl Sweep {
    /// Plays a case without faults and counts it. What breaks already then is noted, and there is no run to go on from.
    pub fn begin(case: &Case, record: Record) -> (Self, Option<Run>) {
        let (mut sweep, run) = (Self::default(), case.play(record));
        sweep.count(&run.world, Since::default());
        match &run.world.broken {
            Some(broken) => {
                sweep.fail(case.clone(), broken.clone(), &run.world);
                (sweep, None)
            }
            None => (sweep, Some(run)),
        }
    }

    /// Counts a run that was gone on with from there.
    pub fn count(&mut self, world: &World, from: Since) {
        self.runs += 1;
        self.virtual_ms += world.now_ms.saturating_sub(from.now_ms);
        self.calls += u64::from(world.calls.saturating_sub(from.calls));
        for happened in world.history.iter().skip(from.entries) {
            if let Entry::Fault { fault, .. } = &happened.entry {
                self.injected(fault);
            }
        }
    }

    /// Counts a fault.
    pub fn injected(&mut self, fault: &Fault) {
        *self.faults.entry(kind(fault)).or_default() += 1;
    }

    /// Notes a run in which something broke.
    pub fn fail(&mut self, case: Case, broken: Broken, world: &World) {
        let mut failure = Failure::seen(case, broken, world);
        failure.run = self.runs;
        self.failures.push(failure);
    }

    /// Whether so much has failed that more tells nothing.
    pub fn is_enough(&self) -> bool {
        self.failures.len() >= FAILURES_MAX
    }

    /// Adds what came of runs after these.
    pub fn add(&mut self, other: Self) {
        let runs = self.runs;
        self.failures.extend(other.failures.into_iter().map(|failure| Failure { run: runs + failure.run, ..failure }));
        self.runs += other.runs;
        self.virtual_ms += other.virtual_ms;
        self.calls += other.calls;
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
        self.coverage.add(&other.coverage);
    }

    /// Plays a case, counts it, and notes what broke; its end is compared with that of `faultless`, if that is given.
    pub fn try_case(&mut self, case: Case, faultless: Option<&World>) {
        let world = case.play(Record::Nothing).world;
        self.count(&world, Since::default());
        let faultless = faultless.and_then(|faultless| case.compared_with(faultless));
        if let Some(broken) = broken(&world, faultless) {
            self.fail(case, broken, &world);
        }
    }
}

/// The place of the call of this number that is found again when other calls come or go: which one of its name it is.
pub fn place(history: &[Arc<Happened>], n: u32, call: &Call) -> At {
    let is_same =
        |happened: &&Arc<Happened>| matches!(&happened.entry, Entry::Called(made) if made.n <= n && made.call == *call);
    let nth = u32::try_from(history.iter().filter(is_same).count()).unwrap_or(u32::MAX);
    At::Nth { call: call.clone(), nth: nth.max(1) }
}

/// What a fault is, in words.
pub fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Crash(Side::Before) => "crash before a call",
        Fault::Crash(Side::After) => "crash after a call",
        Fault::Crash(Side::Within(_)) => "crash within a start",
        Fault::Ghost { .. } => "crash, and the call arrives in the next life",
        Fault::Lost => "lost answer",
        Fault::Silent(_) => "no answer",
        Fault::Refuse(_) => "refusal",
        Fault::Conflict => "conflict",
        Fault::Stale { .. } => "stale reads",
        Fault::Hold => "missed event",
        Fault::Twice => "event told twice",
        Fault::Late { .. } => "late event",
        Fault::Close410 => "watch ended, revision gone",
        Fault::CloseWatch => "watch ended",
        Fault::DiskError => "disk error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Numbered, Port};

    #[test]
    fn ways_are_tried_in_turns() {
        let ways = ["a", "b", "c"];
        assert_eq!(Depth::Every.ways(&ways, 7), ways);
        let tried: Vec<&str> = (0..4).flat_map(|place| Depth::Turns.ways(&ways, place)).collect();
        assert_eq!(tried, ["a", "b", "c", "a"]);
        assert!(Depth::Turns.ways::<u8>(&[], 3).is_empty());
    }

    #[test]
    fn a_call_is_found_again_by_which_of_its_name_it_is() {
        let call = |about: &str| Call::of(Port::Host, "observe", about).unwrap();
        let calls = ["default/a", "default/b", "default/a", "default/a"];
        let history: Vec<Arc<Happened>> = (1..)
            .zip(calls)
            .map(|(n, about)| Numbered { n, life: 1, at_ms: 0, call: call(about) })
            .map(|made| Arc::new(Happened { at_ms: 0, entry: Entry::Called(made) }))
            .collect();
        let expected = At::Nth { call: call("default/a"), nth: 2 };
        assert_eq!(place(&history, 3, &call("default/a")), expected);
    }

    #[test]
    fn failures_are_numbered_by_their_runs() {
        let broken = Broken { invariant: "x", why: String::new(), entry: 0, at_ms: 0 };
        let script = Script { name: "none".to_owned(), steps: Arc::new([]) };
        let failure = Failure { case: Case::of(&script), broken, before: Vec::new(), run: 3 };
        let mut sweep = Sweep { runs: 10, ..Sweep::default() };
        sweep.add(Sweep { runs: 5, failures: vec![failure], ..Sweep::default() });
        assert_eq!((sweep.runs, sweep.failures[0].run), (15, 13));
    }
}
