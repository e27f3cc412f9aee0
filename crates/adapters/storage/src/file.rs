//! Durable files: what these functions return for has reached the disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kobel_model::{Error, Result};

/// Writes a file so that it is there whole or not at all, even after a power cut.
///
/// # Errors
/// Denied, Missing or Unavailable if the directory cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    let temporary = temporary(path);
    let written = write_durably(&temporary, bytes).and_then(|()| fs::rename(&temporary, path).map_err(failed));
    if written.is_err() {
        // What is left of it is in nobody's way, but nobody needs it either.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// A name beside `path` that nobody else writes to: two processes may replace one file at the same moment.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Writes a new file and waits for the disk; a crash may leave a part of it.
///
/// # Errors
/// Denied, Missing or Unavailable if the directory cannot be written.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    let mut file = File::create(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Waits until renames and new names in a directory have reached the disk.
///
/// # Errors
/// Unavailable if the file system fails.
pub fn sync_directory(path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot sync directory `{}`", path.display()), error);
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// Makes a directory with its parents and checks that files can be made in it.
///
/// # Errors
/// Denied if it cannot be written.
pub fn create_writable_directory(path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write to directory `{}`", path.display()), error);
    create_durably(path).map_err(failed)?;
    let probe = path.join(format!(".probe-{}", std::process::id()));
    File::create(&probe).map_err(failed)?;
    fs::remove_file(&probe).map_err(failed)
}

/// Makes a directory with its parents, each name of which has reached the disk.
fn create_durably(path: &Path) -> std::io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    create_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        // A file is in the way.
        Err(_) if !path.is_dir() => return Err(std::io::ErrorKind::NotADirectory.into()),
        _ => {}
    }
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    File::open(parent).and_then(|directory| directory.sync_all())
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Missing or Denied if it cannot be opened, Corrupt if it is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |error| Error::io(format!("cannot read `{}`", path.display()), error);
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > limit {
        return Err(Error::corrupt(format!("`{}` has {length} bytes, more than {limit}", path.display())));
    }
    fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_replace_one_file_at_once_both_succeed_and_leave_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        std::thread::scope(|scope| {
            for text in ["one", "two"] {
                let path = &path;
                scope.spawn(move || (0..50).for_each(|_| write_atomically(path, text.as_bytes()).expect("writes")));
            }
        });
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text == "one" || text == "two", "{text}");
        assert_eq!(fs::read_dir(directory.path()).expect("a listing").count(), 1);
    }
}
