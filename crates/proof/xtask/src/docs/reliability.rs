//! `docs/reliability.md`: what the simulated world has run the controller through, and what it found. Every figure is
//! read from what the runs themselves wrote down.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kobel_model::{Error, Result};
use toml::{Table as Toml, Value};

/// Where the page lies.
pub(super) const PAGE: &str = "docs/reliability.md";
/// The folder of the simulated world.
const SIM: &str = "crates/proof/sim";

const PREFACE: &str = "<!-- Made by `cargo xtask docs` from crates/proof/sim/results: change those. -->\n\
    # Reliability\n\
    \n\
    The controller is run against a simulated API server, machine, Flink REST API and clock. Everything above those\n\
    seams is the code that runs in production. A run is a function of its seed: the same seed gives the same log,\n\
    byte for byte. Time is virtual, so a savepoint that takes a minute costs nothing.\n\
    \n\
    At every write invariants are checked: never two clusters of one deployment, never a stateful job started\n\
    without its state unless that was asked for, no snapshot lost that is needed, a reason told whenever something\n\
    is not as declared. In the end everything settles, is as it would be without the faults, and then nothing is\n\
    written any more. The invariants stand in `crates/proof/sim/src/invariants`.\n";

/// What a sweep is.
const SWEEPS: &str = "\n## Sweeps\n\n\
    A sweep puts one fault at every place of every scenario: the controller is killed before and after each of its\n\
    calls, or so that the call arrives only in its next life; each answer is lost, never given, or a refusal; what\n\
    it reads is out of date after each write; each event of a watch is kept, told twice, or late; each field of a\n\
    spec is changed, emptied, made invalid, and put back.\n\n";
/// What a seed is.
const SEEDS: &str = "\n## Seeds\n\n\
    A seed draws a scenario or a sequence of commands, latencies, and up to four faults.\n\n";
/// What planted bugs are.
const PLANTED: &str = "\n## Planted bugs\n\n\
    What finds nothing proves nothing: `cargo xtask planted` changes the controller in a copy of the workspace, one\n\
    bug after the other, and wants each to be found.\n\n";

/// What was written down of the runs.
struct Results {
    scripts: usize,
    seeds: Toml,
    planted: Toml,
    defects: Toml,
}

/// The page.
pub(super) fn page(root: &Path) -> Result<String> {
    let sim = root.join(SIM);
    let results = Results {
        scripts: scripts(&sim.join("scripts")),
        seeds: table(&sim.join("results/seeds.toml"))?,
        planted: table(&sim.join("results/planted.toml"))?,
        defects: table(&sim.join("results/defects.toml"))?,
    };
    Ok(describe(&results))
}

/// How many scenarios there are.
fn scripts(folder: &Path) -> usize {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    names.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).count()
}

fn table(path: &Path) -> Result<Toml> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| Error::io(format!("cannot read `{shown}`"), error))?;
    toml::from_str(&text).map_err(|error| Error::invalid(format!("`{shown}` is not TOML")).with_source(error))
}

fn describe(results: &Results) -> String {
    let mut page = String::from(PREFACE);
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "\n## Scenarios\n\n{} scripts with golden transcripts stand in `{SIM}/scripts`; `cargo test -p kobel-sim` plays \
         each.\n",
        results.scripts
    );
    sweeps(&mut page, &results.seeds);
    seeds(&mut page, &results.seeds);
    faults(&mut page, &results.seeds);
    planted(&mut page, &results.planted);
    defects(&mut page, &results.defects);
    page
}

fn sweeps(page: &mut String, results: &Toml) {
    page.push_str(SWEEPS);
    let rows = rows(results.get("sweep"));
    if rows.is_empty() {
        page.push_str("No sweep is recorded yet.\n");
        return;
    }
    page.push_str("| sweep | runs | virtual hours | failures |\n|---|---|---|---|\n");
    for row in rows {
        let (name, runs) = (word(row, "name"), grouped(count(row, "runs")));
        let (hours, failures) = (hours(row), grouped(count(row, "failures")));
        let _ = writeln!(page, "| {name} | {runs} | {hours} | {failures} |");
    }
}

fn seeds(page: &mut String, results: &Toml) {
    page.push_str(SEEDS);
    let Some(seeds) = results.get("seeds").and_then(Value::as_table).filter(|seeds| !seeds.is_empty()) else {
        page.push_str("No seeds are recorded yet.\n");
        return;
    };
    let (first, end) = (count(seeds, "first"), count(seeds, "end"));
    let _ = writeln!(
        page,
        "{} seeds ({first} to {}), {} virtual hours, {} calls of the controller, {} failures.",
        grouped(end.saturating_sub(first)),
        end.saturating_sub(1),
        hours(seeds),
        grouped(count(seeds, "calls")),
        grouped(count(seeds, "failures"))
    );
}

