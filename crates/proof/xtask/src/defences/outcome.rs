//! Runs tests in the copy of the workspace, and reads what became of each.

use std::ffi::OsString;
use std::process::Command;

use kobel_model::{Error, Result};

use super::scratch::Scratch;

/// How many lines of errors of the compiler are shown.
const ERROR_LINES_MAX: usize = 12;

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not run to its end; why not.
    NotRun(String),
}

/// What a run of tests has printed.
pub struct Run {
    output: String,
    errors: String,
}

impl Run {
    /// Runs the tests of the library of `package` whose names hold one of `tests`.
    pub fn of(scratch: &Scratch, package: &str, tests: &[&str]) -> Result<Self> {
        Self::of_target(scratch, package, &["--lib"], tests)
    }

    /// Runs the tests of the suite of `package` of this name whose names hold `test`.
    pub fn of_suite(scratch: &Scratch, package: &str, suite: &str, test: &str) -> Result<Self> {
        Self::of_target(scratch, package, &["--test", suite], &[test])
    }

    fn of_target(scratch: &Scratch, package: &str, target: &[&str], tests: &[&str]) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
        // What a removed defence leaves unused is no error.
        flags.push(" --cap-lints=warn");
        let run = Command::new(cargo)
            .current_dir(&scratch.workspace)
            .env("CARGO_TARGET_DIR", &scratch.build)
            .env("CARGO_TERM_COLOR", "never")
            .env("RUSTFLAGS", flags)
            .args(["test", "--offline", "--package", package])
            .args(target)
            .arg("--")
            .args(tests)
            .output();
        let output = run.map_err(|error| Error::io("cannot run cargo", error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self { output: text(&output.stdout), errors: text(&output.stderr) })
    }

    /// What stands behind `beginning` in the first line that was printed with it.
    pub fn line(&self, beginning: &str) -> Option<&str> {
        self.output.lines().find_map(|line| line.strip_prefix(beginning))
    }

    /// What became of the test of this name.
    pub fn outcome(&self, test: &str) -> Outcome {
        let results = self.output.lines().filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "));
        let mut own = results.filter(|(path, _)| path.rsplit("::").next() == Some(test));
        match own.next() {
            Some((_, "ok")) => Outcome::Passed,
            Some((_, "FAILED")) => Outcome::Failed,
            Some((_, other)) => Outcome::NotRun(format!("`{test}` is {other}")),
            None => Outcome::NotRun(self.why_not_run()),
        }
    }

    /// The first errors of the compiler, or what was printed last.
    fn why_not_run(&self) -> String {
        let all: Vec<&str> = self.errors.lines().collect();
        let first = all.iter().position(|line| line.starts_with("error"));
        let first = first.unwrap_or_else(|| all.len().saturating_sub(ERROR_LINES_MAX));
        let shown = all.iter().skip(first).take(ERROR_LINES_MAX);
        shown.map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_of_a_test_is_that_of_its_own_line() {
        let run = Run {
            output: "running 3 tests\ntest a::tests::one ... ok\ntest a::tests::one_more ... FAILED\n\
                     test three ... ignored\n\nfailures:\n    a::tests::one_more\n"
                .to_owned(),
            errors: "   Compiling a\nerror[E0425]: no `x`\n --> src/a.rs\n".to_owned(),
        };
        assert_eq!(run.outcome("one"), Outcome::Passed);
        assert_eq!(run.outcome("one_more"), Outcome::Failed);
        assert_eq!(run.outcome("three"), Outcome::NotRun("`three` is ignored".to_owned()));
        let why = "    error[E0425]: no `x`\n     --> src/a.rs".to_owned();
        assert_eq!(run.outcome("more"), Outcome::NotRun(why));
        assert_eq!((run.line("running "), run.line("ran ")), (Some("3 tests"), None));
    }
}
