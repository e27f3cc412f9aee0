//! What a seed stands for: what people do, how the world is made, and what goes wrong.
//!
//! A seed draws first which kinds of faults there are at all, so that one seed is full of what another never sees.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::call::{Call, NAMES, Port};
use crate::chance::Chance;
use crate::fault::{Aim, At, Fault, Side};
use crate::life::Record;
use crate::script::{self, Script};
use crate::sweep::outcome::{Case, Compared, Since, Sweep};
use crate::sweep::spread::spread;
use crate::world::Knobs;

/// How many faults a seed aims at most.
const AIMS_MAX: u64 = 4;
/// After how many that fail no other seed is begun.
const FAILED_MAX: u32 = 5;
/// One seed in so many plays one of the scripts.
const SCRIPTED: u64 = 4;
/// Which one of its name a call is that is hit, at most.
const NTH_MAX: i64 = 12;
/// The revision of an event that is hit, at most.
const REVISION_MAX: i64 = 60;
/// When something that hits no call comes, at most.
const TIME_MAX: i64 = 60_000;

/// What breaks if a script awaits something that does not come.
const AWAITED: &str = "script";

/// What a seed stands for.
///
/// # Errors
/// A script that was drawn cannot be read, which is a bug.
pub fn case(seed: u64, scripts: &[Script]) -> Result<Case, String> {
    let mut chance = Chance::new(seed);
    let scripted = if chance.once_in(SCRIPTED) { chance.pick(scripts) } else { None };
    let text = match scripted {
        Some(script) => without_claims(script),
        None => Drawn::commands(&mut chance),
    };
    let script = script::parse(&format!("seed-{seed}"), &text)?;
    let knobs = Some(knobs(&mut chance));
    let aims = aims(&mut chance);
    Ok(Case { script, seed, knobs, aims, compared: Compared::Alone })
}

/// Tries seeds, and tells what came of them. Once several have failed no other is begun.
pub fn sweep(seeds: Range<u64>, scripts: &[Script]) -> Sweep {
    let count = usize::try_from(seeds.end.saturating_sub(seeds.start)).unwrap_or(usize::MAX);
    let failed = AtomicU32::new(0);
    let tried = spread(count, |index| {
        if failed.load(Ordering::Relaxed) >= FAILED_MAX {
            return Sweep::default();
        }
        let tried = try_seed(seeds.start.saturating_add(index as u64), scripts);
        if !tried.failures.is_empty() {
            failed.fetch_add(1, Ordering::Relaxed);
        }
        tried
    });
    let mut all = Sweep::default();
    tried.into_iter().for_each(|tried| all.add(tried));
    all
}

fn try_seed(seed: u64, scripts: &[Script]) -> Sweep {
    let mut sweep = Sweep::default();
    let (case, world) = match case(seed, scripts) {
        Ok(case) => {
            let world = case.play(Record::Nothing).world;
            (case, world)
        }
        Err(why) => {
            let script = Script { name: format!("seed-{seed}"), ..Script::default() };
            let case = Case { seed, compared: Compared::Alone, ..Case::of(&script) };
            let mut world = case.world();
            world.break_with("seed", why);
            (case, world)
        }
    };
    sweep.count(&world, Since::default());
    // What a script awaits it may await in vain where other things go wrong than it was written for.
    if let Some(broken) = world.broken.clone().filter(|broken| broken.invariant != AWAITED) {
        sweep.fail(case, broken, &world);
    }
    sweep
}

/// The commands of a script without what they claim: with faults it may come otherwise, and later. What is awaited on
/// the way need not come, so some time goes by instead.
fn without_claims(script: &Script) -> String {
    let steps = script.steps.iter().filter_map(|step| {
        let mut words = step.text.split_whitespace();
        match words.next()? {
            "expect" | "show" | "refused" => None,
            "await" if !matches!(words.nth(1), Some("Settled" | "gone")) => Some("> run 2s\n".to_owned()),
            "await" => Some(format!("> {} within 15m\n", step.text.split(" within ").next().unwrap_or_default())),
            _ => Some(format!("> {}\n", step.text)),
        }
    });
    steps.collect()
}

