//! Whatever is put in, the answer is an error that points at it: no panic, no hang, no memory without bounds.

mod rows;
mod script;
mod snapshots;

use std::path::Path;

use crate::kobel::{Ended, kobel_within_limits};

/// An error is read by a person: however long the input, it is no longer than this.
const STDERR_MAX: usize = 8_000;

/// Runs a script file of `directory` that must fail, and checks that the error holds all `parts`.
fn refuse_script(directory: &Path, script: &str, parts: &[&str]) {
    assert_refused(&kobel_within_limits(directory, &["run", "--quiet", script]), script, parts);
}

/// Runs SQL that must fail, and checks that the error holds all `parts`.
fn refuse_sql(directory: &Path, sql: &str, parts: &[&str]) {
    assert_refused(&kobel_within_limits(directory, &["run", "--quiet", "-e", sql]), sql, parts);
}

fn assert_refused(ended: &Ended, input: &str, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{input}: {}", ended.stderr);
    assert_explained(ended, input, parts);
}

/// Checks that the error holds all `parts`, that it is no bug, and that no row was printed.
fn assert_explained(ended: &Ended, input: &str, parts: &[&str]) {
    assert_eq!(ended.stdout, "", "{input}: {}", ended.stderr);
    assert!(ended.stderr.starts_with("error: "), "{input}: {}", ended.stderr);
    assert!(ended.stderr.len() <= STDERR_MAX, "{input}: {} bytes", ended.stderr.len());
    for part in parts {
        assert!(ended.stderr.contains(part), "`{part}` is missing for {input} in\n{}", ended.stderr);
    }
    for word in ["panicked", "internal error", "bug of Kobel"] {
        assert!(!ended.stderr.contains(word), "`{word}` for {input} in\n{}", ended.stderr);
    }
}
