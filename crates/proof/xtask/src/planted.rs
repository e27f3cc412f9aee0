//! Whether the simulated world finds bugs that are planted: `cargo xtask planted`.
//!
//! The table `planted.toml` names for each bug the text that is changed and the test that must fail then. One after the
//! other is planted in the copy of the workspace that `defences` uses too; the workspace itself is changed only where
//! the findings are written down. A bug that no invariant notices is *missed*.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kobel_model::{Error, Result};
use toml::{Table as Toml, Value};

use crate::defences::outcome::{Outcome, Run};
use crate::defences::scratch::Scratch;
use crate::defences::table::{Change, misfit};
use crate::defences::target_directory;

/// What the command line may say after `planted`.
pub const USAGE: &str = "cargo xtask planted [--target-dir DIRECTORY] [WORD OF A NAME…]";
/// Where the table lies.
const PATH: &str = "crates/proof/xtask/planted.toml";
/// Where the findings are written.
const FINDINGS: &str = "crates/proof/sim/results/planted.toml";
/// The package and the suite of tests that look for the bugs.
const PACKAGE: &str = "kobel-sim";
const SUITE: &str = "sim";
/// What a sweep prints before what it found: the invariant, the scenario, and the number of runs, between bars.
const FOUND: &str = "found: ";

/// A bug.
#[derive(Debug)]
struct Planted {
    name: String,
    why: String,
    expected: String,
    test: String,
    changes: Vec<Change>,
}

/// What became of a bug.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    invariant: String,
    scenario: String,
    runs: i64,
}

