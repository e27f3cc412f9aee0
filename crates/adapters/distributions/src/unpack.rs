//! Archives of files, unpacked: nothing is written outside of the folder that is meant, whatever the archive says.
//!
//! Links and devices are refused, for a distribution has none, and a link could lead the next file astray.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use kobel_model::{Error, ErrorKind, Result};
use tar::{Archive, Entry};

use crate::layout::make_executable;
use crate::progress::{Progress, Watch, tell};

/// The most that an archive may hold.
const SIZE_MAX: u64 = 8 << 30;

/// Unpacks a `.tgz` whose only top folder becomes `folder`.
///
/// # Errors
/// Corrupt if the archive is damaged or reaches out of the folder; those of the file system.
pub(crate) fn tgz(archive: &Path, folder: &Path, watch: &Watch<'_>) -> Result<()> {
    let failed = |error: io::Error| damaged(archive, error);
    let file = File::open(archive).map_err(|error| Error::io(format!("cannot open `{}`", archive.display()), error))?;
    let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut entries = Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut size = 0_u64;
    for entry in entries.entries().map_err(failed)? {
        tell(watch, Progress::Unpacking { file: &name })?;
        let mut entry = entry.map_err(failed)?;
        size = size.saturating_add(entry.size());
        if size > SIZE_MAX {
            return Err(Error::corrupt(format!("`{}` holds more than {SIZE_MAX} bytes", archive.display())));
        }
        let path = entry.path().map_err(failed)?.into_owned();
        if let Some(place) = place_of(&path, archive)? {
            unpack(&mut entry, &folder.join(place), archive)?;
        }
    }
    Ok(())
}

fn unpack<R: io::Read>(entry: &mut Entry<'_, R>, to: &Path, archive: &Path) -> Result<()> {
    let failed = |error: io::Error| Error::io(format!("cannot write `{}`", to.display()), error);
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(());
    }
    if kind.is_dir() {
        return fs::create_dir_all(to).map_err(failed);
    }
    if !kind.is_file() {
        let message = format!("`{}` holds `{}`, which is neither a file nor a folder", archive.display(), to.display());
        return Err(Error::corrupt(message));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = File::create(to).map_err(failed)?;
    // Reading and writing fail in one call; most often it is the archive that is cut short.
    io::copy(entry, &mut file).map_err(|error| damaged(archive, error))?;
    let is_executable = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
    if is_executable { make_executable(to) } else { Ok(()) }
}

/// The place of an entry below the top folder; none for that folder itself.
fn place_of(path: &Path, archive: &Path) -> Result<Option<PathBuf>> {
    let mut place = PathBuf::new();
    let mut depth = 0;
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) if depth == 0 => depth = 1,
            Component::Normal(name) => place.push(name),
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                let message = format!("`{}` holds `{}`, which lies outside of it", archive.display(), path.display());
                return Err(Error::corrupt(message));
            }
        }
    }
    Ok((!place.as_os_str().is_empty()).then_some(place))
}

fn damaged(archive: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Unavailable,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, format!("cannot unpack `{}`", archive.display())).with_source(error)
}

#[cfg(test)]
mod tests;
