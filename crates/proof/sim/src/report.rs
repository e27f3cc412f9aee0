//! What is told of runs: the log of one, a failure with everything that it takes to see it again, and figures.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::entry::{Entry, Happened};
use crate::fault::At;
use crate::script;
use crate::shrink::shrink;
use crate::sweep::outcome::{Failure, Sweep};
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
    let _ = writeln!(text, "--- as scripts/{name}-found.txt");
    let _ = writeln!(text, "# {}: {}", broken.invariant, broken.why.lines().next().unwrap_or_default());
    if let Some(knobs) = &case.knobs {
        let _ = writeln!(text, "# With {knobs:?}.");
    }
    for aim in &case.aims {
        let _ = match aim.at {
            At::Time(at) => writeln!(text, "# At {at} ms: {}", script::aim(aim)),
            _ => writeln!(text, "> {}", script::aim(aim)),
        };
    }
    text.push_str(&case.script.text());
    text
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
    use super::*;
    use crate::broken::Broken;
    use crate::call::{Call, Port};
    use crate::fault::{Aim, Fault, Side};
    use crate::sweep::outcome::Case;

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
        let expected =
            "> fault crash after at \"host start default/orders\" nth 2\n# Why.\n> deploy orders\n> run 3s\n";
        assert!(text.ends_with(expected), "{text}");
        assert!(summary("crashes", &sweep, 2.0).starts_with("crashes: 9 runs, 2.0 s, 4 runs/s"));
        assert_eq!(failures(&Sweep::default(), &failure()), "");
    }

    #[test]
    fn figures_add_up_the_faults_of_all() {
        let of = |kind: &'static str| Sweep { runs: 3, faults: [(kind, 3)].into(), ..Sweep::default() };
        let text = figures(Seeds { first: 0, end: 3, sweep: &of("conflict") }, &[("crashes", of("conflict"))]);
        assert!(text.contains("first = 0\nend = 3\nruns = 3\n") && text.contains("\"conflict\" = 6\n"), "{text}");
        assert!(text.contains("[[sweep]]\nname = \"crashes\"\nruns = 3\n"), "{text}");
    }
}
