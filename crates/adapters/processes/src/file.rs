//! Files that only their owner may read, replaced whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kobel_model::{Error, Result};

/// Makes a directory with its parents; those that are new belong to the owner alone.
pub fn create_directory(path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot create directory `{}`", path.display()), error);
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
}

/// Replaces a file: whoever reads it finds the old text or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, bytes, |_| Ok(()))
}

/// Replaces a file, and a power cut does not leave it torn either.
pub fn replace_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, bytes, File::sync_data)
}

fn put(path: &Path, bytes: &[u8], settle: impl FnOnce(&File) -> std::io::Result<()>) -> Result<()> {
    let failed = |error| Error::io(format!("cannot write `{}`", path.display()), error);
    let new = beside(path);
    let written =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            settle(&file)
        });
    written.and_then(|()| fs::rename(&new, path)).map_err(failed)
}

/// The name under which the new text is written. It is always the same one, so a crash leaves at most one behind.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// Removes a file if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Removes a directory with all that it holds if it is there; of a link only the link.
pub fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_replaced_file_is_whole_private_and_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/er/file");
        create_directory(path.parent().expect("a parent")).expect("made");
        for text in ["long old text", "new"] {
            replace_durably(&path, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().expect("a parent")).expect("listed").count(), 1);
        remove(&path).expect("removed");
        remove(&path).expect("removing what is gone is fine");
        assert!(!path.exists());
    }
}
