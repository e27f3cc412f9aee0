//! What a seed stands for: what people do, how the world is made, and what goes wrong.
//!
//! A seed draws first which kinds of faults there are at all, so that one seed is full of what another never sees. What
//! its script waits for need not come where something else goes wrong; it goes on then, and its end is judged.

use std::fmt::Display;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::api::Store;
use crate::call::{Call, NAMES, Port};
use crate::chance::Chance;
use crate::fault::{Aim, At, Fault, Side};
use crate::life::Record;
use crate::script::lenient::{LENIENT, without_claims};
use crate::script::{self, Script};
use crate::sweep::faults::ways;
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
/// How many revisions after the first the event comes that is hit, at most.
const REVISION_MAX: i64 = 60;
/// When something that hits no call comes, at most.
const TIME_MAX: i64 = 60_000;

/// One seed in so many has something held by somebody else when it is deleted, if it deletes anything.
const HELD: u64 = 2;
/// The finalizer of somebody else.
const FOREIGN: &str = "backup.example.com/hold";
/// One seed in so many has a name that is as long as names may be.
const LONG: u64 = 5;
/// A name.
const SHORT_NAME: &str = "orders";
/// A name of 45 characters.
const LONG_NAME: &str = "orders-of-every-customer-in-every-country-eu1";

/// What a seed stands for.
///
/// # Errors
/// A script that was drawn cannot be read, which is a bug.
pub fn case(seed: u64, scripts: &[Script]) -> Result<Case, String> {
    let mut chance = Chance::new(seed);
    let scripted = if chance.once_in(SCRIPTED) { chance.pick(scripts) } else { None };
    let text = match scripted {
        Some(script) if chance.once_in(HELD) => held_by_others(&without_claims(script)),
        Some(script) => without_claims(script),
        None => Drawn::commands(&mut chance),
    };
    let script = script::parse(&format!("seed-{seed}"), &format!("{LENIENT}{text}"))?;
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
    if let Some(broken) = world.broken.clone() {
        sweep.fail(case, broken, &world);
    }
    sweep
}

/// The same commands where somebody else holds for a while whatever is deleted.
fn held_by_others(commands: &str) -> String {
    let lines = commands.lines().map(|line| {
        let name = line.strip_prefix("> delete ").filter(|name| !name.contains(' '));
        name.map_or_else(|| format!("{line}\n"), |name| held(name, 3_000))
    });
    lines.collect()
}

/// Deletes what somebody else holds for so many milliseconds.
fn held(name: &str, for_ms: i64) -> String {
    let finalizers = format!("> set {name} metadata.finalizers");
    format!("{finalizers}+={FOREIGN}\n> delete {name}\n> run {for_ms}ms\n{finalizers}-={FOREIGN}\n")
}

