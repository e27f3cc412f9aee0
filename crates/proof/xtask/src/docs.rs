//! Generated reference pages: `docs/reference/settings.md` from the option catalogue, `docs/reference/resources.md` from
//! the schemas of the resources, `docs/reliability.md` from what the simulated world wrote down; and the definitions in the
//! chart, `deploy/helm/kobel/files/crds`, from the resources.
//!
//! All of them are checked in, and a test of each proves that it says what its source says.

mod definitions;
mod reliability;
mod resources;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use kobel_model::settings::{Engine, OptionEntry, ValueKind, catalogue};
use kobel_model::{Error, Result};

/// Where the page of the options lies.
const SETTINGS_PAGE: &str = "docs/reference/settings.md";

/// The generated pages: where each lies, and what it says.
fn pages(root: &Path) -> Result<Vec<(String, String)>> {
    let mut pages = vec![
        (SETTINGS_PAGE.to_owned(), settings_page()),
        (resources::PAGE.to_owned(), resources::page()),
        (reliability::PAGE.to_owned(), reliability::page(root)?),
    ];
    pages.extend(definitions::files());
    Ok(pages)
}

/// Writes the generated pages.
pub fn write(root: &Path) -> Result<ExitCode> {
    for (name, text) in pages(root)? {
        let page = root.join(&name);
        if let Some(folder) = page.parent() {
            let failed = |error| Error::io(format!("cannot make `{}`", folder.display()), error);
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&page, text).map_err(|error| Error::io(format!("cannot write `{name}`"), error))?;
        eprintln!("docs: wrote {name}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares the generated pages with what is checked in.
pub fn check(root: &Path) -> Result<ExitCode> {
    let mut outcome = ExitCode::SUCCESS;
    for (name, text) in pages(root)? {
        let found =
            fs::read_to_string(root.join(&name)).map_err(|error| Error::io(format!("cannot read `{name}`"), error))?;
        if found != text {
            eprintln!("docs: {name} is out of date; run `cargo xtask docs`");
            outcome = ExitCode::FAILURE;
        }
    }
    Ok(outcome)
}

/// The page of all options, in order of key, with a heading for each first word of a key.
fn settings_page() -> String {
    let mut page = String::from(PREFACE);
    let mut group = "";
    for entry in catalogue() {
        let first = entry.key.split('.').next().unwrap_or_default();
        if first != group {
            group = first;
            page.push_str(&format!("\n## {group}\n"));
        }
        describe(&mut page, entry);
    }
    page
}

const PREFACE: &str = "<!-- Made by `cargo xtask docs` from crates/model/src/settings/catalogue.toml: edit that. -->\n\
    # Settings\n\
    \n\
    Options are set in a script with `SET 'key' = 'value';`, on the command line with `--set key=value`; the command\n\
    line wins. Flink's options have Flink's names. A key that is not on this page is kept and reported; a value that an\n\
    option does not allow is an error. Keys are case-sensitive.\n";

/// One option: heading, description, facts.
fn describe(page: &mut String, entry: &OptionEntry) {
    page.push_str(&format!("\n### `{}`\n\n{}\n\n", entry.key, entry.description));
    let mut fact = |name: &str, text: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "- {name}: {text}");
    };
    fact("type", kind_of(entry));
    fact("default", entry.default.as_ref().map_or("none".to_owned(), |text| format!("`{text}`")));
    match (&entry.min, &entry.max) {
        (Some(min), Some(max)) => fact("allowed", format!("`{min}` to `{max}`")),
        (Some(min), None) => fact("allowed", format!("at least `{min}`")),
        (None, Some(max)) => fact("allowed", format!("at most `{max}`")),
        (None, None) => {}
    }
    fact("native engine", native_support(entry));
    if !entry.deprecated.is_empty() {
        fact("old spelling", quoted(&entry.deprecated));
    }
    fact("since", entry.since.clone());
}

fn kind_of(entry: &OptionEntry) -> String {
    match entry.kind {
        ValueKind::String => "text".to_owned(),
        ValueKind::Bool => "`true` or `false`".to_owned(),
        ValueKind::Int => "whole number".to_owned(),
        ValueKind::Double => "number".to_owned(),
        ValueKind::Duration => "duration, such as `10 s`".to_owned(),
        ValueKind::Memory => "memory size, such as `64 mb`".to_owned(),
        ValueKind::Enum => format!("one of {}", quoted(&entry.values)),
    }
}

fn native_support(entry: &OptionEntry) -> String {
    if !entry.honoured_by.contains(&Engine::Native) {
        "accepted, has no effect".to_owned()
    } else if entry.native_values.is_empty() {
        "honoured".to_owned()
    } else {
        format!("only {}", quoted(&entry.native_values))
    }
}

fn quoted(values: &[String]) -> String {
    format!("`{}`", values.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_page_is_up_to_date() {
        let root = crate::workspace_root().unwrap();
        let found = fs::read_to_string(root.join(SETTINGS_PAGE)).unwrap();
        assert!(found == settings_page(), "{SETTINGS_PAGE} is out of date; run `cargo xtask docs`");
    }

    #[test]
    fn an_option_is_described_with_all_its_facts() {
        let mut page = String::new();
        describe(&mut page, kobel_model::settings::entry("execution.checkpointing.num-retained").unwrap());
        assert!(page.contains("- default: `2`\n- allowed: `1` to `1000`\n- native engine: honoured\n"), "{page}");
        assert!(page.ends_with("- old spelling: `state.checkpoints.num-retained`\n- since: 0.1.0\n"), "{page}");
    }
}
