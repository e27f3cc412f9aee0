//! What is told of runs: the log of one, a failure with everything that it takes to see it again, and figures.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::entry::{Entry, Happened};
use crate::script;
use crate::shrink::shrink;
use crate::sweep::outcome::{Case, Compared, Failure, Sweep};
use crate::world::World;

/// How many failures are named.
const TOLD_MAX: usize = 12;

/// Everything that happened in a run, a line for each entry.
pub fn log(world: &World) -> String {
    world.history.iter().map(|happened| format!("{}\n", line(happened))).collect()
}

fn line(happened: &Arc<Happened>) -> String {
    let (seconds, ms) = (happened.at_ms.div_euclid(1_000), happened.at_ms.rem_euclid(1_000));
    let what = match &happened.entry {
        Entry::Called(made) => format!("call {} of life {}: {}", made.n, made.life, made.call),
        Entry::Wrote { rev, verb, key, after, by, .. } => {
            let after = after.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{rev} {by:?} {verb:?} {key} {after}")
        }
        other => format!("{other:?}"),
    };
    format!("{seconds:>6}.{ms:03} {what}")
}

/// A failure as a script that shows it again, with what broke and what happened last before that.
pub fn explain(failure: &Failure) -> String {
    let Failure { case, broken, before, run } = failure;
    let (name, seed) = (&case.script.name, case.seed);
    let mut text = format!("`{}` is broken in `{name}` (seed {seed}, run {run}): {}\n", broken.invariant, broken.why);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "--- what happened last before {} ms", broken.at_ms);
    for happened in before {
        let _ = writeln!(text, "{}", short(&line(happened)));
    }
    let _ = writeln!(text, "--- as scripts/{}-found.txt", file_name(name));
    let _ = writeln!(text, "# {}: {}", broken.invariant, broken.why.lines().next().unwrap_or_default());
    if case.compared == Compared::WithFaultless && !case.aims.is_empty() {
        text.push_str("# Its end is compared with that of the same script without these faults.\n");
    }
    text.push_str(&scenario(case));
    text
}

/// A case as a script: whoever plays it plays that case, whatever the seed and the properties of the world are that it
/// is played in.
pub fn scenario(case: &Case) -> String {
    let mut text = format!("> {}\n", script::given(case.seed, case.knobs.as_ref()));
    for aim in &case.aims {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "> {}", script::aim(aim));
    }
    text.push_str(&case.script.text());
    text
}

/// A name as that of a file.
fn file_name(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The first part of a line.
fn short(line: &str) -> String {
    line.chars().take(240).collect()
}

/// What a sweep came to, in a line: `crashes: 12345 runs, 40.0 s, 308 runs/s, 210 virtual hours, 0 failures`.
pub fn summary(name: &str, sweep: &Sweep, seconds: f64) -> String {
    let rate = f64::from(sweep.runs) / seconds.max(0.001);
    let (runs, hours, failures) = (sweep.runs, sweep.virtual_ms / 3_600_000, sweep.failures.len());
    format!("{name}: {runs} runs, {seconds:.1} s, {rate:.0} runs/s, {hours} virtual hours, {failures} failures")
}

/// Everything about a sweep: its summary, the first failure made smaller and as a script, and the names of the others.
pub fn told(name: &str, sweep: &Sweep, seconds: f64) -> String {
    let mut text = format!("{}\n", summary(name, sweep, seconds));
    if let Some(first) = sweep.failures.first() {
        text.push_str(&failures(sweep, &shrink(first.clone())));
    }
    text
}

/// The first failure, first in the form that `cargo xtask planted` reads.
fn failures(sweep: &Sweep, shrunk: &Failure) -> String {
    let mut text = String::new();
    for (place, failure) in sweep.failures.iter().take(TOLD_MAX).enumerate() {
        let (invariant, name) = (failure.broken.invariant, &failure.case.script.name);
        let aims: Vec<String> = failure.case.aims.iter().map(script::aim).collect();
        let why = failure.broken.why.lines().next().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = match place {
            0 => write!(text, "found: {invariant} | {name} | {}\n{}", failure.run, explain(shrunk)),
            _ => writeln!(text, "also: `{invariant}` in `{name}` ({}): {}", aims.join("; "), short(why)),
        };
    }
    text
}

/// A range of seeds with what came of them.
#[derive(Debug, Clone, Copy)]
pub struct Seeds<'a> {
    /// The first.
    pub first: u64,
    /// The first that was not tried.
    pub end: u64,
    /// What came of them.
    pub sweep: &'a Sweep,
}