fn knobs(chance: &mut Chance) -> Knobs {
    let latency_ms = (chance.between(0, 2), chance.between(3, 30));
    let start_ms = chance.between(100, 5_000);
    let savepoint_ms = if chance.once_in(4) { chance.between(5_000, 20_000) } else { chance.between(0, 2_000) };
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

/// What can go wrong with a call; also that the job, the trigger or the program is not known that it names.
fn faults(call: &Call) -> Vec<Fault> {
    let mut faults = ways(call);
    faults.extend([Fault::Crash(Side::Before), Fault::Crash(Side::After)]);
    if call.port != Port::Host {
        faults.push(Fault::Late { ms: 3_000 });
        if call.name.contains("/:") {
            faults.push(Fault::Refuse(404));
        }
        if call.changes() {
            faults.extend([Fault::Ghost { ms: 200 }, Fault::Ghost { ms: 1_200 }]);
        }
    }
    faults
}

fn of_a_watch(chance: &mut Chance) -> Aim {
    let rev = Store::new().revision().saturating_add(chance.between(1, REVISION_MAX).unsigned_abs());
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
    /// What declares the job.
    name: &'static str,
    /// What declares the cluster in which the job runs.
    cluster: &'static str,
    creation: String,
    shall_run: bool,
}

impl Drawn {
    fn commands(chance: &mut Chance) -> String {
        let name = if chance.once_in(LONG) { LONG_NAME } else { SHORT_NAME };
        let mode = chance.pick(&["savepoint", "last-state", "stateless"]).copied().unwrap_or("savepoint");
        let parallelism = chance.between(1, 4);
        let declared = format!("mode={mode} parallelism={parallelism}");
        let (cluster, creation) = match chance.below(4) {
            0 => ("shared", format!("session-job {name} in shared {declared}")),
            1 => (name, format!("deploy {name} {declared} engine=flink")),
            2 if chance.once_in(2) => (name, format!("deploy {name} {declared} engine=flink ha")),
            _ => (name, format!("deploy {name} {declared}")),
        };
        let mut drawn = Self { text: String::new(), name, cluster, creation, shall_run: true };
        if cluster == "shared" {
            drawn.say("deploy shared session engine=flink");
        }
        drawn.say(&drawn.creation.clone());
        if !chance.once_in(4) {
            drawn.say(&format!("await {name} Settled within 15m"));
        }
        for _ in 0..chance.between(3, 12) {
            drawn.next(chance);
        }
        drawn.text
    }

    fn say(&mut self, command: &str) {
        self.text.push_str("> ");
        self.text.push_str(command);
        self.text.push('\n');
    }

    /// Sets a field of what declares the job.
    fn set(&mut self, field: &str, value: impl Display) {
        self.say(&format!("set {} {field}={value}", self.name));
    }

    fn next(&mut self, chance: &mut Chance) {
        let name = self.name;
        match chance.below(14) {
            0 | 1 => self.set("spec.job.parallelism", chance.between(1, 8)),
            2 => self.set("spec.restartNonce", chance.between(1, 1_000)),
            3 => self.set("spec.job.savepointTriggerNonce", chance.between(1, 1_000)),
            4 => {
                let mode = chance.pick(&["savepoint", "last-state", "stateless"]).copied().unwrap_or("savepoint");
                self.set("spec.job.upgradeMode", mode);
            }
            5 => {
                self.say(&format!("{} {name}", if self.shall_run { "suspend" } else { "resume" }));
                self.shall_run = !self.shall_run;
            }
            6 | 7 if self.shall_run => self.say(&format!("kill {} *", self.cluster)),
            8 if self.shall_run => self.say(&format!("fail {name} a division by zero")),
            9 => self.hold(chance),
            10 => self.say("restart-controller"),
            11 => self.say(&format!("disk-fails {}ms", chance.between(100, 20_000))),
            12 if chance.once_in(2) => self.again(chance),
            _ => self.say(&format!("run {}ms", chance.between(1, 20_000))),
        }
    }

    /// Something begins and does not end for a while, and somebody changes what is declared meanwhile.
    fn hold(&mut self, chance: &mut Chance) {
        let what = chance.pick(&["savepoints", "checkpoints", "starts", "ends"]).copied().unwrap_or("ends");
        self.say(&format!("hold {what}"));
        self.set("spec.job.parallelism", chance.between(1, 8));
        self.say(&format!("run {}ms", chance.between(1, 30_000)));
        self.say(&format!("release {what}"));
    }

    /// The object is deleted, maybe while somebody else holds it, and made again under its name.
    fn again(&mut self, chance: &mut Chance) {
        let name = self.name;
        if chance.once_in(HELD) {
            self.text.push_str(&held(name, chance.between(1, 30_000)));
        } else {
            self.say(&format!("delete {name}"));
        }
        self.say(&format!("await {name} gone within 15m"));
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
    fn seeds_have_looks_at_objects_answered_as_if_their_path_did_not_exist() {
        let aims: Vec<Aim> = (0..20_000).flat_map(|seed| aims(&mut Chance::new(seed))).collect();
        for name in ["GET flinkdeployments", "GET flinksessionjobs", "GET flinkstatesnapshots"] {
            let is_it = |aim: &Aim| matches!(&aim.at, At::Nth { call, .. } if call.name == name);
            assert!(aims.iter().any(|aim| aim.fault == Fault::Refuse(404) && is_it(aim)), "{name}");
        }
    }

    #[test]
    fn events_that_are_hit_come_after_the_first_revision() {
        let first = Store::new().revision();
        let mut aims = (0..2_000).flat_map(|seed| aims(&mut Chance::new(seed)));
        assert!(aims.all(|aim| !matches!(aim.at, At::Event { rev } if rev <= first)));
    }

    #[test]
    fn some_names_are_long_and_some_objects_are_held_by_others() {
        assert_eq!(LONG_NAME.len(), 45);
        let texts: Vec<String> = (0..500).map(|seed| case(seed, &[]).unwrap().script.text()).collect();
        assert!(texts.iter().all(|text| text.starts_with(LENIENT)));
        let release = format!("metadata.finalizers-={FOREIGN}");
        for wanted in [LONG_NAME, "deploy orders ", "session-job ", release.as_str()] {
            assert!(texts.iter().any(|text| text.contains(wanted)), "{wanted}");
        }
    }

    #[test]
    fn what_a_script_deletes_is_held_for_a_while() {
        let held = held_by_others("> run 1s\n> delete orders\n> delete other force\n");
        let expected = "> run 1s\n> set orders metadata.finalizers+=backup.example.com/hold\n> delete orders\n\
                        > run 3000ms\n> set orders metadata.finalizers-=backup.example.com/hold\n\
                        > delete other force\n";
        assert_eq!(held, expected);
        assert!(script::parse("one", &held).is_ok());
    }
}
