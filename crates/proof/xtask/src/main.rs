//! Measures and generated pages of the workspace: `cargo xtask tidy`, `cargo xtask docs [--check]`; and whether each
//! defence against a known loss is proven: `cargo xtask defences`; and whether planted bugs are found: `cargo xtask
//! planted`.
//!
//! Ends with 0 if all is well, 1 if something is to be put right, 2 if the command line is wrong.

mod defences;
mod docs;
mod planted;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use kobel_model::{Error, Result, chain};

const USAGE: &str = "usage: cargo xtask tidy | cargo xtask docs [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = workspace_root().and_then(|root| match words.as_slice() {
        ["tidy"] => tidy::run(&root),
        ["docs"] => docs::write(&root),
        ["docs", "--check"] => docs::check(&root),
        ["defences", words @ ..] => defences::run(&root, words),
        ["planted", words @ ..] => planted::run(&root, words),
        _ => {
            eprintln!("{USAGE} | {} | {}", defences::USAGE, planted::USAGE);
            Ok(ExitCode::from(2))
        }
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {}", chain(&error));
        ExitCode::FAILURE
    })
}

/// The root of the workspace: cargo names this crate's folder, three below it, when it runs or tests the crate.
fn workspace_root() -> Result<PathBuf> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| Error::invalid("`CARGO_MANIFEST_DIR` is not set").with_hint("run `cargo xtask`"))?;
    let folder = PathBuf::from(folder);
    let root = folder.ancestors().nth(3);
    root.map(PathBuf::from).ok_or_else(|| Error::invalid(format!("`{}` is in no workspace", folder.display())))
}