fn knobs(chance: &mut Chance) -> Knobs {
    let latency_ms = (chance.between(0, 2), chance.between(3, 30));
    let start_ms = chance.between(100, 5_000);
    let savepoint_ms = if chance.once_in(4) { chance.between(5_000, 20_000) } else { chance.between(100, 2_000) };
    Knobs {
        latency_ms,
        start_ms,
        savepoint_ms,
        checkpoint_ms: chance.between(50, 3_000),
        cancel_ms: chance.between(50, 3_000),
        end_ms: chance.between(50, 5_000),
        disk_skew_ms: if chance.once_in(8) { chance.between(-2_000, 2_000) } else { 0 },
        statistics_behind_ms: if chance.once_in(2) { 3_000 } else { 0 },
        ..Knobs::default()
    }
}

/// The kinds of places that a fault comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Api,
    Rest,
    Host,
    Watch,
    Anywhere,
}

fn aims(chance: &mut Chance) -> Vec<Aim> {
    let all = [Target::Api, Target::Rest, Target::Host, Target::Watch, Target::Anywhere];
    let on: Vec<Target> = all.into_iter().filter(|_| chance.once_in(2)).collect();
    let count = chance.below(AIMS_MAX + 1);
    (0..count).filter_map(|_| chance.pick(&on).copied().and_then(|target| aim(chance, target))).collect()
}

fn aim(chance: &mut Chance, target: Target) -> Option<Aim> {
    let port = match target {
        Target::Api => Port::Api,
        Target::Rest => Port::Rest,
        Target::Host => Port::Host,
        Target::Watch => return Some(of_a_watch(chance)),
        Target::Anywhere => {
            let fault = Fault::Crash(*chance.pick(&[Side::Before, Side::After])?);
            return Some(Aim { at: At::Time(chance.between(1, TIME_MAX)), fault });
        }
    };
    let names: Vec<&str> = NAMES.iter().filter(|known| known.0 == port).map(|known| known.1).collect();
    let call = Call::of(port, chance.pick(&names)?, "*")?;
    let nth = u32::try_from(chance.between(1, NTH_MAX)).ok()?;
    let fault = chance.pick(&faults(&call))?.clone();
    Some(Aim { at: At::Nth { call, nth }, fault })
}

/// What can go wrong with a call.
fn faults(call: &Call) -> Vec<Fault> {
    let mut faults = vec![Fault::Crash(Side::Before), Fault::Crash(Side::After)];
    match call.port {
        Port::Host => faults.push(Fault::DiskError),
        Port::Api | Port::Rest => {
            faults.extend([Fault::Lost, Fault::Silent(Side::Before), Fault::Silent(Side::After)]);
            faults.extend([Fault::Refuse(500), Fault::Refuse(503), Fault::Refuse(404), Fault::Late { ms: 3_000 }]);
            if call.changes() {
                faults.extend([Fault::Ghost { ms: 200 }, Fault::Ghost { ms: 1_200 }]);
            }
        }
    }
    if call.port == Port::Api {
        faults.push(Fault::Refuse(429));
        if call.changes() {
            faults.push(Fault::Conflict);
        }
    }
    faults
}

fn of_a_watch(chance: &mut Chance) -> Aim {
    let rev = chance.between(1, REVISION_MAX).unsigned_abs();
    let at = At::Time(chance.between(1, TIME_MAX));
    match chance.below(6) {
        0 => Aim { at, fault: Fault::Close410 },
        1 => Aim { at, fault: Fault::CloseWatch },
        2 => Aim { at, fault: Fault::Stale { for_ms: chance.between(100, 2_500), back: 1 + chance.below(3) } },
        3 => Aim { at: At::Event { rev }, fault: Fault::Hold },
        4 => Aim { at: At::Event { rev }, fault: Fault::Twice },
        _ => Aim { at: At::Event { rev }, fault: Fault::Late { ms: chance.between(100, 5_000) } },
    }
}

/// Commands that are drawn one after the other, each of which is possible in the end.
struct Drawn {
    text: String,
    /// What declares the cluster in which the job runs.
    cluster: &'static str,
    creation: String,
    shall_run: bool,
}

