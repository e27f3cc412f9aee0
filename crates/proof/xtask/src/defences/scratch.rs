//! A copy of the workspace in which defences are removed, and the directory where it is built.
//!
//! The copy is kept, so that the next time only what has changed is built again.

use std::fs;
use std::path::{Path, PathBuf};

use kobel_model::{Error, Result};
use walkdir::{DirEntry, WalkDir};

use super::table::Change;

/// Folders of the workspace that no build needs.
const SKIPPED: [&str; 5] = [".git", "target", ".kobel", "out", "node_modules"];

/// The copy.
pub struct Scratch {
    root: PathBuf,
    /// Where the copy lies.
    pub workspace: PathBuf,
    /// Where it is built.
    pub build: PathBuf,
}

impl Scratch {
    /// Copies the workspace at `root` below `target`.
    pub fn make(root: &Path, target: &Path) -> Result<Self> {
        let failed = |error| Error::io(format!("cannot use `{}`", target.display()), error);
        let folder = std::path::absolute(target).map_err(failed)?.join("defences");
        let scratch = Self { root: root.to_owned(), workspace: folder.join("workspace"), build: folder.join("build") };
        let wanted = files(root, &folder)?;
        for path in &wanted {
            scratch.renew(path)?;
        }
        if scratch.workspace.exists() {
            for path in files(&scratch.workspace, &scratch.build)? {
                if wanted.binary_search(&path).is_err() {
                    let path = scratch.workspace.join(path);
                    fs::remove_file(&path)
                        .map_err(|error| Error::io(format!("cannot remove `{}`", path.display()), error))?;
                }
            }
        }
        Ok(scratch)
    }

    /// Removes a defence.
    pub fn apply(&self, changes: &[Change]) -> Result<()> {
        for change in changes {
            let path = self.workspace.join(&change.file);
            let text = fs::read_to_string(&path).map_err(|error| cannot_read(&path, error))?;
            write(&path, text.replacen(&change.before, &change.after, 1).as_bytes())?;
        }
        Ok(())
    }

    /// Puts a defence back.
    pub fn restore(&self, changes: &[Change]) -> Result<()> {
        changes.iter().try_for_each(|change| self.renew(Path::new(&change.file)))
    }

    /// Copies a file if the copy differs.
    fn renew(&self, path: &Path) -> Result<()> {
        let (from, to) = (self.root.join(path), self.workspace.join(path));
        let bytes = fs::read(&from).map_err(|error| cannot_read(&from, error))?;
        if fs::read(&to).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        write(&to, &bytes)
    }
}

/// The files below `root` in order, as paths from there; those of `aside` are left out.
fn files(root: &Path, aside: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let walk = WalkDir::new(root).into_iter().filter_entry(|entry| !is_left_out(entry, aside));
    for entry in walk {
        let failed = |error| Error::invalid(format!("cannot walk `{}`", root.display())).with_source(error);
        let entry = entry.map_err(failed)?;
        if let Ok(path) = entry.path().strip_prefix(root)
            && entry.file_type().is_file()
        {
            found.push(path.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

fn is_left_out(entry: &DirEntry, aside: &Path) -> bool {
    let is_folder_inside = entry.depth() > 0 && entry.file_type().is_dir();
    is_folder_inside && (entry.path() == aside || SKIPPED.iter().any(|name| entry.file_name() == *name))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot read `{}`", path.display()), error)
}
