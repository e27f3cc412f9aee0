//! The table of defences, and whether it still fits the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::{Error, Result};
use toml::{Table as Toml, Value};
use walkdir::WalkDir;

/// Where the table lies.
pub const PATH: &str = "crates/proof/xtask/defences.toml";
/// The page that tells users of every reference.
const PAGE: &str = "docs/concepts/lifecycle.md";

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The references that must have a defence.
    pub references: Vec<String>,
    /// The defences.
    pub defences: Vec<Defence>,
}

/// A defence and the test that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defence {
    /// What it is a defence against: `FLINK-39270`; after a colon stands which of several it is.
    pub reference: String,
    /// What it does, in words.
    pub defence: String,
    /// The package of the test.
    pub package: String,
    /// The name of the test, without its modules.
    pub test: String,
    /// What removes it.
    pub changes: Vec<Change>,
}

/// A text that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file, from the root of the workspace.
    pub file: String,
    /// The text, which stands in the file once.
    pub before: String,
    /// What takes its place.
    pub after: String,
}

impl Table {
    /// Reads the table of the workspace at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        Self::parse(&read(&root.join(PATH))?)
    }

    fn parse(text: &str) -> Result<Self> {
        let table: Toml = toml::from_str(text)
            .map_err(|error| Error::invalid(format!("`{PATH}` cannot be read as TOML")).with_source(error))?;
        let references = array(&table, "references")?;
        let references = references.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let defences = array(&table, "defence")?.iter().filter_map(Value::as_table).map(defence);
        Ok(Self { references, defences: defences.collect::<Result<_>>()? })
    }

    /// What does not fit the workspace at `root`.
    pub fn problems(&self, root: &Path) -> Result<Vec<String>> {
        let page = read(&root.join(PAGE))?;
        let mut found = self.unknown(&page);
        let packages = packages(root)?;
        for defence in &self.defences {
            let (reference, test) = (&defence.reference, &defence.test);
            for change in &defence.changes {
                let text = read(&root.join(&change.file))?;
                found.extend(misfit(change, &text).map(|why| format!("{reference}: {why}")));
            }
            if !test.starts_with(&named_after(reference)) {
                found.push(format!("{reference}: `{test}` is not named after it"));
            }
            match packages.get(&defence.package) {
                Some(folder) if has_test(folder, test)? => {}
                _ => found.push(format!("{reference}: package `{}` has no test `{test}`", defence.package)),
            }
        }
        Ok(found)
    }

    /// References without a defence or that no user is told of, and defences without a reference.
    fn unknown(&self, page: &str) -> Vec<String> {
        let mut found = Vec::new();
        for reference in &self.references {
            if !self.defences.iter().any(|defence| defence.reference == *reference) {
                found.push(format!("{reference} has no defence"));
            }
            if !page.contains(kind_of(reference)) {
                found.push(format!("{reference} does not stand in `{PAGE}`"));
            }
        }
        let strangers = self.defences.iter().filter(|defence| !self.references.contains(&defence.reference));
        found.extend(strangers.map(|defence| format!("{} is not listed", defence.reference)));
        found
    }
}

/// Why a change cannot be made in a file that says `text`; absent if it can.
pub fn misfit(change: &Change, text: &str) -> Option<String> {
    let Change { file, before, after } = change;
    match text.matches(before.as_str()).count() {
        _ if before == after => Some(format!("nothing is changed in `{file}`")),
        1 => None,
        count => Some(format!("`{file}` has {count} times, not once: {before}")),
    }
}

/// A reference without which of several it is.
fn kind_of(reference: &str) -> &str {
    reference.split_once(": ").map_or(reference, |(kind, _)| kind)
}

/// What the name of a test of `reference` begins with.
fn named_after(reference: &str) -> String {
    let kind = kind_of(reference).to_ascii_lowercase();
    kind.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).chain(['_']).collect()
}

fn defence(table: &Toml) -> Result<Defence> {
    let changes = array(table, "change")?.iter().filter_map(Value::as_table).map(|change| {
        Ok(Change { file: text(change, "file")?, before: text(change, "before")?, after: text(change, "after")? })
    });
    let changes: Vec<Change> = changes.collect::<Result<_>>()?;
    let reference = text(table, "reference")?;
    if changes.is_empty() {
        return Err(Error::invalid(format!("`{PATH}` does not say what removes the defence against {reference}")));
    }
    Ok(Defence {
        defence: text(table, "defence")?,
        package: text(table, "package")?,
        test: text(table, "test")?,
        reference,
        changes,
    })
}