impl Drawn {
    fn commands(chance: &mut Chance) -> String {
        let mode = chance.pick(&["savepoint", "last-state", "stateless"]).copied().unwrap_or("savepoint");
        let parallelism = chance.between(1, 4);
        let declared = format!("mode={mode} parallelism={parallelism}");
        let mut drawn = match chance.below(4) {
            0 => Self::of("shared", format!("session-job orders in shared {declared}")),
            1 => Self::of("orders", format!("deploy orders {declared} engine=flink")),
            2 if chance.once_in(2) => Self::of("orders", format!("deploy orders {declared} engine=flink ha")),
            _ => Self::of("orders", format!("deploy orders {declared}")),
        };
        if drawn.cluster == "shared" {
            drawn.say("deploy shared session engine=flink");
        }
        drawn.say(&drawn.creation.clone());
        if !chance.once_in(4) {
            drawn.say("await orders Settled within 15m");
        }
        for _ in 0..chance.between(3, 12) {
            drawn.next(chance);
        }
        drawn.text
    }

    fn of(cluster: &'static str, creation: String) -> Self {
        Self { text: String::new(), cluster, creation, shall_run: true }
    }

    fn say(&mut self, command: &str) {
        self.text.push_str("> ");
        self.text.push_str(command);
        self.text.push('\n');
    }

    fn next(&mut self, chance: &mut Chance) {
        match chance.below(14) {
            0 | 1 => self.say(&format!("set orders spec.job.parallelism={}", chance.between(1, 8))),
            2 => self.say(&format!("set orders spec.restartNonce={}", chance.between(1, 1_000))),
            3 => self.say(&format!("set orders spec.job.savepointTriggerNonce={}", chance.between(1, 1_000))),
            4 => {
                let mode = chance.pick(&["savepoint", "last-state", "stateless"]).copied().unwrap_or("savepoint");
                self.say(&format!("set orders spec.job.upgradeMode={mode}"));
            }
            5 => {
                self.say(if self.shall_run { "suspend orders" } else { "resume orders" });
                self.shall_run = !self.shall_run;
            }
            6 | 7 if self.shall_run => self.say(&format!("kill {} *", self.cluster)),
            8 if self.shall_run => self.say("fail orders a division by zero"),
            9 => self.hold(chance),
            10 => self.say("restart-controller"),
            11 => self.say(&format!("disk-fails {}ms", chance.between(100, 20_000))),
            12 if chance.once_in(2) => self.again(),
            _ => self.say(&format!("run {}ms", chance.between(1, 20_000))),
        }
    }

    /// Something begins and does not end for a while, and somebody changes what is declared meanwhile.
    fn hold(&mut self, chance: &mut Chance) {
        let what = chance.pick(&["savepoints", "checkpoints", "starts", "ends"]).copied().unwrap_or("ends");
        self.say(&format!("hold {what}"));
        self.say(&format!("set orders spec.job.parallelism={}", chance.between(1, 8)));
        self.say(&format!("run {}ms", chance.between(1, 30_000)));
        self.say(&format!("release {what}"));
    }

    /// The object is deleted and made again under its name.
    fn again(&mut self) {
        self.say("delete orders");
        self.say("await orders gone within 15m");
        self.say(&self.creation.clone());
        self.shall_run = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_and_every_one_can_be_read() {
        for seed in 0..2_000 {
            let case = case(seed, &[]).unwrap();
            let again = super::case(seed, &[]).unwrap();
            assert_eq!((&case.script, &case.aims), (&again.script, &again.aims));
            assert!(case.aims.len() <= 4 && case.script.steps.len() >= 4, "{seed}");
        }
    }

    #[test]
    fn seeds_draw_every_kind_of_fault() {
        let drawn: Vec<Fault> = (0..5_000).flat_map(|seed| aims(&mut Chance::new(seed))).map(|aim| aim.fault).collect();
        let has = |wanted: fn(&Fault) -> bool| drawn.iter().any(wanted);
        assert!(has(|fault| matches!(fault, Fault::Crash(Side::After))) && has(|fault| *fault == Fault::Lost));
        assert!(has(|fault| matches!(fault, Fault::Ghost { .. })) && has(|fault| *fault == Fault::DiskError));
        assert!(has(|fault| matches!(fault, Fault::Silent(_))) && has(|fault| *fault == Fault::Refuse(404)));
        assert!(has(|fault| *fault == Fault::Hold) && has(|fault| matches!(fault, Fault::Stale { .. })));
    }

    #[test]
    fn what_a_script_claims_is_left_out() {
        let text =
            "> deploy orders\n> await orders Settled\n> await orders Starting within 3s\n> expect orders starts=1\n";
        let script = script::parse("one", text).unwrap();
        let left = without_claims(&script);
        assert_eq!(left, "> deploy orders\n> await orders Settled within 15m\n> run 2s\n");
    }
}
