//! Tries seeds, and sweeps over every scenario in every way, and writes down what came of it:
//! `cargo run --release --package kobel-sim --example seeds -- 0..100000`. With `in-turns` behind it, the sweeps try what
//! they try on every push.
//!
//! The figures go to `results/seeds.toml`, from which `cargo xtask docs` makes the page about reliability. What fails
//! is told as a script; the program ends with 1 then, and writes nothing down.

use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use kobel_sim::report::{self, Seeds};
use kobel_sim::script::{self, Script};
use kobel_sim::seeds;
use kobel_sim::sweep::properties::Kind;
use kobel_sim::sweep::{Depth, Sweep, crashes, faults, missed, over, properties, staleness};

/// Half of the time of a run goes into memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many seeds are tried between two lines about them.
const STRIDE: u64 = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let asked = match words.as_slice() {
        [range] => parsed(range).map(|range| (range, Depth::Every)),
        [range, "in-turns"] => parsed(range).map(|range| (range, Depth::Turns)),
        _ => None,
    };
    let Some((range, depth)) = asked else {
        eprintln!("usage: seeds FROM..TO [in-turns]");
        return ExitCode::from(2);
    };
    match run(range, depth) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parsed(range: &str) -> Option<Range<u64>> {
    let (from, to) = range.split_once("..")?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from < to).then_some(from..to)
}

fn run(range: Range<u64>, depth: Depth) -> io::Result<ExitCode> {
    let scripts = script::all();
    let mut tried = Sweep::default();
    let mut at = range.start;
    while at < range.end {
        let end = at.saturating_add(STRIDE).min(range.end);
        let begun = Instant::now();
        let found = seeds::sweep(at..end, &scripts);
        let is_well = told(&format!("seeds {at}..{end}"), &found, begun)?;
        tried.add(found);
        if !is_well {
            return Ok(ExitCode::FAILURE);
        }
        at = end;
    }
    let Some(sweeps) = swept(&scripts, depth)? else { return Ok(ExitCode::FAILURE) };
    let text = report::figures(Seeds { first: range.start, end: range.end, sweep: &tried }, &sweeps);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/seeds.toml");
    std::fs::write(&path, text)?;
    writeln!(io::stdout().lock(), "wrote results/seeds.toml")?;
    Ok(ExitCode::SUCCESS)
}

/// Every sweep; absent if one fails. The controller is killed at every call on every push too.
fn swept(scripts: &[Script], depth: Depth) -> io::Result<Option<Vec<(&'static str, Sweep)>>> {
    let every_property = || {
        let mut all = Sweep::default();
        Kind::ALL.into_iter().map(properties).for_each(|sweep| all.add(sweep));
        all
    };
    type Work<'a> = Box<dyn Fn() -> Sweep + 'a>;
    let sweeps: [(&'static str, Work<'_>); 5] = [
        ("the controller is killed at every call", Box::new(|| over(scripts, |script| crashes(script, Depth::Every)))),
        ("every answer goes wrong", Box::new(|| over(scripts, |script| faults(script, depth)))),
        ("reads are stale after every write", Box::new(|| over(scripts, |script| staleness(script, depth)))),
        ("every event goes wrong", Box::new(|| over(scripts, |script| missed(script, depth)))),
        ("every property is changed and put back", Box::new(every_property)),
    ];
    let mut done = Vec::new();
    for (name, work) in sweeps {
        let begun = Instant::now();
        let found = work();
        if !told(name, &found, begun)? {
            return Ok(None);
        }
        done.push((name, found));
    }
    Ok(Some(done))
}

/// Prints what a sweep came to; whether nothing broke.
fn told(name: &str, sweep: &Sweep, begun: Instant) -> io::Result<bool> {
    let text = report::told(name, sweep, begun.elapsed().as_secs_f64());
    write!(io::stdout().lock(), "{text}")?;
    Ok(sweep.failures.is_empty())
}
