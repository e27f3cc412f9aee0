//! Whether every defence against a known loss is proven: `cargo xtask defences`.
//!
//! The table `defences.toml` names for each reference the text that is the defence, what stands in its place once the
//! defence is removed, and the test that must fail then. One after the other is removed in a copy of the workspace; the
//! workspace itself is never changed. A defence whose removal no test notices has *survived*, and is not proven.

pub mod outcome;
pub mod scratch;
pub mod table;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kobel_model::{Error, Result};

use self::outcome::{Outcome, Run};
use self::scratch::Scratch;
use self::table::{Defence, Table};

/// What the command line may say after `defences`.
pub const USAGE: &str = "cargo xtask defences [--target-dir DIRECTORY] [REFERENCE…]";

/// Removes the defences of the named references, or of all, and prints which tests noticed.
pub fn run(root: &Path, words: &[&str]) -> Result<ExitCode> {
    let (directory, references) = match words {
        ["--target-dir", directory, references @ ..] => (PathBuf::from(directory), references),
        references => (target_directory(root), references),
    };
    let table = Table::read(root)?;
    let problems = table.problems(root)?;
    if !problems.is_empty() {
        problems.iter().try_for_each(|problem| print(problem))?;
        return Ok(ExitCode::FAILURE);
    }
    let is_known = |word: &&&str| table.defences.iter().any(|defence| defence.reference == **word);
    if let Some(stranger) = references.iter().find(|word| !is_known(word)) {
        return Err(Error::invalid(format!("`{}` has no reference `{stranger}`", table::PATH)));
    }
    let is_asked = |defence: &&Defence| references.is_empty() || references.contains(&defence.reference.as_str());
    let defences: Vec<&Defence> = table.defences.iter().filter(is_asked).collect();
    let scratch = Scratch::make(root, &directory)?;
    let failed = failing_before(&scratch, &defences)?;
    if !failed.is_empty() {
        failed.iter().try_for_each(|test| print(&format!("{test} does not pass with its defence")))?;
        return Ok(ExitCode::FAILURE);
    }
    prove(&scratch, &defences)
}

/// Where builds go: where cargo was told, else where it puts them.
pub fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The tests that do not pass although nothing was removed.
fn failing_before<'a>(scratch: &Scratch, defences: &[&'a Defence]) -> Result<Vec<&'a str>> {
    let mut tests: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for defence in defences {
        tests.entry(&defence.package).or_default().push(&defence.test);
    }
    let mut failed = Vec::new();
    for (package, tests) in tests {
        let run = Run::of(scratch, package, &tests)?;
        for test in tests {
            match run.outcome(test) {
                Outcome::Passed => {}
                Outcome::Failed => failed.push(test),
                Outcome::NotRun(why) => {
                    print(&why)?;
                    failed.push(test);
                }
            }
        }
    }
    Ok(failed)
}

/// Removes one defence after the other.
fn prove(scratch: &Scratch, defences: &[&Defence]) -> Result<ExitCode> {
    let mut unproven = 0;
    for defence in defences {
        scratch.apply(&defence.changes)?;
        let run = Run::of(scratch, &defence.package, &[&defence.test]);
        scratch.restore(&defence.changes)?;
        let (word, why) = match run?.outcome(&defence.test) {
            Outcome::Failed => ("killed", None),
            Outcome::Passed => ("SURVIVED", None),
            Outcome::NotRun(why) => ("NOT RUN", Some(why)),
        };
        unproven += usize::from(word != "killed");
        print(&format!("{:<24} {word:<8} {}: {}", defence.reference, defence.test, defence.defence))?;
        why.map_or(Ok(()), |why| print(&why))?;
    }
    print(&format!("defences: {} removed, {unproven} not noticed", defences.len()))?;
    Ok(if unproven == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(line: &str) -> Result<()> {
    let printed = writeln!(std::io::stdout().lock(), "{line}");
    printed.map_err(|error| Error::io("cannot write to standard output", error))
}
