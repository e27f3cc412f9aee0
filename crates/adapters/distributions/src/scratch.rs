//! The folder in which one installation is built; it is removed when it is dropped, whatever went wrong.
//!
//! There is one for each line, and whoever holds the lock of the line owns it: what is left of a process that was
//! killed is removed by the next.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_model::{Error, Result};

use crate::progress::{Progress, Watch, tell};

/// How long a lock that another holds is left alone before it is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// A folder of one installation, and the lock that makes it ours.
pub(crate) struct Scratch {
    folder: PathBuf,
    // The lock is let go when the file is closed, be it by the end of the process.
    _lock: File,
}

impl Scratch {
    /// Waits for the lock of `name` in `root` and makes the folder anew.
    ///
    /// # Errors
    /// Those of the file system; Unavailable if the wait is ended.
    pub(crate) fn begin(root: &Path, name: &str, watch: &Watch<'_>) -> Result<Self> {
        let lock = lock(&root.join(format!(".{name}.lock")), watch)?;
        let scratch = Self { folder: root.join(format!(".{name}.new")), _lock: lock };
        remove(&scratch.folder)?;
        make(&scratch.folder)?;
        Ok(scratch)
    }

    /// Where the distribution is built.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// A folder for what is fetched, made if it is not there.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn parcels(&self, of: &str) -> Result<PathBuf> {
        let folder = self.folder.join("parcels").join(of);
        make(&folder)?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next installation.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder with its parents.
///
/// # Errors
/// Those of the file system.
pub(crate) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(format!("cannot make `{}`", folder.display()), error))
}

/// Moves a file or a folder on one file system.
///
/// # Errors
/// Those of the file system.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot move `{}` to `{}`", from.display(), to.display()), error);
    fs::rename(from, to).map_err(failed)
}

/// What lies in a folder, in the order of the names.
///
/// # Errors
/// Those of the file system.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).and_then(|found| found.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> =
        listed.map_err(|error| Error::io(format!("cannot list `{}`", folder.display()), error))?;
    paths.sort();
    Ok(paths)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove what is left in `{}`", folder.display()), error))
        }
        _ => Ok(()),
    }
}

fn lock(path: &Path, watch: &Watch<'_>) -> Result<File> {
    let failed = |error| Error::io(format!("cannot lock `{}`", path.display()), error);
    let file = File::create(path).map_err(failed)?;
    let mut is_told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if is_told => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => is_told = true,
        }
        tell(watch, Progress::Waiting)?;
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_by_the_next() {
        let root = tempfile::tempdir().unwrap();
        let left = root.path().join(".2.3.new/home/half");
        fs::create_dir_all(&left).unwrap();
        let scratch = Scratch::begin(root.path(), "2.3", &|_| ControlFlow::Continue(())).unwrap();
        assert!(!left.exists());
        make(&scratch.home()).unwrap();
        let home = scratch.home();
        drop(scratch);
        assert!(!home.exists(), "a dropped one leaves nothing");
    }

    #[test]
    fn a_wait_for_another_installation_can_be_ended() {
        let root = tempfile::tempdir().unwrap();
        let first = Scratch::begin(root.path(), "2.3", &|_| ControlFlow::Continue(())).unwrap();
        let ended = Scratch::begin(root.path(), "2.3", &|progress| {
            assert_eq!(progress, Progress::Waiting);
            ControlFlow::Break(())
        });
        assert!(ended.is_err());
        assert!(first.folder.is_dir(), "it belongs to the first");
        drop(first);
        // A process that another test starts just now may hold the lock for a moment.
        assert!(Scratch::begin(root.path(), "2.3", &|_| ControlFlow::Continue(())).is_ok(), "the lock is free");
    }
}