/// Plants the bugs whose names hold one of the words, or all, and prints what found each.
pub fn run(root: &Path, words: &[&str]) -> Result<ExitCode> {
    let (directory, words) = match words {
        ["--target-dir", directory, words @ ..] => (PathBuf::from(directory), words),
        words => (target_directory(root), words),
    };
    let table = read(root)?;
    let problems = problems(root, &table)?;
    if !problems.is_empty() {
        problems.iter().try_for_each(|problem| print(problem))?;
        return Ok(ExitCode::FAILURE);
    }
    let is_asked = |planted: &&Planted| words.is_empty() || words.iter().any(|word| planted.name.contains(word));
    let asked: Vec<&Planted> = table.iter().filter(is_asked).collect();
    if asked.is_empty() {
        return Err(Error::invalid(format!("`{PATH}` has no bug whose name holds one of `{}`", words.join("`, `"))));
    }
    let scratch = Scratch::make(root, &directory)?;
    if !passes_without(&scratch, &asked)? {
        return Ok(ExitCode::FAILURE);
    }
    let mut findings = Vec::new();
    let mut missed = 0;
    for planted in &asked {
        let finding = plant(&scratch, planted)?;
        missed += usize::from(finding.is_none());
        findings.push((*planted, finding));
    }
    print(&format!("planted: {} bugs, {missed} missed", asked.len()))?;
    // What was asked for in part says nothing of the others.
    if words.is_empty() {
        let path = root.join(FINDINGS);
        fs::write(&path, told(&findings)).map_err(|error| Error::io(format!("cannot write `{FINDINGS}`"), error))?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the tests pass while nothing is planted.
fn passes_without(scratch: &Scratch, asked: &[&Planted]) -> Result<bool> {
    let mut tests: Vec<&str> = asked.iter().map(|planted| planted.test.as_str()).collect();
    tests.sort_unstable();
    tests.dedup();
    for test in tests {
        match Run::of_suite(scratch, PACKAGE, SUITE, test)?.outcome(test) {
            Outcome::Passed => {}
            Outcome::Failed => {
                print(&format!("{test} does not pass with nothing planted"))?;
                return Ok(false);
            }
            Outcome::NotRun(why) => {
                print(&format!("{test} does not run:\n{why}"))?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Plants one bug; what found it, absent if nothing did.
fn plant(scratch: &Scratch, planted: &Planted) -> Result<Option<Finding>> {
    scratch.apply(&planted.changes)?;
    let run = Run::of_suite(scratch, PACKAGE, SUITE, &planted.test);
    scratch.restore(&planted.changes)?;
    let run = run?;
    let finding = match run.outcome(&planted.test) {
        Outcome::Passed => None,
        Outcome::Failed => run.line(FOUND).and_then(finding),
        Outcome::NotRun(why) => {
            print(&why)?;
            None
        }
    };
    print(&match &finding {
        Some(found) => {
            let Finding { invariant, scenario, runs } = found;
            format!("found   {}: `{invariant}` in `{scenario}` after {runs} runs", planted.name)
        }
        None => format!("MISSED  {}: `{}` was expected", planted.name, planted.expected),
    })?;
    Ok(finding)
}

/// Reads `INVARIANT | SCENARIO | RUNS`.
fn finding(text: &str) -> Option<Finding> {
    let mut parts = text.split(" | ").map(str::trim);
    let (invariant, scenario) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(Finding { invariant, scenario, runs: parts.next()?.parse().ok()? })
}

/// The findings as TOML.
fn told(findings: &[(&Planted, Option<Finding>)]) -> String {
    let rows = findings.iter().map(|(planted, finding)| {
        let mut row = Toml::new();
        row.insert("name".to_owned(), Value::String(planted.name.clone()));
        row.insert("why".to_owned(), Value::String(planted.why.clone()));
        if let Some(found) = finding {
            row.insert("invariant".to_owned(), Value::String(found.invariant.clone()));
            row.insert("scenario".to_owned(), Value::String(found.scenario.clone()));
            row.insert("runs".to_owned(), Value::Integer(found.runs));
        }
        Value::Table(row)
    });
    let mut table = Toml::new();
    table.insert("planted".to_owned(), Value::Array(rows.collect()));
    format!("# Written by `cargo xtask planted`.\n\n{table}")
}

fn read(root: &Path) -> Result<Vec<Planted>> {
    let path = root.join(PATH);
    let text = fs::read_to_string(&path).map_err(|error| Error::io(format!("cannot read `{PATH}`"), error))?;
    let table: Toml = toml::from_str(&text)
        .map_err(|error| Error::invalid(format!("`{PATH}` cannot be read as TOML")).with_source(error))?;
    tables(&table, "planted")?.into_iter().map(planted).collect()
}

fn planted(table: &Toml) -> Result<Planted> {
    let changes = tables(table, "change")?.into_iter().map(|change| {
        Ok(Change { file: text(change, "file")?, before: text(change, "before")?, after: text(change, "after")? })
    });
    Ok(Planted {
        name: text(table, "name")?,
        why: text(table, "why")?,
        expected: text(table, "expected")?,
        test: text(table, "test")?,
        changes: changes.collect::<Result<_>>()?,
    })
}

/// What does not fit the workspace at `root`.
fn problems(root: &Path, table: &[Planted]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for planted in table {
        for change in &planted.changes {
            let failed = |error| Error::io(format!("cannot read `{}`", change.file), error);
            let text = fs::read_to_string(root.join(&change.file)).map_err(failed)?;
            found.extend(misfit(change, &text).map(|why| format!("{}: {why}", planted.name)));
        }
    }
    Ok(found)
}

fn text(table: &Toml, key: &str) -> Result<String> {
    let value = table.get(key).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Error::invalid(format!("an entry of `{PATH}` has no text `{key}`")))
}

fn tables<'a>(table: &'a Toml, key: &str) -> Result<Vec<&'a Toml>> {
    let value = table.get(key).and_then(Value::as_array);
    let value = value.ok_or_else(|| Error::invalid(format!("`{PATH}`, or an entry of it, has no list `{key}`")))?;
    Ok(value.iter().filter_map(Value::as_table).collect())
}

fn print(line: &str) -> Result<()> {
    let printed = writeln!(std::io::stdout().lock(), "{line}");
    printed.map_err(|error| Error::io("cannot write to standard output", error))
}

#[cfg(test)]
mod tests {
    use walkdir::WalkDir;

    use super::*;

    /// How many bugs there have to be.
    const BUGS_MIN: usize = 15;

    #[test]
    fn every_planted_bug_fits_the_sources() {
        let root = crate::workspace_root().unwrap();
        let table = read(&root).unwrap();
        let problems = problems(&root, &table).unwrap();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
        assert!(table.len() >= BUGS_MIN, "there are {}", table.len());
        for (index, planted) in table.iter().enumerate() {
            assert!(!planted.changes.is_empty(), "{} changes nothing", planted.name);
            assert!(table[..index].iter().all(|other| other.name != planted.name), "{} stands twice", planted.name);
        }
    }

    /// The sources below a folder, one after the other; tests among them are left out.
    fn sources(folder: &Path) -> String {
        let paths = WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
        let is_source = |path: &PathBuf| path.extension().is_some_and(|is| is == "rs") && !path.ends_with("tests.rs");
        paths.filter(is_source).map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn every_planted_bug_names_an_invariant_and_a_test_that_there_are() {
        let root = crate::workspace_root().unwrap();
        let invariants = sources(&root.join("crates/proof/sim/src"));
        let tests = sources(&root.join("crates/proof/sim/tests"));
        for planted in read(&root).unwrap() {
            let Planted { name, expected, test, .. } = &planted;
            assert!(invariants.contains(&format!("\"{expected}\"")), "{name}: there is no invariant `{expected}`");
            assert!(tests.contains(&format!("fn {test}()")), "{name}: there is no test `{test}`");
        }
    }

    #[test]
    fn what_a_sweep_prints_is_read() {
        let found = finding("one_job_per_lineage | upgrade-savepoint-healthy | 211").unwrap();
        assert_eq!((found.invariant.as_str(), found.runs), ("one_job_per_lineage", 211));
        assert_eq!(finding("one_job_per_lineage | upgrade | many"), None);
        assert_eq!(finding("nothing"), None);
    }

    #[test]
    fn findings_are_written_so_that_they_can_be_read() {
        let bug = Planted {
            name: "a \"bug\"".to_owned(),
            why: "because".to_owned(),
            expected: "convergence".to_owned(),
            test: "every_seed_holds".to_owned(),
            changes: Vec::new(),
        };
        let table: Toml = toml::from_str(&told(&[(&bug, finding("convergence | seed-7 | 7")), (&bug, None)])).unwrap();
        let rows = tables(&table, "planted").unwrap();
        assert_eq!(text(rows[0], "name").unwrap(), bug.name);
        assert_eq!(rows[0].get("runs").and_then(Value::as_integer), Some(7));
        assert!(!rows[1].contains_key("invariant"));
    }
}
