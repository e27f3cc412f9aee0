//! That nobody else reads or replaces the files of the store: Secrets are in them.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use kobel_model::{Error, ErrorKind, Result};

/// Only the owner reads and writes.
const MODE: u32 = 0o600;
/// The bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// The bits by which others write.
const OTHERS_WRITE: u32 = 0o022;
/// The bit of directories that everybody shares, such as `/tmp`.
const STICKY: u32 = 0o1000;
/// The bits that are permissions.
const PERMISSIONS: u32 = 0o7777;

/// The directory in which a file is.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Opens for writing; a file that is made belongs to its owner alone.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(MODE);
    options
}

/// Takes the right to write to the directory of a file away from others, who could put another file in its place.
/// A directory that everybody shares, or that is not ours to change, is refused.
pub fn secure_directory(path: &Path) -> Result<()> {
    let directory = directory_of(path);
    let failed = |error| Error::io(format!("cannot look at the directory `{}`", directory.display()), error);
    let mode = fs::metadata(directory).map_err(failed)?.permissions().mode() & PERMISSIONS;
    if mode & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let refused = || {
        let message = format!("others may write to the directory `{}` of the store", directory.display());
        Error::new(ErrorKind::Denied, message).with_hint("name a directory that only you can write to")
    };
    if mode & STICKY != 0 {
        return Err(refused());
    }
    let tightened = Permissions::from_mode(mode & !OTHERS_WRITE);
    fs::set_permissions(directory, tightened).map_err(|error| refused().with_source(error))?;
    let shown = directory.display();
    tracing::warn!(target: "kobel.store", directory = %shown, "others could write to this directory; now they cannot");
    Ok(())
}

/// Refuses a symbolic link, which may lead to a file of somebody else.
pub fn refuse_link(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            let message = format!("`{}` is a symbolic link", path.display());
            Err(Error::new(ErrorKind::Denied, message).with_hint("put the file itself there"))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot look at `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Takes the rights of others to a file away, if it is there.
pub fn secure_file(path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot keep others from `{}`", path.display()), error);
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)
}