fn text(table: &Toml, key: &str) -> Result<String> {
    let value = table.get(key).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Error::invalid(format!("an entry of `{PATH}` has no text `{key}`")))
}

fn array<'a>(table: &'a Toml, key: &str) -> Result<&'a Vec<Value>> {
    let value = table.get(key).and_then(Value::as_array);
    value.ok_or_else(|| Error::invalid(format!("`{PATH}`, or an entry of it, has no list `{key}`")))
}

/// The packages of the workspace and their folders.
fn packages(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for file in files(&root.join("crates"), "Cargo.toml")? {
        let manifest: Toml = toml::from_str(&read(&file)?).map_err(|error| {
            Error::invalid(format!("`{}` cannot be read as TOML", file.display())).with_source(error)
        })?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        if let (Some(name), Some(folder)) = (name, file.parent()) {
            found.insert(name.to_owned(), folder.to_owned());
        }
    }
    Ok(found)
}

/// Whether a library has a test of this name.
fn has_test(folder: &Path, test: &str) -> Result<bool> {
    let wanted = format!("fn {test}(");
    for file in files(&folder.join("src"), ".rs")? {
        if read(&file)?.contains(&wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files below `folder` whose path ends so.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let failed = |error| Error::invalid(format!("cannot walk `{}`", folder.display())).with_source(error);
        let path = entry.map_err(failed)?.into_path();
        if path.to_string_lossy().ends_with(ending) && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Error::io(format!("cannot read `{}`", path.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        references = ["FLINK-1", "defect seen: a", "FLINK-2"]
        [[defence]]
        reference = "FLINK-1"
        defence = "it looks before it leaps"
        package = "kobel-model"
        test = "flink_1_looks"
        [[defence.change]]
        file = "a.rs"
        before = "look();"
        after = ""
        [[defence]]
        reference = "FLINK-3"
        defence = "it waits"
        package = "kobel-model"
        test = "flink_3_waits"
        change = [{ file = "b.rs", before = "wait();", after = "" }]
    "#;

    #[test]
    fn every_defence_fits_the_sources() {
        let root = crate::workspace_root().unwrap();
        let table = Table::read(&root).unwrap();
        let problems = table.problems(&root).unwrap();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
        assert!(table.references.len() >= 50, "the table was found");
    }

    #[test]
    fn references_and_defences_belong_together() {
        let table = Table::parse(TABLE).unwrap();
        let found = table.unknown("| FLINK-1 | and a defect seen |");
        let expected = [
            "defect seen: a has no defence".to_owned(),
            "FLINK-2 has no defence".to_owned(),
            format!("FLINK-2 does not stand in `{PAGE}`"),
            "FLINK-3 is not listed".to_owned(),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_replaced_stands_in_its_file_once() {
        let change = |after: &str| Change { file: "a.rs".into(), before: "look();".into(), after: after.into() };
        for (text, after, fits) in [
            ("fn a() { look(); }", "", true),
            ("fn a() { look(); look(); }", "", false),
            ("fn a() { leap(); }", "", false),
            ("fn a() { look(); }", "look();", false),
        ] {
            assert_eq!(misfit(&change(after), text).is_none(), fits, "`{text}`, `{after}`");
        }
    }

    #[test]
    fn a_test_is_named_after_its_reference() {
        for (reference, beginning) in [
            ("FLINK-39270", "flink_39270_"),
            ("PR 245", "pr_245_"),
            ("java-operator-sdk#2046", "java_operator_sdk_2046_"),
            ("notes 1.7.0", "notes_1_7_0_"),
            ("defect seen: disposal", "defect_seen_"),
        ] {
            assert_eq!(named_after(reference), beginning);
        }
    }

    #[test]
    fn a_table_that_lacks_something_is_refused() {
        for (removed, missing) in [
            ("        before = \"look();\"\n", "`before`"),
            ("        test = \"flink_1_looks\"\n", "`test`"),
            ("        references = [\"FLINK-1\", \"defect seen: a\", \"FLINK-2\"]\n", "`references`"),
        ] {
            let error = Table::parse(&TABLE.replace(removed, "")).unwrap_err();
            assert!(error.to_string().contains(missing), "{error}");
        }
    }
}
