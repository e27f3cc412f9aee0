//! Durable files: what these functions return for has reached the disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use kobel_model::{Error, Result};

/// Writes a file so that it is there whole or not at all, even after a power cut.
///
/// # Errors
/// Denied, Missing or Unavailable if the directory cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    write_durably(&temporary, bytes)?;
    fs::rename(&temporary, path).map_err(failed)?;
    path.parent().map_or(Ok(()), sync_directory)
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