/// The figures as TOML, from which the page about reliability is made.
pub fn figures(seeds: Seeds<'_>, sweeps: &[(&str, Sweep)]) -> String {
    let mut text = String::from(
        "# Written by `cargo run --release --package kobel-sim --example seeds -- FROM..TO`.\n\n[seeds]\n",
    );
    let Seeds { first, end, sweep } = seeds;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "first = {first}\nend = {end}");
    figures_of(&mut text, sweep);
    let mut faults = sweep.faults.clone();
    for (kind, times) in sweeps.iter().flat_map(|(_, sweep)| &sweep.faults) {
        *faults.entry(*kind).or_default() += times;
    }
    text.push_str("\n[faults]\n");
    for (kind, times) in &faults {
        let _ = writeln!(text, "\"{kind}\" = {times}");
    }
    for (name, sweep) in sweeps {
        let _ = writeln!(text, "\n[[sweep]]\nname = \"{name}\"");
        figures_of(&mut text, sweep);
    }
    text
}

fn figures_of(text: &mut String, sweep: &Sweep) {
    let Sweep { runs, virtual_ms, calls, .. } = sweep;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "runs = {runs}\nvirtual_ms = {virtual_ms}\ncalls = {calls}");
    let _ = writeln!(text, "failures = {}", sweep.failures.len());
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::runtime::Builder;

    use super::*;
    use crate::broken::Broken;
    use crate::call::{Call, Port};
    use crate::fault::{Aim, At, Fault, Side};
    use crate::gate::Shared;
    use crate::seeds;
    use crate::world::Knobs;

    /// How many seeds are made twice.
    const SEEDS: u64 = 300;

    fn failure() -> Failure {
        let script = crate::script::parse("upgrade", "# Why.\n> deploy orders\n> run 3s\n").unwrap();
        let call = Call::of(Port::Host, "start", "default/orders").unwrap();
        let aim = Aim { at: At::Nth { call, nth: 2 }, fault: Fault::Crash(Side::After) };
        let broken = Broken { invariant: "settles", why: "it does not\nat all".to_owned(), entry: 0, at_ms: 12 };
        Failure { case: Case::of(&script).with(aim), broken, before: Vec::new(), run: 7 }
    }

    #[test]
    fn a_failure_is_told_as_a_script() {
        let sweep = Sweep { runs: 9, failures: vec![failure()], ..Sweep::default() };
        let text = failures(&sweep, &failure());
        assert!(text.starts_with("found: settles | upgrade | 7\n"), "{text}");
        let expected = "--- as scripts/upgrade-found.txt\n# settles: it does not\n\
                        # Its end is compared with that of the same script without these faults.\n> world seed=1\n\
                        > fault crash after at \"host start default/orders\" nth 2\n\
                        # Why.\n> deploy orders\n> run 3s\n";
        assert!(text.ends_with(expected), "{text}");
        assert!(summary("crashes", &sweep, 2.0).starts_with("crashes: 9 runs, 2.0 s, 4 runs/s"));
        assert_eq!(failures(&Sweep::default(), &failure()), "");
    }

    #[test]
    fn a_name_becomes_that_of_a_file() {
        assert_eq!(
            file_name("properties of FlinkDeployment: spec.job=null"),
            "properties-of-flinkdeployment-spec-job-null"
        );
        assert_eq!(file_name("seed-17"), "seed-17");
    }

    /// The world of a case when everything was done that is done at once, and what was drawn for the pauses of watches.
    fn begun(case: &Case) -> (World, u64) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut world = case.world();
            fastrand::seed(world.chance.draw());
            let shared = Shared::new(world);
            // It is at its end, or waits for something.
            let _ended = script::play(&shared).now_or_never();
            (shared.into_world(), fastrand::get_seed())
        })
    }

    /// A case that has something of everything.
    fn motley() -> Case {
        let script = script::parse("motley", "# Why.\n> world start=2s\n\n> deploy orders ha\n> run 3s\n").unwrap();
        let id = "0123456789abcdef".repeat(2);
        let of = |port, name: &str, about: &str| Call::of(port, name, about).unwrap();
        let calls = [
            of(Port::Rest, "POST /jobs/:id/stop", id.as_str()),
            of(Port::Rest, "GET /jobs/overview", ""),
            of(Port::Rest, "PATCH /jobs/:id", "*"),
            of(Port::Api, "LIST flinkdeployments", ""),
            of(Port::Api, "PUT flinkdeployments/status", "default/orders"),
            of(Port::Host, "program", "local:///opt/orders.jar"),
            of(Port::Host, "free ports", ""),
        ];
        let mut aims: Vec<Aim> =
            calls.map(|call| Aim { at: At::Nth { call, nth: 3 }, fault: Fault::Silent(Side::After) }).into();
        aims.extend([
            Aim { at: At::Time(0), fault: Fault::Close410 },
            Aim { at: At::Time(12_400), fault: Fault::Crash(Side::Before) },
            Aim { at: At::Call(17), fault: Fault::Ghost { ms: 700 } },
            Aim { at: At::Event { rev: 1_017 }, fault: Fault::Hold },
        ]);
        let knobs = Knobs { latency_ms: (0, 13), disk_skew_ms: -1_500, tracks_managers: true, ..Knobs::default() };
        Case { seed: u64::MAX, knobs: Some(knobs), aims, compared: Compared::Alone, ..Case::of(&script) }
    }

    #[test]
    fn a_case_that_was_printed_is_the_same_case_when_it_is_read() {
        let scripts = script::all();
        let drawn = (0..SEEDS).map(|seed| seeds::case(seed, &scripts).unwrap());
        for case in drawn.chain([failure().case, motley()]) {
            let printed = scenario(&case);
            let read = script::parse("found", &printed).unwrap_or_else(|why| panic!("{why}\n{printed}"));
            assert!(read.steps.ends_with(&case.script.steps), "{printed}");
            let again = Case::of(&read);
            assert_eq!(scenario(&again), format!("> world seed=1\n{printed}"));
            let ((expected, pauses), (found, pauses_again)) = (begun(&case), begun(&again));
            assert_eq!(format!("{:?}", found.knobs), format!("{:?}", expected.knobs), "{printed}");
            assert_eq!((&found.chance, pauses_again), (&expected.chance, pauses), "{printed}");
            assert_eq!(found.aims, expected.aims, "{printed}");
            assert_eq!(log(&found), log(&expected), "{printed}");
            let left = |world: &World| world.script.steps.len() - world.cursor.step;
            assert_eq!((left(&found), found.cursor.in_vain), (left(&expected), expected.cursor.in_vain), "{printed}");
        }
    }

    #[test]
    fn figures_add_up_the_faults_of_all() {
        let of = |kind: &'static str| Sweep { runs: 3, faults: [(kind, 3)].into(), ..Sweep::default() };
        let text = figures(Seeds { first: 0, end: 3, sweep: &of("conflict") }, &[("crashes", of("conflict"))]);
        assert!(text.contains("first = 0\nend = 3\nruns = 3\n") && text.contains("\"conflict\" = 6\n"), "{text}");
        assert!(text.contains("[[sweep]]\nname = \"crashes\"\nruns = 3\n"), "{text}");
    }
}
