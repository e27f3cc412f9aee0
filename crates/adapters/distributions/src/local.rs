//! Distributions that lie on this machine: a folder that is copied, an archive that is unpacked.
//!
//! Jars are linked and not copied where that is possible: they are the most of it, and nobody edits a jar in place.

use std::fs;
use std::path::Path;

use kobel_model::{Error, ErrorKind, Result};
use sha2::Sha512;

use crate::checksum::{self, Checksum};
use crate::installed::OWN_FOLDER;
use crate::layout;
use crate::progress::{Progress, Watch, tell};
use crate::scratch::{Scratch, entries, make};
use crate::unpack;
use crate::version::Release;

/// What belongs to whoever used the folder before.
const LEFT_OUT: [&str; 2] = ["log", OWN_FOLDER];
/// How deep the folders of a distribution may be; a link to a folder above it would never end.
const DEPTH_MAX: usize = 32;

/// Copies or unpacks what lies at `path` into the scratch folder's home, and tells which release it is.
///
/// # Errors
/// Missing if there is nothing, Invalid if it is no distribution; those of the file system.
pub(crate) fn fetch(path: &Path, scratch: &Scratch, watch: &Watch<'_>) -> Result<(Release, Vec<Checksum>)> {
    let home = scratch.home();
    if path.is_dir() {
        // A folder that is none is refused before anything is copied.
        layout::release_of(path)?;
        copy(path, &home, watch)?;
        return Ok((layout::release_of(&home)?, Vec::new()));
    }
    if !path.is_file() {
        let message = format!("there is neither a folder nor an archive at `{}`", path.display());
        return Err(Error::new(ErrorKind::Missing, message));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    unpack::tgz(path, &home, watch)?;
    tell(watch, Progress::Checking { file: &name })?;
    let digest = format!("sha512:{}", checksum::of_file::<Sha512>(path)?);
    Ok((layout::release_of(&home)?, vec![Checksum { file: name, digest }]))
}

fn copy(from: &Path, to: &Path, watch: &Watch<'_>) -> Result<()> {
    make(to)?;
    for path in entries(from)? {
        let name = path.file_name().unwrap_or_default();
        if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            copy_entry(&path, &to.join(name), DEPTH_MAX, watch)?;
        }
    }
    Ok(())
}

fn copy_entry(from: &Path, to: &Path, depth: usize, watch: &Watch<'_>) -> Result<()> {
    tell(watch, Progress::Copying)?;
    let failed = |error| Error::io(format!("cannot copy `{}` to `{}`", from.display(), to.display()), error);
    if !from.is_dir() {
        let is_jar = from.extension().is_some_and(|extension| extension == "jar");
        // A link to a link would be as good as the place it points to.
        if is_jar && !from.is_symlink() && fs::hard_link(from, to).is_ok() {
            return Ok(());
        }
        return fs::copy(from, to).map(|_size| ()).map_err(failed);
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(format!("the folders in `{}` do not end", from.display())));
    };
    make(to)?;
    for path in entries(from)? {
        copy_entry(&path, &to.join(path.file_name().unwrap_or_default()), depth, watch)?;
    }
    Ok(())
}
