//! What the names of a process's files begin with: no two processes ever write to the same files.
//!
//! Rotation moves files that only one writer may know of. So a process holds a lock on a file of its own beside them;
//! one that finds it held takes names with its own number in them. The lock ends with the process, however it ends; its
//! empty file stays, since a file that is removed could be locked by two.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// A stem that nobody else uses as long as this is held.
#[derive(Debug)]
pub(crate) struct Stem {
    /// What names begin with.
    pub(crate) text: String,
    /// None where the file system knows no locks.
    _lock: Option<File>,
}

impl Stem {
    /// Takes `wanted`, or `<wanted>-<process id>` if another process has it; makes the directory.
    ///
    /// # Errors
    /// Whatever the file system says; `ResourceBusy` if this very process has both, `InvalidInput` if something other
    /// than a file is in the place of the lock.
    pub(crate) fn take(directory: &Path, wanted: &str) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let own = format!("{wanted}-{}", std::process::id());
        for text in [wanted.to_owned(), own] {
            let file = open(&directory.join(format!("{text}.lock")))?;
            match file.try_lock() {
                Ok(()) => return Ok(Self { text, _lock: Some(file) }),
                Err(TryLockError::WouldBlock) => {}
                // A log that may be shared is better than none.
                Err(TryLockError::Error(_)) => return Ok(Self { text, _lock: None }),
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "this process writes to it already"))
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A link would have a file made or held somewhere else.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "something other than a file is in place of the lock"));
    }
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_stem_is_held_by_one_and_free_when_it_is_let_go() {
        let directory = TempDir::new().unwrap();
        let take = || Stem::take(&directory.path().join("logs"), "kobel");
        let first = take().unwrap();
        assert_eq!(first.text, "kobel");
        let second = take().unwrap();
        assert_eq!(second.text, format!("kobel-{}", std::process::id()));
        assert_eq!(take().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        assert_eq!(take().unwrap().text, "kobel");
    }

    #[test]
    fn a_link_in_the_place_of_the_lock_is_refused() {
        let directory = TempDir::new().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, directory.path().join("kobel.lock")).unwrap();
        assert_eq!(Stem::take(directory.path(), "kobel").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(!elsewhere.exists());
    }
}
