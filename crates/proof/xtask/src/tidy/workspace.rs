//! Reads the workspace: its manifest, its crates with their sources, its other texts. The only file access of tidy.

use std::fs;
use std::path::Path;

use kobel_model::{Error, Result};
use walkdir::{DirEntry, WalkDir};

use super::source::{SourceFile, Violation};

/// A text file that is read line by line.
pub struct TextFile {
    /// The path from the root of the workspace, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// A crate of the workspace.
pub struct Member {
    /// Its folder from the root: `crates/engine/sql`.
    pub folder: String,
    /// Its `Cargo.toml`.
    pub manifest: TextFile,
    /// Its Rust files, in order of path.
    pub files: Vec<SourceFile>,
}

/// Everything that is measured.
pub struct Workspace {
    /// The root `Cargo.toml`.
    pub manifest: TextFile,
    /// The crates, in order of folder.
    pub members: Vec<Member>,
    /// Every text file, sources included.
    pub texts: Vec<TextFile>,
}

/// Folders that hold no text of ours.
const SKIPPED: [&str; 5] = [".git", "target", ".kobel", "out", "node_modules"];
/// Endings of the files that count as text; a file without an ending, such as `.ci/run`, does too.
const TEXT_ENDINGS: [&str; 11] = ["rs", "toml", "md", "sql", "sh", "py", "yml", "yaml", "txt", "slt", "html"];

impl Workspace {
    /// Reads the workspace at `root`; files that are no Rust come back as violations.
    pub fn read(root: &Path) -> Result<(Self, Vec<Violation>)> {
        let texts = read_texts(root)?;
        let mut unreadable = Vec::new();
        let mut members = Vec::new();
        for manifest in texts.iter().filter(|text| is_member_manifest(&text.path)) {
            let folder = manifest.path.trim_end_matches("/Cargo.toml").to_owned();
            let inside = format!("{folder}/");
            let mut files = Vec::new();
            for text in texts.iter().filter(|text| text.path.starts_with(&inside) && text.path.ends_with(".rs")) {
                match SourceFile::parse(&text.path, text.text.clone()) {
                    Ok(file) => files.push(file),
                    Err(violation) => unreadable.push(violation),
                }
            }
            let manifest = TextFile { path: manifest.path.clone(), text: manifest.text.clone() };
            members.push(Member { folder, manifest, files });
        }
        let manifest = texts.iter().find(|text| text.path == "Cargo.toml");
        let manifest = manifest.ok_or_else(|| Error::invalid(format!("`{}` has no `Cargo.toml`", root.display())))?;
        let manifest = TextFile { path: manifest.path.clone(), text: manifest.text.clone() };
        Ok((Self { manifest, members, texts }, unreadable))
    }

    /// How many files are measured.
    pub fn file_count(&self) -> usize {
        self.texts.len()
    }
}

impl Member {
    /// The folder that says which floor the crate is on: `engine` of `crates/engine/sql`.
    pub fn room(&self) -> &str {
        self.folder.split('/').nth(1).unwrap_or_default()
    }

    /// The floor, from 1; `None` if the folder is on none.
    pub fn floor(&self) -> Option<u8> {
        floor_of(self.room())
    }
}

/// The floor of a folder below `crates`.
pub fn floor_of(room: &str) -> Option<u8> {
    match room {
        "model" => Some(1),
        "contracts" | "control" | "engine" => Some(2),
        "adapters" => Some(3),
        "services" => Some(4),
        "faces" | "proof" => Some(5),
        _ => None,
    }
}

fn is_member_manifest(path: &str) -> bool {
    path.starts_with("crates/") && path.ends_with("/Cargo.toml")
}

/// Reads every text file below `root`, in order of path.
fn read_texts(root: &Path) -> Result<Vec<TextFile>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours) {
        let entry = entry.map_err(|error| Error::invalid("cannot walk the workspace").with_source(error))?;
        if !entry.file_type().is_file() || !is_text(entry.path()) {
            continue;
        }
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let path = relative.to_string_lossy().replace('\\', "/");
        let bytes = fs::read(entry.path()).map_err(|error| Error::io(format!("cannot read `{path}`"), error))?;
        // A file without an ending may be data; text is what reads as text.
        if let Ok(text) = String::from_utf8(bytes) {
            texts.push(TextFile { path, text });
        }
    }
    Ok(texts)
}

fn is_ours(entry: &DirEntry) -> bool {
    let skipped = entry.depth() > 0 && entry.file_type().is_dir();
    !(skipped && entry.file_name().to_str().is_some_and(|name| SKIPPED.contains(&name)))
}

fn is_text(path: &Path) -> bool {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => TEXT_ENDINGS.contains(&ending),
        None => true,
    }
}
