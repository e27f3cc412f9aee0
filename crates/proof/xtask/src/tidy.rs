//! The measures that every file of the workspace keeps; one module for each family of measures.
//!
//! A measure is a pure function from sources to violations; reading the workspace is `workspace`'s part alone. Limits
//! stand beside the measure that enforces them. There is no way to switch a measure off for one place.

mod attributes;
mod header;
mod knots;
mod manifests;
mod panics;
mod paths;
mod purity;
mod signatures;
mod size;
mod source;
mod texts;
mod workspace;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use kobel_model::{Error, Result};

use self::source::Violation;
use self::workspace::Workspace;

/// Measures the workspace at `root` and prints what breaks a limit.
pub fn run(root: &Path) -> Result<ExitCode> {
    let (workspace, unreadable) = Workspace::read(root)?;
    let files = workspace.file_count();
    let mut found = unreadable;
    found.extend(measure(&workspace));
    found.sort();
    let mut out = std::io::stdout().lock();
    let cannot_print = |error| Error::io("cannot write to standard output", error);
    for violation in &found {
        writeln!(out, "{violation}").map_err(cannot_print)?;
    }
    writeln!(out, "tidy: {files} files, {} violations", found.len()).map_err(cannot_print)?;
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every violation of every measure.
fn measure(workspace: &Workspace) -> Vec<Violation> {
    let mut found = manifests::workspace(&workspace.manifest);
    for member in &workspace.members {
        found.extend(manifests::member(member, &workspace.members));
        found.extend(size::of_crate(member));
        found.extend(knots::circles(member));
        for file in &member.files {
            found.extend(header::check(file));
            found.extend(size::of_file(file));
            found.extend(signatures::check(file));
            found.extend(panics::check(file));
            found.extend(attributes::check(file));
            found.extend(purity::check(file, member.floor()));
        }
    }
    for text in &workspace.texts {
        found.extend(texts::check(text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let root = crate::workspace_root().unwrap();
        let (workspace, mut found) = Workspace::read(&root).unwrap();
        found.extend(measure(&workspace));
        let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
        assert!(workspace.file_count() > 10, "the workspace was found");
    }
}