fn faults(page: &mut String, results: &Toml) {
    page.push_str("\n## Faults injected\n\n");
    let Some(faults) = results.get("faults").and_then(Value::as_table).filter(|faults| !faults.is_empty()) else {
        page.push_str("No faults are recorded yet.\n");
        return;
    };
    page.push_str("Over all sweeps and seeds.\n\n| fault | times |\n|---|---|\n");
    for name in faults.keys() {
        let _ = writeln!(page, "| {name} | {} |", grouped(count(faults, name)));
    }
}

fn planted(page: &mut String, results: &Toml) {
    page.push_str(PLANTED);
    let rows = rows(results.get("planted"));
    if rows.is_empty() {
        page.push_str("No planted bugs are recorded yet.\n");
        return;
    }
    let found = rows.iter().filter(|row| row.contains_key("invariant")).count();
    let _ = writeln!(page, "{found} of {} were found.\n", rows.len());
    page.push_str("| bug | what it does | found by | in | after runs |\n|---|---|---|---|---|\n");
    for row in rows {
        let _ = match row.get("invariant").and_then(Value::as_str) {
            Some(invariant) => writeln!(
                page,
                "| {} | {} | `{invariant}` | `{}` | {} |",
                word(row, "name"),
                word(row, "why"),
                word(row, "scenario"),
                grouped(count(row, "runs"))
            ),
            None => writeln!(page, "| {} | {} | not found | | |", word(row, "name"), word(row, "why")),
        };
    }
}

fn defects(page: &mut String, results: &Toml) {
    page.push_str("\n## Defects found and fixed\n\n");
    let rows = rows(results.get("defect"));
    if rows.is_empty() {
        page.push_str("No defects are recorded yet.\n");
        return;
    }
    page.push_str("| defect | kept out by | fixed by |\n|---|---|---|\n");
    for row in rows {
        let _ = writeln!(page, "| {} | `{}` | {} |", word(row, "what"), word(row, "scenario"), word(row, "commit"));
    }
}

fn rows(value: Option<&Value>) -> Vec<&Toml> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table).collect()
}

fn word(row: &Toml, key: &str) -> String {
    row.get(key).and_then(Value::as_str).unwrap_or_default().replace('|', "\\|")
}

fn count(row: &Toml, key: &str) -> i64 {
    row.get(key).and_then(Value::as_integer).unwrap_or_default()
}

/// Whole hours of virtual time.
fn hours(row: &Toml) -> String {
    grouped(count(row, "virtual_ms") / 3_600_000)
}

/// `12345` as `12,345`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(seeds: &str, planted: &str, defects: &str) -> Results {
        let read = |text: &str| toml::from_str(text).unwrap();
        Results { scripts: 61, seeds: read(seeds), planted: read(planted), defects: read(defects) }
    }

    #[test]
    fn the_page_is_up_to_date() {
        let root = crate::workspace_root().unwrap();
        let found = fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(found == page(&root).unwrap(), "{PAGE} is out of date; run `cargo xtask docs`");
    }

    #[test]
    fn what_was_not_run_is_not_told() {
        let page = describe(&results("[seeds]\n[faults]\n", "planted = []", "defect = []"));
        for expected in ["61 scripts", "No sweep", "No seeds", "No faults", "No planted bugs", "No defects"] {
            assert!(page.contains(expected), "{expected} in\n{page}");
        }
    }

    #[test]
    fn what_was_run_is_told_with_its_figures() {
        let seeds = "sweep = [{ name = \"crashes\", runs = 12345, virtual_ms = 7200000, failures = 0 }]\n\
            [seeds]\nfirst = 0\nend = 100000\nvirtual_ms = 3600000\ncalls = 1000\nfailures = 0\n\
            [faults]\n\"crash before\" = 7000\n";
        let planted = "planted = [{ name = \"a\", why = \"b\", invariant = \"c\", scenario = \"d\", runs = 1200 }, \
            { name = \"e\", why = \"f\" }]";
        let page =
            describe(&results(seeds, planted, "defect = [{ what = \"x|y\", scenario = \"s\", commit = \"c\" }]"));
        for expected in [
            "| crashes | 12,345 | 2 | 0 |\n",
            "100,000 seeds (0 to 99999), 1 virtual hours, 1,000 calls",
            "| crash before | 7,000 |\n",
            "1 of 2 were found.",
            "| a | b | `c` | `d` | 1,200 |\n| e | f | not found | | |\n",
            "| x\\|y | `s` | c |\n",
        ] {
            assert!(page.contains(expected), "{expected} in\n{page}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (-123_456, "-123,456"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
