//! Files that only their owner may read, written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use kobel_model::{Error, Result};

/// Only the owner reads and writes.
const MODE: u32 = 0o600;

/// Writes a file with mode 0600: beside its place first, then moved there, so that nobody sees half of it.
pub fn write(path: &Path, text: &str) -> Result<()> {
    write_beside(path, text).map_err(|error| Error::io(format!("cannot write `{}`", path.display()), error))
}

/// Reads a file that only its owner should read, and takes the rights of others away if there are any; nothing if it is
/// not there.
pub fn read(path: &Path) -> Result<Option<String>> {
    let failed = |error| Error::io(format!("cannot read `{}`", path.display()), error);
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)?;
    }
    Ok(Some(text))
}

fn write_beside(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&name);
    let written = write_new(beside, text).and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // What is left of it would only be in the way; the first error is the one to tell.
        let _ = fs::remove_file(beside);
    }
    written?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A file that is there, even a link, is never written through.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
